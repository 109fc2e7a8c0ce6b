//! The URLs of transfers.

use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};

use bits_proto::error::ErrorKind;
use bits_proto::field::{HostId, ReplyUrl, ResolvedUrlBuf};
use http::{HeaderValue, Uri};
use url::{Host, Position, Url};

use crate::error::{Error, Result};

/// The host of a URL whose address has a zone. Requests for it go to the address.
pub(super) const ZONE_HOST: &str = "address-with-zone.invalid";

/// An absolute http or https URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TransferUrl {
    /// The URL for messages, and for resolving others.
    text: String,
    /// The URL for requests. If the address has a zone, the host is [`ZONE_HOST`].
    url: Url,
    /// The value of Host.
    authority: String,
    zone: Option<Zone>,
}

/// An IPv6 address with the interface to which it belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    address: Ipv6Addr,
    name: String,
    port: u16,
}

impl TransferUrl {
    /// Parses a URL.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] with the reason.
    pub fn parse(text: &str) -> Result<Self> {
        let error = |reason: &str| Error::Url { url: text.into(), reason: reason.into() };
        let (scheme, _) = text.split_once("://").ok_or_else(|| error("no scheme"))?;
        if !["http", "https"].iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
            return Err(error("the scheme is neither http nor https"));
        }
        let (plain, zone) = split_zone(text);
        let mut url = Url::parse(&plain).map_err(|it| error(&it.to_string()))?;
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            // The text is not repeated, because it has a password.
            let reason = "credentials in the URL are not supported: set them on the client";
            return Err(Error::Url {
                url: format!("{scheme}://{}", &url[Position::BeforeHost..]),
                reason: reason.into(),
            });
        }
        let authority = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let mut this = Self { text: url.to_string(), url, authority, zone: None };
        if let Some(name) = zone {
            this.set_zone(name).map_err(error)?;
        }
        Ok(this)
    }

    fn set_zone(&mut self, name: String) -> Result<(), &'static str> {
        let Some(Host::Ipv6(address)) = self.url.host() else {
            return Err("only an IPv6 address can have a zone");
        };
        if self.url.scheme() != "http" {
            return Err("an IPv6 zone is supported with http only");
        }
        let port = self.url.port_or_known_default().unwrap_or(80);
        self.text = self.text.replacen(']', &format!("%25{name}]"), 1);
        self.url.set_host(Some(ZONE_HOST)).map_err(|_| "invalid zone")?;
        self.zone = Some(Zone { address, name, port });
        Ok(())
    }

    /// Returns the URL without fragment, escaped and with the zone.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the URL for requests.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the zone of the address; `None` if there is none.
    pub(super) const fn zone(&self) -> Option<&Zone> {
        self.zone.as_ref()
    }

    /// Returns the value of Host.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if the host cannot be sent.
    pub fn host_value(&self) -> Result<HeaderValue> {
        HeaderValue::from_str(&self.authority).map_err(|error| self.error(&error.to_string()))
    }

    /// Returns path and query.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if they cannot be sent.
    pub fn target(&self) -> Result<Uri> {
        let target = &self.url[Position::BeforePath..Position::AfterQuery];
        target.parse::<Uri>().map_err(|error| self.error(&error.to_string()))
    }

    /// Returns true if both URLs have the same scheme, host and port.
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin() && self.zone == other.zone
    }

    /// Returns the URL to which Location redirects a request.
    ///
    /// # Errors
    ///
    /// [`Error::Redirected`] if it is invalid, or leads from https to http.
    pub fn redirected(&self, location: &[u8]) -> Result<Self> {
        let reason = match ResolvedUrlBuf::from_redirect(location, &self.text) {
            Ok(url) => return Self::parse(url.as_str()),
            Err(error) if error.kind() == ErrorKind::InsecureRedirect => "it is not encrypted",
            Err(_) => "it is not a valid URL",
        };
        Err(Error::Redirected { location: location.escape_ascii().to_string(), reason })
    }

    /// Returns the URL of a reply, which may be relative.
    ///
    /// # Errors
    ///
    /// [`Error::Redirected`] if it is invalid.
    pub fn reply(&self, url: &ReplyUrl<'_>) -> Result<Self> {
        let invalid = || Error::Redirected {
            location: url.as_bytes().escape_ascii().to_string(),
            reason: "it is not a valid URL",
        };
        let resolved = url.resolve(&self.text).map_err(|_| invalid())?;
        Self::parse(resolved.as_str()).map_err(|_| invalid())
    }

    /// Returns the URL on the host that the server named in BITS-Host-Id.
    ///
    /// # Errors
    ///
    /// [`Error::Url`] if the host makes the URL invalid.
    pub fn on_host(&self, host: &HostId<'_>) -> Result<Self> {
        let url = host.rewrite(&self.text).map_err(|error| self.error(&error.to_string()))?;
        Self::parse(&url.to_string())
    }

    fn error(&self, reason: &str) -> Error {
        Error::Url { url: self.text.clone(), reason: reason.into() }
    }
}

impl Zone {
    /// Resolves the name of the interface.
    pub async fn resolve(&self) -> std::io::Result<SocketAddr> {
        // Resolvers accept names of interfaces with link-local addresses only.
        let mut addresses = tokio::net::lookup_host((format!("fe80::1%{}", self.name), 0)).await?;
        match addresses.next() {
            Some(SocketAddr::V6(link)) => {
                Ok(SocketAddrV6::new(self.address, self.port, 0, link.scope_id()).into())
            }
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

/// Removes the zone from the address in a URL: `http://[fe80::1%25eth0]/` becomes `http://[fe80::1]/`.
///
/// Source: RFC 6874. A single `%` is accepted too.
fn split_zone(text: &str) -> (String, Option<String>) {
    let parts = text.find("://[").and_then(|start| {
        let end = start + text[start..].find(']')?;
        let zone = start + text[start..end].find('%')?;
        Some((zone, end))
    });
    let Some((zone, end)) = parts else { return (text.into(), None) };
    let name = &text[zone + 1..end];
    let name = name.strip_prefix("25").filter(|it| !it.is_empty()).unwrap_or(name);
    (format!("{}{}", &text[..zone], &text[end..]), Some(name.into()))
}
