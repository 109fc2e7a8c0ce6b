//! Tests of `observer`.

mod authentication;
#[cfg(feature = "std")]
mod download;
mod ends;
mod errors;
mod incomplete;
mod messages;
#[cfg(feature = "std")]
mod mid_stream;
mod missed;
mod numbers;
mod rules;
mod sequence;
mod sessions;
mod states;
mod unconfirmed;
