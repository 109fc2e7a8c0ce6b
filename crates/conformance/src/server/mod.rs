//! Examination of servers.
//!
//! A [`Suite`] is a client that sends exact bytes, valid and invalid ones, to any server of
//! \[MC-BUP\] over HTTP or HTTPS. It uploads small entities with unique names, and reads them back by
//! GET if the server offers them, or from the server's folder ([`Suite::root`]).
//!
//! Each case has an expectation of its own. In addition, the [observer](bits_proto::observer) of the core
//! follows each conversation. Rules that a server violates in conversations that are otherwise as
//! expected are failures of the cases in the area `message`.
//!
//! A case never requires what the specification leaves open: for example, bytes that overlap those
//! received may be skipped or refused with 416, but the entity has to be right in the end.

mod answer;
mod application;
mod cases;
mod connection;
mod entry;
mod examine;
mod packet;
mod probe;
mod root;
mod session;
mod shared;
mod target;
mod test;
mod variant;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::selection::{Selection, selection_methods};
use crate::{Case, CaseReport, Report};

/// Returns every case, grouped by area.
pub fn cases() -> impl Iterator<Item = Case> {
    cases::all().map(|entry| entry.case)
}

/// Reasons why a server cannot be examined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The URL is invalid.
    #[error("URL {url:?}: {reason}")]
    Url {
        /// The URL.
        url: String,
        /// The reason.
        reason: String,
    },
    /// TLS cannot be used.
    #[error("TLS cannot be used: {reason}")]
    Tls {
        /// The reason.
        reason: String,
    },
    /// The application cannot listen.
    #[error("cannot listen for notifications at {address}: {reason}")]
    Application {
        /// The address.
        address: String,
        /// The reason.
        reason: String,
    },
    /// No case matches.
    #[error("no case matches {pattern:?}")]
    NoCase {
        /// The patterns.
        pattern: String,
    },
    /// The server cannot be reached.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// The reason.
        reason: String,
    },
    /// The server does not implement \[MC-BUP\], or not at this URL.
    #[error("{url} is not a BITS server: {reason}")]
    NotBits {
        /// The URL.
        url: String,
        /// The response to Create-Session.
        reason: String,
    },
    /// The server implements \[MC-BUP\] and refuses uploads.
    #[error("{url} refuses uploads: {reason}")]
    Refused {
        /// The URL.
        url: String,
        /// The response to Create-Session.
        reason: String,
    },
}

/// An examination of one server.
///
/// # Example
///
/// ```no_run
/// # async fn examine() -> Result<(), bits_conformance::server::SuiteError> {
/// use bits_conformance::server::Suite;
///
/// let suite = Suite::new("http://127.0.0.1:8080/upload/").only("fragment").max_bytes(1 << 20);
/// let report = suite.run(|case| println!("{}: {}", case.case.id, case.verdict.name())).await?;
/// assert!(report.is_success(), "{}", report.to_json());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Suite {
    url: String,
    root: Option<PathBuf>,
    application: Option<SocketAddr>,
    headers: Vec<(String, String)>,
    ca: Option<Vec<u8>>,
    timeout: Duration,
    max_bytes: u64,
    selection: Selection,
}

impl Suite {
    /// Creates an examination of the server at the URL of a folder for uploads.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            root: None,
            application: None,
            headers: Vec::new(),
            ca: None,
            timeout: Duration::from_secs(5),
            max_bytes: 64 << 20,
            selection: Selection::new(),
        }
    }

    /// Sets the folder in which the server publishes the entities of the URL. Entities are verified
    /// and removed there.
    pub fn root(mut self, folder: impl Into<PathBuf>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Listens for notifications at this address. The server has to be configured to notify it.
    pub fn application(mut self, address: SocketAddr) -> Self {
        self.application = Some(address);
        self
    }

    /// Adds a field to every request, such as Authorization.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Trusts only these certificates in PEM format, instead of those of the system.
    pub fn ca_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// Sets the time after which a missing connection or response is a failure. By default, this is
    /// 5 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Limits the number of bytes sent and received. Cases that exceed it are skipped. By default, this is
    /// 64 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    selection_methods!();

    fn selected(&self) -> impl Iterator<Item = &'static entry::Entry> {
        cases::all().filter(|entry| self.selection.includes(entry))
    }

    /// Examines the server. The callback receives each result when it is known.
    ///
    /// Rules of the area `message` are decided at the end, when all conversations are known.
    ///
    /// # Errors
    ///
    /// The reason why the server cannot be examined. Failed cases are no error.
    pub async fn run(self, on_case: impl FnMut(&CaseReport)) -> Result<Report, SuiteError> {
        examine::run(self, on_case).await
    }
}
