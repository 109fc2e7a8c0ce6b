//! Fetches the reply to the upload with GET.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::header::{CONTENT_RANGE, ETAG, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWriteExt as _, BufWriter};
use tokio::time::timeout;

use crate::body::EntityBody;
use crate::client::Client;
use crate::connection::ExchangeResult;
use crate::destination::Destination;
use crate::failure::{Failure, Result};
use crate::responses::describe;

/// The file that receives the reply.
pub struct ReplyFile {
    path: PathBuf,
    /// Receives the bytes until the reply is complete.
    part: PathBuf,
    /// Strong ETag of the reply in `part`. Without it, the reply is fetched from its beginning.
    tag: Option<HeaderValue>,
    allow_other_servers: bool,
    /// Reason why the reply cannot be fetched.
    pub missing: Option<String>,
}

/// Reasons why fetching a reply failed.
enum ReplyError {
    /// A retry may succeed.
    Transient(String),
    /// The server answered with these fields, and a retry may succeed.
    Later { why: String, headers: HeaderMap },
    /// A retry would fail too.
    Permanent(String),
    /// The reply cannot be written to its file.
    Local(Failure),
}

impl ReplyFile {
    pub fn new(path: &Path, allow_other_servers: bool) -> Self {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        Self { path: path.into(), part: part.into(), tag: None, allow_other_servers, missing: None }
    }

    fn local(&self, error: &io::Error) -> Failure {
        Failure::failed(format!("{}: {error}", self.part.display()))
    }

    /// Returns the number of received bytes of the reply with this tag.
    async fn received(&self) -> u64 {
        match (&self.tag, tokio::fs::metadata(&self.part).await) {
            (Some(_), Ok(metadata)) => metadata.len(),
            _ => 0,
        }
    }

    /// Stores the body of a response with the whole reply or the rest of it.
    async fn store(
        &mut self,
        head: &http::response::Parts,
        body: Incoming,
        received: u64,
        read_timeout: Duration,
    ) -> std::result::Result<(), ReplyError> {
        let is_rest = match head.status {
            StatusCode::OK => false,
            StatusCode::PARTIAL_CONTENT if received > 0 && begins_at(&head.headers, received) => {
                true
            }
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.tag = None;
                return Err(ReplyError::Transient("reply has changed on the server".into()));
            }
            status => {
                let why = format!("GET: {}", describe(head, "").text);
                let is_transient = status.is_server_error()
                    || status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS;
                return Err(if is_transient {
                    ReplyError::Later { why, headers: head.headers.clone() }
                } else {
                    ReplyError::Permanent(why)
                });
            }
        };
        self.tag = strong_tag(&head.headers).cloned();
        let file =
            self.open(is_rest).await.map_err(|error| ReplyError::Local(self.local(&error)))?;
        self.write(file, body, read_timeout).await?;
        let renamed = tokio::fs::rename(&self.part, &self.path).await;
        renamed.map_err(|error| ReplyError::Local(self.local(&error)))
    }

    async fn open(&self, is_rest: bool) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true);
        if is_rest {
            options.append(true)
        } else {
            options.write(true).truncate(true)
        };
        options.open(&self.part).await
    }

    /// Writes a body to the file. Keeps the received bytes if the rest does not arrive.
    async fn write(
        &self,
        file: File,
        mut body: Incoming,
        read_timeout: Duration,
    ) -> std::result::Result<(), ReplyError> {
        let mut file = BufWriter::new(file);
        let error = loop {
            let frame = match timeout(read_timeout, body.frame()).await {
                Ok(None) => break None,
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => break Some(error.to_string()),
                Err(_) => {
                    let seconds = read_timeout.as_secs_f64();
                    break Some(format!("no data within {seconds} s"));
                }
            };
            if let Some(data) = frame.data_ref() {
                let written = file.write_all(data).await;
                written.map_err(|error| ReplyError::Local(self.local(&error)))?;
            }
        };
        let written = async {
            file.flush().await?;
            file.get_ref().sync_all().await
        };
        written.await.map_err(|error| ReplyError::Local(self.local(&error)))?;
        error.map_or(Ok(()), |why| {
            Err(ReplyError::Transient(format!("GET: reply is incomplete: {why}")))
        })
    }
}

/// Returns the ETag if it is a strong one, which identifies the exact bytes.
fn strong_tag(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
}

/// Returns `true` if Content-Range begins at `offset`.
fn begins_at(headers: &HeaderMap, offset: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|it| it.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {offset}-")))
}

impl Client {
    /// Fetches the reply and reports the result to the upload.
    pub async fn fetch_reply(&mut self) -> Result<()> {
        let Some(mut reply) = self.reply.take() else {
            return self.upload.close_without_reply().map_err(Failure::machine);
        };
        let fetched = self.fetch(&mut reply).await;
        self.reply = Some(reply);
        let now = self.now();
        match fetched {
            Ok(true) => self.upload.handle_reply_fetched().map_err(Failure::machine)?,
            // The failed connection is reported already.
            Ok(false) => {}
            Err(ReplyError::Transient(why)) => {
                self.last_error = Some(why.into());
                self.upload.handle_reply_failed(now).map_err(Failure::machine)?;
            }
            Err(ReplyError::Later { why, headers }) => {
                self.last_error = Some(why.into());
                self.upload.handle_reply_failed(now).map_err(Failure::machine)?;
                self.delay_retry(&headers);
            }
            Err(ReplyError::Permanent(why)) => self.skip_reply(why)?,
            Err(ReplyError::Local(failure)) => return Err(failure),
        }
        self.save()
    }

    /// Fetches the reply. Returns `false` if there is no connection.
    async fn fetch(&mut self, reply: &mut ReplyFile) -> std::result::Result<bool, ReplyError> {
        let url = self.upload.reply_url();
        let url = url.ok_or_else(|| ReplyError::Permanent("the reply has no URL".into()))?;
        let resolved = url.resolve(self.destination.as_str());
        let resolved = resolved.map_err(|error| ReplyError::Permanent(error.to_string()))?;
        let (url, same_origin) = (resolved.as_str(), resolved.is_same_origin());
        if !same_origin && !reply.allow_other_servers {
            return Err(ReplyError::Permanent(format!(
                "it is on another server, {url}; use --reply-from-anywhere to fetch it from there"
            )));
        }
        let source = Destination::from_url(url).map_err(ReplyError::Permanent)?;
        let connection = self.connection(&source.server).await.map_err(ReplyError::Local)?;
        let Some(mut connection) = connection else { return Ok(false) };
        let received = reply.received().await;
        let mut headers = self.extras(&source.server, same_origin).map_err(ReplyError::Local)?;
        if let (Some(tag), 1..) = (&reply.tag, received) {
            let range = HeaderValue::try_from(format!("bytes={received}-"));
            headers.insert(RANGE, range.map_err(|error| ReplyError::Permanent(error.to_string()))?);
            headers.insert(IF_RANGE, tag.clone());
        }
        let (body, _) = EntityBody::new(&self.entity, 0..0, None, &self.console);
        let mut request = Request::new(body);
        *request.method_mut() = Method::GET;
        *request.uri_mut() = source.target.clone();
        *request.headers_mut() = headers;
        let result = timeout(self.timeout, connection.exchange(request)).await;
        let (head, body) = self.reply_head(result)?.into_parts();
        reply.store(&head, body, received, self.timeout).await?;
        Ok(true)
    }

    fn reply_head(
        &self,
        result: std::result::Result<ExchangeResult, tokio::time::error::Elapsed>,
    ) -> std::result::Result<Response<Incoming>, ReplyError> {
        match result {
            Ok(ExchangeResult::Response(response)) => Ok(response),
            Ok(ExchangeResult::NotSent(_)) => {
                Err(ReplyError::Transient("GET: connection closed by the server".into()))
            }
            Ok(ExchangeResult::Failed { why, .. }) => {
                Err(ReplyError::Transient(format!("GET: {why}")))
            }
            Err(_) => {
                let seconds = self.timeout.as_secs_f64();
                Err(ReplyError::Transient(format!("GET: no response within {seconds} s")))
            }
        }
    }
}
