//! Downloads.

mod exchange;
mod fetch;
mod part_file;
mod sink;
mod state;

use std::fmt;
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use bits_proto::download::{ByteRange, Download as Machine, Options};
use tokio_util::sync::CancellationToken;

pub(crate) use self::fetch::{Fetch, FetchError, Redirects};
pub(crate) use self::part_file::check_destination;
pub(crate) use self::sink::Sink;
use self::state::State;
use crate::client::{Shared, seed};
use crate::error::{Error, Result};
use crate::http::{Connection, TransferUrl};
use crate::progress::{Callback, Meter, Progress};
use crate::state::StateDir;

/// The result of a download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The number of bytes in the file.
    pub length: u64,
    /// The number of times that the download started over, as in
    /// [`Progress::restarts`](crate::Progress::restarts).
    pub restarts: u32,
}

/// A download that [`send`](Self::send) runs. [`Client::download`](crate::Client::download) creates it.
///
/// Its bytes are in a file beside the destination until it is complete: with the suffix `.part` if
/// [`resume`](Self::resume) is set, and otherwise `.tmp`. Bytes of two versions of the entity never mix: if
/// the entity changes, the download starts over.
///
/// | option | default |
/// |---|---|
/// | [`to`](Self::to) | required |
/// | [`overwrite`](Self::overwrite) | false: an existing file is an error |
/// | [`resume`](Self::resume) | no state is stored |
/// | [`range`](Self::range) | the whole entity |
/// | [`skip_to_range`](Self::skip_to_range) | false |
/// | [`dynamic`](Self::dynamic) | false |
/// | [`allow_missing_validator`](Self::allow_missing_validator) | false |
/// | [`progress`](Self::progress) | none |
/// | [`cancel`](Self::cancel), [`abort`](Self::abort) | none |
///
/// Redirects are followed, except from https to http. Credentials, cookies and additional header fields
/// are sent to the origin of the URL only.
///
/// # Interruption
///
/// [`cancel`](Self::cancel) pauses the download: with [`resume`](Self::resume), the same download
/// continues it. [`abort`](Self::abort) deletes state and incomplete file. Dropping the future of
/// [`send`](Self::send) is like a crash: with [`resume`](Self::resume), the same download continues from
/// the last stored state. Without [`resume`](Self::resume), the incomplete file is deleted in each case
/// but a crash.
#[must_use = "a download does nothing until it is sent"]
pub struct Download {
    shared: Arc<Shared>,
    url: String,
    path: Option<PathBuf>,
    overwrite: bool,
    resume: Option<StateDir>,
    ranges: Vec<ByteRange>,
    skip_to_range: bool,
    dynamic: bool,
    allow_missing_validator: bool,
    progress: Option<Callback>,
    cancel: CancellationToken,
    abort: CancellationToken,
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Download");
        debug.field("url", &self.url).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Download {
    pub(crate) fn new(shared: Arc<Shared>, url: String) -> Self {
        Self {
            shared,
            url,
            path: None,
            overwrite: false,
            resume: None,
            ranges: Vec::new(),
            skip_to_range: false,
            dynamic: false,
            allow_missing_validator: false,
            progress: None,
            cancel: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Sets the file that receives the bytes.
    pub fn to(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Replaces the file if it exists, when the download is complete.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// Stores the state of the download in this folder, and continues the download if its state is
    /// there.
    pub fn resume(mut self, folder: StateDir) -> Self {
        self.resume = Some(folder);
        self
    }

    /// Downloads this range of the entity only. May be called repeatedly: the file receives the ranges
    /// one after the other.
    pub fn range(mut self, range: ByteRange) -> Self {
        self.ranges.push(range);
        self
    }

    /// Accepts the whole entity in place of a range, and discards the bytes before the range.
    pub fn skip_to_range(mut self, accept: bool) -> Self {
        self.skip_to_range = accept;
        self
    }

    /// Accepts an entity whose length the server does not state, if it arrives in chunks. Such a
    /// download starts over if its connection breaks.
    pub fn dynamic(mut self, accept: bool) -> Self {
        self.dynamic = accept;
        self
    }

    /// Continues received bytes even if the server sends neither Last-Modified nor a strong entity tag,
    /// as long as the length of the entity is equal. The file may then have bytes of two versions.
    ///
    /// Otherwise such an entity is requested at once, and the download starts over if its connection
    /// breaks.
    pub fn allow_missing_validator(mut self, allow: bool) -> Self {
        self.allow_missing_validator = allow;
        self
    }

    /// Calls this function when the progress changes.
    pub fn progress(mut self, callback: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.progress = Some(Box::new(callback));
        self
    }

    /// Pauses the download when this token is cancelled: [`send`](Self::send) returns
    /// [`Error::Paused`].
    pub fn cancel(mut self, token: CancellationToken) -> Self {
        self.cancel = token;
        self
    }

    /// Aborts the download when this token is cancelled: state and incomplete file are removed, and
    /// [`send`](Self::send) returns [`Error::Aborted`].
    pub fn abort(mut self, token: CancellationToken) -> Self {
        self.abort = token;
        self
    }

    /// Runs the download until it ends.
    ///
    /// # Errors
    ///
    /// [`Error`] with the reason, the cause and [advice](Error::advice). With
    /// [`resume`](Self::resume), the state is kept after all errors but [`Error::Aborted`] if bytes were
    /// received.
    pub async fn send(mut self) -> Result<Downloaded> {
        let url = TransferUrl::parse(&self.url)?;
        let missing = || Error::Option("no destination: call to".into());
        let path = self.path.take().ok_or_else(missing)?;
        let path = absolute(&path).map_err(|error| Error::io(&path, error))?;
        let (mut fetch, cookies) = self.open(url, &path)?;
        let config = &self.shared.config;
        let mut connection = Connection::new(config, &self.shared.http, cookies.as_deref());
        let ended = tokio::select! {
            biased;
            () = self.abort.cancelled() => {
                fetch.remove()?;
                return Err(Error::Aborted { is_confirmed: true });
            }
            () = self.cancel.cancelled() => None,
            ended = fetch.run(&mut connection) => Some(ended),
        };
        match ended {
            Some(Ok(())) => fetch.finish(),
            Some(Err(error)) => Err(fetch.clean_up(error.into(), &connection).await),
            None => fetch.paused(&connection).await,
        }
    }

    /// Opens the files, and continues the download of an earlier process if there is one. Also returns
    /// its cookies.
    fn open(&mut self, url: TransferUrl, path: &Path) -> Result<(Fetch, Option<String>)> {
        check_destination(path, self.overwrite)?;
        let options = self.options();
        let folder = self.resume.as_ref();
        let user = self.shared.config.credentials.user();
        let opened =
            folder.map(|it| State::open(it, &url, path, &self.ranges, user)).transpose()?;
        let (state, earlier, restart_reason) = match opened {
            Some(it) => (Some(it.state), it.earlier, it.restart_reason),
            None => (None, None, None),
        };
        let cookies = earlier.as_ref().map(|it| it.cookies.clone());
        let is_resumed = earlier.is_some();
        let machine = match earlier {
            Some(earlier) => earlier.machine,
            None => Machine::new(self.ranges.clone(), options, seed()?),
        };
        let received = state.is_some().then(|| machine.received());
        let sink = Sink::file(path, received, self.overwrite)?;
        let mut fetch = Fetch::new(machine, url, sink);
        fetch.state = state;
        fetch.restart_reason = restart_reason;
        fetch.is_replacement = fetch.restart_reason.is_some();
        fetch.rate_limit = self.shared.rate_limit.as_ref().map(Arc::clone);
        fetch.meter = Meter::new(self.progress.take(), None);
        if is_resumed {
            fetch.resume().map_err(Error::from)?;
            fetch.machine.set_options(options).map_err(Error::internal)?;
        }
        Ok((fetch, cookies))
    }

    fn options(&self) -> Options {
        let options = self.shared.download_options();
        options
            .with_dynamic(self.dynamic)
            .with_skip_to_range(self.skip_to_range)
            .with_allow_missing_validator(self.allow_missing_validator)
    }
}
