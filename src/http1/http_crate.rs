//! Heads as the `http` crate has them.

use http::{HeaderMap, HeaderValue, header, request, response};

use super::{RequestLine, StatusCode, StatusLine, Version};
use crate::error::{Error, ErrorKind};

/// A request's head, as the types of the `http` crate hold it.
///
/// What reads requests takes it in either form: an [`http::Request`] with whatever body, or its
/// [`Parts`](request::Parts) alone. Nothing is copied.
///
/// # Example
///
/// ```
/// use bits_proto::http1::HttpRequest as _;
///
/// let request = http::Request::post("/e?x=1").header("Host", "origin.example").body(())?;
/// assert_eq!(request.request_line().target, "/e?x=1");
/// assert_eq!(request.fields().into_iter().collect::<Vec<_>>(), [("host", &b"origin.example"[..])]);
/// # Ok::<(), http::Error>(())
/// ```
pub trait HttpRequest: sealed::Sealed {
    /// The method, the path and query, and the version.
    ///
    /// A URI without a path has its authority for a target. Versions from 1.1 on are one, as their
    /// fields mean the same.
    fn request_line(&self) -> RequestLine<'_>;

    /// The fields, in no order but that of fields of one name.
    fn fields(&self) -> HttpFields<'_>;
}

/// A response's head, as the types of the `http` crate hold it.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{HttpResponse as _, StatusCode};
///
/// let response = http::Response::builder().status(416).body(())?;
/// assert_eq!(response.status_line().status, StatusCode::RANGE_NOT_SATISFIABLE);
/// # Ok::<(), http::Error>(())
/// ```
pub trait HttpResponse: sealed::Sealed {
    /// The version and the status; the reason is not kept.
    fn status_line(&self) -> StatusLine<'_>;

    /// The fields, in no order but that of fields of one name.
    fn fields(&self) -> HttpFields<'_>;
}

/// The fields of a [`HeaderMap`] as names and values: what every function takes that is for other
/// HTTP stacks.
#[derive(Clone, Copy, Debug)]
pub struct HttpFields<'b>(&'b HeaderMap);

/// Goes through [`HttpFields`].
#[derive(Debug)]
pub struct HttpFieldsIter<'b>(header::Iter<'b, HeaderValue>);

impl<'b> From<&'b HeaderMap> for HttpFields<'b> {
    fn from(headers: &'b HeaderMap) -> Self {
        Self(headers)
    }
}

impl<'b> IntoIterator for HttpFields<'b> {
    type Item = (&'b str, &'b [u8]);
    type IntoIter = HttpFieldsIter<'b>;

    fn into_iter(self) -> HttpFieldsIter<'b> {
        HttpFieldsIter(self.0.iter())
    }
}

impl<'b> Iterator for HttpFieldsIter<'b> {
    type Item = (&'b str, &'b [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

mod sealed {
    pub trait Sealed {}

    impl<B> Sealed for http::Request<B> {}
    impl Sealed for http::request::Parts {}
    impl<B> Sealed for http::Response<B> {}
    impl Sealed for http::response::Parts {}
}

impl<B> HttpRequest for http::Request<B> {
    fn request_line(&self) -> RequestLine<'_> {
        request_line(self.method(), self.uri(), self.version())
    }

    fn fields(&self) -> HttpFields<'_> {
        HttpFields(self.headers())
    }
}

impl HttpRequest for request::Parts {
    fn request_line(&self) -> RequestLine<'_> {
        request_line(&self.method, &self.uri, self.version)
    }

    fn fields(&self) -> HttpFields<'_> {
        HttpFields(&self.headers)
    }
}

impl<B> HttpResponse for http::Response<B> {
    fn status_line(&self) -> StatusLine<'_> {
        status_line(self.status(), self.version())
    }

    fn fields(&self) -> HttpFields<'_> {
        HttpFields(self.headers())
    }
}

impl HttpResponse for response::Parts {
    fn status_line(&self) -> StatusLine<'_> {
        status_line(self.status, self.version)
    }

    fn fields(&self) -> HttpFields<'_> {
        HttpFields(&self.headers)
    }
}

fn request_line<'b>(
    method: &'b http::Method,
    uri: &'b http::Uri,
    version: http::Version,
) -> RequestLine<'b> {
    let target = match (uri.path_and_query(), uri.authority()) {
        (Some(target), _) => target.as_str(),
        (None, Some(authority)) => authority.as_str(),
        (None, None) => "",
    };
    RequestLine { method: method.as_str(), target, version: version.into() }
}

fn status_line<'b>(status: http::StatusCode, version: http::Version) -> StatusLine<'b> {
    StatusLine { version: version.into(), status: status.into(), reason: "" }
}

impl From<http::Version> for Version {
    /// What is older than 1.1 is 1.0; what is newer is 1.1.
    fn from(version: http::Version) -> Self {
        if version < http::Version::HTTP_11 { Self::Http10 } else { Self::Http11 }
    }
}

impl TryFrom<StatusCode> for http::StatusCode {
    type Error = Error;

    fn try_from(status: StatusCode) -> Result<Self, Error> {
        let not_status = Error::caller(ErrorKind::NotStatus).with_number(u64::from(status.get()));
        Self::from_u16(status.get()).map_err(|_| not_status)
    }
}
