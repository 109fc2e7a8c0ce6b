//! Conversions between messages and the types of the `http` crate.
//!
//! Parsing reads the header map in one pass, without copying. It also checks what HTTP stacks may
//! not reject, such as conflicting Content-Length values. Writing creates a head without a body,
//! from the fields of the message and the extra fields of the caller.

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::parse_options::MAX_VALUE;
use super::source::{self, ParsedFields};
use super::{
    Ack, AckContext, Decoded, Encoder, Extras, ExtrasStorage, Fields, METHOD, NO_EXTRAS,
    NotificationRequest, NotificationResponse, ParseOptions, Refusal, Request, ack,
    notification_request, notification_response, request,
};
use crate::error::{Error, ErrorKind};
use crate::http1::{HeadVisitor as _, HttpRequest, HttpResponse, RequestTarget, StatusCode};

impl<'b> Request<'b> {
    /// Parses an [`http::Request`] or its [`Parts`](http::request::Parts).
    ///
    /// `TryFrom` uses [`ParseOptions::DEFAULT`] and discards the deviations.
    ///
    /// # Errors
    ///
    /// The errors of [`from_fields`](Self::from_fields).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::deviation::Deviation;
    /// use bits_proto::message::{ParseOptions, Request};
    ///
    /// let request = http::Request::post("/entity")
    ///     .header("X-HTTP-Method-Override", "BITS_POST")
    ///     .header("BITS-Packet-Type", "Ping")
    ///     .header("Content-Length", "0")
    ///     .body(())?;
    /// assert!(Request::try_from(&request).is_err());
    /// let options = ParseOptions::DEFAULT.with_method_override(true);
    /// let decoded = Request::from_http(&request, &options)?;
    /// assert!(matches!(decoded.message, Request::Ping(_)));
    /// assert!(decoded.deviations.contains(Deviation::MethodOverride));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_http(
        request: &'b impl HttpRequest,
        options: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let (line, fields) = (request.request_line(), request.fields());
        let source = ParsedFields::collect(&mut slot, line, fields, options.max_value);
        source::parse(&source.with_checked_values(), |line, reader| {
            request::read(line, reader, options)
        })
    }

    /// Creates the head of an [`http::Request`] to `uri`, with extra fields such as Host and
    /// Authorization.
    ///
    /// Values of Authorization, Proxy-Authorization and Cookie are marked as sensitive. The caller
    /// sends a body of [`content_length`](Self::content_length) bytes.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode). [`ErrorKind::NotTarget`] if `uri` has no path, or if
    /// its path and query are not visible ASCII.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Extras, Ping, Request};
    ///
    /// let extras = Extras::from_fields([0; 64], [("Host", "origin.example")])?;
    /// let ping = Request::from(Ping::default());
    /// let request = ping.to_http(http::Uri::from_static("/entity"), &extras)?;
    /// assert_eq!(request.method().as_str(), "BITS_POST");
    /// assert_eq!(request.headers()["host"], "origin.example");
    /// assert_eq!(request.headers()["bits-packet-type"], "Ping");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn to_http(
        &self,
        uri: Uri,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Request<()>, Error> {
        let method = Method::from_bytes(METHOD.as_bytes());
        let method = method.map_err(|_| Error::caller(ErrorKind::NotBits))?;
        let headers = self.encode(request_target(&uri)?, extras)?.header_map()?;
        Ok(request_head(method, uri, headers))
    }
}

impl<'b> Ack<'b> {
    /// Parses an [`http::Response`] or its [`Parts`](http::response::Parts) as the Ack to the
    /// request in `context`.
    ///
    /// # Errors
    ///
    /// The errors of [`from_fields`](Self::from_fields).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, AckContext, Refusal};
    ///
    /// let response = http::Response::try_from(Refusal::access_denied())?;
    /// let ack = Ack::from_http(&response, &AckContext::Ping)?.message;
    /// assert_eq!(ack, Ack::Refused(Refusal::access_denied()));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn from_http(
        response: &'b impl HttpResponse,
        context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let (line, fields) = (response.status_line(), response.fields());
        let source = ParsedFields::collect(&mut slot, line, fields, MAX_VALUE);
        source::parse(&source.with_checked_values(), |line, reader| {
            ack::read(line, reader, context)
        })
    }

    /// Creates the head of an [`http::Response`], with extra fields such as Date and Server.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    pub fn to_http(
        &self,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Response<()>, Error> {
        self.encode(extras)?.http_response(self.status())
    }
}

impl<'b> NotificationRequest<'b> {
    /// Parses an [`http::Request`] or its [`Parts`](http::request::Parts) as a notification.
    ///
    /// # Errors
    ///
    /// The errors of [`from_fields`](Self::from_fields).
    pub fn from_http(request: &'b impl HttpRequest) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let (line, fields) = (request.request_line(), request.fields());
        let source = ParsedFields::collect(&mut slot, line, fields, usize::MAX);
        source::parse(&source.with_checked_values(), notification_request::read)
    }

    /// Creates the head of an [`http::Request`] to `uri`, with extra fields such as Host.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode). [`ErrorKind::NotTarget`] if `uri` has no path, or if
    /// its path and query are not visible ASCII.
    pub fn to_http(
        &self,
        uri: Uri,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Request<()>, Error> {
        let headers = self.encode(request_target(&uri)?, extras)?.header_map()?;
        Ok(request_head(Method::POST, uri, headers))
    }
}

impl<'b> NotificationResponse<'b> {
    /// Parses an [`http::Response`] or its [`Parts`](http::response::Parts) as the response of a
    /// server application.
    ///
    /// # Errors
    ///
    /// The errors of [`from_fields`](Self::from_fields).
    pub fn from_http(response: &'b impl HttpResponse) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        let (line, fields) = (response.status_line(), response.fields());
        let source = ParsedFields::collect(&mut slot, line, fields, usize::MAX);
        source::parse(&source.with_checked_values(), notification_response::read)
    }

    /// Creates the head of an [`http::Response`], with extra fields such as Date and Server.
    ///
    /// # Errors
    ///
    /// The errors of [`encode`](Self::encode).
    pub fn to_http(
        &self,
        extras: &Extras<impl ExtrasStorage>,
    ) -> Result<http::Response<()>, Error> {
        self.encode(extras)?.http_response(self.status)
    }
}

/// Implements `TryFrom` for complete messages and for their parts.
macro_rules! try_from_http {
    ($($whole:ty, $parts:ty => $message:ident $(, $options:expr)?;)+) => { $(
        impl<'b, B> TryFrom<&'b $whole> for $message<'b> {
            type Error = Error;

            fn try_from(whole: &'b $whole) -> Result<Self, Error> {
                Self::from_http(whole $(, $options)?).map(|decoded| decoded.message)
            }
        }

        impl<'b> TryFrom<&'b $parts> for $message<'b> {
            type Error = Error;

            fn try_from(parts: &'b $parts) -> Result<Self, Error> {
                Self::from_http(parts $(, $options)?).map(|decoded| decoded.message)
            }
        }
    )+ };
}

try_from_http! {
    http::Request<B>, http::request::Parts => Request, &ParseOptions::DEFAULT;
    http::Request<B>, http::request::Parts => NotificationRequest;
    http::Response<B>, http::response::Parts => NotificationResponse;
}

impl<'b, B> TryFrom<(&'b http::Response<B>, &AckContext<'_>)> for Ack<'b> {
    type Error = Error;

    fn try_from(
        (response, context): (&'b http::Response<B>, &AckContext<'_>),
    ) -> Result<Self, Error> {
        Self::from_http(response, context).map(|decoded| decoded.message)
    }
}

impl<'b> TryFrom<(&'b http::response::Parts, &AckContext<'_>)> for Ack<'b> {
    type Error = Error;

    fn try_from(
        (parts, context): (&'b http::response::Parts, &AckContext<'_>),
    ) -> Result<Self, Error> {
        Self::from_http(parts, context).map(|decoded| decoded.message)
    }
}

impl TryFrom<Ack<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(ack: Ack<'_>) -> Result<Self, Error> {
        ack.to_http(&NO_EXTRAS)
    }
}

impl TryFrom<Refusal<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(refusal: Refusal<'_>) -> Result<Self, Error> {
        Ack::from(refusal).to_http(&NO_EXTRAS)
    }
}

impl TryFrom<NotificationResponse<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(response: NotificationResponse<'_>) -> Result<Self, Error> {
        response.to_http(&NO_EXTRAS)
    }
}

impl Encoder<'_> {
    /// Creates the head of a response with this status code.
    pub(crate) fn http_response(&self, status: StatusCode) -> Result<http::Response<()>, Error> {
        response_head(status, self.header_map()?)
    }

    fn header_map(&self) -> Result<HeaderMap, Error> {
        header_map(|append| self.for_each_field(append))
    }
}

/// Creates a header map from all fields that `for_each_field` passes on.
pub(crate) fn header_map(
    for_each_field: impl FnOnce(&mut dyn FnMut(&str, &[u8])),
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::with_capacity(16);
    let mut result = Ok(());
    for_each_field(&mut |name, value| {
        if result.is_ok() {
            result = append_header(&mut headers, name, value).map_err(Error::caller);
        }
    });
    result.map(|()| headers)
}

/// Creates the head of a response.
pub(crate) fn response_head(
    status: StatusCode,
    headers: HeaderMap,
) -> Result<http::Response<()>, Error> {
    let mut response = http::Response::new(());
    *response.status_mut() = status.try_into()?;
    *response.headers_mut() = headers;
    Ok(response)
}

fn append_header(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), ErrorKind> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ErrorKind::ExtraName)?;
    let mut value = HeaderValue::from_bytes(value).map_err(|_| ErrorKind::ExtraValue)?;
    // A sensitive value is not printed and not compressed. The bytes of an extra field do not say
    // whether the caller marked the value, so the name decides.
    value.set_sensitive([AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&name));
    headers.try_append(name, value).map_err(|_| ErrorKind::TooManyFields)?;
    Ok(())
}

pub(crate) fn request_head(method: Method, uri: Uri, headers: HeaderMap) -> http::Request<()> {
    let mut request = http::Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

pub(crate) fn request_target(uri: &Uri) -> Result<RequestTarget<'_>, Error> {
    RequestTarget::try_from(uri.path_and_query().map_or("", |path| path.as_str()))
}
