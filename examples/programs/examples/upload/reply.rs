//! Fetches the reply to the upload.

use std::path::{Path, PathBuf};

use bits_proto::download::{Download, Options, Validator};
use bits_proto_programs::client::console::{Console, Direction};
use bits_proto_programs::client::fetch::part_file::PartFile;
use bits_proto_programs::client::fetch::{Fetch, FetchError};
use bits_proto_programs::client::http_url::HttpUrl;
use bits_proto_programs::client::random::seed;

use crate::client::Client;
use crate::failure::{Failure, Result};

/// The reply and the file that receives it.
pub struct Reply {
    path: PathBuf,
    allow_other_servers: bool,
    /// The download of the reply, once its URL is known.
    fetch: Option<Fetch>,
    /// Reason why the reply cannot be fetched.
    pub missing: Option<String>,
}

impl Reply {
    pub fn new(path: &Path, allow_other_servers: bool) -> Self {
        Self { path: path.into(), allow_other_servers, fetch: None, missing: None }
    }
}

impl Client {
    /// Fetches the reply and reports the result to the upload.
    pub async fn fetch_reply(&mut self) -> Result<()> {
        let Some(mut reply) = self.reply.take() else {
            return self.upload.close_without_reply().map_err(Failure::machine);
        };
        let fetched = match reply.fetch.as_mut() {
            Some(fetch) => fetch.resume(),
            None => self.new_fetch(&reply).map(|fetch| reply.fetch = Some(fetch)),
        };
        let fetched = match (fetched, reply.fetch.as_mut()) {
            (Ok(()), Some(fetch)) => fetch.run(&mut self.connector).await,
            (fetched, _) => fetched,
        };
        let delay = reply.fetch.as_ref().and_then(Fetch::retry_after);
        self.reply = Some(reply);
        let now = self.now();
        match fetched {
            Ok(()) => self.upload.handle_reply_fetched().map_err(Failure::machine)?,
            Err(FetchError::Transient { text, .. }) => {
                self.last_error = Some(format!("reply: {text}").into());
                self.upload.handle_reply_failed(now).map_err(Failure::machine)?;
                if let Some(delay) = delay {
                    self.upload.handle_retry_after(delay, now);
                }
            }
            Err(FetchError::Permanent { text, .. }) => self.skip_reply(text)?,
            Err(FetchError::Local(failure)) => return Err(failure),
        }
        self.save()
    }

    /// Prepares the download of the reply.
    fn new_fetch(&self, reply: &Reply) -> std::result::Result<Fetch, FetchError> {
        let permanent = |text| FetchError::Permanent { text, reason: None };
        let url = self.upload.reply_url();
        let url = url.ok_or_else(|| permanent("the reply has no URL".into()))?;
        let resolved = url.resolve(self.destination.as_str());
        let resolved = resolved.map_err(|error| permanent(error.to_string()))?;
        let (url, is_same_origin) = (resolved.as_str(), resolved.is_same_origin());
        if !is_same_origin && !reply.allow_other_servers {
            return Err(permanent(format!(
                "it is on another server, {url}; use --reply-from-anywhere to fetch it from there"
            )));
        }
        // The upload retries, and asks for the reply again.
        let options = Options::DEFAULT
            .with_head_first(false)
            .with_dynamic(true)
            .with_validator(Validator::IfRange)
            .with_request_timeout(self.timeout)
            .with_response_timeout(self.timeout)
            .with_max_retries(0);
        let mut fetch = Fetch::new(
            Download::new(Vec::new(), options, seed()?),
            HttpUrl::from_url(url).map_err(permanent)?,
            PartFile::open(&reply.path, 0)?,
            Console::new(Direction::Download, 0, true),
        );
        fetch.timeout = self.timeout;
        if is_same_origin {
            fetch.headers = self.headers.clone();
        }
        Ok(fetch)
    }
}
