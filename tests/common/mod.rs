//! What several test files share: the vectors, reading whatever comes, and values to choose from.
#![allow(dead_code, unused_macros, reason = "each test file uses a part of it")]

pub mod any_session;
pub mod any_upload;
pub mod built;
pub mod cases;
pub mod complete;
pub mod diagram;
pub mod events;
pub mod http_types;
pub mod inputs;
pub mod outputs;
pub mod read;
pub mod script;
pub mod session;
pub mod specs;
pub mod stores;
pub mod strategies;
pub mod table;
pub mod texts;
pub mod to_http;
pub mod told;
pub mod twin;
pub mod upload;
pub mod values;
pub mod vectors;
pub mod whatever;
