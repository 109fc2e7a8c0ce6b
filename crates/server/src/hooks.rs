//! Code of the embedder that the service calls.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use http::request::Parts;
use uuid::Uuid;

use crate::{BoxError, InvalidKey, Key, Principal};

/// A boxed future.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Calls code of the embedder. A panic becomes an error: otherwise it would end the task of the request, and
/// the session would be locked until the timeout of the work.
pub(crate) fn call<T, F>(
    code: impl FnOnce() -> F + Send + 'static,
) -> BoxFuture<Result<T, BoxError>>
where
    F: Future<Output = Result<T, BoxError>> + Send,
{
    Box::pin(async move {
        let mut running = Box::pin(async move { code().await });
        poll_fn(|cx| {
            let poll = || running.as_mut().poll(cx);
            // After a panic it is not polled again.
            catch_unwind(AssertUnwindSafe(poll))
                .unwrap_or_else(|_| Poll::Ready(Err("the code of the embedder panicked".into())))
        })
        .await
    })
}

pub(crate) type DestinationFn =
    Box<dyn Fn(&Principal, &str) -> Result<Key, InvalidDestination> + Send + Sync>;

pub(crate) type SessionDataFn = Box<dyn Fn(&Parts) -> serde_json::Value + Send + Sync>;

pub(crate) type CompleteFn =
    Arc<dyn Fn(Completed) -> BoxFuture<Result<(), BoxError>> + Send + Sync>;

/// A published upload, as it is passed to [`Builder::on_complete`](crate::Builder::on_complete).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Completed {
    /// The session. It is equal if the hook is called again.
    pub session: Uuid,
    /// The client that uploaded the entity.
    pub principal: Principal,
    /// The path that the client uploaded to, decoded, without the first slash.
    pub path: String,
    /// Name of the published entity.
    pub key: Key,
    /// Length in bytes.
    pub length: u64,
    /// Data of the session; see [`Builder::session_data`](crate::Builder::session_data).
    pub data: serde_json::Value,
    /// Entity tag of the published entity, if the storage has one.
    pub tag: Option<String>,
    /// SHA-256 of the entity in lower-case hexadecimal digits, with
    /// [`Builder::sha256`](crate::Builder::sha256).
    #[cfg(feature = "sha256")]
    pub sha256: Option<Box<str>>,
}

/// Result of a hook: nothing, or a `Result` with any error.
pub trait HookResult {
    /// Converts the result.
    ///
    /// # Errors
    ///
    /// The error of the hook.
    fn into_result(self) -> Result<(), BoxError>;
}

impl HookResult for () {
    fn into_result(self) -> Result<(), BoxError> {
        Ok(())
    }
}

impl<T, E: Into<BoxError>> HookResult for Result<T, E> {
    fn into_result(self) -> Result<(), BoxError> {
        self.map(drop).map_err(Into::into)
    }
}

/// Reasons to reject the path of an upload: 403, or 404 for a download.
#[derive(Debug)]
pub struct InvalidDestination(BoxError);

impl fmt::Display for InvalidDestination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for InvalidDestination {}

/// Result of [`Builder::destination`](crate::Builder::destination): text, a [`Key`], or a `Result` of
/// these. Text is validated.
pub trait IntoDestination {
    /// Converts the result.
    ///
    /// # Errors
    ///
    /// The reason, if no entity can be published there.
    fn into_destination(self) -> Result<Key, InvalidDestination>;
}

impl IntoDestination for Key {
    fn into_destination(self) -> Result<Key, InvalidDestination> {
        Ok(self)
    }
}

impl IntoDestination for String {
    fn into_destination(self) -> Result<Key, InvalidDestination> {
        Key::try_from(self).map_err(|error: InvalidKey| InvalidDestination(error.into()))
    }
}

impl IntoDestination for &str {
    fn into_destination(self) -> Result<Key, InvalidDestination> {
        self.to_owned().into_destination()
    }
}

impl<D: IntoDestination, E: Into<BoxError>> IntoDestination for Result<D, E> {
    fn into_destination(self) -> Result<Key, InvalidDestination> {
        self.map_err(|error| InvalidDestination(error.into()))?.into_destination()
    }
}
