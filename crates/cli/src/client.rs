//! Options and output that `bits upload` and `bits download` have in common.

mod console;
mod failure;
mod interrupt;

use std::path::PathBuf;
use std::time::Duration;

use bits_client::{Client, ClientBuilder, StateDir};
use clap::Args;

pub use self::console::{Console, Direction};
pub use self::failure::failure;
pub use self::interrupt::Interrupts;
use crate::error::Failure;
use crate::units::{duration, rate};

/// Options of every transfer.
#[derive(Args)]
pub struct ClientArguments {
    /// Adds a header field to each request; may be repeated.
    #[arg(long = "header", value_name = "NAME: VALUE", help_heading = "Requests")]
    pub headers: Vec<String>,
    /// User and password for Basic or Digest authentication.
    #[arg(long, value_name = "USER:PASSWORD", help_heading = "Requests")]
    pub basic: Option<String>,
    /// Token for Bearer authentication.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "BITS_TOKEN",
        hide_env_values = true,
        conflicts_with = "basic",
        help_heading = "Requests"
    )]
    pub bearer: Option<String>,
    /// Uses this HTTP or SOCKS proxy [default: the variables http_proxy, https_proxy and all_proxy].
    #[arg(long, value_name = "URL", help_heading = "Requests")]
    pub proxy: Option<String>,
    /// Uses no proxy, ignoring these variables.
    #[arg(long, conflicts_with = "proxy", help_heading = "Requests")]
    pub no_proxy: bool,
    /// Trusts only the certificates in this PEM file [default: those of the system].
    #[arg(long, value_name = "FILE", help_heading = "Requests")]
    pub ca: Option<PathBuf>,
    /// Maximum number of bytes per second, such as 20MB/s.
    #[arg(long, value_name = "RATE", value_parser = rate, help_heading = "Pace")]
    pub limit: Option<u64>,
    /// Maximum number of consecutive failures to retry.
    #[arg(long, value_name = "N", default_value_t = 10, help_heading = "Pace")]
    pub retries: u32,
    /// Delay after the first failure; it doubles with each further failure, up to a minute.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration, help_heading = "Pace")]
    pub retry_delay: Duration,
    /// Maximum time that the server may delay a retry with Retry-After.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration, help_heading = "Pace")]
    pub max_retry_after: Duration,
    /// Timeout for establishing a connection, for sending a request, and for its response.
    #[arg(long, value_name = "TIME", default_value = "2min", value_parser = duration, help_heading = "Pace")]
    pub timeout: Duration,
    /// Prints only errors.
    #[arg(long, short)]
    pub quiet: bool,
}

/// Longest delay between two retries, unless `--retry-delay` is longer.
const MAX_BACKOFF: Duration = Duration::from_secs(60);

impl ClientArguments {
    /// Returns the client.
    ///
    /// # Errors
    ///
    /// A usage error for invalid or conflicting options.
    pub fn client(&self, command: &str) -> Result<Client, Failure> {
        let mut builder = Client::builder()
            .user_agent(format!("bits-{command}/{}", env!("CARGO_PKG_VERSION")))
            .connect_timeout(self.timeout)
            .timeout(self.timeout)
            .retries(self.retries)
            .backoff(self.retry_delay, MAX_BACKOFF.max(self.retry_delay))
            .max_retry_after(self.max_retry_after);
        builder = self.fields(builder)?;
        if let Some(basic) = &self.basic {
            let pair = basic.split_once(':');
            let (user, password) =
                pair.ok_or_else(|| Failure::usage("--basic: expected USER:PASSWORD"))?;
            builder = builder.basic(user, password);
        }
        if let Some(token) = &self.bearer {
            builder = builder.bearer(token);
        }
        if let Some(url) = &self.proxy {
            builder = builder.proxy(url);
        }
        if self.no_proxy {
            builder = builder.no_proxy();
        }
        if let Some(path) = &self.ca {
            let pem = std::fs::read(path);
            let pem =
                pem.map_err(|error| Failure::usage(format!("--ca {}: {error}", path.display())))?;
            builder = builder.ca_certificate(pem);
        }
        if let Some(limit) = self.limit {
            builder = builder.rate_limit(limit);
        }
        builder.build().map_err(|error| match &self.ca {
            Some(path) if error.report().contains("CA certificate") => {
                Failure::usage(format!("--ca {}: {}", path.display(), error.report()))
            }
            _ => Failure::usage(error.report()),
        })
    }

    fn fields(&self, mut builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
        for header in &self.headers {
            let Some((name, value)) = header.split_once(':') else {
                return Err(Failure::usage(format!("--header '{header}': expected 'NAME: VALUE'")));
            };
            builder = builder.header(name, value.trim());
        }
        Ok(builder)
    }
}

/// Returns the folder of the states of transfers.
#[must_use]
pub fn state(resume: Option<&PathBuf>) -> StateDir {
    resume.map_or_else(StateDir::default, StateDir::new)
}
