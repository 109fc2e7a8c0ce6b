//! Tests of `observer`.

mod errors;
mod messages;
#[cfg(feature = "std")]
mod mid_stream;
mod rules;
mod sequence;
mod sessions;
mod states;
mod unconfirmed;
