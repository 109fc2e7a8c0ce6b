//! The client and its configuration.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::message::Extras;
use bits_proto::{client, download};
use http::HeaderValue;

use crate::error::{Error, Result};
use crate::http::{Credentials, HttpConfig, check_headers, invalid_extra, parse_name};
use crate::rate_limit::RateLimit;
use crate::{Download, Upload};

/// Uploads and downloads over shared connections.
///
/// A client is cheap to clone. All of its transfers share the connections and the rate limit.
///
/// # Example
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), bits_client::Error> {
/// use bits_client::{Client, StateDir};
///
/// let client = Client::builder().basic("user", "secret").rate_limit(20 << 20).build()?;
/// let upload = client.upload("https://server.example/uploads/report.bin").file("report.bin");
/// upload.resume(StateDir::default()).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub config: Arc<HttpConfig>,
    pub http: reqwest::Client,
    pub rate_limit: Option<Arc<RateLimit>>,
    pub retry: Retry,
    pub timeout: Duration,
}

/// When failed requests are retried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    max_retries: u32,
    initial_backoff: Duration,
    max_backoff: Duration,
    max_retry_after: Duration,
}

impl Client {
    /// Creates a client with the default configuration.
    ///
    /// # Panics
    ///
    /// Panics if a proxy in the environment is invalid, or if the certificates of the system cannot be
    /// read. [`builder`](Self::builder) returns such errors.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build().expect("default configuration")
    }

    /// Returns a builder with the default configuration.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Prepares an upload to this URL, which starts with `http://` or `https://`.
    /// [`Upload::send`] reports an invalid URL.
    pub fn upload(&self, url: impl Into<String>) -> Upload {
        Upload::new(Arc::clone(&self.0), url.into())
    }

    /// Prepares a download from this URL, which starts with `http://` or `https://`.
    /// [`Download::send`] reports an invalid URL.
    pub fn download(&self, url: impl Into<String>) -> Download {
        Download::new(Arc::clone(&self.0), url.into())
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

/// Configures a [`Client`].
///
/// | option | default |
/// |---|---|
/// | [`bearer`](Self::bearer), [`basic`](Self::basic), [`digest`](Self::digest) | no credentials |
/// | [`header`](Self::header) | none |
/// | [`user_agent`](Self::user_agent) | `bits-client/VERSION` |
/// | [`proxy`](Self::proxy), [`no_proxy`](Self::no_proxy) | `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy` |
/// | [`ca_certificate`](Self::ca_certificate) | the certificates of the system |
/// | [`cookies`](Self::cookies) | kept for each transfer |
/// | [`rate_limit`](Self::rate_limit) | none |
/// | [`connect_timeout`](Self::connect_timeout) | 30 seconds |
/// | [`timeout`](Self::timeout) | 2 minutes |
/// | [`retries`](Self::retries) | 10 |
/// | [`backoff`](Self::backoff) | 1 second to 1 minute |
/// | [`max_retry_after`](Self::max_retry_after) | 1 hour |
#[derive(Clone)]
#[must_use]
pub struct ClientBuilder {
    credentials: Option<Result<Credentials, String>>,
    headers: Vec<(String, String)>,
    user_agent: String,
    proxies: Vec<String>,
    ignores_proxies: bool,
    ca_certificates: Vec<Vec<u8>>,
    keeps_cookies: bool,
    rate_limit: Option<u64>,
    connect_timeout: Duration,
    timeout: Duration,
    retry: Retry,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        let options = client::Options::DEFAULT;
        Self {
            credentials: None,
            headers: Vec::new(),
            user_agent: concat!("bits-client/", env!("CARGO_PKG_VERSION")).into(),
            proxies: Vec::new(),
            ignores_proxies: false,
            ca_certificates: Vec::new(),
            keeps_cookies: true,
            rate_limit: None,
            connect_timeout: Duration::from_secs(30),
            timeout: options.request_timeout,
            retry: Retry {
                max_retries: options.max_retries,
                initial_backoff: options.initial_backoff,
                max_backoff: options.max_backoff,
                max_retry_after: options.max_retry_after,
            },
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Credentials and the values of header fields may be secret.
        let names = self.headers.iter().map(|(name, _)| name).collect::<Vec<_>>();
        f.debug_struct("ClientBuilder").field("headers", &names).finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// Sends a token with each request, as `Authorization: Bearer TOKEN`.
    ///
    /// The host that the server names in BITS-Host-Id receives it too, as it continues the upload. Other servers,
    /// which redirects and URLs of replies name, do not.
    ///
    /// The token does not identify an account, as it may be renewed between two runs. Programs with several
    /// accounts use a [`StateDir`](crate::StateDir) for each of them, so that no account continues the transfer of
    /// another.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.credentials = Some(Credentials::bearer(token.as_ref()).map_err(reason));
        self
    }

    /// Sends user and password with each request, as `Authorization: Basic`. If the server requires
    /// Digest, they are used for it. They are sent to the same servers as the token of
    /// [`bearer`](Self::bearer).
    pub fn basic(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let credentials = Credentials::password(user.as_ref(), password.as_ref(), true);
        self.credentials = Some(credentials.map_err(reason));
        self
    }

    /// Answers Digest challenges with user and password, which are never sent themselves.
    pub fn digest(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let credentials = Credentials::password(user.as_ref(), password.as_ref(), false);
        self.credentials = Some(credentials.map_err(reason));
        self
    }

    /// Adds a header field to each request. It is not sent to other servers after a redirect.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets User-Agent.
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.user_agent = value.into();
        self
    }

    /// Uses this proxy for all requests, instead of those in the environment: `http://`, `https://`,
    /// `socks5://`, or `socks5h://` if the proxy resolves host names. The URL may contain user and
    /// password.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxies.push(url.into());
        self
    }

    /// Uses no proxy, also if the environment names one.
    pub fn no_proxy(mut self) -> Self {
        self.ignores_proxies = true;
        self
    }

    /// Trusts the certificates in this PEM text instead of those of the system. May be called
    /// repeatedly.
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificates.push(pem.into());
        self
    }

    /// Keeps the cookies of the server for the transfer, as balancers require it. They are stored with
    /// the state of the transfer. Default: true.
    pub fn cookies(mut self, keep: bool) -> Self {
        self.keeps_cookies = keep;
        self
    }

    /// Limits the bytes per second of all transfers of the client together, in both directions.
    pub fn rate_limit(mut self, bytes_per_second: u64) -> Self {
        self.rate_limit = Some(bytes_per_second);
        self
    }

    /// Sets the maximum time for establishing a connection.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the maximum time for sending a request, for the response to it, and without a byte of a
    /// body.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the maximum number of consecutive failures that are retried.
    pub fn retries(mut self, max: u32) -> Self {
        self.retry.max_retries = max;
        self
    }

    /// Sets the delay after the first failure and its maximum. It doubles with each consecutive
    /// failure.
    pub fn backoff(mut self, initial: Duration, max: Duration) -> Self {
        (self.retry.initial_backoff, self.retry.max_backoff) = (initial, max.max(initial));
        self
    }

    /// Sets the maximum time that the server can delay a retry with Retry-After.
    pub fn max_retry_after(mut self, max: Duration) -> Self {
        self.retry.max_retry_after = max;
        self
    }

    /// Creates the client.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if credentials, a header field, a proxy or a certificate is invalid.
    pub fn build(self) -> Result<Client> {
        let credentials = self.credentials.unwrap_or(Ok(Credentials::None));
        let credentials = credentials.map_err(Error::Option)?;
        let mut extras = parse_headers(&self.headers)?;
        if extras.get("Authorization").is_some() && !matches!(credentials, Credentials::None) {
            let conflict = "credentials cannot be combined with a header Authorization";
            return Err(Error::Option(conflict.into()));
        }
        check_headers(&extras)?;
        let user_agent = HeaderValue::from_str(&self.user_agent)
            .map_err(|_| Error::Option("user agent: not a valid field value".into()))?;
        if extras.get("User-Agent").is_none() {
            extras.push("User-Agent", &user_agent).map_err(invalid_extra)?;
        }
        let config = HttpConfig {
            credentials: Arc::new(credentials),
            extras,
            user_agent,
            proxies: self.proxies,
            ignores_proxies: self.ignores_proxies,
            ca_certificates: self.ca_certificates,
            connect_timeout: self.connect_timeout,
            keeps_cookies: self.keeps_cookies,
        };
        Ok(Client(Arc::new(Shared {
            http: config.connect()?,
            config: Arc::new(config),
            rate_limit: self.rate_limit.map(|it| Arc::new(RateLimit::new(it))),
            retry: self.retry,
            timeout: self.timeout,
        })))
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::Option(reason) => reason,
        other => other.to_string(),
    }
}

fn parse_headers(headers: &[(String, String)]) -> Result<Extras<Vec<u8>>> {
    let mut extras = Extras::default();
    for (name, value) in headers {
        let invalid = || Error::Option(format!("header {name}: not a valid field"));
        let value = HeaderValue::from_str(value.trim()).map_err(|_| invalid())?;
        extras.push(parse_name(name)?, value).map_err(|_| invalid())?;
    }
    Ok(extras)
}

impl Shared {
    /// Returns the options of an upload. `fragments` are without the rate limit.
    pub fn upload_options(&self, fragments: client::FragmentSizing) -> client::Options {
        let length = fragments.length().min(self.max_fragment());
        client::Options::DEFAULT
            .with_fragments(client::FragmentSizing::with_bounds(
                length,
                fragments.min(),
                fragments.max(),
            ))
            .with_request_timeout(self.timeout)
            .with_response_timeout(self.timeout)
            .with_initial_backoff(self.retry.initial_backoff)
            .with_max_backoff(self.retry.max_backoff)
            .with_max_retries(self.retry.max_retries)
            .with_max_retry_after(self.retry.max_retry_after)
    }

    /// Returns the maximum length of a fragment: at the rate limit, a longer one would exceed the timeout for
    /// a request.
    pub fn max_fragment(&self) -> u64 {
        self.rate_limit.as_ref().map_or(u64::MAX, |it| it.bytes_in(self.timeout / 2))
    }

    /// Returns the options of a download.
    pub fn download_options(&self) -> download::Options {
        download::Options::DEFAULT
            .with_request_timeout(self.timeout)
            .with_response_timeout(self.timeout)
            .with_initial_backoff(self.retry.initial_backoff)
            .with_max_backoff(self.retry.max_backoff)
            .with_max_retries(self.retry.max_retries)
            .with_max_retry_after(self.retry.max_retry_after)
    }
}

/// Returns a random seed for the back-off, so that many clients do not retry at the same time.
pub(crate) fn seed() -> Result<u64> {
    getrandom::u64()
        .map_err(|error| Error::Option(format!("the system provides no random numbers: {error}")))
}
