//! Tests of `backend`.

mod accepted;
mod persist;
mod refusals;
mod states;
mod timers;
