//! Stores of sessions.

mod faults;
mod faulty;
mod memory;
