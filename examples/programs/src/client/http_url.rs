//! URLs and the servers they refer to.

use std::fmt;

use bits_proto::error::ErrorKind;
use bits_proto::field::{HostId, ResolvedUrlBuf};
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderValue, Uri};

use super::failure::{Failure, Result};

/// An absolute http or https URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUrl {
    url: String,
    pub server: Server,
    /// Path and query: the request target.
    pub target: Uri,
}

/// The endpoint of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub is_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// The value of Host.
    pub authority: String,
}

impl HttpUrl {
    /// Parses the URL of the command line.
    pub fn parse(url: &str) -> Result<Self> {
        Self::from_url(url).map_err(Failure::usage)
    }

    /// Parses a URL. Error messages do not contain the URL, as it may include a password.
    pub fn from_url(url: &str) -> std::result::Result<Self, String> {
        let uri = url.parse::<Uri>().map_err(|error| format!("invalid URL: {error}"))?;
        let is_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err("invalid URL: expected http:// or https:// at its beginning".into()),
        };
        let authority = uri.authority().filter(|it| !it.host().is_empty());
        let authority = authority.ok_or("invalid URL: missing host")?;
        if authority.as_str().contains('@') {
            return Err("credentials in a URL are not supported; pass them with --basic".into());
        }
        let server = Server::of(authority, is_tls);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = target.parse().map_err(|error| format!("invalid URL: {error}"))?;
        Ok(Self { url: url.into(), server, target })
    }

    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Returns the URL to which Location redirects a request for this URL.
    ///
    /// # Errors
    ///
    /// Returns a description if the URL is invalid or has another origin, so that credentials never
    /// reach another server.
    pub fn redirected(&self, location: &[u8]) -> std::result::Result<Self, String> {
        let shown = location.escape_ascii();
        let resolved = ResolvedUrlBuf::from_redirect(location, &self.url);
        let resolved = resolved.map_err(|error| match error.kind() {
            ErrorKind::InsecureRedirect => format!(
                "the server redirects from https to http, {shown}, and such a redirect is not followed"
            ),
            _ => format!("the server redirects to an invalid URL, {shown}"),
        })?;
        if !resolved.is_same_origin() {
            return Err(format!(
                "the server redirects to another server, {shown}, and such a redirect is not \
                 followed; if you trust that server, use that URL"
            ));
        }
        Self::from_url(resolved.as_str())
    }

    /// Returns the URL on the host that the server named in BITS-Host-Id.
    pub fn on_host(&self, host: &HostId<'_>) -> Result<Self> {
        let url = host.rewrite(&self.url).map_err(Failure::failed)?.to_string();
        Self::from_url(&url).map_err(Failure::failed)
    }
}

impl Server {
    fn of(authority: &Authority, is_tls: bool) -> Self {
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Self { is_tls, host: host.into(), port, authority: authority.as_str().into() }
    }

    /// Returns the fields with Host.
    pub fn with_host(&self, headers: &HeaderMap) -> Result<HeaderMap> {
        let mut headers = headers.clone();
        headers.insert(HOST, HeaderValue::from_str(&self.authority).map_err(Failure::failed)?);
        Ok(headers)
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}
