//! A table of sessions, requests to it, and its responses.
#![cfg(feature = "alloc")]

use std::fmt::Debug;

use bits_proto::field::SessionId;
use bits_proto::message::{Ack, CancelSession, CloseSession, Request};
use bits_proto::server::{
    Access, Discard, Policy, RequestContext, SessionLimits, Sessions, SessionsResponse, Step,
    Store, StoreBytes, WorkToken,
};

use super::session::{NOW, Refused, create, in_numbers};

pub const ALICE: RequestContext<'static> =
    RequestContext::new("/a", Access::Granted, NOW).with_principal(Some("alice"));

pub fn table<S: Store>(store: S, policy: Policy<'static>) -> Sessions<'static, S> {
    Sessions::new(store, policy, SessionLimits::default())
}

pub fn no_random() -> [u8; 16] {
    panic!("random bytes are for Create-Session")
}

/// Creates a session.
#[track_caller]
pub fn begin<S: Store<Error: Debug>>(
    sessions: &mut Sessions<'static, S>,
    context: &RequestContext<'_>,
    random: u8,
) -> SessionId<'static> {
    let step = sessions.handle_request(&create(), context, || [random; 16]).expect("no failure");
    let Step::Answer(answer) = step else { panic!("{step:?}") };
    let Ack::CreateSession(ack) = answer.ack() else { panic!("{answer:?}") };
    ack.session_id.guid().expect("a GUID").into()
}

pub fn send<S: Store>(
    sessions: &mut Sessions<'static, S>,
    request: Request<'_>,
    context: &RequestContext<'_>,
) -> Result<Step<SessionsResponse<'static>>, S::Error> {
    sessions.handle_request(&request, context, no_random)
}

#[track_caller]
pub fn ack(step: Step<SessionsResponse<'static>>) -> SessionsResponse<'static> {
    let Step::Answer(answer) = step else { panic!("expected Answer: {step:?}") };
    answer
}

#[track_caller]
pub fn refused_by<E: Debug>(step: Result<Step<SessionsResponse<'static>>, E>) -> Refused {
    let answer = ack(step.expect("no failure"));
    let Ack::Refused(refusal) = answer.ack() else { panic!("expected a refusal: {answer:?}") };
    in_numbers(&refusal)
}

#[track_caller]
pub fn store_request<E: Debug>(step: Result<Step<SessionsResponse<'static>>, E>) -> StoreBytes {
    match step.expect("no failure") {
        Step::Store(store) => store,
        other => panic!("expected Store: {other:?}"),
    }
}

#[track_caller]
pub fn token<E: Debug>(step: Result<Step<SessionsResponse<'static>>, E>) -> WorkToken {
    match step.expect("no failure") {
        Step::Notify(token)
        | Step::KeepReply(token)
        | Step::Commit(token)
        | Step::Discard(Discard { token, .. }) => token,
        other => panic!("expected a request for work: {other:?}"),
    }
}

pub fn close(id: SessionId<'_>) -> Request<'_> {
    CloseSession::new(id).into()
}

pub fn cancel(id: SessionId<'_>) -> Request<'_> {
    CancelSession::new(id).into()
}
