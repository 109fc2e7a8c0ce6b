//! Creation of a server.

use std::future::{Future, ready};
use std::sync::Arc;

use bits_proto::download::PlanLimits;
use bits_proto::message::ParseOptions;
use bits_proto::server::{CommitAt, PolicyBuf, SessionLimits};
use http::Uri;
use http::request::Parts;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{self, Authorize, AuthorizeFn};
use crate::admission::Admissions;
use crate::error::BuildError;
use crate::hooks::{
    self, CompleteFn, Completed, DestinationFn, HookResult, IntoDestination, SessionDataFn,
};
use crate::public_url::PublicUrls;
use crate::refusals::RefusalLog;
use crate::reply::{Application, IntoReply, Upload};
use crate::server::Inner;
use crate::sessions::SessionStore;
use crate::storage::Storage;
use crate::unreleased::Unreleased;
use crate::{Deny, Limits, Principal, Server};

/// Settings of a [`Server`].
///
/// Only [`storage`](Self::storage) and [`sessions`](Self::sessions) are required.
#[must_use]
pub struct Builder {
    storage: Option<Arc<dyn Storage>>,
    sessions: Option<Arc<dyn SessionStore>>,
    limits: Limits,
    policy: PolicyBuf,
    authorize: Option<AuthorizeFn>,
    destination: DestinationFn,
    session_data: Option<SessionDataFn>,
    on_complete: Option<CompleteFn>,
    application: Application,
    #[cfg(feature = "notify")]
    notify: Option<crate::Notify>,
    public_url: Option<String>,
    proxies: usize,
    has_downloads: bool,
    keeps_every_upload: bool,
    #[cfg(feature = "sha256")]
    has_sha256: bool,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            storage: None,
            sessions: None,
            limits: Limits::default(),
            policy: PolicyBuf::default(),
            authorize: None,
            destination: Box::new(|_, path| path.into_destination()),
            session_data: None,
            on_complete: None,
            application: Application::None,
            #[cfg(feature = "notify")]
            notify: None,
            public_url: None,
            proxies: 0,
            has_downloads: true,
            keeps_every_upload: false,
            #[cfg(feature = "sha256")]
            has_sha256: false,
        }
    }
}

impl Builder {
    /// Sets the storage of entities.
    pub fn storage(mut self, storage: impl Storage) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Sets the store of sessions.
    pub fn sessions(mut self, sessions: impl SessionStore) -> Self {
        self.sessions = Some(Arc::new(sessions));
        self
    }

    /// Sets the limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the check of every request, which returns the client or the reason to refuse it. By default,
    /// all requests are accepted from [`Principal::ANONYMOUS`].
    ///
    /// It sees the head of the request and its extensions, such as a client certificate that the
    /// HTTP server adds. See [`Authorize`] for the forms it can have.
    pub fn authorize(mut self, authorize: impl for<'a> Authorize<'a> + 'static) -> Self {
        self.authorize = Some(access::boxed(authorize));
        self
    }

    /// Sets a check of every request that decides at once; see [`authorize`](Self::authorize).
    ///
    /// # Example
    ///
    /// ```
    /// use bits_server::{Deny, Principal, Server};
    ///
    /// let builder = Server::builder().authorize_sync(|request| {
    ///     let name = request.headers.get("x-machine").and_then(|name| name.to_str().ok());
    ///     name.map(Principal::new).ok_or(Deny::Forbidden)
    /// });
    /// ```
    pub fn authorize_sync(
        mut self,
        authorize: impl Fn(&Parts) -> Result<Principal, Deny> + Send + Sync + 'static,
    ) -> Self {
        self.authorize = Some(Box::new(move |request| Box::pin(ready(authorize(request)))));
        self
    }

    /// Sets the name of the entity for a client and the path of its request. By default, the name is the
    /// path.
    ///
    /// The path is decoded and begins without a slash. The result is validated as a
    /// [`Key`](crate::Key): a client cannot reach anything outside the storage. The result of a session's
    /// first request counts for the whole session.
    pub fn destination<F, D>(mut self, destination: F) -> Self
    where
        F: Fn(&Principal, &str) -> D + Send + Sync + 'static,
        D: IntoDestination,
    {
        self.destination =
            Box::new(move |principal, path| destination(principal, path).into_destination());
        self
    }

    /// Sets data of the embedder that is stored in each new session, such as a field of the request. It is passed on
    /// as [`Completed::data`] and [`Upload::data`]. By default, there is none.
    pub fn session_data<F, D>(mut self, data: F) -> Self
    where
        F: Fn(&Parts) -> D + Send + Sync + 'static,
        D: Into<serde_json::Value>,
    {
        self.session_data = Some(Box::new(move |request| data(request).into()));
        self
    }

    /// Sets a hook that is called after an upload was published, and before the client learns it.
    ///
    /// If it fails, the client is asked to retry, and the hook is called again. It may also be called again
    /// after a crash. So it is called at least once for each published upload;
    /// [`Completed::session`] identifies repeated calls.
    pub fn on_complete<F, T>(mut self, on_complete: F) -> Self
    where
        F: Fn(Completed) -> T + Send + Sync + 'static,
        T: Future<Output: HookResult> + Send + 'static,
    {
        let on_complete = Arc::new(on_complete);
        self.on_complete = Some(Arc::new(move |completed| {
            let on_complete = Arc::clone(&on_complete);
            hooks::call(|| async move { on_complete(completed).await.into_result() })
        }));
        self
    }

    /// Sets a closure that receives each complete upload before it is published, and returns the reply for the
    /// client.
    ///
    /// The client learns the URL of the reply with the acknowledgment of the last byte, and downloads
    /// it from this service. If the closure fails, the client is asked to retry, and the closure is called
    /// again. It may also be called again after a crash.
    pub fn reply<F, T>(mut self, reply: F) -> Self
    where
        F: Fn(Upload) -> T + Send + Sync + 'static,
        T: Future<Output: IntoReply> + Send + 'static,
    {
        let reply = Arc::new(reply);
        self.application = Application::Closure(Arc::new(move |upload| {
            let reply = Arc::clone(&reply);
            hooks::call(|| async move { reply(upload).await.into_reply() })
        }));
        self
    }

    /// Notifies a server application of each complete upload, before it is published. The application decides
    /// whether it is published.
    ///
    /// It takes precedence over [`reply`](Self::reply).
    #[cfg(feature = "notify")]
    pub fn notify(mut self, application: crate::Notify) -> Self {
        self.notify = Some(application);
        self
    }

    /// Replaces entities that exist, instead of refusing uploads to their names. Default: `false`.
    pub fn replaces(mut self, replaces: bool) -> Self {
        self.policy.overwrites = replaces;
        self
    }

    /// Sets the time of publication. Default: [`CommitAt::Close`].
    pub fn commit_at(mut self, commit_at: CommitAt) -> Self {
        self.policy.commit_at = commit_at;
        self
    }

    /// Accepts all unambiguous requests, such as `POST` instead of `BITS_POST` from clients behind proxies that
    /// know only common methods. Default: `false`.
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.policy.requests = if lenient { ParseOptions::LENIENT } else { ParseOptions::DEFAULT };
        self
    }

    /// Changes further settings of the protocol, such as the rule for overlapping fragments, or the host at
    /// which clients continue their sessions.
    ///
    /// [`Limits`] take precedence over the limits and times of the policy.
    pub fn policy(mut self, change: impl FnOnce(&mut PolicyBuf)) -> Self {
        change(&mut self.policy);
        self
    }

    /// Answers GET and HEAD of published entities. Replies are served in any case. Default: `true`.
    pub fn downloads(mut self, downloads: bool) -> Self {
        self.has_downloads = downloads;
        self
    }

    /// Keeps every upload: an entity is published as `DESTINATION/SESSION-ID` instead of `DESTINATION`, where
    /// `SESSION-ID` is written as in `c200e360-38c5-11ce-ae62-08002b2b79ef`. Default: `false`.
    ///
    /// Meant for clients that all upload to one fixed URL. Use [`Completed::key`] to find the entity.
    pub fn keep_every_upload(mut self, keep: bool) -> Self {
        self.keeps_every_upload = keep;
        self
    }

    /// Calculates the SHA-256 of each entity before it is published; see [`Completed::sha256`]. The entity is
    /// read once more for it. Default: `false`.
    #[cfg(feature = "sha256")]
    pub fn sha256(mut self, sha256: bool) -> Self {
        self.has_sha256 = sha256;
        self
    }

    /// Sets the URL of the service as clients see it, including the path at which it is nested, such as
    /// `https://host/upload`. It is used for the URLs of replies and for notifications.
    ///
    /// By default, URLs of replies are relative to the URL of the upload, and notifications carry the Host
    /// field of the request and the path that the service sees.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Trusts the fields Forwarded, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix of this number
    /// of proxies in front of the server, for the URLs that [`public_url`](Self::public_url) describes.
    /// Default: 0.
    ///
    /// Clients can send these fields too. So the number must not be greater than that of the proxies that
    /// add or replace them.
    pub fn trust_forwarded(mut self, proxies: usize) -> Self {
        self.proxies = proxies;
        self
    }

    /// Checks the storage and the session store, cleans up after a crash, and starts the server. Must be
    /// called in a tokio runtime.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub async fn build(mut self) -> Result<Server, BuildError> {
        let urls = self.urls()?;
        let storage = self.storage.take().ok_or(BuildError::MissingStorage)?;
        let application = self.application(&*storage)?;
        let sessions = self.sessions.ok_or(BuildError::MissingSessions)?;
        storage.check().await.map_err(BuildError::Storage)?;
        sessions.check().await.map_err(BuildError::Sessions)?;
        let policy = policy(self.policy, &self.limits, &application);
        let unreleased = {
            let policy = policy.as_policy();
            Unreleased::new(policy.store_timeout.max(policy.work_timeout))
        };
        let inner = Arc::new(Inner {
            storage,
            sessions,
            policy,
            session_limits: SessionLimits::default()
                .with_max_sessions(self.limits.max_sessions)
                .with_max_sessions_per_principal(self.limits.max_sessions_per_principal),
            limits: self.limits,
            plan_limits: PlanLimits::DEFAULT,
            authorize: self.authorize,
            destination: self.destination,
            session_data: self.session_data,
            on_complete: self.on_complete,
            application,
            urls,
            has_downloads: self.has_downloads,
            keeps_every_upload: self.keeps_every_upload,
            admissions: Admissions::default(),
            refusal_log: RefusalLog::default(),
            unreleased,
            #[cfg(feature = "sha256")]
            has_sha256: self.has_sha256,
            tasks: TaskTracker::new(),
            closing: CancellationToken::new(),
            interrupt: CancellationToken::new(),
        });
        inner.recover().await.map_err(BuildError::Sessions)?;
        inner.start_sweeps();
        Ok(Server { inner })
    }

    fn application(&mut self, storage: &dyn Storage) -> Result<Application, BuildError> {
        #[cfg(feature = "notify")]
        if let Some(notify) = self.notify.take() {
            if notify.is_by_value() && !storage.can_read_staged() {
                return Err(BuildError::UnreadableStaging);
            }
            let url = notify.url().to_owned();
            let application = notify.into_application();
            let application = application.map_err(|reason| BuildError::Notify { url, reason })?;
            return Ok(Application::Notify(Arc::new(application)));
        }
        let application = std::mem::replace(&mut self.application, Application::None);
        if matches!(application, Application::Closure(_)) && !storage.can_read_staged() {
            return Err(BuildError::UnreadableStaging);
        }
        Ok(application)
    }

    fn urls(&self) -> Result<PublicUrls, BuildError> {
        let Some(url) = &self.public_url else {
            return Ok(match self.proxies {
                0 => PublicUrls::Request,
                proxies => PublicUrls::Forwarded { proxies },
            });
        };
        let invalid = || BuildError::PublicUrl { url: url.clone() };
        let parsed: Uri = url.parse().map_err(|_| invalid())?;
        let scheme = parsed.scheme_str().filter(|it| ["http", "https"].contains(it));
        let authority = parsed.authority().filter(|it| !it.as_str().contains('@'));
        match (scheme, authority, parsed.query()) {
            (Some(scheme), Some(authority), None) => Ok(PublicUrls::Fixed {
                scheme: scheme.to_owned(),
                authority: authority.to_string(),
                prefix: parsed.path().trim_end_matches('/').to_owned(),
            }),
            _ => Err(invalid()),
        }
    }
}

fn policy(mut policy: PolicyBuf, limits: &Limits, application: &Application) -> PolicyBuf {
    policy.max_entity = limits.max_upload.unwrap_or(u64::MAX);
    policy.max_fragment = limits.max_fragment.unwrap_or(u64::MAX);
    policy.session_timeout = limits.session_timeout;
    policy.work_timeout = limits.work_timeout;
    // A request that still receives data must not count as interrupted: its client may be silent for
    // `idle_timeout` between two reports.
    policy.store_timeout = limits.store_timeout.max(limits.idle_timeout * 2);
    policy.notification = !matches!(application, Application::None);
    policy
}
