//! Tests of `backend`.

mod persist;
mod refusals;
mod states;
mod timers;
