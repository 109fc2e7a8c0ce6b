//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bits_proto::client::{FragmentSizing, Mode, Options};
use clap::Parser;
use http::header::{AUTHORIZATION, CONNECTION, EXPECT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::failure::{Failure, Result};

/// Uploads a file to a server that speaks the BITS Upload Protocol.
#[derive(Parser)]
#[command(name = "upload", version)]
pub struct Arguments {
    /// What to upload.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// How many bytes go into a fragment, 5KiB to 13MiB, or the nearer of the two [default: 1MiB].
    #[arg(long, value_name = "N", value_parser = size)]
    pub fragment_size: Option<u64>,
    /// The server has a reply, which goes to this file.
    #[arg(long, value_name = "OUT")]
    pub reply: Option<PathBuf>,
    /// Fetch the reply from wherever the server says; without your credentials and headers if it
    /// is elsewhere.
    #[arg(long, requires = "reply")]
    pub reply_from_anywhere: bool,
    /// Keep a file by which the same command goes on after Ctrl-C, a crash or a failure.
    #[arg(long, value_name = "STATE")]
    pub resume: Option<PathBuf>,
    /// Another field for each request; may be given more than once.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Credentials for HTTP's Basic scheme.
    #[arg(long, value_name = "USER:PASSWORD")]
    pub basic: Option<String>,
    /// No more than this many bytes of the file in a second.
    #[arg(long, value_name = "BYTES/S", value_parser = size)]
    pub limit: Option<u64>,
    /// How many failures in a row are tried again.
    #[arg(long, value_name = "N", default_value_t = Options::DEFAULT.max_retries)]
    pub retries: u32,
    /// How long to wait after the first failure; the time doubles with each, up to a minute.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub retry_delay: Duration,
    /// How long a connection, a request and an answer may take, each.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub timeout: Duration,
    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Print nothing but errors.
    #[arg(long, short)]
    pub quiet: bool,
}

fn size(text: &str) -> std::result::Result<u64, String> {
    match parse_size::parse_size(text) {
        Ok(0) => Err("must be more than 0".into()),
        Ok(size) => Ok(size),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("must be more than 0".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// What the connection, not the user, has to say.
const OF_CONNECTION: [HeaderName; 3] = [HOST, CONNECTION, EXPECT];

impl Arguments {
    /// How the upload goes about it, with fragments as long as `usual` if nobody says so.
    pub fn options(&self, mode: Mode, usual: u64) -> Options {
        let length = self.fragment_size.unwrap_or(usual);
        // A fragment that takes longer than a request may is sent in vain.
        let in_time = self.limit.map_or(u64::MAX, |limit| {
            let half = self.timeout.as_secs_f64() / 2.0;
            (limit as f64 * half) as u64
        });
        Options {
            mode,
            fragments: FragmentSizing::new(length.min(in_time)),
            request_timeout: self.timeout,
            response_timeout: self.timeout,
            initial_backoff: self.retry_delay,
            max_backoff: Options::DEFAULT.max_backoff.max(self.retry_delay),
            max_retries: self.retries,
            ..Options::DEFAULT
        }
    }

    /// The fields that each request carries beside those of its message, but for Host.
    pub fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                Failure::usage(format!("--header '{header}': a name, a colon and a value"))
            })?;
            let explain = || Failure::usage(format!("--header '{name}': not a field"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| explain())?;
            if OF_CONNECTION.contains(&name) {
                return Err(Failure::usage(format!("--header '{name}' is not for you to say")));
            }
            let value = HeaderValue::from_str(value.trim()).map_err(|_| explain())?;
            headers.append(name, value);
        }
        if let Some(basic) = &self.basic {
            if headers.contains_key(AUTHORIZATION) {
                return Err(Failure::usage("--basic and --header Authorization: one of them"));
            }
            headers.insert(AUTHORIZATION, credentials(basic)?);
        }
        let agent = concat!("bits-proto-upload/", env!("CARGO_PKG_VERSION"));
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(agent));
        Ok(headers)
    }
}

fn credentials(basic: &str) -> Result<HeaderValue> {
    if !basic.contains(':') {
        return Err(Failure::usage("--basic: a user, a colon and a password"));
    }
    let value = format!("Basic {}", STANDARD.encode(basic));
    let mut value = HeaderValue::try_from(value).map_err(Failure::usage)?;
    value.set_sensitive(true);
    Ok(value)
}
