//! Uploads over axum: does what the sessions say, step by step, until there is an answer.

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

/// How many bytes are stored before they are counted, which takes a call of the store.
const PIECE: u64 = 256 * 1024;

/// For how long the rest of a body is read behind an answer, so that closing the connection does
/// not destroy it on its way.
const LINGER: Duration = Duration::from_secs(5);

/// A table of sessions for requests that come at the same time.
pub trait Table: Send + Sync + 'static {
    /// Where the sessions are.
    type Store: Store<Error: Display>;

    /// Does something with the table.
    fn with<T>(&self, work: impl FnOnce(&mut Sessions<'static, Self::Store>) -> T) -> T;

    /// A session as it is now, if there is one.
    fn session(&self, id: Uuid) -> Result<Option<Session>, <Self::Store as Store>::Error>;
}

pub struct Server<T> {
    table: T,
    folder: Folder,
    policy: Policy<'static>,
}

type Next = Step<SessionsResponse<'static>>;

/// There is nothing right to answer: the client is gone, another request has taken over, or the
/// sessions are out of reach. Whoever is still there is told to try again.
struct Broken;

impl Broken {
    fn because(error: impl Display) -> Self {
        eprintln!("{error}");
        Self
    }
}

impl<E: Display> From<SessionsError<E>> for Broken {
    fn from(error: SessionsError<E>) -> Self {
        Self::because(error)
    }
}

/// The handler.
pub async fn upload<T: Table>(
    extract::State(server): extract::State<Arc<Server<T>>>,
    request: extract::Request,
) -> Response {
    // A client that leaves takes this future with it, but not a task: what was begun is finished,
    // or reported as left undone.
    let answered = tokio::spawn(async move { server.answer(request).await }).await;
    answered.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

impl<T: Table> Server<T> {
    pub fn new(table: T, folder: Folder) -> Self {
        let policy = table.with(|sessions| *sessions.policy());
        Self { table, folder, policy }
    }

    async fn answer(&self, request: extract::Request) -> Response {
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
            Err(Broken) => self.send(&Refusal::unavailable().into(), UnreadBody::Close, body).await,
        }
    }

    /// Makes the response, and deals with what nobody has read of the body.
    async fn send(&self, ack: &Ack<'_>, rest: UnreadBody, mut body: Incoming) -> Response {
        match rest {
            UnreadBody::None => {}
            // Clients read no answer before they have sent everything.
            UnreadBody::Drain(_) => body.skip(u64::MAX, self.policy.store_timeout).await,
            // The connection stays open for as long as its body is read.
            UnreadBody::Close => drop(tokio::spawn(async move {
                let _ = timeout(LINGER, body.skip(u64::MAX, LINGER)).await;
            })),
        }
        let closes = (rest == UnreadBody::Close).then_some(("Connection", "close"));
        match self.policy.to_http(ack, closes) {
            Ok(head) => head.map(|()| Body::empty()),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    /// Does what the session says.
    async fn work(
        &self,
        request: &Request<'_>,
        parts: &Parts,
        body: &mut Incoming,
    ) -> Result<SessionsResponse<'static>, Broken> {
        let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
        let destination = self.folder.destination(target);
        let access = match &destination {
            None => Access::Denied,
            Some(path) => match tokio::fs::try_exists(path).await {
                Ok(false) => Access::Granted,
                Ok(true) | Err(_) => Access::GrantedOverExisting,
            },
        };
        let arrival = RequestContext { url: target, principal: None, access, now: now() };
        let asked = self.table.with(|it| it.handle_request(request, &arrival, random));
        let mut step = asked.map_err(Broken::because)?;
        let mut part = None;
        loop {
            step = match step {
                Step::Store(bytes) => self.store(&bytes, &mut part, body).await?,
                // The policy has no server application: nobody says anything about the entity.
                Step::Notify(turn) => {
                    let notified = Notified { copy_to_destination: true, reply: Reply::None };
                    self.table.with(|it| it.handle_notified(turn, notified, None, now()))?
                }
                Step::Commit(turn) => self.commit(turn, destination.as_deref()).await?,
                Step::Discard(discard) => self.discard(&discard).await?,
                Step::Answer(answer) => {
                    if let Ack::CreateSession(ack) = answer.ack() {
                        let id = ack.session_id.guid().ok_or(Broken)?;
                        self.folder.begin(id).await.map_err(Broken::because)?;
                    }
                    return Ok(answer);
                }
                Step::Done => return Err(Broken),
            };
        }
    }

    /// Stores the next piece. The next step brings the one behind it.
    async fn store(
        &self,
        bytes: &StoreBytes,
        part: &mut Option<File>,
        body: &mut Incoming,
    ) -> Result<Next, Broken> {
        let StoreBytes { token: turn, skip, offset, take } = *bytes;
        let stored = async {
            let part = match part {
                Some(part) => part,
                None => part.insert(self.folder.part(turn, offset).await?),
            };
            body.skip(skip, self.policy.store_timeout).await;
            self.write(part, take.min(PIECE), body).await
        };
        match stored.await {
            Ok(0) => {
                self.table.with(|it| it.handle_disconnected(turn))?;
                Err(Broken)
            }
            Ok(stored) => Ok(self.table.with(|it| it.handle_stored(turn, stored, now()))?),
            Err(error) => self.failed(turn, &error),
        }
    }

    /// Writes at most so many bytes; fewer if they are slow to come, so that they are counted
    /// before the work counts as given up.
    async fn write(&self, part: &mut File, most: u64, body: &mut Incoming) -> io::Result<u64> {
        let start = Instant::now();
        let mut stored = 0;
        while stored < most {
            let patience = self.policy.store_timeout / if stored == 0 { 1 } else { 4 };
            let Some(bytes) = body.next(most - stored, start + patience).await else { break };
            part.write_all(&bytes).await?;
            stored += bytes.len() as u64;
        }
        // Other machines read it as soon as it is counted.
        part.sync_data().await?;
        Ok(stored)
    }

    async fn commit(&self, turn: WorkToken, destination: Option<&Path>) -> Result<Next, Broken> {
        let id = turn.session_id();
        let session = self.table.session(id).map_err(Broken::because)?;
        let total = session.and_then(|session| session.total()).ok_or(Broken)?;
        let placed = async {
            let destination = destination.ok_or(io::ErrorKind::PermissionDenied)?;
            let whole = self.working(turn, self.folder.assemble(turn, total)).await?;
            // Whoever took over meanwhile places it, or has a reason not to.
            let held = self.table.with(|it| it.renew(turn, now()));
            held.map_err(|_| io::ErrorKind::WouldBlock)?;
            self.folder.place(&whole, destination).await
        };
        if let Err(error) = placed.await {
            return self.failed(turn, &error);
        }
        let step = self.table.with(|it| it.handle_committed(turn))?;
        // What cannot be deleted now is deleted by the sweep.
        let _ = self.folder.forget(id).await;
        Ok(step)
    }

    /// Does what may take long, and says from time to time that it is still being done.
    async fn working<O>(&self, turn: WorkToken, work: impl Future<Output = O>) -> O {
        let mut work = pin!(work);
        loop {
            match timeout(self.policy.work_timeout / 3, &mut work).await {
                Ok(done) => return done,
                // If another turn has taken over, the work fails by itself.
                Err(_) => drop(self.table.with(|it| it.renew(turn, now()))),
            }
        }
    }

    async fn discard(&self, discard: &Discard) -> Result<Next, Broken> {
        match self.folder.discard(discard.token).await {
            Ok(()) => Ok(self.table.with(|it| it.handle_discarded(discard.token))?),
            Err(error) => self.failed(discard.token, &error),
        }
    }

    fn failed(&self, turn: WorkToken, error: &io::Error) -> Result<Next, Broken> {
        Ok(self.table.with(|it| it.handle_failed(turn, host_error(error)))?)
    }

    /// Deletes what clients have left behind, now and from time to time.
    pub async fn sweep(&self, every: Duration) {
        let mut ticks = tokio::time::interval(every);
        loop {
            ticks.tick().await;
            let expired = self.table.with(|it| it.handle_timeout(now()));
            for discard in &expired.map_err(Broken::because).unwrap_or_default() {
                // What cannot be deleted is found again.
                let _ = self.discard(discard).await;
            }
            // A folder is made after its session: one without is left from a process that died.
            for id in self.folder.sessions().await.unwrap_or_default() {
                if matches!(self.table.session(id), Ok(None)) {
                    let _ = self.folder.forget(id).await;
                }
            }
        }
    }
}

/// Bytes that nobody can guess. Without them there is no server.
fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// Sessions outlive processes: their times are those of the calendar.
fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
