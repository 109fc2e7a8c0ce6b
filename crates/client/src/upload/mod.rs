//! Uploads.

mod body;
mod buffers;
mod exchange;
mod reply;
mod responses;
mod run;
mod sizing;
mod source;
mod state;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use bits_proto::client::{FragmentSizing, Mode, Options};
use bits_proto::field::ContentName;
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncSeek};
use tokio_util::sync::CancellationToken;

use self::reply::ReplyOption;
use self::run::Run;
use self::source::{Source, SourceOption};
use crate::client::Shared;
use crate::error::{Error, Result};
use crate::progress::{Callback, Progress};
use crate::state::StateDir;

/// The result of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Uploaded {
    /// The length of the entity, in bytes.
    pub length: u64,
    /// The reply of the server, if [`Upload::reply`] requested it in memory.
    pub reply: Option<Bytes>,
    /// The number of times that the upload started over, as in
    /// [`Progress::restarts`](crate::Progress::restarts).
    pub restarts: u32,
}

/// An upload that [`send`](Self::send) runs. [`Client::upload`](crate::Client::upload) creates it.
///
/// | option | default |
/// |---|---|
/// | [`file`](Self::file), [`bytes`](Self::bytes), [`reader`](Self::reader) | one is required |
/// | [`resume`](Self::resume) | no state is stored |
/// | [`restart`](Self::restart) | continues a stored upload |
/// | [`identity`](Self::identity) | the path of a file, the SHA-256 of bytes |
/// | [`content_name`](Self::content_name), [`name_on_create`](Self::name_on_create) | the name of the file, with fragments |
/// | [`fragment_size`](Self::fragment_size) | 4 MiB at first, then adapted |
/// | [`reply`](Self::reply), [`reply_to`](Self::reply_to) | no reply is requested |
/// | [`reply_from_other_servers`](Self::reply_from_other_servers) | false |
/// | [`progress`](Self::progress) | none |
/// | [`cancel`](Self::cancel), [`abort`](Self::abort) | none |
///
/// # Interruption
///
/// [`cancel`](Self::cancel) pauses the upload: with [`resume`](Self::resume) the session stays on the
/// server, and the same upload continues it. [`abort`](Self::abort) deletes session and state.
/// Dropping the future of [`send`](Self::send) is like a crash: the request in flight is dropped, and
/// the session stays on the server until it expires there. With [`resume`](Self::resume), the same
/// upload continues it.
#[must_use = "an upload does nothing until it is sent"]
pub struct Upload {
    shared: Arc<Shared>,
    url: String,
    source: Option<SourceOption>,
    resume: Option<StateDir>,
    restart: bool,
    identity: Option<String>,
    /// `None` for the name of the file; an empty name for none.
    content_name: Option<String>,
    name_on_create: bool,
    fragment_size: Option<u64>,
    reply: Option<ReplyOption>,
    reply_from_other_servers: bool,
    progress: Option<Callback>,
    cancel: CancellationToken,
    abort: CancellationToken,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Upload {
    pub(crate) fn new(shared: Arc<Shared>, url: String) -> Self {
        Self {
            shared,
            url,
            source: None,
            resume: None,
            restart: false,
            identity: None,
            content_name: None,
            name_on_create: false,
            fragment_size: None,
            reply: None,
            reply_from_other_servers: false,
            progress: None,
            cancel: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Uploads this file. If it changes during the upload, the upload fails with
    /// [`Error::Changed`].
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.source = Some(SourceOption::File(path.into()));
        self
    }

    /// Uploads these bytes.
    pub fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.source = Some(SourceOption::Bytes(bytes.into()));
        self
    }

    /// Uploads the first `length` bytes of this source. It must not change during the upload.
    ///
    /// A source has a known length and can be read repeatedly, because the protocol states the length
    /// with each fragment, and bytes may have to be sent again. Write a stream without these
    /// properties to a file first.
    pub fn reader(
        mut self,
        reader: impl AsyncRead + AsyncSeek + Send + Unpin + 'static,
        length: u64,
    ) -> Self {
        self.source = Some(SourceOption::Reader { reader: Box::new(reader), length });
        self
    }

    /// Stores the state of the upload in this folder, and continues the upload if its state is there.
    ///
    /// Another version of the file starts over: the session of the earlier version is cancelled, and
    /// [`Progress::restart_reason`] says so.
    pub fn resume(mut self, folder: StateDir) -> Self {
        self.resume = Some(folder);
        self
    }

    /// Creates a new session and sends the entity from its beginning, even if the upload could be
    /// continued. For example after the server rejected the session that would be continued. That session
    /// is cancelled.
    pub fn restart(mut self, restart: bool) -> Self {
        self.restart = restart;
        self
    }

    /// Sets a name with which [`resume`](Self::resume) finds the state of the upload again. It is
    /// required for a [`reader`](Self::reader), and must change if the content of the source changes.
    pub fn identity(mut self, name: impl Into<String>) -> Self {
        self.identity = Some(name.into());
        self
    }

    /// Sets the name that fragments carry as Content-Name; an empty name for none.
    pub fn content_name(mut self, name: impl Into<String>) -> Self {
        self.content_name = Some(name.into());
        self
    }

    /// Sends the name with Create-Session too, and not only with fragments.
    pub fn name_on_create(mut self, send: bool) -> Self {
        self.name_on_create = send;
        self
    }

    /// Sets the number of bytes per fragment, clamped to the bounds of [`FragmentSizing::new`]. The
    /// length is halved only when the server rejects it, or when a fragment is not sent in time.
    ///
    /// By default the first fragment has 4 MiB, and the next ones up to 13 MiB while one takes less than
    /// 10 seconds. They become shorter on a slow connection, after an interruption, and after a rejection
    /// (413), which also limits all later ones.
    pub fn fragment_size(mut self, bytes: u64) -> Self {
        self.fragment_size = Some(bytes);
        self
    }

    /// Requests the reply of the server, and returns it in [`Uploaded::reply`]. A reply of more than
    /// `max_length` bytes is an error.
    pub fn reply(mut self, max_length: usize) -> Self {
        self.reply = Some(ReplyOption::Memory { max_length });
        self
    }

    /// Requests the reply of the server, and writes it to this file, which must not exist. The file
    /// appears when the reply is complete.
    pub fn reply_to(mut self, path: impl Into<PathBuf>) -> Self {
        self.reply = Some(ReplyOption::File { path: path.into() });
        self
    }

    /// Also fetches the reply from another server if the server refers to one. Credentials, cookies and
    /// additional header fields are not sent there.
    pub fn reply_from_other_servers(mut self, allow: bool) -> Self {
        self.reply_from_other_servers = allow;
        self
    }

    /// Calls this function when the progress changes.
    pub fn progress(mut self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Pauses the upload when this token is cancelled: [`send`](Self::send) returns
    /// [`Error::Paused`]. Without [`resume`](Self::resume), the session is cancelled on the server.
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Aborts the upload when this token is cancelled: the session is cancelled on the server, the
    /// state is removed, and [`send`](Self::send) returns [`Error::Aborted`].
    pub fn abort(mut self, token: CancellationToken) -> Self {
        self.abort = token;
        self
    }

    /// Runs the upload until it ends.
    ///
    /// # Errors
    ///
    /// [`Error`] with the reason, the cause and [advice](Error::advice). With
    /// [`resume`](Self::resume), the state of an upload with stored bytes is kept after all errors but
    /// [`Error::Changed`] and [`Error::Aborted`], so that the same upload continues when the reason is
    /// removed. Without stored bytes it is kept only if [`Error::is_resumable`] returns true; otherwise the
    /// session is cancelled.
    pub async fn send(mut self) -> Result<Uploaded> {
        let (cancel, abort) = (self.cancel.clone(), self.abort.clone());
        let run = Run::open(&mut self)?;
        run.run(&cancel, &abort).await
    }

    fn open_source(&mut self) -> Result<Source> {
        let missing = "no source: call file, bytes or reader";
        self.source.take().ok_or_else(|| Error::Option(missing.into()))?.open()
    }

    /// Returns the name that fragments carry. The name of a file is left out if a header field cannot
    /// contain it, or if it is longer than a name may be.
    fn name(&self, source: &Source) -> Result<Option<Vec<u8>>> {
        let is_name =
            |name: &[u8]| ContentName::try_from(name).is_ok() && name.len() <= ContentName::MAX_LEN;
        match self.content_name.as_deref().map(str::as_bytes) {
            Some([]) => Ok(None),
            Some(name) if is_name(name) => Ok(Some(name.to_vec())),
            Some(_) => Err(Error::Option(format!(
                "content name: expected at most {} bytes without control characters",
                ContentName::MAX_LEN
            ))),
            None => {
                let name = source.file_name().map(|name| name.as_bytes().to_vec());
                Ok(name.filter(|name| is_name(name)))
            }
        }
    }

    /// Returns the length of fragments. `stored` is that of an earlier process.
    fn fragments(&self, stored: Option<FragmentSizing>) -> FragmentSizing {
        self.fragment_size.map_or_else(|| sizing::adaptive(stored), FragmentSizing::new)
    }

    /// Returns the options of the state machine.
    fn machine_options(&self, stored: Option<FragmentSizing>, mode: Mode) -> Options {
        let options = self.shared.upload_options(self.fragments(stored));
        options.with_mode(mode).with_name_on_create(self.name_on_create)
    }
}
