//! The reply to the upload, fetched by GET.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bits_proto::field::ReplyUrl;
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
use crate::connection::Exchanged;
use crate::destination::Destination;
use crate::failure::{Failure, Result};
use crate::responses::refused;

/// Where the reply goes.
pub struct ReplyFile {
    path: PathBuf,
    /// As much of it as there is.
    part: PathBuf,
    /// Which reply `part` is a part of: without it, a reply is fetched from its beginning.
    tag: Option<HeaderValue>,
    is_from_anywhere: bool,
    /// Why there will be none.
    pub missing: Option<String>,
}

/// Why a reply was not fetched.
enum Unfetched {
    /// It is worth another try.
    Passing(String),
    /// It is not.
    Lasting(String),
    /// It cannot be written here.
    Local(Failure),
}

impl ReplyFile {
    pub fn new(path: &Path, is_from_anywhere: bool) -> Self {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        Self { path: path.into(), part: part.into(), tag: None, is_from_anywhere, missing: None }
    }

    fn local(&self, error: &io::Error) -> Failure {
        Failure::failed(format!("{}: {error}", self.part.display()))
    }

    /// How much there is of the reply that the tag names.
    async fn held(&self) -> u64 {
        match (&self.tag, tokio::fs::metadata(&self.part).await) {
            (Some(_), Ok(metadata)) => metadata.len(),
            _ => 0,
        }
    }

    /// Takes a response, which may be all of the reply or the rest of it.
    async fn take(
        &mut self,
        head: &http::response::Parts,
        body: Incoming,
        held: u64,
        patience: Duration,
    ) -> std::result::Result<(), Unfetched> {
        let is_rest = match head.status {
            StatusCode::OK => false,
            StatusCode::PARTIAL_CONTENT if held > 0 && begins_at(&head.headers, held) => true,
            StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                self.tag = None;
                return Err(Unfetched::Passing("the reply has changed".into()));
            }
            status => {
                let why = format!("GET: {}", refused(head, "").text);
                let is_passing = status.is_server_error()
                    || status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::TOO_MANY_REQUESTS;
                return Err(if is_passing {
                    Unfetched::Passing(why)
                } else {
                    Unfetched::Lasting(why)
                });
            }
        };
        self.tag = strong_tag(&head.headers).cloned();
        let file =
            self.open(is_rest).await.map_err(|error| Unfetched::Local(self.local(&error)))?;
        self.write(file, body, patience).await?;
        let renamed = tokio::fs::rename(&self.part, &self.path).await;
        renamed.map_err(|error| Unfetched::Local(self.local(&error)))
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

    /// What arrived is kept also if the rest does not.
    async fn write(
        &self,
        file: File,
        mut body: Incoming,
        patience: Duration,
    ) -> std::result::Result<(), Unfetched> {
        let mut file = BufWriter::new(file);
        let broken = loop {
            let frame = match timeout(patience, body.frame()).await {
                Ok(None) => break None,
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => break Some(error.to_string()),
                Err(_) => break Some("nothing more in time".into()),
            };
            if let Some(data) = frame.data_ref() {
                let written = file.write_all(data).await;
                written.map_err(|error| Unfetched::Local(self.local(&error)))?;
            }
        };
        let written = async {
            file.flush().await?;
            file.get_ref().sync_all().await
        };
        written.await.map_err(|error| Unfetched::Local(self.local(&error)))?;
        broken.map_or(Ok(()), |why| {
            Err(Unfetched::Passing(format!("GET: the reply breaks off: {why}")))
        })
    }
}

/// A tag that the same bytes have, and no others.
fn strong_tag(headers: &HeaderMap) -> Option<&HeaderValue> {
    headers.get(ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""))
}

/// Whether `Content-Range: bytes held-…`.
fn begins_at(headers: &HeaderMap, held: u64) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|it| it.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {held}-")))
}

impl Client {
    pub async fn fetch_reply(&mut self, url: ReplyUrl<'_>) -> Result<()> {
        let Some(mut reply) = self.reply.take() else {
            return self.upload.close_without_reply().map_err(Failure::machine);
        };
        let fetched = self.fetch(url, &mut reply).await;
        self.reply = Some(reply);
        let now = self.now();
        match fetched {
            Ok(true) => self.upload.handle_reply_fetched().map_err(Failure::machine)?,
            // There was no connection, which the upload knows.
            Ok(false) => {}
            Err(Unfetched::Passing(why)) => {
                self.trouble = Some(why.into());
                self.upload.handle_reply_failed(now).map_err(Failure::machine)?;
            }
            Err(Unfetched::Lasting(why)) => self.do_without_reply(why)?,
            Err(Unfetched::Local(failure)) => return Err(failure),
        }
        self.save()
    }

    /// Whether it was fetched.
    async fn fetch(
        &mut self,
        url: ReplyUrl<'_>,
        reply: &mut ReplyFile,
    ) -> std::result::Result<bool, Unfetched> {
        let resolved = url.resolve(self.destination.as_str());
        let (url, same_origin) = resolved.map_err(|error| Unfetched::Lasting(error.to_string()))?;
        if !same_origin && !reply.is_from_anywhere {
            return Err(Unfetched::Lasting(format!(
                "it is on another server, {url}; --reply-from-anywhere fetches it from there"
            )));
        }
        let source = Destination::of(&url).map_err(Unfetched::Lasting)?;
        let connection = self.connection(&source.server).await.map_err(Unfetched::Local)?;
        let Some(mut connection) = connection else { return Ok(false) };
        let held = reply.held().await;
        let mut headers = self.extras(&source.server, same_origin).map_err(Unfetched::Local)?;
        if let (Some(tag), 1..) = (&reply.tag, held) {
            let range = HeaderValue::try_from(format!("bytes={held}-"));
            headers.insert(RANGE, range.map_err(|error| Unfetched::Lasting(error.to_string()))?);
            headers.insert(IF_RANGE, tag.clone());
        }
        let (body, _) = EntityBody::new(&self.entity, 0..0, None, &self.console);
        let mut request = Request::new(body);
        *request.method_mut() = Method::GET;
        *request.uri_mut() = source.target.clone();
        *request.headers_mut() = headers;
        let answer = timeout(self.patience, connection.exchange(request)).await;
        let (head, body) = self.reply_head(answer)?.into_parts();
        reply.take(&head, body, held, self.patience).await?;
        Ok(true)
    }

    fn reply_head(
        &self,
        answer: std::result::Result<Exchanged, tokio::time::error::Elapsed>,
    ) -> std::result::Result<Response<Incoming>, Unfetched> {
        match answer {
            Ok(Exchanged::Answered(response)) => Ok(response),
            Ok(Exchanged::Unsent(_)) => {
                Err(Unfetched::Passing("GET: the connection was closed".into()))
            }
            Ok(Exchanged::Broken { why, .. }) => Err(Unfetched::Passing(format!("GET: {why}"))),
            Err(_) => Err(Unfetched::Passing("GET: no answer in time".into())),
        }
    }
}
