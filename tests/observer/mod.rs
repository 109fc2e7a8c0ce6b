//! Tests of `observer`.

mod errors;
mod hosts;
mod messages;
#[cfg(feature = "std")]
mod mid_stream;
mod rules;
mod sessions;
mod states;
mod unconfirmed;
