//! Message heads of the `http` crate.

use http::{HeaderMap, HeaderValue, header, request, response};

use super::{RequestLine, StatusCode, StatusLine, Version};
use crate::error::{Error, ErrorKind};
use crate::util::external::external;

/// The head of a request in the `http` crate: an [`http::Request`] with any body type, or its
/// [`Parts`](request::Parts).
///
/// Nothing is copied.
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
    /// Returns the method, the path with the query, and the version.
    ///
    /// The request target of a URI without a path is its authority. HTTP/2 and HTTP/3 count as
    /// [`Version::Http11`], because fields have the same meaning there.
    fn request_line(&self) -> RequestLine<'_>;

    /// Returns the fields. Only fields of equal names keep their order.
    fn fields(&self) -> HttpFields<'_>;
}

/// The head of a response in the `http` crate: an [`http::Response`] with any body type, or its
/// [`Parts`](response::Parts).
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
    /// Returns the version and the status code. The reason phrase is empty.
    fn status_line(&self) -> StatusLine<'_>;

    /// Returns the fields. Only fields of equal names keep their order.
    fn fields(&self) -> HttpFields<'_>;
}

/// The fields of a [`HeaderMap`] as (name, value) pairs, the form that functions such as
/// [`Request::from_fields`](crate::message::Request::from_fields) accept.
#[derive(Clone, Copy, Debug)]
pub struct HttpFields<'b>(&'b HeaderMap);

/// Iterator over [`HttpFields`].
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
        external(|| self.0.next()).map(|(name, value)| (name.as_str(), value.as_bytes()))
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
    RequestLine { method: external(|| method.as_str()), target, version: version.into() }
}

fn status_line<'b>(status: http::StatusCode, version: http::Version) -> StatusLine<'b> {
    StatusLine { version: version.into(), status: status.into(), reason: "" }
}

impl From<http::Version> for Version {
    /// Maps versions before HTTP/1.1 to [`Version::Http10`] and all others to [`Version::Http11`].
    fn from(version: http::Version) -> Self {
        if version < http::Version::HTTP_11 { Self::Http10 } else { Self::Http11 }
    }
}

impl TryFrom<StatusCode> for http::StatusCode {
    type Error = Error;

    fn try_from(status: StatusCode) -> Result<Self, Error> {
        let error = Error::caller(ErrorKind::NotStatus).with_number(u64::from(status.get()));
        Self::from_u16(status.get()).map_err(|_| error)
    }
}
