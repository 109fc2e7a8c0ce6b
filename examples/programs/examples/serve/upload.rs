//! BITS requests: carries out the steps of a session until there is an answer.
//!
//! `bits-proto` decides all checks, their order and the answer. This module provides the
//! authenticated user and the access rights to the destination, and does the input and output.

use std::io::{self, Write as _};
use std::time::Instant;

use bits_proto::error::CheckStage;
use bits_proto::message::{Ack, Failure, Refusal, Request};
use bits_proto::server::{
    Access, Answer, Discard, Policy, RequestContext, SessionsError, SessionsResponse, Step,
    StoreBytes, UnreadBody, WorkToken,
};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::SessionGuard;
use bits_proto_programs::serve::path::{Destination, destination};
use bits_proto_programs::serve::storage::Storage;
use cap_std::fs::File;
use http::Response;
use http::request::Parts;
use tokio::task::block_in_place;
use tracing::field::display;
use tracing::{Span, debug, error, info, warn};

use crate::basic_auth::CHALLENGE;
use crate::body::{FLUSH_INTERVAL, Outgoing, PIECE, Piece, Reader};
use crate::server::{Server, Table, Unauthenticated, now};

/// Maximum number of stored bytes that are not yet recorded in their session.
const REPORT_INTERVAL: u64 = 1024 * 1024;

pub type StepResult = Result<Step<SessionsResponse<'static>>, SessionsError<io::Error>>;

/// The answer to a BITS request.
pub struct BitsResponse {
    pub head: Response<()>,
    /// Handling of the unread part of the body.
    pub unread_body: UnreadBody,
    /// Number of bytes stored by the request.
    pub bytes: u64,
}

impl BitsResponse {
    /// Returns the HTTP response, which closes the connection if `closes` is set.
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

/// A request in progress.
struct Work<'s> {
    server: &'s Server,
    parts: &'s Parts,
    destination: Option<Destination>,
    /// Guards the files of the session under the work token of this request. `None` if the request
    /// has no work to do.
    guard: Option<SessionGuard>,
    /// Number of bytes stored so far.
    stored: u64,
}

impl Server {
    /// Handles a BITS request. Returns `None` if no response can be sent, usually because the client
    /// has disconnected.
    pub async fn handle_bits(&self, parts: &Parts, body: &mut Reader) -> Option<BitsResponse> {
        let policy = self.policy;
        let principal = self.principal(parts);
        let destination = destination(parts.uri.path());
        let access = match (&principal, &destination) {
            (Err(Unauthenticated), _) => Access::Unauthenticated,
            (_, Err(why)) => {
                debug!(%why, "invalid destination");
                Access::Denied
            }
            (Ok(_), Ok(_)) => Access::Granted,
        };
        let url = destination.as_ref().map_or("", |destination| destination.as_str());
        let principal = principal.unwrap_or_default();
        let context = RequestContext::new(url, access, now()).with_principal(principal);
        let request = match Request::from_http(parts, &policy.requests) {
            Ok(decoded) => {
                if !decoded.deviations.is_empty() {
                    debug!(deviations = ?decoded.deviations, "request deviates from the protocol");
                }
                decoded.message
            }
            Err(error) => return self.refuse(&error, &context, body, &policy),
        };
        let span = Span::current();
        span.record("packet", display(request.packet_type()));
        if let Some(id) = request.session_id() {
            span.record("session", display(id));
        }
        let (step, guard) =
            block_in_place(|| self.begin(&request, context, destination.as_ref().ok()));
        let mut work =
            Work { server: self, parts, destination: destination.ok(), guard, stored: 0 };
        match work.run_steps(step, body).await? {
            Ok(answer) => {
                let ack = answer.ack();
                if let Ack::CreateSession(ack) = &ack {
                    span.record("session", display(&ack.session_id));
                }
                let head = head(&policy, &ack)?;
                Some(BitsResponse { head, unread_body: answer.unread_body, bytes: work.stored })
            }
            Err(failed) => {
                error!(error = %failed, "cannot update the session; the client is asked to retry");
                let head = head(&policy, &Refusal::unavailable().into())?;
                Some(BitsResponse { head, unread_body: UnreadBody::Close, bytes: work.stored })
            }
        }
    }

    /// Returns the first step, and the guard for the work it requires. The destination is checked
    /// when a session is created.
    fn begin(
        &self,
        request: &Request<'_>,
        mut context: RequestContext<'_>,
        destination: Option<&Destination>,
    ) -> (StepResult, Option<SessionGuard>) {
        let mut random = [0; 16];
        if let (Request::CreateSession(_), Access::Granted) = (request, context.access) {
            context.access = destination.map_or(Access::Denied, |it| self.storage.access(it));
            if let Err(error) = getrandom::fill(&mut random) {
                return (Err(SessionsError::Store(io::Error::other(error))), None);
            }
        }
        let mut table = self.table();
        let step = table.handle_request(request, &context, || random);
        // The table stays locked here, so that guards are created in the order of their tokens.
        let token = step.as_ref().ok().and_then(Step::token);
        (step.map_err(SessionsError::Store), token.map(|token| self.fencing.guard(token)))
    }

    /// Answers an invalid request. A client without access only learns that it has no access.
    fn refuse(
        &self,
        error: &bits_proto::Error,
        context: &RequestContext<'_>,
        body: &Reader,
        policy: &Policy<'_>,
    ) -> Option<BitsResponse> {
        info!(%error, "invalid request");
        let answer = Answer::for_error(error, body.length(), policy);
        let ack = match context.access.refusal() {
            Some(refusal) if error.stage() > CheckStage::Access => refusal.into(),
            _ => answer.ack(None),
        };
        Some(BitsResponse { head: head(policy, &ack)?, unread_body: answer.unread_body, bytes: 0 })
    }
}

impl Work<'_> {
    /// Carries out steps until one is the answer. Returns `None` if no response can be sent.
    async fn run_steps(
        &mut self,
        mut next: StepResult,
        body: &mut Reader,
    ) -> Option<Result<SessionsResponse<'static>, SessionsError<io::Error>>> {
        loop {
            let step = match next {
                Ok(step) => step,
                Err(error) => {
                    self.guard.iter().for_each(|guard| self.abort_work(guard.token));
                    return Some(Err(error));
                }
            };
            next = match (step, &self.guard) {
                (Step::Store(bytes), _) => self.store(&bytes, body).await?,
                (Step::Notify(_), Some(guard)) => self.server.notify(guard, self.parts).await,
                (Step::KeepReply(_), Some(guard)) => {
                    block_in_place(|| self.server.keep_reply(guard))
                }
                (Step::Commit(token), _) => block_in_place(|| self.commit(token)),
                (Step::Discard(discard), _) => block_in_place(|| self.discard(&discard)),
                (Step::Answer(answer), _) => return Some(Ok(answer)),
                _ => return None,
            }
        }
    }

    /// Accesses the files of the session. Fails if a later request has taken over.
    fn run<T>(&self, work: impl FnOnce(&Storage) -> io::Result<T>) -> io::Result<T> {
        let guard = self.guard.as_ref().ok_or_else(|| io::Error::other("missing work token"))?;
        guard.run(|| work(&self.server.storage))
    }

    /// Stores up to [`REPORT_INTERVAL`] bytes and reports them. The next step asks for the bytes
    /// that follow.
    async fn store(&mut self, bytes: &StoreBytes, body: &mut Reader) -> Option<StepResult> {
        let StoreBytes { token, skip, offset, take, .. } = *bytes;
        if let Some(next) = self.skip(token, skip, body).await? {
            return Some(next);
        }
        let entity = block_in_place(|| self.run(|it| it.entity(token.session_id(), offset)));
        let mut entity = match entity {
            Ok(entity) => entity,
            Err(error) => return Some(self.failed(token, &error)),
        };
        let most = take.min(REPORT_INTERVAL);
        let (mut stored, start) = (0, Instant::now());
        loop {
            let piece = body.piece((most - stored).min(PIECE)).await;
            let written = block_in_place(|| self.run(|_| write(&mut entity, &piece)));
            if written.is_ok() {
                stored += piece.length;
                // Slow data is reported without delay: a session without reports counts as
                // abandoned, and unreported bytes are lost to a request that takes over.
                if stored < most && piece.length == PIECE && start.elapsed() < FLUSH_INTERVAL {
                    continue;
                }
            }
            self.stored += stored;
            let next = block_in_place(|| self.report(token, stored, &entity));
            return match written {
                Err(error) => Some(self.failed(token, &error)),
                Ok(()) if stored < take && piece.is_last && next.is_ok() => self.interrupted(token),
                Ok(()) => Some(next),
            };
        }
    }

    /// Discards bytes that were received before, and postpones the timeout of the work meanwhile.
    /// Returns an error to continue with if the token is stale, and `None` if no more bytes
    /// follow.
    async fn skip(
        &self,
        token: WorkToken,
        mut skip: u64,
        body: &mut Reader,
    ) -> Option<Option<StepResult>> {
        while skip > 0 {
            let piece = body.piece(skip.min(PIECE)).await;
            if piece.length == 0 {
                return self.interrupted(token).map(Some);
            }
            skip -= piece.length;
            let renewed = block_in_place(|| self.table().handle_stored(token, 0, now()));
            if renewed.is_err() {
                return Some(Some(renewed));
            }
        }
        Some(None)
    }

    fn report(&self, token: WorkToken, stored: u64, entity: &File) -> StepResult {
        if let Err(error) = self.server.storage.sync(entity) {
            return self.failed(token, &error);
        }
        self.table().handle_stored(token, stored, now())
    }

    /// Reports that no more bytes follow. The bytes stored so far are kept.
    fn interrupted(&self, token: WorkToken) -> Option<StepResult> {
        info!(
            bytes = self.stored,
            "upload interrupted: the client disconnected or timed out, or the server is stopping"
        );
        self.abort_work(token);
        None
    }

    /// Releases the work token, so that the session accepts another request without waiting for
    /// its timeout.
    fn abort_work(&self, token: WorkToken) {
        let reported = block_in_place(|| self.table().handle_disconnected(token));
        if let Err(error) = reported {
            warn!(%error, "cannot release the session; it accepts requests after its timeout");
        }
    }

    /// Embedding rule "publication": the entity is published under the work token, then the session
    /// is informed. After a crash in between, the step is repeated, and `Storage::commit` detects
    /// that the entity is already published.
    fn commit(&self, token: WorkToken) -> StepResult {
        let id = token.session_id();
        let committed = self.run(|storage| {
            let destination = self.destination.as_ref().ok_or(io::ErrorKind::PermissionDenied)?;
            let total = self.server.total(id)?;
            storage.commit(id, total, destination)?;
            Ok(total)
        });
        match committed {
            Ok(bytes) => {
                info!(bytes, "entity published");
                self.table().handle_committed(token)
            }
            Err(error) => self.failed(token, &error),
        }
    }

    fn discard(&self, discard: &Discard) -> StepResult {
        match self.run(|storage| storage.discard(discard)) {
            Ok(()) => self.table().handle_discarded(discard.token),
            Err(error) => self.failed(discard.token, &error),
        }
    }

    fn failed(&self, token: WorkToken, error: &io::Error) -> StepResult {
        warn!(%error, "request failed");
        block_in_place(|| self.table().handle_failed(token, host_error(error)))
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.server.table()
    }
}

fn write(entity: &mut File, piece: &Piece) -> io::Result<()> {
    piece.parts.iter().try_for_each(|bytes| entity.write_all(bytes))
}

fn head(policy: &Policy<'_>, ack: &Ack<'_>) -> Option<Response<()>> {
    // Only this server's own 401: the client has no credentials for the application.
    let is_challenge = matches!(ack, Ack::Refused(it) if it.failure() == Failure::Credentials);
    let challenge = is_challenge.then_some(("WWW-Authenticate", CHALLENGE));
    policy
        .to_http(ack, challenge)
        .inspect_err(|error| error!(%error, "cannot write the response"))
        .ok()
}
