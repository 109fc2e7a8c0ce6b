//! Tests of `client`.

mod close;
mod decisions;
mod fallback;
mod fragments;
mod persist;
mod random;
mod retry;
mod states;
mod timers;
