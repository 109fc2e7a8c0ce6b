//! The configuration of connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::error::error_chain;
use bits_proto::message::Extras;
use http::HeaderValue;

use super::url::ZONE_HOST;
use super::{Credentials, tls};
use crate::error::{Error, Result};

/// The configuration of the HTTP connections of a client.
#[derive(Clone, Debug)]
pub(crate) struct HttpConfig {
    pub credentials: Arc<Credentials>,
    /// Additional fields of each request to the origin, with User-Agent.
    pub extras: Extras<Vec<u8>>,
    pub user_agent: HeaderValue,
    /// The proxies in order; the environment counts if there are none.
    pub proxies: Vec<String>,
    pub ignores_proxies: bool,
    /// The trusted certificates in PEM format; those of the system if it is empty.
    pub ca_certificates: Vec<Vec<u8>>,
    pub connect_timeout: Duration,
    pub keeps_cookies: bool,
}

impl HttpConfig {
    /// Creates the HTTP client.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] if a proxy or a certificate is invalid.
    pub fn connect(&self) -> Result<reqwest::Client> {
        let mut builder = self.builder()?;
        if self.ignores_proxies {
            builder = builder.no_proxy();
        }
        for proxy in &self.proxies {
            let parsed = reqwest::Proxy::all(proxy).map_err(|error| {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                Error::Option(format!("proxy: {}", cause.unwrap_or_else(|| error.to_string())))
            })?;
            builder = builder.proxy(parsed);
        }
        build(builder)
    }

    /// Creates an HTTP client for an address with a zone, which reqwest cannot express.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] as [`connect`](Self::connect).
    pub fn connect_to(&self, address: SocketAddr) -> Result<reqwest::Client> {
        // A proxy has no such zone.
        build(self.builder()?.no_proxy().resolve(ZONE_HOST, address))
    }

    fn builder(&self) -> Result<reqwest::ClientBuilder> {
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(&self.ca_certificates)?)
            .connect_timeout(self.connect_timeout)
            .http1_only()
            // Close to the spelling in the specification, for servers that compare names by case.
            .http1_title_case_headers()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Another crate may enable features that decode bodies.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate())
    }
}

fn build(builder: reqwest::ClientBuilder) -> Result<reqwest::Client> {
    builder.build().map_err(|error| Error::Option(error_chain(&error)))
}
