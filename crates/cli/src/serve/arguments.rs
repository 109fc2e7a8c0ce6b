//! Command line of `bits serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bits_proto::field::{HostId, HostIdFallbackTimeout};
use bits_proto::server::{OverlapRule, SessionHost};
use bits_server::{Builder, Limits, Notify};
use clap::{Arg, ArgAction, Args, ValueEnum};

use super::basic_auth::BasicAuth;
use super::telemetry::LogFormat;
use crate::error::Failure;
use crate::units::{duration, size};

/// Options of the server.
#[derive(Args)]
// An option on the command line overrides that of the configuration file, which precedes it.
#[command(after_help = AFTER_HELP, args_override_self = true, mut_args = flag_with_value)]
pub struct ServeArguments {
    /// Storage of the files: a folder, or a bucket such as s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or
    /// az://CONTAINER/PREFIX, or memory: for trying out.
    #[arg(long, visible_alias = "root", value_name = "DIR|URL")]
    pub storage: String,
    /// Store of the sessions: a folder, redis://HOST, rediss://HOST with TLS, a bucket, or memory: [default: a
    /// hidden folder beside the storage, or the bucket itself].
    #[arg(long, value_name = "DIR|URL")]
    pub sessions: Option<String>,
    /// Folder for data of unfinished uploads, on the file system of the storage [default: a hidden folder beside
    /// the storage, or inside the folder of the sessions].
    #[arg(long, value_name = "DIR")]
    pub staging: Option<PathBuf>,
    /// Reads options from this TOML file, with the names of the long options as keys.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Address to listen on; with port 0 the system selects a free port.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Serves metrics for Prometheus at http://ADDR:PORT/metrics.
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,

    /// URL under which clients see this server, if a proxy changes it.
    #[arg(long, value_name = "URL", help_heading = "Proxies")]
    pub public_url: Option<String>,
    /// Trusts the fields Forwarded and X-Forwarded-* of this number of proxies in front of the server [default: 1
    /// if --listen is a loopback address, which only a proxy on this machine can reach, and otherwise 0].
    #[arg(long, value_name = "PROXIES", value_parser = proxies, default_missing_value = "1",
        num_args = 0..=1, require_equals = true, conflicts_with = "public_url", help_heading = "Proxies")]
    pub trust_forwarded: Option<usize>,
    /// Host at which clients continue the upload (BITS-Host-Id).
    #[arg(long, value_name = "HOST", value_parser = host_id, help_heading = "Proxies")]
    pub host_id: Option<HostId<'static>>,
    /// Time after which clients return from that host to this one (BITS-Host-Id-Fallback-Timeout).
    #[arg(long, value_name = "SECONDS", requires = "host_id", help_heading = "Proxies")]
    pub fallback: Option<u32>,

    /// Largest file to accept [default: no limit].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub max_upload: Option<u64>,
    /// Largest fragment to accept [default: no limit].
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Limits")]
    pub max_fragment: Option<u64>,
    /// Maximum number of sessions.
    #[arg(long, value_name = "N", default_value_t = 100_000, help_heading = "Limits")]
    pub max_sessions: usize,
    /// Maximum number of connections; further clients wait until one closes.
    #[arg(long, value_name = "N", default_value_t = 1024,
        value_parser = clap::value_parser!(u32).range(1..), help_heading = "Limits")]
    pub max_connections: u32,
    /// Ends a session after this time without a stored byte.
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = duration, help_heading = "Limits")]
    pub session_timeout: Duration,
    /// Disconnects a client that sends nothing for this time while a request is expected or incomplete, or
    /// that receives nothing of a response for this time.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration, help_heading = "Limits")]
    pub read_timeout: Duration,

    /// Requires this user and password (HTTP Basic authentication).
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials, help_heading = "Policy")]
    pub basic: Option<BasicAuth>,
    /// Lets an upload replace an existing file.
    #[arg(long, help_heading = "Policy")]
    pub allow_overwrite: bool,
    /// Stores every upload as URL-PATH/SESSION-ID, for clients that all upload to one URL.
    #[arg(long, help_heading = "Policy")]
    pub keep_every_upload: bool,
    /// Logs the SHA-256 of every upload.
    #[arg(long, help_heading = "Policy")]
    pub sha256: bool,
    /// Creates the folders that a URL names (folder storage only) [default: 403 for a missing folder].
    #[arg(long, help_heading = "Policy")]
    pub create_folders: bool,
    /// Handling of fragments that repeat received bytes.
    #[arg(long, value_enum, default_value_t = Overlap::Trim, help_heading = "Policy")]
    pub overlap: Overlap,
    /// Accepts POST instead of BITS_POST, and other unambiguous deviations from the protocol.
    #[arg(long, help_heading = "Policy")]
    pub lenient: bool,
    /// Flushes data to the disk before it is acknowledged (folders only).
    #[arg(long, help_heading = "Policy")]
    pub fsync: bool,

    /// Notifies the server application at this URL of every upload.
    #[arg(long, value_name = "URL", help_heading = "Notification")]
    pub notify: Option<String>,
    /// Sends the path of the file to the application instead of the file.
    #[arg(long, requires_if("true", "notify"), help_heading = "Notification")]
    pub by_reference: bool,
    /// Treats only status 200 of the application as success (Microsoft's documentation) instead of any 2xx.
    #[arg(long, requires_if("true", "notify"), help_heading = "Notification")]
    pub require_200: bool,
    /// Trusts only the certificates in this PEM file when the application is notified over https.
    #[arg(long, value_name = "FILE", requires = "notify", help_heading = "Notification")]
    pub ca: Option<PathBuf>,

    /// Format of the log on standard error; the variable RUST_LOG sets its level.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

const AFTER_HELP: &str = "\
Sizes have units: 5000, 20MB, 1MiB. Times are seconds or have units: 90, 30s, 12h, 2d.

An option on the command line overrides that of the configuration file; `--fsync=false` switches off \
`fsync = true`.

Buckets take their credentials from the variables that the tools of the cloud use: AWS_ACCESS_KEY_ID, \
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT, GOOGLE_SERVICE_ACCOUNT, AZURE_STORAGE_ACCOUNT_NAME and so on.

The server prints `listening on http://ADDR:PORT` when it is ready. SIGINT and SIGTERM stop it after the \
requests in progress. Exit status: 0 after such a stop, 1 if it cannot start, 2 for bad usage.";

/// Handling of fragments that repeat received bytes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Overlap {
    /// Stores only the new bytes.
    Trim,
    /// Refuses the fragment with status 416.
    #[value(name = "416")]
    Refuse,
}

/// Lets a flag have a value, so that the command line can switch off one that the configuration file sets.
fn flag_with_value(argument: Arg) -> Arg {
    match argument.get_action() {
        ArgAction::SetTrue => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .value_name("true|false")
            .hide_default_value(true)
            .hide_possible_values(true),
        _ => argument,
    }
}

impl ServeArguments {
    /// Returns the limits of the server.
    fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits {
            max_upload: self.max_upload,
            max_fragment: self.max_fragment,
            max_sessions: self.max_sessions,
            // There is one principal at most, which may own all sessions.
            max_sessions_per_principal: self.max_sessions,
            session_timeout: self.session_timeout,
            idle_timeout: self.read_timeout,
            // A client may be silent for `read_timeout` between two reports.
            store_timeout: self.read_timeout * 2,
            // Short-lived sessions do not outlive their timeout by a multiple of it.
            sweep_interval: limits.sweep_interval.min(self.session_timeout),
            ..limits
        }
    }

    /// Sets what the options say about the behaviour of the server.
    ///
    /// # Errors
    ///
    /// A usage error for a file that cannot be read.
    pub fn apply(&self, builder: Builder) -> Result<Builder, Failure> {
        let host = self
            .host_id
            .map(|host_id| SessionHost::new(host_id, self.fallback.map(HostIdFallbackTimeout)));
        let overlap = match self.overlap {
            Overlap::Trim => OverlapRule::Trim,
            Overlap::Refuse => OverlapRule::Refuse,
        };
        let mut builder = builder
            .limits(self.limits())
            .replaces(self.allow_overwrite)
            .keep_every_upload(self.keep_every_upload)
            .sha256(self.sha256)
            .lenient(self.lenient)
            .trust_forwarded(self.trusted_proxies())
            .policy(|policy| {
                policy.overlap = overlap;
                policy.host = host.map(Into::into);
            });
        if let Some(url) = &self.public_url {
            builder = builder.public_url(url);
        }
        if let Some(url) = &self.notify {
            builder = builder.notify(self.application(url)?);
        }
        Ok(builder)
    }

    /// Returns the number of proxies whose fields are trusted.
    fn trusted_proxies(&self) -> usize {
        self.trust_forwarded.unwrap_or(usize::from(self.listen.ip().is_loopback()))
    }

    fn application(&self, url: &str) -> Result<Notify, Failure> {
        let notify = Notify::new(url).by_reference(self.by_reference).require_200(self.require_200);
        let Some(path) = &self.ca else { return Ok(notify) };
        let pem = std::fs::read(path);
        let pem =
            pem.map_err(|error| Failure::usage(format!("--ca {}: {error}", path.display())))?;
        Ok(notify.ca_certificate(pem))
    }
}

/// Parses a number of proxies. A configuration file may say `true` or `false`.
fn proxies(text: &str) -> Result<usize, &'static str> {
    match text {
        "true" => Ok(1),
        "false" => Ok(0),
        _ => text.parse().map_err(|_| "expected the number of proxies"),
    }
}

fn credentials(text: &str) -> Result<BasicAuth, &'static str> {
    BasicAuth::parse(text).ok_or("expected USER:PASSWORD")
}

/// Leaks the text: the value is needed as long as the program runs.
fn host_id(text: &str) -> Result<HostId<'static>, bits_proto::Error> {
    HostId::try_from(&*text.to_owned().leak())
}

#[cfg(test)]
mod tests {
    use clap::{ArgMatches, Command};

    use super::*;

    fn parsed(options: &[&str]) -> ArgMatches {
        let command = ServeArguments::augment_args(Command::new("serve"));
        let required = ["serve", "--storage=x", "--notify=http://x/"];
        command.try_get_matches_from(required.iter().chain(options)).expect("valid options")
    }

    #[test]
    fn each_flag_can_be_switched_off() {
        let command = ServeArguments::augment_args(Command::new("serve"));
        let is_flag = |it: &&Arg| it.get_value_names().is_some_and(|it| it == ["true|false"]);
        let flags = command.get_arguments().filter(is_flag).collect::<Vec<_>>();
        assert_eq!(flags.len(), 8);
        for flag in flags {
            let (id, long) = (flag.get_id().as_str(), flag.get_long().expect("a long name"));
            let (on, off) = (format!("--{long}"), format!("--{long}=false"));
            let is_set = |options: &[&str]| parsed(options).get_flag(id);
            assert!(!is_set(&[]), "{long}");
            assert!(is_set(&[&on]) && is_set(&[&format!("{on}=true")]), "{long}");
            assert!(!is_set(&[&on, &off]) && is_set(&[&off, &on]), "{long}");
        }
        let off = ["serve", "--storage=x", "--by-reference=false", "--require-200=false"];
        assert!(command.clone().try_get_matches_from(off).is_ok(), "no --notify is required");
        let on = ["serve", "--storage=x", "--by-reference"];
        assert!(command.try_get_matches_from(on).is_err());
    }

    #[test]
    fn trusted_proxies_are_a_number_or_a_flag() {
        let trusted = |option: &str| parsed(&[option]).get_one::<usize>("trust_forwarded").copied();
        assert_eq!(trusted("--trust-forwarded"), Some(1));
        assert_eq!(trusted("--trust-forwarded=true"), Some(1));
        assert_eq!(trusted("--trust-forwarded=false"), Some(0));
        assert_eq!(trusted("--trust-forwarded=2"), Some(2));
        assert!(proxies("many").is_err());
    }
}
