//! Requests of the protocol: does what a session says, step by step, until there is an answer.
//!
//! What is answered is the crate's decision alone, and so are the checks and their order; what the
//! host adds is who the client is and whether there may be something at the path.

use std::io::{self, Write as _};
use std::time::Instant;

use bits_proto::error::CheckStage;
use bits_proto::http1::StatusCode;
use bits_proto::message::{Ack, Refusal, Request};
use bits_proto::server::{
    Access, Answer, Discard, Policy, RequestContext, SessionsError, SessionsResponse, Step,
    StoreBytes, UnreadBody, WorkToken,
};
use cap_std::fs::File;
use http::Response;
use http::request::Parts;
use tokio::task::block_in_place;
use tracing::field::display;
use tracing::{Span, debug, error, info, warn};

use crate::basic_auth::CHALLENGE;
use crate::body::{HURRY, Outgoing, PIECE, Piece, Reader};
use crate::server::{Server, Table, Unknown, now};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::{SessionGuard, work_token};
use bits_proto_programs::serve::path::{Destination, destination};
use bits_proto_programs::serve::storage::Storage;

/// After how many bytes of a fragment their count is written down.
const REPORTED: u64 = 1024 * 1024;

pub type Next = Result<Step<SessionsResponse<'static>>, SessionsError<io::Error>>;

/// An answer.
pub struct Answered {
    pub head: Response<()>,
    /// What to do with the body that nobody has read.
    pub rest: UnreadBody,
    /// How many bytes were stored.
    pub bytes: u64,
}

impl Answered {
    /// The answer of the server, which may close the connection behind it.
    pub fn response(&self, closes: bool) -> Response<Outgoing> {
        let mut response = Response::new(Outgoing::EMPTY);
        *response.status_mut() = self.head.status();
        *response.headers_mut() = self.head.headers().clone();
        if closes {
            let close = http::HeaderValue::from_static("close");
            response.headers_mut().insert(http::header::CONNECTION, close);
        }
        response
    }
}

/// One request, while it is worked on.
struct Work<'s> {
    server: &'s Server,
    parts: &'s Parts,
    destination: Option<Destination>,
    /// What is done is done in one turn, if there is anything to do.
    guard: Option<SessionGuard>,
    stored: u64,
}

impl Server {
    /// The answer to a request; `None` if nobody waits for it.
    pub async fn answer(&self, parts: &Parts, body: &mut Reader) -> Option<Answered> {
        let policy = self.policy;
        let principal = self.principal(parts);
        let destination = destination(parts.uri.path());
        let access = match (&principal, &destination) {
            (Err(Unknown), _) => Access::Unauthenticated,
            (_, Err(why)) => {
                debug!(%why, "no destination");
                Access::Denied
            }
            (Ok(_), Ok(_)) => Access::Granted,
        };
        let url = destination.as_ref().map_or("", |destination| destination.as_str());
        let principal = principal.unwrap_or_default();
        let arrival = RequestContext { url, principal, access, now: now() };
        let request = match Request::from_http(parts, &policy.requests) {
            Ok(decoded) => {
                if !decoded.deviations.is_empty() {
                    debug!(deviations = ?decoded.deviations, "not to the letter");
                }
                decoded.message
            }
            Err(error) => return self.refuse(&error, &arrival, body, &policy),
        };
        let span = Span::current();
        span.record("packet", display(request.packet_type()));
        if let Some(id) = request.session_id() {
            span.record("session", display(id));
        }
        let (step, guard) =
            block_in_place(|| self.begin(&request, arrival, destination.as_ref().ok()));
        let mut work =
            Work { server: self, parts, destination: destination.ok(), guard, stored: 0 };
        match work.until_answer(step, body).await? {
            Ok(answer) => {
                let ack = answer.ack();
                if let Ack::CreateSession(ack) = &ack {
                    span.record("session", display(&ack.session_id));
                }
                Some(Answered { head: head(&policy, &ack)?, rest: answer.rest, bytes: work.stored })
            }
            Err(failed) => {
                error!(error = %failed, "the sessions cannot be kept");
                let head = head(&policy, &Refusal::unavailable().into())?;
                Some(Answered { head, rest: UnreadBody::Close, bytes: work.stored })
            }
        }
    }

    /// The first step. What is at the destination counts when a session is created.
    fn begin(
        &self,
        request: &Request<'_>,
        mut arrival: RequestContext<'_>,
        destination: Option<&Destination>,
    ) -> (Next, Option<SessionGuard>) {
        let mut random = [0; 16];
        if let (Request::CreateSession(_), Access::Granted) = (request, arrival.access) {
            arrival.access = destination.map_or(Access::Denied, |it| self.storage.access(it));
            if let Err(error) = getrandom::fill(&mut random) {
                return (Err(SessionsError::Store(io::Error::other(error))), None);
            }
        }
        let mut table = self.table();
        let step = table.handle_request(request, &arrival, || random);
        let turn = step.as_ref().ok().and_then(work_token);
        (step.map_err(SessionsError::Store), turn.map(|turn| self.fencing.guard(turn)))
    }

    /// The answer to what cannot be read. Who may not be here learns nothing but that.
    fn refuse(
        &self,
        error: &bits_proto::Error,
        arrival: &RequestContext<'_>,
        body: &Reader,
        policy: &Policy<'_>,
    ) -> Option<Answered> {
        debug!(%error, "cannot be read");
        let answer = Answer::for_error(error, body.length(), policy);
        let ack = match arrival.access.refusal() {
            Some(refusal) if error.stage() > CheckStage::Access => refusal.into(),
            _ => answer.ack(None),
        };
        Some(Answered { head: head(policy, &ack)?, rest: answer.rest, bytes: 0 })
    }
}

impl Work<'_> {
    /// Goes from step to step.
    async fn until_answer(
        &mut self,
        mut next: Next,
        body: &mut Reader,
    ) -> Option<Result<SessionsResponse<'static>, SessionsError<io::Error>>> {
        loop {
            let step = match next {
                Ok(step) => step,
                Err(error) => {
                    self.guard.iter().for_each(|guard| self.give_up(guard.turn));
                    return Some(Err(error));
                }
            };
            next = match (step, &self.guard) {
                (Step::Store(bytes), _) => self.store(&bytes, body).await?,
                (Step::Notify(_), Some(guard)) => self.server.notify(guard, self.parts).await,
                (Step::Commit(turn), _) => block_in_place(|| self.commit(turn)),
                (Step::Discard(discard), _) => block_in_place(|| self.discard(&discard)),
                (Step::Answer(answer), _) => return Some(Ok(answer)),
                (Step::Done, _) | (Step::Notify(_), None) => return None,
            }
        }
    }

    /// Touches files of the session, unless another request has taken over.
    fn run<T>(&self, work: impl FnOnce(&Storage) -> io::Result<T>) -> io::Result<T> {
        let guard = self.guard.as_ref().ok_or_else(|| io::Error::other("it is nobody's turn"))?;
        guard.run(|| work(&self.server.storage))
    }

    /// Stores the next bytes, so many that it is worth while to write down their count. The next
    /// step brings those behind them.
    async fn store(&mut self, bytes: &StoreBytes, body: &mut Reader) -> Option<Next> {
        let StoreBytes { turn, skip, offset, take } = *bytes;
        if let Some(next) = self.skip(turn, skip, body).await? {
            return Some(next);
        }
        let entity = block_in_place(|| self.run(|it| it.entity(turn.session_id(), offset)));
        let mut entity = match entity {
            Ok(entity) => entity,
            Err(error) => return Some(self.failed(turn, &error)),
        };
        let most = take.min(REPORTED);
        let (mut stored, start) = (0, Instant::now());
        loop {
            let piece = body.piece((most - stored).min(PIECE)).await;
            let written = block_in_place(|| self.run(|_| write(&mut entity, &piece)));
            if written.is_ok() {
                stored += piece.length;
                // What came slowly is reported at once: silence counts as giving up, and what
                // another request takes over does not count.
                if stored < most && piece.length == PIECE && start.elapsed() < HURRY {
                    continue;
                }
            }
            self.stored += stored;
            let next = block_in_place(|| self.report(turn, stored, &entity));
            return match written {
                Err(error) => Some(self.failed(turn, &error)),
                Ok(()) if stored < take && piece.is_last && next.is_ok() => self.interrupted(turn),
                Ok(()) => Some(next),
            };
        }
    }

    /// Throws away bytes that are held already. However slowly they come, the turn is kept; the
    /// answer where it is not.
    async fn skip(
        &self,
        turn: WorkToken,
        mut skip: u64,
        body: &mut Reader,
    ) -> Option<Option<Next>> {
        while skip > 0 {
            let piece = body.piece(skip.min(PIECE)).await;
            if piece.length == 0 {
                return self.interrupted(turn).map(Some);
            }
            skip -= piece.length;
            let kept = block_in_place(|| self.table().handle_stored(turn, 0, now()));
            if kept.is_err() {
                return Some(Some(kept));
            }
        }
        Some(None)
    }

    fn report(&self, turn: WorkToken, stored: u64, entity: &File) -> Next {
        if let Err(error) = self.server.storage.sync(entity) {
            return self.failed(turn, &error);
        }
        self.table().handle_stored(turn, stored, now())
    }

    /// The client is gone. What was stored counts.
    fn interrupted(&self, turn: WorkToken) -> Option<Next> {
        info!(bytes = self.stored, "interrupted");
        self.give_up(turn);
        None
    }

    /// The session takes the next request at once, and not only when the work has taken too long.
    fn give_up(&self, turn: WorkToken) {
        let reported = block_in_place(|| self.table().handle_disconnected(turn));
        if let Err(error) = reported {
            warn!(%error, "the session does not know that the work was given up");
        }
    }

    fn commit(&self, turn: WorkToken) -> Next {
        let id = turn.session_id();
        let committed = self.run(|storage| {
            let destination = self.destination.as_ref().ok_or(io::ErrorKind::PermissionDenied)?;
            let total = self.server.total(id)?;
            storage.commit(id, total, destination)?;
            Ok(total)
        });
        match committed {
            Ok(bytes) => {
                info!(bytes, "placed");
                self.table().handle_committed(turn)
            }
            Err(error) => self.failed(turn, &error),
        }
    }

    fn discard(&self, discard: &Discard) -> Next {
        match self.run(|storage| storage.discard(discard)) {
            Ok(()) => self.table().handle_discarded(discard.turn),
            Err(error) => self.failed(discard.turn, &error),
        }
    }

    fn failed(&self, turn: WorkToken, error: &io::Error) -> Next {
        warn!(%error, "cannot be done");
        block_in_place(|| self.table().handle_failed(turn, host_error(error)))
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.server.table()
    }
}

fn write(entity: &mut File, piece: &Piece) -> io::Result<()> {
    piece.parts.iter().try_for_each(|bytes| entity.write_all(bytes))
}

fn head(policy: &Policy<'_>, ack: &Ack<'_>) -> Option<Response<()>> {
    let challenge =
        (ack.status() == StatusCode::UNAUTHORIZED).then_some(("WWW-Authenticate", CHALLENGE));
    policy.to_http(ack, challenge).inspect_err(|error| error!(%error, "no answer")).ok()
}
