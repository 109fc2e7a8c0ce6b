//! Shared test code: parsing in all possible ways, samples, strategies, simulated peers, and checks.
#![allow(dead_code, unused_imports, unused_macros, reason = "each test file uses a part of it")]

pub mod any_session;
pub mod any_upload;
pub mod built;
pub mod cases;
pub mod chunked;
pub mod complete;
pub mod conversations;
pub mod diagram;
#[cfg(feature = "std")]
pub mod download_server;
pub mod events;
pub mod field_values;
pub mod head_parsers;
pub mod http_types;
pub mod inputs;
pub mod invariants;
pub mod messages;
pub mod notifications;
pub mod outputs;
pub mod read;
pub mod refusals;
pub mod sample_errors;
pub mod script;
pub mod serialize;
pub mod session;
pub mod sessions;
pub mod single_message;
pub mod specs;
pub mod stores;
pub mod strategies;
pub mod table_equivalence;
pub mod texts;
pub mod to_http;
pub mod upload;
pub mod values;
#[cfg(feature = "std")]
pub mod watched_download;
#[cfg(feature = "std")]
pub mod wire_observer;

pub use bits_proto_test_tools::vectors;
