//! What must hold for every input: plain functions on the public API, which a fuzz target calls with
//! what the fuzzer makes up and `cargo test` with what fuzzers found before.

mod construct;
mod conversation;
pub mod differential;
mod fields;
mod generators;
mod notifying;
mod parse;
mod reference_grammar;
mod reference_parser;
mod roundtrip;
mod steps;
mod watching;

pub use construct::construct;
pub use conversation::conversation;
pub use differential::differential;
pub use fields::fields;
pub use notifying::notification_steps;
pub use parse::{parse_ack, parse_notification, parse_request};
pub use roundtrip::{roundtrip_ack, roundtrip_request};
pub use steps::{client_steps, server_steps};
pub use watching::observe;
