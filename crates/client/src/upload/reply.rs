//! Fetches the reply to an upload.

use std::path::PathBuf;
use std::sync::Arc;

use bits_proto::download::{Download as Machine, Options, Validator};
use bytes::Bytes;

use super::run::Run;
use crate::client::seed;
use crate::download::{Fetch, FetchError, Redirects, Sink, check_destination};
use crate::error::{BoxError, Error, Result};
use crate::http::{LastFailure, TransferUrl};

/// The destination of the reply.
#[derive(Debug)]
pub(super) enum ReplyOption {
    Memory { max_length: usize },
    File { path: PathBuf },
}

/// The reply and its destination.
#[derive(Debug)]
pub(super) struct Reply {
    destination: ReplyOption,
    allows_other_servers: bool,
    /// The download of the reply, once its URL is known.
    fetch: Option<Fetch>,
    /// The reason why the reply cannot be fetched.
    missing: Option<BoxError>,
    /// True if an earlier reply is replaced.
    is_replaced: bool,
}

impl Reply {
    /// # Errors
    ///
    /// [`Error::AlreadyExists`] if the file exists.
    pub fn new(destination: ReplyOption, allows_other_servers: bool) -> Result<Self> {
        if let ReplyOption::File { path } = &destination {
            check_destination(path, false)?;
        }
        Ok(Self {
            destination,
            allows_other_servers,
            fetch: None,
            missing: None,
            is_replaced: false,
        })
    }

    /// Returns a reply in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Reply`] if the reply could not be fetched.
    pub fn into_bytes(self) -> Result<Option<Bytes>> {
        match self.missing {
            Some(source) => Err(Error::Reply { source }),
            None => Ok(self.fetch.and_then(Fetch::into_bytes)),
        }
    }

    fn open_sink(&self) -> Result<Sink> {
        match &self.destination {
            ReplyOption::Memory { max_length } => Ok(Sink::memory(*max_length)),
            ReplyOption::File { path } => Sink::file(path, None, self.is_replaced),
        }
    }
}

impl Run {
    /// Fetches the reply and reports the result to the machine.
    pub async fn fetch_reply(&mut self) -> Result<()> {
        let Some(mut reply) = self.reply.take() else {
            return self.machine.close_without_reply().map_err(Error::internal);
        };
        // After a reply, the session may get lost. Then the upload starts over, and has a new reply.
        reply.is_replaced |= reply.fetch.as_ref().is_some_and(Fetch::is_finished);
        reply.fetch = reply.fetch.take().filter(|fetch| !fetch.is_finished());
        let fetched = match reply.fetch.as_mut() {
            Some(fetch) => fetch.resume(),
            None => self.new_fetch(&reply).map(|fetch| reply.fetch = Some(fetch)),
        };
        let fetched = match (fetched, reply.fetch.as_mut()) {
            (Ok(()), Some(fetch)) => fetch.run(&mut self.connection).await,
            (fetched, _) => fetched,
        };
        let delay = reply.fetch.as_ref().and_then(Fetch::retry_after);
        self.reply = Some(reply);
        let now = self.now();
        match fetched {
            Ok(()) => self.machine.handle_reply_fetched().map_err(Error::internal)?,
            Err(FetchError::Transient(error)) => {
                let text = format!("reply: {}", error.report());
                self.last =
                    Some(LastFailure { source: Some(error.into()), ..LastFailure::text(text) });
                self.machine.handle_reply_failed(now).map_err(Error::internal)?;
                if let Some(delay) = delay {
                    self.machine.handle_retry_after(delay, now);
                }
            }
            Err(FetchError::Permanent(error)) => self.skip_reply(error.into())?,
            Err(FetchError::Local(error)) => return Err(error),
        }
        self.save()
    }

    /// Closes the session without the reply, which cannot be fetched.
    pub fn skip_reply(&mut self, reason: BoxError) -> Result<()> {
        tracing::warn!(url = self.url.as_str(), %reason, "reply cannot be fetched");
        if let Some(reply) = &mut self.reply {
            reply.missing = Some(reason);
        }
        self.machine.close_without_reply().map_err(Error::internal)
    }

    /// Prepares the download of the reply.
    fn new_fetch(&self, reply: &Reply) -> Result<Fetch, FetchError> {
        let url = self.machine.reply_url();
        let url = url.ok_or_else(|| Error::Internal("the reply has no URL".into()));
        let url = url.map_err(FetchError::Local)?;
        let url = self.url.reply(&url).map_err(FetchError::Permanent)?;
        let is_same_origin = self.url.is_same_origin(&url);
        if !is_same_origin && !reply.allows_other_servers {
            return Err(FetchError::Permanent(other_server(&url)));
        }
        // The upload retries, and asks for the reply again.
        let options = Options::DEFAULT
            .with_head_first(false)
            .with_dynamic(true)
            .with_validator(Validator::IfRange)
            .with_request_timeout(self.shared.timeout)
            .with_response_timeout(self.shared.timeout)
            .with_max_retries(0);
        let machine = Machine::new(Vec::new(), options, seed().map_err(FetchError::Local)?);
        let sink = reply.open_sink().map_err(FetchError::Local)?;
        let mut fetch = Fetch::new(machine, url, sink);
        fetch.redirects = Redirects::SameOrigin;
        fetch.is_trusted = is_same_origin;
        fetch.rate_limit = self.shared.rate_limit.as_ref().map(Arc::clone);
        Ok(fetch)
    }
}

fn other_server(url: &TransferUrl) -> Error {
    Error::Redirected { location: url.as_str().into(), reason: "the reply is on another server" }
}
