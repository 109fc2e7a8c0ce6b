//! Command line of the client.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bits_proto::client::{FragmentSizing, Mode, Options};
use bits_proto::field::ContentName;
use clap::Parser;
use http::header::{AUTHORIZATION, CONNECTION, EXPECT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::entity::Entity;
use crate::failure::{Failure, Result};

/// Uploads a file to a server that implements the BITS Upload Protocol.
#[derive(Parser)]
#[command(name = "upload", version)]
pub struct Arguments {
    /// File to upload.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Destination URL: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// Bytes per fragment, limited to the range from 5KiB to 13MiB [default: 1MiB].
    #[arg(long, value_name = "N", value_parser = size)]
    pub fragment_size: Option<u64>,
    /// Fetch the server's reply to the upload and write it to this file.
    #[arg(long, value_name = "OUT")]
    pub reply: Option<PathBuf>,
    /// Also fetch the reply from another server if the server refers to one. Credentials and
    /// --header fields are not sent there.
    #[arg(long, requires = "reply")]
    pub reply_from_anywhere: bool,
    /// Keep the state of the upload in this file, so that the same command continues it after
    /// Ctrl-C, a crash or a failure.
    #[arg(long, value_name = "STATE")]
    pub resume: Option<PathBuf>,
    /// With --resume, create a new session and send the file from its beginning, for example after the
    /// server rejected the session that would be continued.
    #[arg(long, requires = "resume")]
    pub restart: bool,
    /// Name that the fragments carry as Content-Name; empty for none [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    pub content_name: Option<String>,
    /// Send the name with Create-Session too.
    #[arg(long)]
    pub name_on_create: bool,
    /// Maximum time that the server may delay a retry with Retry-After.
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    pub max_retry_after: Duration,
    /// Additional header field for each request; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Credentials for HTTP Basic authentication.
    #[arg(long, value_name = "USER:PASSWORD")]
    pub basic: Option<String>,
    /// Maximum number of bytes to send per second.
    #[arg(long, value_name = "BYTES/S", value_parser = size)]
    pub limit: Option<u64>,
    /// Maximum number of consecutive failures to retry.
    #[arg(long, value_name = "N", default_value_t = Options::DEFAULT.max_retries)]
    pub retries: u32,
    /// Delay after the first failure; it doubles with each further failure, up to a minute.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub retry_delay: Duration,
    /// Timeout for establishing a connection, for sending a request, and for its response.
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub timeout: Duration,
    /// Trust only the certificates in this PEM file.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Print only errors.
    #[arg(long, short)]
    pub quiet: bool,
}

fn size(text: &str) -> std::result::Result<u64, String> {
    match parse_size::parse_size(text) {
        Ok(0) => Err("must be greater than 0".into()),
        Ok(size) => Ok(size),
        Err(error) => Err(error.to_string()),
    }
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("must be greater than 0".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Fields that the program controls and `--header` must not set.
const RESERVED: [HeaderName; 3] = [HOST, CONNECTION, EXPECT];

impl Arguments {
    /// Returns the options of the upload. `default_length` is the fragment length without
    /// `--fragment-size`.
    pub fn options(&self, mode: Mode, default_length: u64) -> Options {
        let length = self.fragment_size.unwrap_or(default_length);
        // At the rate limit, a longer fragment would exceed the timeout for a request.
        let max_length = self.limit.map_or(u64::MAX, |limit| {
            let half = self.timeout.as_secs_f64() / 2.0;
            (limit as f64 * half) as u64
        });
        Options::DEFAULT
            .with_mode(mode)
            .with_fragments(FragmentSizing::new(length.min(max_length)))
            .with_request_timeout(self.timeout)
            .with_response_timeout(self.timeout)
            .with_initial_backoff(self.retry_delay)
            .with_max_backoff(Options::DEFAULT.max_backoff.max(self.retry_delay))
            .with_max_retries(self.retries)
            .with_max_retry_after(self.max_retry_after)
            .with_name_on_create(self.name_on_create)
    }

    /// Returns the name that fragments carry. The name of a file is left out if a header field cannot
    /// contain it, or if it is longer than a name may be.
    ///
    /// # Errors
    ///
    /// Returns a usage error if `--content-name` is not valid.
    pub fn content_name(&self, entity: &Entity) -> Result<Option<Vec<u8>>> {
        let is_name =
            |name: &[u8]| ContentName::try_from(name).is_ok() && name.len() <= ContentName::MAX_LEN;
        match &self.content_name {
            Some(name) if name.is_empty() => Ok(None),
            Some(name) if is_name(name.as_bytes()) => Ok(Some(name.clone().into_bytes())),
            Some(name) => Err(Failure::usage(format!(
                "--content-name '{name}': expected at most {} bytes without control characters",
                ContentName::MAX_LEN
            ))),
            None => {
                let name = entity.path().file_name().and_then(|name| name.to_str());
                Ok(name.map(|name| name.as_bytes().to_vec()).filter(|name| is_name(name)))
            }
        }
    }

    /// Returns the additional fields of each request, without Host.
    ///
    /// # Errors
    ///
    /// Returns a usage error for invalid or conflicting fields.
    pub fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        for header in &self.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| {
                Failure::usage(format!("--header '{header}': expected 'NAME: VALUE'"))
            })?;
            let explain = || Failure::usage(format!("--header '{name}': not a valid header field"));
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| explain())?;
            if RESERVED.contains(&name) {
                return Err(Failure::usage(format!(
                    "--header '{name}': the program sets this field itself"
                )));
            }
            let value = HeaderValue::from_str(value.trim()).map_err(|_| explain())?;
            headers.append(name, value);
        }
        if let Some(basic) = &self.basic {
            if headers.contains_key(AUTHORIZATION) {
                return Err(Failure::usage(
                    "--basic cannot be combined with --header Authorization",
                ));
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
        return Err(Failure::usage("--basic: expected USER:PASSWORD"));
    }
    let value = format!("Basic {}", STANDARD.encode(basic));
    let mut value = HeaderValue::try_from(value).map_err(Failure::usage)?;
    value.set_sensitive(true);
    Ok(value)
}
