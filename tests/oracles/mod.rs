//! Properties that hold for every input, as functions on the public API. Fuzz targets call them with generated
//! inputs, and `cargo test` calls them with the corpora and regressions.

mod chunked;
mod construct;
mod conversation;
pub mod differential;
mod download_crates;
mod download_steps;
mod downloads;
mod fields;
mod generators;
mod heads;
mod notification_steps;
mod observe;
pub mod observe_downloads;
mod parse;
mod reference_grammar;
mod reference_parser;
mod roundtrip;
mod steps;

pub use chunked::chunked;
pub use construct::construct;
pub use conversation::conversation;
pub use differential::differential;
pub use download_crates::download_crates;
pub use download_steps::download_steps;
pub use downloads::{download_plan, multipart, parse_range};
pub use fields::fields;
pub use heads::heads;
pub use notification_steps::notification_steps;
pub use observe::observe;
pub use observe_downloads::observe_downloads;
pub use parse::{parse_ack, parse_notification, parse_request};
pub use roundtrip::{roundtrip_ack, roundtrip_request};
pub use steps::{client_steps, server_steps};
