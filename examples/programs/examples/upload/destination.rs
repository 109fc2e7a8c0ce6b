//! URLs, and the servers they are on.

use std::fmt;

use bits_proto::field::HostId;
use http::Uri;
use http::uri::{Authority, Scheme};

use crate::failure::{Failure, Result};

/// The destination URL of the upload, or one made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    url: String,
    pub server: Server,
    /// Path and query: what goes into the request line.
    pub target: Uri,
}

/// What a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    pub is_tls: bool,
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
    /// As the field Host has it.
    pub authority: String,
}

impl Destination {
    /// The URL that the user gave.
    pub fn parse(url: &str) -> Result<Self> {
        Self::of(url).map_err(Failure::usage)
    }

    /// What is not spelt out in the error is the URL: it may have a password in it.
    pub fn of(url: &str) -> std::result::Result<Self, String> {
        let uri = url.parse::<Uri>().map_err(|error| format!("not a URL: {error}"))?;
        let is_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            _ => return Err("the URL has to begin with http:// or https://".into()),
        };
        let authority = uri.authority().filter(|it| !it.host().is_empty());
        let authority = authority.ok_or("the URL names no server")?;
        if authority.as_str().contains('@') {
            return Err("no user or password in a URL: use --basic".into());
        }
        let server = Server::of(authority, is_tls);
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = target.parse().map_err(|error| format!("not a URL: {error}"))?;
        Ok(Self { url: url.into(), server, target })
    }

    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// The same on the host that the server sends us to.
    pub fn on_host(&self, host: &HostId<'_>) -> Result<Self> {
        let url = host.rewrite(&self.url).map_err(Failure::failed)?.to_string();
        Self::of(&url).map_err(Failure::failed)
    }
}

impl Server {
    fn of(authority: &Authority, is_tls: bool) -> Self {
        let host = authority.host();
        let host = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(host);
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Self { is_tls, host: host.into(), port, authority: authority.as_str().into() }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}
