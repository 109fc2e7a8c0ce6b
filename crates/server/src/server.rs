//! The server: what all its requests share.

use std::sync::Arc;

use bits_proto::download::PlanLimits;
use bits_proto::server::{Policy, PolicyBuf, SessionLimits};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::AuthorizeFn;
use crate::admission::Admissions;
use crate::driver::SessionHandle;
use crate::hooks::{CompleteFn, DestinationFn, SessionDataFn};
use crate::public_url::PublicUrls;
use crate::refusals::RefusalLog;
use crate::reply::Application;
use crate::sessions::SessionStore;
use crate::storage::Storage;
use crate::unreleased::Unreleased;
use crate::{BitsService, Builder, Limits};

/// A server for uploads and downloads.
///
/// It is created with a [`Builder`], and serves requests through [`service`](Self::service). Clones share
/// everything. The server stops its background work when all clones and services are dropped.
#[derive(Clone)]
pub struct Server {
    pub(crate) inner: Arc<Inner>,
}

/// Settings and state of a server.
pub(crate) struct Inner {
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) sessions: Arc<dyn SessionStore>,
    pub(crate) policy: PolicyBuf,
    pub(crate) session_limits: SessionLimits,
    pub(crate) limits: Limits,
    pub(crate) plan_limits: PlanLimits,
    pub(crate) authorize: Option<AuthorizeFn>,
    pub(crate) destination: DestinationFn,
    pub(crate) session_data: Option<SessionDataFn>,
    pub(crate) on_complete: Option<CompleteFn>,
    pub(crate) application: Application,
    pub(crate) urls: PublicUrls,
    pub(crate) has_downloads: bool,
    pub(crate) keeps_every_upload: bool,
    pub(crate) admissions: Admissions,
    pub(crate) refusal_log: RefusalLog,
    pub(crate) unreleased: Unreleased,
    #[cfg(feature = "sha256")]
    pub(crate) has_sha256: bool,
    /// Requests in progress, and what they left to the background.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when no more requests are accepted.
    pub(crate) closing: CancellationToken,
    /// Cancelled when requests in progress are interrupted.
    pub(crate) interrupt: CancellationToken,
}

impl Server {
    /// Returns a builder.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the tower service, for any HTTP server.
    #[must_use]
    pub fn service(&self) -> BitsService {
        BitsService { inner: Arc::clone(&self.inner) }
    }

    /// Stops the server gracefully: refuses new requests with 503 and waits for those in progress.
    ///
    /// After [`Limits::shutdown_timeout`] it interrupts the requests that still receive a body. What they
    /// stored remains, and their sessions are released, so that clients can resume at once at another
    /// node. It returns when no work is left, and at the latest after twice that time.
    pub async fn shutdown(&self) {
        let inner = &self.inner;
        inner.closing.cancel();
        inner.tasks.close();
        if tokio::time::timeout(inner.limits.shutdown_timeout, inner.tasks.wait()).await.is_ok() {
            return;
        }
        inner.interrupt.cancel();
        if tokio::time::timeout(inner.limits.shutdown_timeout, inner.tasks.wait()).await.is_err() {
            tracing::warn!("requests are still in progress after the shutdown timeout");
        }
    }
}

impl Inner {
    pub(crate) fn policy(&self) -> Policy<'_> {
        self.policy.as_policy()
    }

    pub(crate) fn session(&self, id: uuid::Uuid) -> SessionHandle {
        SessionHandle::new(id, Arc::clone(&self.sessions))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}
