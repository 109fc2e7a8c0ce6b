//! Tests of `backend`.

mod accepted;
mod persist;
mod refusals;
mod rejected;
mod states;
mod timers;
