//! What the server is told when it is started.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bits_proto::field::{HostId, HostIdFallbackTimeout};
use bits_proto::message;
use bits_proto::server::{Limits, OverlapRule, Policy, SessionHost};
use clap::{Parser, ValueEnum};
use http::Uri;

use crate::basic_auth::Basic;

/// A server for the BITS Upload Protocol.
#[derive(Parser)]
#[command(name = "serve", version)]
pub struct Arguments {
    /// Where uploads go, and what can be fetched.
    #[arg(long, value_name = "DIR")]
    pub root: PathBuf,
    /// The address to listen on; with port 0 the system picks one.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where sessions are kept, on the file system of the root; a hidden folder beside the root by
    /// default.
    #[arg(long, value_name = "DIR")]
    pub sessions: Option<PathBuf>,
    /// The largest entity.
    #[arg(long, value_name = "BYTES", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_upload: u64,
    /// The largest fragment.
    #[arg(long, value_name = "BYTES", default_value_t = u64::MAX, hide_default_value = true)]
    pub max_fragment: u64,
    /// How many sessions there may be.
    #[arg(long, value_name = "N", default_value_t = Limits::default().sessions)]
    pub max_sessions: usize,
    /// How many connections there may be; others wait until they are taken.
    #[arg(long, value_name = "N", default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: u32,
    /// After how long without a stored byte a session ends.
    #[arg(long, value_name = "SECONDS", default_value = "1209600", value_parser = seconds)]
    pub session_timeout: Duration,
    /// How long a client may send nothing: a head, between two pieces of a body, or between two
    /// requests. As long may it take nothing of an answer.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub read_timeout: Duration,
    /// Tell the server application at this URL of every entity.
    #[arg(long, value_name = "URL")]
    pub notify: Option<Uri>,
    /// Send it the path of the entity, and not the entity.
    #[arg(long, requires = "notify")]
    pub by_reference: bool,
    /// Trust the certificates in this file when the application is told over https, and no others.
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE", requires = "notify")]
    pub ca: Option<PathBuf>,
    /// Let an entity replace what is at its destination.
    #[arg(long)]
    pub allow_overwrite: bool,
    /// Take only requests with this user and password.
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials)]
    pub basic: Option<Basic>,
    /// What to do about bytes that are held already.
    #[arg(long, value_enum, default_value_t = Overlap::Trim)]
    pub overlap: Overlap,
    /// Bring everything to the disk before it counts.
    #[arg(long)]
    pub fsync: bool,
    /// The host that clients go on with.
    #[arg(long, value_name = "HOST", value_parser = host_id)]
    pub host_id: Option<HostId<'static>>,
    /// For how long they try that host, before they come back to this one.
    #[arg(long, value_name = "SECONDS", requires = "host_id")]
    pub fallback: Option<u32>,
    /// Take POST for BITS_POST, and whatever else is unambiguous.
    #[arg(long)]
    pub lenient: bool,
    /// The form of the log, which goes to the standard error. RUST_LOG says what is in it.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Overlap {
    /// Store only what is new.
    Trim,
    /// Refuse the fragment.
    #[value(name = "416")]
    Refuse,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

impl Arguments {
    /// The rules for sessions.
    pub fn policy(&self) -> Policy<'static> {
        let host = self.host_id.map(|host_id| SessionHost {
            host_id,
            fallback_timeout: self.fallback.map(HostIdFallbackTimeout),
        });
        let requests = if self.lenient {
            message::ParseOptions::LENIENT
        } else {
            message::ParseOptions::DEFAULT
        };
        Policy {
            requests,
            max_entity: self.max_upload,
            max_fragment: self.max_fragment,
            overlap: match self.overlap {
                Overlap::Trim => OverlapRule::Trim,
                Overlap::Refuse => OverlapRule::Refuse,
            },
            host,
            overwrites: self.allow_overwrite,
            notification: self.notify.is_some(),
            session_timeout: self.session_timeout,
            // What is received is reported more often than that.
            store_timeout: Policy::DEFAULT.store_timeout.max(self.read_timeout * 2),
            ..Policy::DEFAULT
        }
    }

    /// How many sessions there may be. There is one principal at most, so all may be its.
    pub fn limits(&self) -> Limits {
        Limits { sessions: self.max_sessions, sessions_of_principal: self.max_sessions }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "not a number of seconds")?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() && duration <= LONGEST => Ok(duration),
        _ => Err("not a positive number of seconds".into()),
    }
}

/// A century: what is longer may be too long for a timer.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

fn credentials(text: &str) -> Result<Basic, &'static str> {
    Basic::parse(text).ok_or("there is no colon between user and password")
}

/// It lives as long as the program.
fn host_id(text: &str) -> Result<HostId<'static>, bits_proto::Error> {
    HostId::try_from(&*text.to_owned().leak())
}
