//! Unknown state is no violation: responses that may not have arrived, connections that end, and
//! invalid responses.

use crate::support;
use bits_proto::observer::{Observer, State};
use support::script::{check, follow};

/// Everything allowed before a response remains allowed until the client shows that it received it.
#[test]
fn a_response_may_not_have_arrived() {
    for script in [
        // The Ack for the first fragment is lost: the client repeats the fragment.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n x
         2> fragment A 0-9/30 \n 2< received A 10",
        // The repeated fragment is shorter.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-4/30 \n 2< received A 10 \n 2> fragment A 10-29/30",
        // The client continues at the offset of the Ack, so it received it.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 10-29/30 \n 2< received A 30",
        // A Ping does not show the offset that the client knows.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> ping \n 2< pinged \n 2> fragment A 0-9/30 \n 2< received A 10",
        // Two Acks in a row are lost.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-19/30 \n 2< received A 20 \n 3> fragment A 0-19/30 \n 3< received A 20",
        // The Ack for Create-Session is lost.
        "> create \n < created A \n 2> create \n 2< created B \n 2> fragment B 0-9/10",
        // The Ack for Close-Session or Cancel-Session is lost.
        "> create \n < created A \n > close A \n < closed A \n 2> close A \n 2< lost",
        "> create \n < created A \n > cancel A \n < cancelled A \n 2> cancel A \n 2< lost",
        "> create \n < created A \n > close A \n < closed A \n 2> cancel A \n 2< lost",
        // The session-not-found error is lost.
        "> create \n < created A \n > fragment A 0-9/30 \n < lost \n 2> fragment A 0-9/30 \n 2< lost
         2> create \n 2< created B \n 2> fragment B 0-9/30",
        // The 416 is lost.
        "> create \n < created A \n > fragment A 0-19/30 \n < received A 20
         > fragment A 20-29/30 \n < resync 5 \n 2> fragment A 20-29/30 \n 2< resync 5
         2> fragment A 5-29/30 \n 2< received A 30",
        // The 413 is lost.
        "> create \n < created A \n > fragment A 0-19/30 \n < refused 413
         2> fragment A 0-19/30 \n 2< refused 413 \n 2> fragment A 0-9/30",
    ] {
        check(script);
    }
}

/// The next request on the same connection shows that the response arrived.
#[test]
fn a_confirmed_response_counts() {
    for script in [
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 0-9/30    ! offset-goes-back",
        // A confirmed response replaces older ones.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 10-19/30 \n 2< received A 20 \n 2> fragment A 10-19/30  ! offset-goes-back",
        // If the last response is lost, the client still has the one before it.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 10-19/30 \n < received A 20
         2> fragment A 0-9/30    ! offset-goes-back",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 20-29/30  ! offset-skips-ahead",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> close A              ! close-before-whole",
        "> create \n < created A \n > close A \n < closed A \n > close A  ! request-after-end",
        // A lost response of one session does not affect the next session.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > cancel A \n < cancelled A \n 2> create \n 2< created B
         3> fragment B 5-9/30    ! offset-skips-ahead",
    ] {
        check(script);
    }
}

#[test]
fn the_end_of_a_connection_ends_its_pending_requests() {
    for script in [
        "> create \n x \n > create \n < created A",
        "> create \n < created A \n > fragment A 0-9/30 \n x \n < received A 10  ! unasked-answer",
        "> create \n < created A \n > fragment A 0-9/30 \n x \n 2> fragment A 0-9/30 \n 2< received A 10",
        // The server may have stored a part of the fragment.
        "> create \n < created A \n > fragment A 0-9/30 \n x \n 2> fragment A 0-4/30 \n 2< received A 7",
        // The end of another connection changes nothing.
        "> create \n < created A \n > fragment A 0-9/30 \n 2x \n < received A 10",
        // The number is used again for another connection.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n x
         > fragment A 0-9/30 \n < received A 10",
    ] {
        check(script);
    }
    // After a late start, an unsolicited response is certain only if the last request was seen.
    for script in [
        "> ping \n < pinged \n x \n < pinged",
        "> ping \n < pinged \n 2x \n < pinged    ! unasked-answer",
    ] {
        follow(Observer::mid_stream(), script);
    }
}

#[test]
fn the_outcome_of_an_invalid_response_is_unknown() {
    for script in [
        "> create \n ?    ! syntax \n > fragment A 7-9/10 \n < received A 10",
        "> create \n < created A \n > fragment A 0-9/30 \n ?    ! syntax
         > fragment A 5-9/30 \n < received A 10",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A -1    ! not-decimal
         > fragment A 10-19/30 \n < received A 20 \n > fragment A 10-19/30  ! offset-goes-back",
        "> create \n < created A \n > close A \n ?    ! syntax \n > close A \n < lost",
        "> create \n < created A | BITS-Session-Id:   ! missing-field
         > fragment A 7-9/10 \n < received A 10",
        "> get \n ? \n > create \n < created A",
        "> notify 3  ! early-notification \n ?    ! syntax \n > create \n < created A",
    ] {
        check(script);
    }
}

/// A connection with more pending requests than the limit is not checked until it ends.
#[test]
fn requests_beyond_the_limit_are_no_violation() {
    let pings = "> ping      ! pipelined-request\n".repeat(8) + "> ping";
    let script = format!(
        "> create
         < created A
         > fragment A 0-9/90
         {pings}
         < received A 10
         < pinged
         > fragment A 50-59/90   ! pipelined-request
         2> fragment A 40-49/90
         2< received A 50
         x
         2> fragment A 60-69/90    ! offset-skips-ahead
         2< resync 50
         > ping
         < pinged
         < pinged     ! unasked-answer"
    );
    // Without assigned responses, a pipelined request cannot be detected.
    check(&script.replace("50-59/90   ! pipelined-request", "50-59/90"));
}

/// No connection is checked if there are more untracked ones than the limit.
#[test]
fn connections_beyond_the_limit_are_no_violation() {
    let pings: String = (2..=30)
        .map(|connection| {
            let expected = if connection < 14 { "! concurrent-request" } else { "" };
            format!("{connection}> ping {expected}\n")
        })
        .collect();
    let acks: String = (1..=30).map(|connection| format!("{connection}< pinged\n")).collect();
    check(&format!(
        "> create \n < created A \n > ping \n {pings} {acks} 2> fragment A 5-9/90
         2< received A 50"
    ));
}

/// Any number of downloads leaves room for pending packets.
#[test]
fn downloads_use_one_entry_for_each_connection() {
    let gets = "2> get \n 3> get \n 4> get \n".repeat(20);
    check(&format!(
        "> create \n < created A \n {gets} > fragment A 0-9/30 \n < received A 10
         > fragment A 20-29/30    ! offset-skips-ahead"
    ));
}

/// Several downloads in a row are counted, so that packets after them get their own response.
#[test]
fn downloads_are_answered_in_order() {
    let (gets, answers) = ("> get \n".repeat(9), "< bare 200 \n".repeat(9));
    check(&format!(
        "> create \n < created A \n {gets} > fragment A 0-9/30 \n > get
         {answers} < received A 11      ! received-beyond-sent
         < bare 200 \n < bare 200      ! unasked-answer"
    ));
    // Downloads are counted for each connection.
    check(
        "> get \n 2> get \n < bare 200 \n 2< bare 200
         < bare 200    ! unasked-answer",
    );
}

/// Responses arrive in the order of the requests on their connection.
#[test]
fn responses_belong_to_the_requests_of_their_connection() {
    check(
        "> create
         < created A
         > fragment A 0-9/30
         2> ping                       ! concurrent-request
         2< pinged | BITS-Received-Content-Range: 10    ! wrong-ack
         < received A 10
         > get
         2> fragment A 10-19/30
         < bare 200
         2< received A 20
         2> fragment A 20-29/30
         2< received A 30",
    );
    // A request sent after the first response is answered after the second one.
    check(
        "> create
         < created A
         > fragment A 0-9/40
         > ping                        ! pipelined-request
         < received A 10
         > fragment A 10-19/40         ! pipelined-request
         < pinged
         < received A 20",
    );
}

#[test]
fn the_state_can_be_read() {
    let observer = Observer::new();
    assert_eq!((observer.state(), observer.session_id()), (State::NoSession, None));
    let observer = follow(observer, "> create \n < created A \n > fragment A 0-9/30");
    assert_eq!((observer.received().map(|it| it.0), observer.total()), (Some(0), Some(30)));
    let id = observer.session_id().map(|id| id.to_string());
    assert_eq!(id.as_deref(), Some("{AAAAAAAA-AAAA-AAAA-AAAA-AAAAAAAAAAAA}"));
    let observer = follow(observer, "< received A 10 \n > cancel A");
    assert_eq!(observer.received().map(|it| it.0), Some(10));
    assert_eq!(observer.state(), State::Cancelling);
    let late = follow(Observer::mid_stream(), "> fragment B 7-9/30");
    assert_eq!((late.state(), late.received(), late.total()), (State::Open, None, Some(30)));
}
