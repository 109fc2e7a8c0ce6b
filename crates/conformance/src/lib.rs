//! Conformance tests for implementations of the BITS Upload Protocol (\[MC-BUP\]).
//!
//! The module [`server`] examines any server from the outside, as `h2spec` does for HTTP/2. The module
//! [`client`] examines any client by acting as its server. Each [`Case`] has a stable id, a [`Level`], the
//! requirements on which it is based, and one sentence of advice. Its [`CaseReport`] contains the bytes
//! that were sent and received.
//!
//! ```no_run
//! # async fn examine() -> Result<(), bits_conformance::server::SuiteError> {
//! use bits_conformance::server::Suite;
//!
//! let report = Suite::new("http://127.0.0.1:8080/upload/").run(|_| {}).await?;
//! for failure in report.failures() {
//!     println!("{}: {}", failure.case.id, failure.case.advice);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The program `bits` of the package `bits-cli` runs the suites: `bits conformance server URL` and
//! `bits conformance client -- COMMAND`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod case;
pub mod client;
mod content;
mod entry;
mod evidence;
mod junit;
mod log;
mod report;
mod selection;
pub mod server;

pub use self::case::{Case, Level};
pub use self::evidence::{Direction, Message};
pub use self::report::{CaseReport, Finding, Report, Verdict};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
