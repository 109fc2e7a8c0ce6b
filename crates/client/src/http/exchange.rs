//! Requests of one transfer.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use bits_proto::error::error_chain;
use bits_proto::http1::StatusCode;
use bits_proto::message::Extras;
use http::header::{COOKIE, HOST, USER_AGENT};
use http::response::Parts;
use http::{HeaderMap, Request};

use super::auth::{Authenticator, challenge_fields};
use super::cookies::Cookies;
use super::{HttpConfig, ResponseBody, TransferUrl, invalid_extra};
use crate::error::{BoxError, Error, Result, status_with_reason};

/// The connections, credentials and cookies of one transfer.
#[derive(Debug)]
pub(crate) struct Connection {
    config: Arc<HttpConfig>,
    http: reqwest::Client,
    /// The client for an address with a zone, with the URL for which it was created.
    zoned: Option<(TransferUrl, reqwest::Client)>,
    auth: Authenticator,
    cookies: Cookies,
}

/// A request in flight. It does not borrow the connection.
pub(crate) type Exchange =
    std::pin::Pin<Box<dyn Future<Output = Result<(Parts, ResponseBody), Failed>> + Send>>;

/// A request without a response.
#[derive(Debug)]
pub(crate) enum Failed {
    /// A retry would fail too.
    Permanent(Error),
    /// The connection failed.
    Transport(reqwest::Error),
    /// The response is not HTTP.
    NotHttp(reqwest::Error),
}

/// The last failure of a transfer that is retried.
#[derive(Debug, Default)]
pub(crate) struct LastFailure {
    pub text: String,
    pub source: Option<BoxError>,
    /// The fields with challenges.
    pub challenges: HeaderMap,
}

impl LastFailure {
    /// Describes an unsuccessful response. `code` is the error code, if there is one.
    pub fn response(head: &Parts, code: &str) -> Self {
        let text = format!("status {}{code}", status_with_reason(head.status.into()));
        let challenges = challenge_fields(&head.headers);
        Self { source: Some(text.clone().into()), text, challenges }
    }

    /// Describes a failure in words.
    pub fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { source: Some(text.clone().into()), text, challenges: HeaderMap::new() }
    }

    /// Describes a failure of the connection.
    pub fn transport(error: reqwest::Error) -> Self {
        let error = TransportError::new(&error);
        Self { text: error_chain(&error), source: Some(error.into()), challenges: HeaderMap::new() }
    }
}

/// A failure of a connection, without the layers of the HTTP client.
#[derive(Debug)]
struct TransportError {
    text: String,
    /// The failure of the operating system, if there is one.
    source: Option<io::Error>,
}

impl TransportError {
    fn new(error: &reqwest::Error) -> Self {
        let is_layer = |it: &(dyn StdError + 'static)| {
            it.is::<reqwest::Error>() || it.is::<hyper_util::client::legacy::Error>()
        };
        let specific = causes(error).find(|it| !is_layer(*it));
        let text = specific.map_or_else(|| error.to_string(), error_chain);
        let text = match error.url().and_then(|url| url.host_str()) {
            Some(host) if text.starts_with("dns error") => {
                format!("cannot resolve host {host}: {text}")
            }
            _ => text,
        };
        let source = find::<io::Error>(error).map(|it| io::Error::new(it.kind(), it.to_string()));
        Self { text, source }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|it| it as &(dyn StdError + 'static))
    }
}

impl Connection {
    /// Creates the connections of a transfer. `cookies` are those of an earlier process.
    pub fn new(config: &Arc<HttpConfig>, http: &reqwest::Client, cookies: Option<&str>) -> Self {
        Self {
            config: Arc::clone(config),
            http: http.clone(),
            zoned: None,
            auth: Authenticator::new(Arc::clone(&config.credentials)),
            cookies: cookies.map(Cookies::restore).unwrap_or_default(),
        }
    }

    /// Returns the cookies as text.
    pub fn cookies(&self) -> String {
        self.cookies.store()
    }

    /// Returns the additional fields of a request. Credentials, cookies and the fields of the caller
    /// are sent to a `trusted` server only.
    pub fn extras(
        &mut self,
        url: &TransferUrl,
        method: &str,
        trusted: bool,
    ) -> Result<Extras<Vec<u8>>> {
        let mut extras = if trusted { self.config.extras.clone() } else { Extras::default() };
        extras.set(HOST, url.host_value()?).map_err(invalid_extra)?;
        if !trusted {
            extras.push(USER_AGENT, &self.config.user_agent).map_err(invalid_extra)?;
        }
        if trusted {
            self.auth.authorize(
                &mut extras,
                method,
                url.target()?.path_and_query().map_or("/", |it| it.as_str()),
            )?;
            let cookies = self.cookies.value(url.url()).filter(|_| self.config.keeps_cookies);
            if let Some(cookies) = cookies {
                extras.set(COOKIE, cookies).map_err(invalid_extra)?;
            }
        }
        Ok(extras)
    }

    /// Starts to send a request.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] and [`Error::Url`] if it cannot be sent.
    pub async fn send(
        &mut self,
        url: &TransferUrl,
        head: Request<()>,
        body: reqwest::Body,
    ) -> Result<Exchange> {
        let http = match self.client(url).await {
            Ok(http) => http,
            Err(error) => return Ok(Box::pin(async { Err(Failed::Permanent(error)) })),
        };
        let (parts, ()) = head.into_parts();
        tracing::debug!(
            method = %parts.method,
            url = url.as_str(),
            packet = parts.headers.get("bits-packet-type").and_then(|it| it.to_str().ok()),
            range = parts.headers.get("content-range").or_else(|| parts.headers.get("range")).and_then(|it| it.to_str().ok()),
            "sending request"
        );
        let mut request = reqwest::Request::new(parts.method, url.url().clone());
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(body);
        Ok(Box::pin(async move {
            match http.execute(request).await {
                Ok(response) => {
                    let (head, body) = http::Response::from(response).into_parts();
                    tracing::debug!(status = head.status.as_u16(), "received response");
                    Ok((head, body))
                }
                Err(error) => Err(Failed::from(error)),
            }
        }))
    }

    /// Takes cookies and the state of authentication from a response of a trusted server.
    pub fn received(&mut self, url: &TransferUrl, head: &Parts) {
        if self.config.keeps_cookies {
            self.cookies.take(&head.headers, url.url());
        }
        if !StatusCode::from(head.status).is_challenge() {
            self.auth.accepted();
        }
    }

    /// Prepares the answer to a response that asks for credentials.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if there is none.
    pub fn answer(&mut self, status: StatusCode, last: Option<&LastFailure>) -> Result<()> {
        let none = HeaderMap::new();
        self.auth.answer(status, last.map_or(&none, |it| &it.challenges))
    }

    async fn client(&mut self, url: &TransferUrl) -> Result<reqwest::Client> {
        let Some(zone) = url.zone() else { return Ok(self.http.clone()) };
        if let Some((_, http)) = self.zoned.as_ref().filter(|(it, _)| it.is_same_origin(url)) {
            return Ok(http.clone());
        }
        let address = zone.resolve().await.map_err(|error| Error::Url {
            url: url.as_str().into(),
            reason: format!("cannot resolve the zone: {error}"),
        })?;
        let http = self.config.connect_to(address)?;
        self.zoned = Some((url.clone(), http.clone()));
        Ok(http)
    }
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        if let Some(source) = find_tls(&error) {
            return Self::Permanent(Error::Tls { source });
        }
        if error.is_builder() {
            return Self::Permanent(Error::Option(error_chain(&error)));
        }
        let is = |check: fn(&hyper::Error) -> bool| find::<hyper::Error>(&error).is_some_and(check);
        if is(hyper::Error::is_parse) {
            return Self::NotHttp(error);
        }
        if error_chain(&error).contains("proxy authorization required") {
            let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
            return Self::Permanent(Error::Unauthorized {
                status,
                schemes: Vec::new(),
                sent: None,
            });
        }
        Self::Transport(error)
    }
}

/// Returns an error and its causes.
fn causes<'e>(
    error: &'e (dyn StdError + 'static),
) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'e (dyn StdError + 'static) = *error;
        error.source()
    })
}

/// Returns the first cause of this type.
fn find<'e, E: StdError + 'static>(error: &'e (dyn StdError + 'static)) -> Option<&'e E> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// Returns the TLS error among the causes, unless the connection broke. I/O errors hide it.
fn find_tls(error: &(dyn StdError + 'static)) -> Option<rustls::Error> {
    causes(error).find_map(|error| match error.downcast_ref::<io::Error>() {
        Some(io) => {
            let inner = io.get_ref().map(|it| it as &(dyn StdError + 'static));
            inner.and_then(find_tls)
        }
        None => error.downcast_ref::<rustls::Error>().cloned(),
    })
}
