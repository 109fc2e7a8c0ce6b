//! Requests of the upload protocol: from the head of the request to the response.

use std::sync::Arc;

use bits_proto::error::{CheckStage, error_chain};
use bits_proto::http1::StatusCode;
use bits_proto::message::{Ack, Extras, Failure, NO_EXTRAS, Refusal, Request};
use bits_proto::server::{Access, Answer, RequestContext, UnreadBody};
use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Response, Version};
use tracing::{Span, debug, error, field, info};
use uuid::Uuid;

use crate::body::{End, RequestBody};
use crate::driver::{self, Changed, DriverError, NextStep, SessionHandle, now};
use crate::path::RequestPath;
use crate::refusals::Refused;
use crate::server::Inner;
use crate::work::{Stop, Work};
use crate::{Deny, Principal, ResponseBody, metrics, response};

/// Response to a request, before its body is handled.
struct BitsResponse {
    head: Response<()>,
    unread_body: UnreadBody,
    /// A refusal for the log.
    refused: Option<Refused>,
}

/// A request with the result of its access check.
pub(crate) struct Caller<'r> {
    pub(crate) parts: &'r Parts,
    /// The client, or the reason to refuse it.
    access: Result<Principal, Deny>,
    path: RequestPath,
}

impl Caller<'_> {
    /// Returns the path that identifies the entity, decoded.
    pub(crate) fn path(&self) -> &str {
        match &self.path {
            RequestPath::Entity(path) => path,
            RequestPath::Reply(_) | RequestPath::Invalid(_) => "",
        }
    }

    pub(crate) fn principal(&self) -> &Principal {
        self.access.as_ref().unwrap_or(&Principal::ANONYMOUS)
    }

    fn context(&self) -> RequestContext<'_> {
        let access = match (&self.access, &self.path) {
            (Err(Deny::Unauthenticated { .. }), _) => Access::Unauthenticated,
            (Err(Deny::Forbidden), _) | (Ok(_), RequestPath::Reply(_)) => Access::Denied,
            (Ok(_), RequestPath::Invalid(_)) => Access::InvalidName,
            (Ok(_), RequestPath::Entity(_)) => Access::Granted,
        };
        RequestContext::new(self.path(), access, now()).with_principal(self.principal().name())
    }

    /// Returns the reason why the client has no access.
    fn detail(&self) -> Option<String> {
        match (&self.access, &self.path) {
            (Err(deny), _) => Some(deny.to_string()),
            (Ok(_), RequestPath::Invalid(why)) => Some((*why).to_owned()),
            _ => None,
        }
    }
}

impl Inner {
    pub(crate) async fn serve_bits(
        self: Arc<Self>,
        parts: &Parts,
        mut body: RequestBody,
    ) -> Response<ResponseBody> {
        let answer = self.answer(parts, &mut body).await;
        if let Some(refused) = &answer.refused {
            self.refusal_log.record(refused, parts);
        }
        let unread_body = match answer.unread_body {
            _ if body.is_empty() => UnreadBody::None,
            // A lenient policy accepts a body on packets that must not have one.
            UnreadBody::None => body.length().map_or(UnreadBody::Close, UnreadBody::Drain),
            unread_body => unread_body,
        };
        let mut response = answer.head.map(|()| ResponseBody::EMPTY);
        // After `Expect: 100-continue` a client may send the body or leave it out, so the next request on
        // the connection could not be located. Reading would ask for the body.
        let is_expected = parts.headers.contains_key(EXPECT) && !body.is_touched();
        let closes = match unread_body {
            UnreadBody::None => false,
            UnreadBody::Drain(_) => is_expected,
            _ => true,
        };
        if closes && parts.version <= Version::HTTP_11 {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match unread_body {
            UnreadBody::Drain(length) if !is_expected => body.drain(length),
            UnreadBody::Close if !is_expected => body.linger(),
            _ => {}
        }
        debug!(status = response.status().as_u16(), "request answered");
        response
    }

    async fn answer(self: &Arc<Self>, parts: &Parts, body: &mut RequestBody) -> BitsResponse {
        if self.closing.is_cancelled() {
            return self.refusal(&Refusal::unavailable(), None);
        }
        let access = self.principal(parts).await;
        let path = RequestPath::new(parts.uri.path());
        let caller = Caller { parts, access, path };
        let policy = self.policy();
        let request = match Request::from_http(parts, &policy.requests) {
            Ok(decoded) => {
                if !decoded.deviations.is_empty() {
                    debug!(deviations = ?decoded.deviations, "request deviates from the protocol");
                }
                decoded.message
            }
            Err(error) => return self.invalid(&error, &caller, body),
        };
        if let Some(id) = request.session_id() {
            // In one spelling, as in all other places.
            match id.guid() {
                Some(guid) => Span::current().record("session", field::display(guid)),
                None => Span::current().record("session", field::display(id)),
            };
        }
        self.handle(&request, &caller, body).await
    }

    async fn handle(
        self: &Arc<Self>,
        request: &Request<'_>,
        caller: &Caller<'_>,
        body: &mut RequestBody,
    ) -> BitsResponse {
        let context = caller.context();
        let (handle, first) = match (request, request.session_id().and_then(|id| id.guid())) {
            (Request::CreateSession(_), _) if context.access == Access::Granted => {
                match self.create(request, context, caller).await {
                    Ok(step) => (None, Ok(Changed::new(step))),
                    Err(error) => {
                        let refused = error.refused;
                        return BitsResponse { refused, ..self.refusal(&error.refusal, None) };
                    }
                }
            }
            (_, Some(id)) if context.access == Access::Granted => {
                let (handle, first) = self.begin(id, request, &context).await;
                (Some(handle), first)
            }
            // A Ping, or a request that is refused.
            _ => {
                let created =
                    driver::create(self.policy(), self.session_limits, (0, 0), false, |sessions| {
                        sessions.handle_request(request, &context, || [0; 16])
                    });
                (None, Ok(Changed::new(created.answer)))
            }
        };
        let mut work = Work::new(self, caller, handle, body);
        match work.run(first).await {
            Ok(answer) => {
                let detail = work.refusal.take().or_else(|| caller.detail());
                self.response(&answer.ack(), answer.unread_body, caller, detail)
            }
            Err(stop) => self.stopped(&stop, work.stored()),
        }
    }

    /// Handles a request of an existing session.
    async fn begin<'s>(
        &'s self,
        id: Uuid,
        request: &Request<'_>,
        context: &RequestContext<'_>,
    ) -> (Arc<SessionHandle>, Result<Changed<NextStep<'s>>, DriverError>) {
        let handle = Arc::new(self.session(id));
        let unreleased = self.unreleased.get(id);
        let first = handle
            .change(self.policy(), |sessions| {
                if let Some(token) = unreleased {
                    // Fails if the work has timed out meanwhile.
                    let _ = sessions.handle_disconnected(token);
                }
                let Ok(step) = sessions.handle_request(request, context, || [0; 16]);
                Ok(step)
            })
            .await;
        if let (Some(token), Ok(_)) = (unreleased, &first) {
            self.unreleased.remove(token);
        }
        (handle, first)
    }

    /// Answers an invalid request. A client without access only learns that it has no access.
    fn invalid(
        &self,
        error: &bits_proto::Error,
        caller: &Caller<'_>,
        body: &RequestBody,
    ) -> BitsResponse {
        let answer = Answer::for_error(error, body.length(), &self.policy());
        let (ack, detail) = match caller.context().access.refusal() {
            Some(refusal) if error.stage() > CheckStage::Access => {
                (refusal.into(), caller.detail())
            }
            _ => (answer.ack(None), Some(error.to_string())),
        };
        self.response(&ack, answer.unread_body, caller, detail)
    }

    fn response(
        &self,
        ack: &Ack<'_>,
        unread_body: UnreadBody,
        caller: &Caller<'_>,
        detail: Option<String>,
    ) -> BitsResponse {
        let refused = match ack {
            Ack::Refused(refusal) => Refused::new(refusal, detail),
            _ => None,
        };
        BitsResponse { head: self.head(ack, caller.access.as_ref().err()), unread_body, refused }
    }

    /// Answers a request whose work has stopped.
    fn stopped(&self, stop: &Stop, bytes: u64) -> BitsResponse {
        metrics::interrupted(stop.reason());
        let refusal = match stop {
            Stop::Body(end) => {
                info!(
                    bytes,
                    reason = end.as_str(),
                    "fragment interrupted; what was stored is kept"
                );
                match end {
                    End::Idle | End::Slow => {
                        Refusal::new(StatusCode::REQUEST_TIMEOUT).unwrap_or(Refusal::unavailable())
                    }
                    End::Disconnected | End::Shutdown => Refusal::unavailable(),
                }
            }
            Stop::Session(error) if error.is_stale() => {
                info!(bytes, "a later request of the session has taken over");
                Refusal::unavailable()
            }
            Stop::Session(error) => {
                error!(bytes, error = %error_chain(error), "cannot update the session; the client is asked to retry");
                error.refusal(&self.policy())
            }
        };
        self.refusal(&refusal, None)
    }

    /// Returns a refusal after which the connection is closed, as the rest of the body is unknown.
    fn refusal(&self, refusal: &Refusal<'_>, deny: Option<&Deny>) -> BitsResponse {
        let head = self.head(&Ack::from(*refusal), deny);
        BitsResponse { head, unread_body: UnreadBody::Close, refused: None }
    }

    fn head(&self, ack: &Ack<'_>, deny: Option<&Deny>) -> Response<()> {
        // Only this server's own 401: the client has no credentials for a server application.
        let is_challenge = matches!(ack, Ack::Refused(it) if it.failure() == Failure::Credentials);
        let challenge = match deny {
            Some(Deny::Unauthenticated { challenge }) if is_challenge => {
                Some(("WWW-Authenticate", &**challenge))
            }
            _ => None,
        };
        let policy = self.policy();
        Extras::from_fields(Vec::new(), challenge)
            .and_then(|extras| policy.to_http(ack, &extras))
            .or_else(|error| {
                error!(%error, "cannot write a field of the response");
                policy.to_http(ack, &NO_EXTRAS)
            })
            .unwrap_or_else(|_| response::empty(http::StatusCode::INTERNAL_SERVER_ERROR).map(drop))
    }
}
