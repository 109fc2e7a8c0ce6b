//! Replies of the embedder to complete uploads.

use std::pin::Pin;
use std::sync::Arc;

use bits_proto::error::error_chain;
use bits_proto::field::ReplyUrl;
use bits_proto::http1::StatusCode;
use bits_proto::server::{HostError, Notified, Reply as ReplyPlace, WorkToken};
use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tracing::{debug, warn};
use uuid::Uuid;

use crate::driver::now;
use crate::hooks::BoxFuture;
use crate::sessions::SessionRecord;
use crate::storage::{Entity, StorageError};
use crate::work::{Renewal, StepResult, Work};
use crate::{BoxError, Key, Principal};

/// Receiver of complete uploads, before they are published.
#[derive(Clone)]
pub(crate) enum Application {
    /// There is none.
    None,
    /// A closure of the embedder.
    Closure(ReplyFn),
    /// A server application.
    #[cfg(feature = "notify")]
    Notify(Arc<crate::notify::Application>),
}

pub(crate) type ReplyFn = Arc<dyn Fn(Upload) -> BoxFuture<Result<Reply, BoxError>> + Send + Sync>;

/// A complete upload that is not published yet, as it is passed to
/// [`Builder::reply`](crate::Builder::reply).
#[non_exhaustive]
pub struct Upload {
    /// The session. It is equal if the closure is called again.
    pub session: Uuid,
    /// The client that uploaded the entity.
    pub principal: Principal,
    /// The path that the client uploaded to, decoded, without the first slash.
    pub path: String,
    /// Name under which the entity is published.
    pub key: Key,
    /// Data of the session; see [`Builder::session_data`](crate::Builder::session_data).
    pub data: serde_json::Value,
    /// The bytes of the entity.
    pub entity: Box<dyn Entity>,
}

/// A reply to an upload, which the client downloads.
///
/// # Example
///
/// ```
/// use bits_server::Reply;
///
/// let none = Reply::NONE;
/// let text = Reply::from("accepted");
/// let stream = Reply::from_body(http_body_util::Full::new(bytes::Bytes::from("accepted")));
/// ```
pub struct Reply(Option<UnsyncBoxBody<Bytes, BoxError>>);

impl Reply {
    /// No reply.
    pub const NONE: Self = Self(None);

    /// Creates a reply from a stream of bytes.
    pub fn from_body<B>(body: B) -> Self
    where
        B: Body<Data: Buf, Error: Into<BoxError>> + Send + 'static,
    {
        let body = body
            .map_frame(|frame| frame.map_data(|mut data| data.copy_to_bytes(data.remaining())))
            .map_err(Into::into);
        Self(Some(body.boxed_unsync()))
    }
}

impl<T: Into<Bytes>> From<T> for Reply {
    fn from(bytes: T) -> Self {
        Self::from_body(http_body_util::Full::new(bytes.into()))
    }
}

/// Result of [`Builder::reply`](crate::Builder::reply): a [`Reply`], an `Option` of bytes, or a `Result` of
/// these.
pub trait IntoReply {
    /// Converts the result.
    ///
    /// # Errors
    ///
    /// The reason to refuse the upload for now.
    fn into_reply(self) -> Result<Reply, BoxError>;
}

impl IntoReply for Reply {
    fn into_reply(self) -> Result<Reply, BoxError> {
        Ok(self)
    }
}

impl<T: Into<Bytes>> IntoReply for Option<T> {
    fn into_reply(self) -> Result<Reply, BoxError> {
        Ok(self.map_or(Reply::NONE, Reply::from))
    }
}

impl<T: IntoReply, E: Into<BoxError>> IntoReply for Result<T, E> {
    fn into_reply(self) -> Result<Reply, BoxError> {
        self.map_err(Into::into)?.into_reply()
    }
}

/// Reasons why there is no reply.
enum Failure {
    Storage(StorageError),
    Closure(BoxError),
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl<'s> Work<'s, '_> {
    /// Passes a complete upload to the application.
    pub(crate) async fn notify(&mut self, token: WorkToken) -> StepResult<'s> {
        match &self.inner.application {
            Application::None => {
                let notified = Notified::new(true, ReplyPlace::None);
                self.report(|it| Ok(it.handle_notified(token, notified, None, now())?)).await
            }
            Application::Closure(closure) => self.call(token, closure).await,
            #[cfg(feature = "notify")]
            Application::Notify(application) => self.notify_application(token, application).await,
        }
    }

    /// Calls the closure. Its acceptance is recorded together with the complete reply, so a reply cannot get
    /// lost; after a crash in between, the closure is called again.
    async fn call(&mut self, token: WorkToken, closure: &ReplyFn) -> StepResult<'s> {
        let record = self.record().await?;
        let replied = self.write_reply(token, &record, closure);
        let has_reply = match self.while_renewing(token, Renewal::Work, replied).await? {
            Ok(has_reply) => has_reply,
            Err(Failure::Storage(error)) => return self.failed(token, &error).await,
            Err(Failure::Closure(error)) => {
                warn!(bytes = self.stored, error = %error_chain(&*error), "the closure of the reply failed; the client is asked to retry");
                crate::metrics::interrupted("application");
                let error = HostError::Application {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    code: None,
                };
                return self.report(|it| Ok(it.handle_failed(token, error)?)).await;
            }
        };
        let place = if has_reply { ReplyPlace::Kept } else { ReplyPlace::None };
        let url = self.reply_url(token);
        let url = ReplyUrl::try_from(&*url).ok().filter(|_| has_reply);
        let notified = Notified::new(true, place);
        self.report(|it| Ok(it.handle_notified(token, notified, url, now())?)).await
    }

    async fn write_reply(
        &self,
        token: WorkToken,
        record: &SessionRecord,
        closure: &ReplyFn,
    ) -> Result<bool, Failure> {
        let storage = &self.inner.storage;
        let total = record.record.session.total().unwrap_or_default();
        let entity = storage.open_staged(token, &record.staged, total).await?;
        let upload = Upload {
            session: record.id(),
            principal: record.record.principal.clone().map_or(Principal::ANONYMOUS, Principal::new),
            path: self.caller.path().to_owned(),
            key: record.key.clone(),
            data: record.data.clone(),
            entity,
        };
        let reply = closure(upload).await.map_err(Failure::Closure)?;
        let Some(mut body) = reply.0 else { return Ok(false) };
        let mut writer = storage.write_reply(token).await?;
        let mut body = Pin::new(&mut body);
        while let Some(frame) = body.as_mut().frame().await {
            let frame = frame.map_err(Failure::Closure)?;
            if let Ok(bytes) = frame.into_data() {
                writer.write(bytes).await?;
            }
        }
        writer.finish().await?;
        Ok(true)
    }

    /// Looks for the reply of an application that accepted the entity in an earlier request.
    pub(crate) async fn keep_reply(&mut self, token: WorkToken) -> StepResult<'s> {
        let place = match self.inner.storage.open_reply(token.session_id()).await {
            Ok(Some(_)) => ReplyPlace::Kept,
            Ok(None) => {
                warn!("the application accepted the entity, and there is no complete reply");
                ReplyPlace::None
            }
            Err(error) => return self.failed(token, &error).await,
        };
        self.report_reply(token, place, None).await
    }

    /// Reports the place of a reply. `url` is that of a static one.
    pub(crate) async fn report_reply(
        &mut self,
        token: WorkToken,
        place: ReplyPlace,
        url: Option<&[u8]>,
    ) -> StepResult<'s> {
        debug!(has_reply = place != ReplyPlace::None, "application notified");
        let kept = self.reply_url(token);
        let url = if place == ReplyPlace::Kept { Some(kept.as_bytes()) } else { url };
        let url = url.and_then(|url| ReplyUrl::try_from(url).ok());
        self.report(|it| Ok(it.handle_reply(token, place, url, now())?)).await
    }

    fn reply_url(&self, token: WorkToken) -> String {
        self.inner.urls.reply(self.caller.parts, token.session_id())
    }
}
