//! Messages to and from the types of the `http` crate.
//!
//! Reading goes through the header map once and copies nothing; it checks what an HTTP stack lets
//! through, a transfer coding or lengths that contradict each other among them. Writing makes a head
//! without a body, with the caller's fields beside the message's own.

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::{
    Ack, AckContext, Decoded, Encoder, METHOD, NO_EXTRAS, NotificationRequest,
    NotificationResponse, ParseOptions, Refusal, Request,
};
use crate::error::{Error, ErrorKind};
use crate::http1::{HttpRequest, HttpResponse, RequestTarget, StatusCode};

impl<'b> Request<'b> {
    /// Reads a request from the types of the `http` crate: an [`http::Request`] or its
    /// [`Parts`](http::request::Parts).
    ///
    /// `TryFrom` does the same with [`ParseOptions::DEFAULT`], and does not tell what was unusual.
    ///
    /// # Errors
    ///
    /// As [`from_fields`](Self::from_fields).
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
    /// let policy = ParseOptions { method_override: true, ..ParseOptions::DEFAULT };
    /// let decoded = Request::from_http(&request, &policy)?;
    /// assert!(matches!(decoded.message, Request::Ping(_)));
    /// assert!(decoded.deviations.contains(Deviation::MethodOverride));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_http(
        request: &'b impl HttpRequest,
        policy: &ParseOptions,
    ) -> Result<Decoded<Self>, Error> {
        Self::from_fields(request.request_line(), request.fields(), policy)
    }

    /// The head of an [`http::Request`] to `uri`, with `extras` such as Host and Authorization; a
    /// `&HeaderMap` serves too. Values of Authorization, Proxy-Authorization and Cookie are marked
    /// as sensitive. The body to send is [`content_length`](Self::content_length) bytes
    /// long.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode); and [`ErrorKind::NotTarget`] for a `uri` without a path, or
    /// whose path and query are not visible ASCII.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ping, Request};
    ///
    /// let mut extras = http::HeaderMap::new();
    /// extras.insert("host", http::HeaderValue::from_static("origin.example"));
    /// let ping = Request::from(Ping::default());
    /// let request = ping.to_http(http::Uri::from_static("/entity"), &extras)?;
    /// assert_eq!(request.method().as_str(), "BITS_POST");
    /// assert_eq!(request.headers()["host"], "origin.example");
    /// assert_eq!(request.headers()["bits-packet-type"], "Ping");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn to_http<E, N, V>(&self, uri: Uri, extras: E) -> Result<http::Request<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let method = Method::from_bytes(METHOD.as_bytes());
        let method = method.map_err(|_| Error::caller(ErrorKind::NotBits))?;
        let headers = self.encode(target(&uri)?, extras)?.header_map()?;
        Ok(request(method, uri, headers))
    }
}

impl<'b> Ack<'b> {
    /// Reads an Ack from the types of the `http` crate: an [`http::Response`] or its
    /// [`Parts`](http::response::Parts).
    ///
    /// # Errors
    ///
    /// As [`from_fields`](Self::from_fields).
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
        ack_context: &AckContext<'_>,
    ) -> Result<Decoded<Self>, Error> {
        Self::from_fields(response.status_line(), response.fields(), ack_context)
    }

    /// The head of an [`http::Response`], with `extras` such as Date and Server; a `&HeaderMap`
    /// serves too.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn to_http<E, N, V>(&self, extras: E) -> Result<http::Response<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        self.encode(extras)?.http_response(self.status())
    }
}

impl<'b> NotificationRequest<'b> {
    /// Reads a notification from the types of the `http` crate: an [`http::Request`] or its
    /// [`Parts`](http::request::Parts).
    ///
    /// # Errors
    ///
    /// As [`from_fields`](Self::from_fields).
    pub fn from_http(request: &'b impl HttpRequest) -> Result<Decoded<Self>, Error> {
        Self::from_fields(request.request_line(), request.fields())
    }

    /// The head of an [`http::Request`] to `uri`, with `extras` such as Host; a `&HeaderMap` serves
    /// too.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode); and [`ErrorKind::NotTarget`] for a `uri` without a path, or
    /// whose path and query are not visible ASCII.
    pub fn to_http<E, N, V>(&self, uri: Uri, extras: E) -> Result<http::Request<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let headers = self.encode(target(&uri)?, extras)?.header_map()?;
        Ok(request(Method::POST, uri, headers))
    }
}

impl<'b> NotificationResponse<'b> {
    /// Reads an application's response from the types of the `http` crate: an [`http::Response`] or
    /// its [`Parts`](http::response::Parts).
    ///
    /// # Errors
    ///
    /// As [`from_fields`](Self::from_fields).
    pub fn from_http(response: &'b impl HttpResponse) -> Result<Decoded<Self>, Error> {
        Self::from_fields(response.status_line(), response.fields())
    }

    /// The head of an [`http::Response`], with `extras` such as Date and Server; a `&HeaderMap`
    /// serves too.
    ///
    /// # Errors
    ///
    /// As [`encode`](Self::encode).
    pub fn to_http<E, N, V>(&self, extras: E) -> Result<http::Response<()>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        self.encode(extras)?.http_response(self.status)
    }
}

/// What `TryFrom` reads, from a whole message and from its parts.
macro_rules! read_from {
    ($($whole:ty, $parts:ty => $message:ident $(, $policy:expr)?;)+) => { $(
        impl<'b, B> TryFrom<&'b $whole> for $message<'b> {
            type Error = Error;

            fn try_from(whole: &'b $whole) -> Result<Self, Error> {
                Self::from_http(whole $(, $policy)?).map(|decoded| decoded.message)
            }
        }

        impl<'b> TryFrom<&'b $parts> for $message<'b> {
            type Error = Error;

            fn try_from(parts: &'b $parts) -> Result<Self, Error> {
                Self::from_http(parts $(, $policy)?).map(|decoded| decoded.message)
            }
        }
    )+ };
}

read_from! {
    http::Request<B>, http::request::Parts => Request, &ParseOptions::DEFAULT;
    http::Request<B>, http::request::Parts => NotificationRequest;
    http::Response<B>, http::response::Parts => NotificationResponse;
}

impl<'b, B> TryFrom<(&'b http::Response<B>, &AckContext<'_>)> for Ack<'b> {
    type Error = Error;

    fn try_from(both: (&'b http::Response<B>, &AckContext<'_>)) -> Result<Self, Error> {
        Self::from_http(both.0, both.1).map(|decoded| decoded.message)
    }
}

impl<'b> TryFrom<(&'b http::response::Parts, &AckContext<'_>)> for Ack<'b> {
    type Error = Error;

    fn try_from(both: (&'b http::response::Parts, &AckContext<'_>)) -> Result<Self, Error> {
        Self::from_http(both.0, both.1).map(|decoded| decoded.message)
    }
}

impl TryFrom<Ack<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(ack: Ack<'_>) -> Result<Self, Error> {
        ack.to_http(NO_EXTRAS)
    }
}

impl TryFrom<Refusal<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(refusal: Refusal<'_>) -> Result<Self, Error> {
        Ack::from(refusal).to_http(NO_EXTRAS)
    }
}

impl TryFrom<NotificationResponse<'_>> for http::Response<()> {
    type Error = Error;

    fn try_from(response: NotificationResponse<'_>) -> Result<Self, Error> {
        response.to_http(NO_EXTRAS)
    }
}

impl<E, N, V> Encoder<'_, E>
where
    E: IntoIterator<Item = (N, V)> + Clone,
    N: AsRef<str>,
    V: AsRef<[u8]>,
{
    /// The head of a response of this status.
    pub(crate) fn http_response(&self, status: StatusCode) -> Result<http::Response<()>, Error> {
        let mut response = http::Response::new(());
        *response.status_mut() = status.try_into()?;
        *response.headers_mut() = self.header_map()?;
        Ok(response)
    }

    fn header_map(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(16);
        let mut outcome = Ok(());
        self.for_each_field(|name, value| {
            if outcome.is_ok() {
                outcome = append(&mut headers, name, value).map_err(Error::caller);
            }
        });
        outcome.map(|()| headers)
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &[u8]) -> Result<(), ErrorKind> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| ErrorKind::ExtraName)?;
    let mut value = HeaderValue::from_bytes(value).map_err(|_| ErrorKind::ExtraValue)?;
    // A caller's mark does not come through; nobody prints these, or compresses them.
    value.set_sensitive([AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE].contains(&name));
    headers.try_append(name, value).map_err(|_| ErrorKind::TooManyFields)?;
    Ok(())
}

fn request(method: Method, uri: Uri, headers: HeaderMap) -> http::Request<()> {
    let mut request = http::Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request
}

fn target(uri: &Uri) -> Result<RequestTarget<'_>, Error> {
    RequestTarget::try_from(uri.path_and_query().map_or("", |target| target.as_str()))
}
