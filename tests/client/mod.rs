//! Tests of `client`.

mod close;
mod decisions;
mod failures;
mod fallback;
mod fragments;
mod names;
mod persist;
mod random;
mod retry;
mod retry_after;
mod states;
mod timers;
