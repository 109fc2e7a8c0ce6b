//! Events that are illegal because of an earlier event.

use bits_proto::backend::{Event, EventError, State};

use crate::support::notifications::{occur, reachable};

/// A state, events that are illegal in it, and the reason.
const ILLEGAL: &[(State, &[Event], &str)] = {
    use {Event::*, State::*};
    &[
        (
            SendHeaders,
            &[SuccessStatic, InvalidResponse, ReplyLookedUp],
            "the application has not received the request",
        ),
        (
            SendData,
            &[InvalidResponse, ReplyLookedUp],
            "an answer that comes early and cannot be read is read again after the request",
        ),
        (
            SendRest,
            &[InvalidResponse, ReplyPiece, ReplyReceived, ReplyLookedUp],
            "the application has answered, and the reply is received after the request is sent",
        ),
        (
            ReceiveHeaders,
            &[RequestSent, StorageFailure, ReplyLookedUp],
            "the whole request was sent, and nothing is stored yet",
        ),
        (ReceiveData, &[ReplyLookedUp], "the reply is in the body"),
        (
            FindReply,
            &[DataPiece, SuccessByReference, SuccessStatic, ReplyPiece, ReplyReceived],
            "the application has answered, and its reply is not in the body",
        ),
    ]
};

#[test]
fn an_illegal_event_is_rejected_and_changes_nothing() {
    for (state, events, reason) in ILLEGAL {
        for event in *events {
            let mut tried = 0;
            for before in reachable().into_iter().filter(|it| it.state() == *state) {
                let mut after = before;
                let Some(result) = occur(&mut after, *event) else { continue };
                assert!(matches!(result, Err(EventError::State(_))), "{state}, {event}: {reason}");
                assert_eq!(after, before, "{state}, {event}");
                tried += 1;
            }
            assert!(tried > 0, "{state}, {event}: no notification has a call for it");
        }
    }
}

#[test]
fn no_timer_runs_while_a_reply_is_looked_up() {
    let looking_up = reachable().into_iter().filter(|it| it.state() == State::FindReply);
    for before in looking_up {
        let mut after = before;
        after.handle_timeout(std::time::Duration::MAX);
        assert_eq!(after, before);
    }
}
