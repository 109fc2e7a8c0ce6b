//! Examination of clients.
//!
//! A [`Suite`] acts as the server of a client. For each case it listens at a port of its own, runs the client with a
//! file and a URL, and checks the requests, the copy of the file, and the result that the client reports. Each transfer
//! starts with an empty folder and a small file.
//!
//! Each case has a script, which deviates from an ordinary server in one respect, and an expected result. In addition,
//! the [observer](bits_proto::observer) of the core follows each conversation. Rules that a client violates in
//! conversations that are otherwise as expected are failures of the cases in the area `message`.
//!
//! If the specification leaves a choice, a case accepts each option, unless its level is robustness or security. For
//! example, a client may follow a redirect or give up, but must not report success without a copy. Where a client may
//! retry for a long time, it is stopped after ten seconds.
//!
//! Some cases kill the client, or change its file. The command runs a second time after it was killed.
//!
//! # Adding a case
//!
//! A case is an entry of a table in `cases/upload_*.rs` or `cases/download_*.rs`, or of the macro `cases!` in
//! `challenges.rs`, `digest.rs` and `proxy_credentials.rs`, which defines it for both directions. `cases/mod.rs` lists
//! the tables. The `Scenario` of a case consists of functions without
//! captures: `answer` returns the response to a request, and `check` examines all requests in the end. The models
//! `Upload` and `Download` have the response of an ordinary server (`ordinary`), the requests so far (`requests`), and
//! tests for the request at which the script deviates (`is_nth`, `is_nth_get`, `is_resumed`).
//!
//! The fault of the case is an entry with the same id in `tests/client/faults/`. It changes a request, a response, the
//! result or the copy of the double, which is a client on the state machines of the core. The tests require that the
//! case passes on `bits-client` and on the double, and that the fault fails this case and no other.

mod cases;
mod digest;
mod download;
mod entry;
mod examine;
mod gzip;
mod job;
mod message;
mod probe;
mod runner;
mod scenario;
mod servers;
mod setup;
mod shared;
mod upload;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use thiserror::Error;

pub use self::job::{Job, Transfer};
use self::runner::Runner;
use self::shared::Shared;
use crate::selection::{Selection, selection_methods};
use crate::{Case, CaseReport, Report};

/// Returns every case of a direction, grouped by area.
pub fn cases(transfer: Transfer) -> impl Iterator<Item = Case> {
    cases::all(transfer).map(|entry| entry.case)
}

/// Reasons why a client cannot be examined.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SuiteError {
    /// The command has no placeholder for the URL or the file.
    #[error("command without {placeholder}: each run needs its own URL and file")]
    Placeholder {
        /// The placeholder.
        placeholder: &'static str,
    },
    /// The suite cannot listen.
    #[error("cannot listen at {address}: {reason}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The reason.
        reason: String,
    },
    /// No case matches.
    #[error("no case matches {pattern:?}")]
    NoCase {
        /// The patterns.
        pattern: String,
    },
    /// The client cannot be started.
    #[error("{command:?} cannot be started: {reason}")]
    Start {
        /// The command.
        command: String,
        /// The reason.
        reason: String,
    },
    /// The client does not implement the protocol.
    #[error("{command:?} is not a client for this {transfer}: {reason}")]
    NotClient {
        /// The command.
        command: String,
        /// The direction.
        transfer: Transfer,
        /// Its first request, or the result that it reports.
        reason: String,
    },
}

/// An examination of one client.
///
/// # Example
///
/// ```no_run
/// # async fn examine() -> Result<(), bits_conformance::client::SuiteError> {
/// use bits_conformance::client::{Suite, Transfer};
///
/// let command = ["python3", "upload.py", "{file}", "{url}"];
/// let suite = Suite::new(Transfer::Upload, command).only("ack");
/// let report = suite.run(|case| println!("{}: {}", case.case.id, case.verdict.name())).await?;
/// assert!(report.is_success(), "{}", report.to_json());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Suite {
    runner: Runner,
    transfer: Transfer,
    listen: SocketAddr,
    host: Option<String>,
    timeout: Duration,
    selection: Selection,
}

impl Suite {
    /// Creates an examination of a program, which is given with its arguments. It succeeds with exit status 0.
    ///
    /// These placeholders are replaced in each argument:
    ///
    /// | placeholder | replaced by |
    /// |---|---|
    /// | `{url}` | URL of the entity |
    /// | `{file}` | the file to upload, or the destination of a download |
    /// | `{reply}` | destination of the reply to an upload; optional |
    /// | `{user}`, `{password}` | credentials for servers that require them; optional |
    /// | `{dir}` | an empty folder for the state of the client; optional |
    ///
    /// Cases about replies and credentials are skipped without their placeholders. Cases about proxies set the
    /// environment variable `http_proxy`, and do not apply to a client that ignores it.
    pub fn new(transfer: Transfer, command: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::with_runner(transfer, Runner::Command(command.into_iter().map(Into::into).collect()))
    }

    /// Creates an examination of a function in the same process, which returns the reason if it fails.
    ///
    /// Cases about credentials and replies are skipped unless [`credentials`](Self::credentials) and
    /// [`reply`](Self::reply) enable them. Cases about proxies do not apply to a function that ignores
    /// [`Job::proxy`].
    pub fn in_process<F>(
        transfer: Transfer,
        function: impl Fn(Job) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self::with_runner(transfer, Runner::function(function))
    }

    fn with_runner(transfer: Transfer, runner: Runner) -> Self {
        Self {
            runner,
            transfer,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            host: None,
            timeout: Duration::from_secs(30),
            selection: Selection::new(),
        }
    }

    /// States that a function uses [`Job::user`] and [`Job::password`].
    pub fn credentials(mut self) -> Self {
        if let Runner::Function { has_credentials, .. } = &mut self.runner {
            *has_credentials = true;
        }
        self
    }

    /// States that a function fetches the reply to an upload into [`Job::reply`].
    pub fn reply(mut self) -> Self {
        if let Runner::Function { has_reply, .. } = &mut self.runner {
            *has_reply = true;
        }
        self
    }

    /// Sets the address at which the suite listens. By default, this is a free port of 127.0.0.1 for each case.
    ///
    /// A port other than 0 is used for all cases, one after another; the next port is another server.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Sets the name or address of this machine in URLs. By default, this is the address at which the suite listens.
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sets the time after which a client that still runs is stopped. By default, this is 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    selection_methods!();

    fn selected(&self) -> impl Iterator<Item = &'static entry::Entry> {
        cases::all(self.transfer).filter(|entry| self.selection.includes(entry))
    }

    /// Examines the client. The callback receives each result when it is known.
    ///
    /// Rules of the area `message` are decided at the end, when all conversations are known.
    ///
    /// # Errors
    ///
    /// The reason why the client cannot be examined. Failed cases are no error.
    pub async fn run(self, on_case: impl FnMut(&CaseReport)) -> Result<Report, SuiteError> {
        let entries = self.selected().collect::<Vec<_>>();
        if entries.is_empty() {
            return Err(SuiteError::NoCase { pattern: self.selection.only.join(", ") });
        }
        for placeholder in ["{url}", "{file}"] {
            if !self.runner.has(placeholder) {
                return Err(SuiteError::Placeholder { placeholder });
            }
        }
        let mut selection = self.selection;
        if self.listen.port() != 0 {
            selection.jobs = 1;
        }
        let host = self.host.unwrap_or_else(|| match self.listen.ip() {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        });
        let shared = Arc::new(Shared {
            runner: self.runner,
            transfer: self.transfer,
            listen: self.listen,
            host,
            timeout: self.timeout,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        });
        probe::probe(&shared).await?;
        let examine = |entry| {
            let shared = Arc::clone(&shared);
            async move { examine::examine(entry, &shared).await }
        };
        let cases = selection.run(&entries, examine, on_case).await;
        Ok(Report {
            peer: shared.runner.name(),
            cases,
            bytes_sent: shared.sent.load(Ordering::Relaxed),
            bytes_received: shared.received.load(Ordering::Relaxed),
            remaining: Vec::new(),
        })
    }
}
