//! Command line of the server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bits_proto::field::{HostId, HostIdFallbackTimeout};
use bits_proto::message;
use bits_proto::server::{OverlapRule, Policy, SessionHost, SessionLimits};
use clap::{Parser, ValueEnum};
use http::Uri;

use crate::basic_auth::BasicAuth;

/// A server for the BITS Upload Protocol.
#[derive(Parser)]
#[command(name = "serve", version)]
pub struct Arguments {
    /// Folder that receives uploads and serves downloads.
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// Address to listen on; with port 0 the system chooses a free port.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Folder for sessions, on the same file system as the root [default: a hidden folder beside
    /// the root].
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// Largest entity to accept [default: no limit].
    #[arg(long, value_name = "BYTES", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_upload: u64,
    /// Largest fragment to accept [default: no limit].
    #[arg(long, value_name = "BYTES", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_fragment: u64,
    /// Maximum number of sessions.
    #[arg(long, value_name = "N", default_value_t = SessionLimits::DEFAULT.max_sessions)]
    pub max_sessions: usize,
    /// Maximum number of connections; further clients wait until one closes.
    #[arg(long, value_name = "N", default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// Ends a session after this time without a stored byte.
    #[arg(long, value_name = "SECONDS", default_value = "1209600", value_parser = seconds)]
    pub session_timeout: Duration,
    /// Disconnects a client that sends nothing for this time while a request is expected or
    /// incomplete, or that receives nothing of a response for this time.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub read_timeout: Duration,
    /// Notify the server application at this URL of every entity.
    #[arg(long, value_name = "URL")]
    pub notify: Option<Uri>,
    /// Send the path of the entity to the application instead of the entity.
    #[arg(long, requires = "notify")]
    pub by_reference: bool,
    /// Treat only status 200 of the application as success (Microsoft's documentation) instead of any
    /// 2xx.
    #[arg(long, requires = "notify")]
    pub require_200: bool,
    /// Trust only the certificates in this PEM file when the application is notified over https.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "notify")]
    pub ca: Option<PathBuf>,
    /// Let an entity replace an existing file at its destination.
    #[arg(long)]
    pub allow_overwrite: bool,
    /// Require this user and password (HTTP Basic authentication).
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials)]
    pub basic: Option<BasicAuth>,
    /// Handling of fragments that repeat received bytes.
    #[arg(long, value_enum, default_value_t = Overlap::Trim)]
    pub overlap: Overlap,
    /// Flush data to the disk before it is acknowledged.
    #[arg(long)]
    pub fsync: bool,
    /// Host at which clients continue the upload (BITS-Host-Id).
    #[arg(long, value_name = "HOST", value_parser = host_id)]
    pub host_id: Option<HostId<'static>>,
    /// Time after which clients give up on that host and return to this one
    /// (BITS-Host-Id-Fallback-Timeout).
    #[arg(long, value_name = "SECONDS", requires = "host_id")]
    pub fallback: Option<u32>,
    /// Accept POST instead of BITS_POST, and other unambiguous deviations from the protocol.
    #[arg(long)]
    pub lenient: bool,
    /// Format of the log on standard error; the variable RUST_LOG sets its level.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Overlap {
    /// Store only the new bytes.
    Trim,
    /// Refuse the fragment with status 416.
    #[value(name = "416")]
    Refuse,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl Arguments {
    /// Returns the rules for sessions.
    pub fn policy(&self) -> Policy<'static> {
        let host = self
            .host_id
            .map(|host_id| SessionHost::new(host_id, self.fallback.map(HostIdFallbackTimeout)));
        let requests = if self.lenient {
            message::ParseOptions::LENIENT
        } else {
            message::ParseOptions::DEFAULT
        };
        Policy::DEFAULT
            .with_requests(requests)
            .with_max_entity(self.max_upload)
            .with_max_fragment(self.max_fragment)
            .with_overlap(match self.overlap {
                Overlap::Trim => OverlapRule::Trim,
                Overlap::Refuse => OverlapRule::Refuse,
            })
            .with_host(host)
            .with_overwrites(self.allow_overwrite)
            .with_notification(self.notify.is_some())
            .with_session_timeout(self.session_timeout)
            // A request that still receives data must not count as abandoned: its client may be
            // silent for `read_timeout` between two reports.
            .with_store_timeout(Policy::DEFAULT.store_timeout.max(self.read_timeout * 2))
    }

    /// Returns the limits for sessions. There is one principal at most, which may own all of them.
    pub fn limits(&self) -> SessionLimits {
        SessionLimits::default()
            .with_max_sessions(self.max_sessions)
            .with_max_sessions_per_principal(self.max_sessions)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "expected a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= MAX_DURATION => Ok(duration),
        _ => Err("expected more than 0 and at most 3153600000 seconds".into()),
    }
}

/// A century of 3153600000 seconds. A longer time may overflow a timer.
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn credentials(text: &str) -> Result<BasicAuth, &'static str> {
    BasicAuth::parse(text).ok_or("expected USER:PASSWORD")
}

/// Leaks the text: the value is needed as long as the program runs.
fn host_id(text: &str) -> Result<HostId<'static>, bits_proto::Error> {
    HostId::try_from(&*text.to_owned().leak())
}
