//! URLs as clients see them.

use http::HeaderMap;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use uuid::Uuid;

use crate::forwarded::forwarded;
use crate::path::reply_path;

/// Source of the public URL of the service.
#[derive(Clone, Debug)]
pub(crate) enum PublicUrls {
    /// The Host field and the path of each request.
    Request,
    /// A fixed URL: scheme, authority, and path without a slash at its end.
    Fixed { scheme: String, authority: String, prefix: String },
    /// The fields of this number of trusted proxies.
    Forwarded { proxies: usize },
}

/// Scheme, host, and path prefix of the service in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) scheme: String,
    pub(crate) host: String,
    pub(crate) prefix: String,
}

impl PublicUrls {
    /// Returns the destination URL of a request, as the client sees it; `None` if the request has no valid
    /// host.
    #[cfg(feature = "notify")]
    pub(crate) fn original(&self, parts: &Parts) -> Option<String> {
        let base = self.base(parts)?;
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let target = format!("{}{target}", base.prefix);
        let target = bits_proto::http1::RequestTarget::try_from(&*target).ok()?;
        bits_proto::field::OriginalRequestUrl::compose(&base.scheme, &base.host, target).ok()
    }

    /// Returns the URL of a reply: absolute if the public URL is known, and otherwise relative to the URL
    /// of the upload.
    pub(crate) fn reply(&self, parts: &Parts, session: Uuid) -> String {
        let path = reply_path(session);
        match self {
            Self::Request => path,
            Self::Fixed { .. } | Self::Forwarded { .. } => match self.base(parts) {
                Some(Base { scheme, host, prefix }) => format!("{scheme}://{host}{prefix}/{path}"),
                None => path,
            },
        }
    }

    fn base(&self, parts: &Parts) -> Option<Base> {
        match self {
            Self::Fixed { scheme, authority, prefix } => Some(Base {
                scheme: scheme.clone(),
                host: authority.clone(),
                prefix: prefix.clone(),
            }),
            Self::Request => of_request(parts),
            Self::Forwarded { proxies } => {
                let forwarded = forwarded(&parts.headers, *proxies);
                let request = of_request(parts);
                let of_request = |part: fn(Base) -> String| request.clone().map(part);
                Some(Base {
                    scheme: forwarded.proto.or_else(|| of_request(|base| base.scheme))?,
                    host: forwarded.host.or_else(|| of_request(|base| base.host))?,
                    prefix: forwarded.prefix.unwrap_or_default(),
                })
            }
        }
    }
}

fn of_request(parts: &Parts) -> Option<Base> {
    let authority = parts.uri.authority().map(Authority::to_string);
    let host = authority.or_else(|| host_field(&parts.headers))?;
    let scheme = parts.uri.scheme_str().unwrap_or("http");
    Some(Base { scheme: scheme.to_owned(), host, prefix: String::new() })
}

fn host_field(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(HOST)?.to_str().ok()?;
    is_host(host).then(|| host.to_owned())
}

/// Returns `true` for a host with an optional port, and without user information.
pub(crate) fn is_host(host: &str) -> bool {
    !host.contains('@') && host.parse::<Authority>().is_ok()
}
