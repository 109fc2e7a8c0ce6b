//! Options on the command line of every client.

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bits_proto::client::Options;
use clap::Args;
use http::header::{AUTHORIZATION, CONNECTION, EXPECT, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::failure::{Failure, Result};

#[derive(Args)]
pub struct ClientArguments {
    /// Additional header field for each request; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// Credentials for HTTP Basic authentication.
    #[arg(long, value_name = "USER:PASSWORD")]
    pub basic: Option<String>,
    /// Maximum number of bytes of the entity per second.
    #[arg(long, value_name = "BYTES/S", value_parser = size)]
    pub limit: Option<u64>,
    /// Maximum number of consecutive failures to retry.
    #[arg(long, value_name = "N", default_value_t = Options::DEFAULT.max_retries)]
    pub retries: u32,
    /// Delay after the first failure; it doubles with each further failure, up to a minute.
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub retry_delay: Duration,
    /// Maximum time that the server may delay a retry with Retry-After.
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    pub max_retry_after: Duration,
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

/// Parses a number of bytes, such as 10M.
pub fn size(text: &str) -> std::result::Result<u64, String> {
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

impl ClientArguments {
    /// Returns the additional fields of each request, without Host. `agent` is the default of
    /// User-Agent.
    ///
    /// # Errors
    ///
    /// Returns a usage error for invalid or conflicting fields.
    pub fn headers(&self, agent: &'static str) -> Result<HeaderMap> {
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
