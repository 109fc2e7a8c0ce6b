//! Upload handler for axum: carries out the steps of a session until there is an answer.
//!
//! It follows three embedding rules. Fencing: see [`Folder`]. Cancellation: see [`upload`].
//! Publication: see `Server::commit`.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract;
use axum::response::{IntoResponse as _, Response};
use bits_proto::message::{Ack, Refusal, Request};
use bits_proto::server::{
    Access, Answer, Discard, Notified, Policy, Reply, RequestContext, Session, Sessions,
    SessionsError, SessionsResponse, Step, Store, StoreBytes, UnreadBody, WorkToken,
};
use http::StatusCode;
use http::request::Parts;
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::cluster::body::Incoming;
use crate::cluster::folder::Folder;
use crate::host_error::host_error;

/// Maximum number of stored bytes that are not yet recorded in their session. Recording requires a
/// call of the store.
const PIECE: u64 = 256 * 1024;

/// Time for which the rest of a body is read after the response. If the connection were closed
/// while bytes arrive, the client might lose the response.
const LINGER: Duration = Duration::from_secs(5);

/// Sessions that concurrent requests share.
pub trait SharedSessions: Send + Sync + 'static {
    /// The store of the sessions.
    type Store: Store<Error: Display>;

    /// Calls `work` with exclusive access to the sessions.
    fn with<T>(&self, work: impl FnOnce(&mut Sessions<'static, Self::Store>) -> T) -> T;

    /// Returns the current state of a session, if it exists.
    fn session(&self, id: Uuid) -> Result<Option<Session>, <Self::Store as Store>::Error>;
}

/// An upload server.
pub struct Server<T> {
    sessions: T,
    folder: Folder,
    policy: Policy<'static>,
}

type NextStep = Step<SessionsResponse<'static>>;

/// A request without an answer of its session: the client has disconnected, a later request has
/// taken over, or the store is unavailable. A client that is still connected is asked to retry.
struct Aborted;

impl Aborted {
    fn log(error: impl Display) -> Self {
        eprintln!("request aborted: {error}");
        Self
    }
}

impl<E: Display> From<SessionsError<E>> for Aborted {
    fn from(error: SessionsError<E>) -> Self {
        Self::log(error)
    }
}

/// Handles an upload request.
pub async fn upload<T: SharedSessions>(
    extract::State(server): extract::State<Arc<Server<T>>>,
    request: extract::Request,
) -> Response {
    // Embedding rule "cancellation": axum drops this future when the client disconnects, but not a
    // spawned task. So work that has begun is always finished, or reported as aborted.
    let response = tokio::spawn(async move { server.handle(request).await }).await;
    response.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl<T: SharedSessions> Server<T> {
    pub fn new(sessions: T, folder: Folder) -> Self {
        let policy = sessions.with(|sessions| *sessions.policy());
        Self { sessions, folder, policy }
    }

    async fn handle(&self, request: extract::Request) -> Response {
        let (parts, body) = request.into_parts();
        let mut body = Incoming::new(body);
        let request = match Request::from_http(&parts, &self.policy.requests) {
            Ok(decoded) => decoded.message,
            Err(error) => {
                let answer = Answer::for_error(&error, body.length(), &self.policy);
                return self.send(&answer.ack(None), answer.unread_body, body).await;
            }
        };
        match self.work(&request, &parts, &mut body).await {
            Ok(answer) => self.send(&answer.ack(), answer.unread_body, body).await,
            Err(Aborted) => {
                self.send(&Refusal::unavailable().into(), UnreadBody::Close, body).await
            }
        }
    }

    /// Returns the response, and handles the unread part of the body.
    async fn send(&self, ack: &Ack<'_>, unread_body: UnreadBody, mut body: Incoming) -> Response {
        match unread_body {
            UnreadBody::None => {}
            // Before the response: many clients read it only after they have sent the whole body.
            UnreadBody::Drain(_) => body.skip(u64::MAX, self.policy.store_timeout).await,
            // In the background: the connection stays open while its body is read.
            _ => drop(tokio::spawn(async move {
                let _ = timeout(LINGER, body.skip(u64::MAX, LINGER)).await;
            })),
        }
        let closes = (!matches!(unread_body, UnreadBody::None | UnreadBody::Drain(_)))
            .then_some(("Connection", "close"));
        match self.policy.to_http(ack, closes) {
            Ok(head) => head.map(|()| Body::empty()),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// Carries out the steps of the session.
    async fn work(
        &self,
        request: &Request<'_>,
        parts: &Parts,
        body: &mut Incoming,
    ) -> Result<SessionsResponse<'static>, Aborted> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let destination = self.folder.destination(target);
        let access = match &destination {
            None => Access::Denied,
            Some(path) => match tokio::fs::try_exists(path).await {
                Ok(false) => Access::Granted,
                Ok(true) | Err(_) => Access::GrantedOverExisting,
            },
        };
        let context = RequestContext::new(target, access, now());
        let first = self.sessions.with(|it| it.handle_request(request, &context, random));
        let mut step = first.map_err(Aborted::log)?;
        let mut part = None;
        loop {
            step = match step {
                Step::Store(bytes) => self.store(&bytes, &mut part, body).await?,
                // There is no server application to notify: publish the entity without a reply.
                Step::Notify(token) => {
                    let notified = Notified::new(true, Reply::None);
                    self.sessions.with(|it| it.handle_notified(token, notified, None, now()))?
                }
                Step::Commit(token) => self.commit(token, destination.as_deref()).await?,
                Step::Discard(discard) => self.discard(&discard).await?,
                Step::Answer(answer) => {
                    if let Ack::CreateSession(ack) = answer.ack() {
                        let id = ack.session_id.guid().ok_or(Aborted)?;
                        self.folder.create_session(id).await.map_err(Aborted::log)?;
                    }
                    return Ok(answer);
                }
                _ => return Err(Aborted),
            };
        }
    }

    /// Stores the next piece and reports it. The next step requests the bytes that follow.
    async fn store(
        &self,
        bytes: &StoreBytes,
        part: &mut Option<File>,
        body: &mut Incoming,
    ) -> Result<NextStep, Aborted> {
        let StoreBytes { token, skip, offset, take, .. } = *bytes;
        let stored = async {
            let part = match part {
                Some(part) => part,
                None => part.insert(self.folder.part(token, offset).await?),
            };
            body.skip(skip, self.policy.store_timeout).await;
            self.write(part, take.min(PIECE), body).await
        };
        match stored.await {
            Ok(0) => {
                self.sessions.with(|it| it.handle_disconnected(token))?;
                Err(Aborted)
            }
            Ok(stored) => Ok(self.sessions.with(|it| it.handle_stored(token, stored, now()))?),
            Err(error) => self.failed(token, &error),
        }
    }

    /// Writes up to `most` bytes. Writes fewer if they arrive slowly, so that they are reported
    /// before the work token expires.
    async fn write(&self, part: &mut File, most: u64, body: &mut Incoming) -> io::Result<u64> {
        let start = Instant::now();
        let mut stored = 0;
        while stored < most {
            let limit = self.policy.store_timeout / if stored == 0 { 1 } else { 4 };
            let Some(bytes) = body.next(most - stored, start + limit).await else { break };
            part.write_all(&bytes).await?;
            stored += bytes.len() as u64;
        }
        // Other machines may read the bytes as soon as they are reported.
        part.sync_data().await?;
        Ok(stored)
    }

    /// Embedding rule "publication": assembles the entity, confirms that the work token is still
    /// valid, and then publishes the entity. If this process crashes in between, a later token
    /// repeats these operations, which have no further effect.
    async fn commit(
        &self,
        token: WorkToken,
        destination: Option<&Path>,
    ) -> Result<NextStep, Aborted> {
        let id = token.session_id();
        let session = self.sessions.session(id).map_err(Aborted::log)?;
        let total = session.and_then(|session| session.total()).ok_or(Aborted)?;
        let published = async {
            let destination = destination.ok_or(io::ErrorKind::PermissionDenied)?;
            let whole = self.while_renewing(token, self.folder.assemble(token, total)).await?;
            // A request that took over meanwhile decides whether to publish the entity.
            let renewed = self.sessions.with(|it| it.renew(token, now()));
            renewed.map_err(|_| io::ErrorKind::WouldBlock)?;
            self.folder.publish(&whole, destination).await
        };
        if let Err(error) = published.await {
            return self.failed(token, &error);
        }
        let step = self.sessions.with(|it| it.handle_committed(token))?;
        // If this fails, the sweep deletes the folder later.
        let _ = self.folder.remove_session(id).await;
        Ok(step)
    }

    /// Runs work that may take long, and renews the work token at regular intervals.
    async fn while_renewing<O>(&self, token: WorkToken, work: impl Future<Output = O>) -> O {
        let mut work = pin!(work);
        loop {
            match timeout(self.policy.work_timeout / 3, &mut work).await {
                Ok(done) => return done,
                // If a later request has taken over, the work itself fails.
                Err(_) => drop(self.sessions.with(|it| it.renew(token, now()))),
            }
        }
    }

    async fn discard(&self, discard: &Discard) -> Result<NextStep, Aborted> {
        match self.folder.discard(discard.token).await {
            Ok(()) => Ok(self.sessions.with(|it| it.handle_discarded(discard.token))?),
            Err(error) => self.failed(discard.token, &error),
        }
    }

    fn failed(&self, token: WorkToken, error: &io::Error) -> Result<NextStep, Aborted> {
        Ok(self.sessions.with(|it| it.handle_failed(token, host_error(error)))?)
    }

    /// Deletes the files of expired sessions at regular intervals.
    pub async fn sweep(&self, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            let expired = self.sessions.with(|it| it.handle_timeout(now()));
            for discard in &expired.map_err(Aborted::log).unwrap_or_default() {
                // If this fails, a later sweep finds the session again.
                let _ = self.discard(discard).await;
            }
            // A session is created before its folder, so a folder without one is left over.
            for id in self.folder.sessions().await.unwrap_or_default() {
                if matches!(self.sessions.session(id), Ok(None)) {
                    let _ = self.folder.remove_session(id).await;
                }
            }
        }
    }
}

/// Returns unpredictable bytes for a session id.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system provides random bytes");
    bytes
}

/// Returns the time since the Unix epoch: sessions outlive the process and its monotonic clock.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
