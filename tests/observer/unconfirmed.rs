//! What an observer cannot know is not wrong: answers that may not have arrived, connections that
//! end, answers that nobody can read.

use crate::support;
use bits_proto::observer::{Observer, State};
use support::script::{check, follow};

/// Whatever was allowed before an answer is allowed until the client shows that it has it.
#[test]
fn an_answer_may_not_have_arrived() {
    for script in [
        // The Ack for the first fragment is lost: the client sends it again.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n x
         2> fragment A 0-9/30 \n 2< received A 10",
        // Or with less in it, or more.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-4/30 \n 2< received A 10 \n 2> fragment A 10-29/30",
        // It goes on where the Ack said, so it was not lost.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 10-29/30 \n 2< received A 30",
        // A Ping shows nothing of what the client knows.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> ping \n 2< pinged \n 2> fragment A 0-9/30 \n 2< received A 10",
        // Two in a row are lost.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 0-19/30 \n 2< received A 20 \n 3> fragment A 0-19/30 \n 3< received A 20",
        // The Ack for Create-Session is.
        "> create \n < created A \n 2> create \n 2< created B \n 2> fragment B 0-9/10",
        // That for Close-Session and Cancel-Session.
        "> create \n < created A \n > close A \n < closed A \n 2> close A \n 2< lost",
        "> create \n < created A \n > cancel A \n < cancelled A \n 2> cancel A \n 2< lost",
        "> create \n < created A \n > close A \n < closed A \n 2> cancel A \n 2< lost",
        // The refusal that says that the session is gone.
        "> create \n < created A \n > fragment A 0-9/30 \n < lost \n 2> fragment A 0-9/30 \n 2< lost
         2> create \n 2< created B \n 2> fragment B 0-9/30",
        // The 416.
        "> create \n < created A \n > fragment A 0-19/30 \n < received A 20
         > fragment A 20-29/30 \n < resync 5 \n 2> fragment A 20-29/30 \n 2< resync 5
         2> fragment A 5-29/30 \n 2< received A 30",
        // The 413.
        "> create \n < created A \n > fragment A 0-19/30 \n < refused 413
         2> fragment A 0-19/30 \n 2< refused 413 \n 2> fragment A 0-9/30",
    ] {
        check(script);
    }
}

/// The next request on the same connection shows it.
#[test]
fn an_answer_that_arrived_counts() {
    for script in [
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 0-9/30    ! offset-goes-back",
        // Not what an older one said.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 10-19/30 \n 2< received A 20 \n 2> fragment A 10-19/30  ! offset-goes-back",
        // Behind the lost answer the client still has the one before it.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > fragment A 10-19/30 \n < received A 20
         2> fragment A 0-9/30    ! offset-goes-back",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> fragment A 20-29/30  ! offset-skips-ahead",
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         2> close A              ! close-before-whole",
        "> create \n < created A \n > close A \n < closed A \n > close A  ! request-after-end",
        // What came with the end of a session belongs to that session.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10
         > cancel A \n < cancelled A \n 2> create \n 2< created B
         3> fragment B 5-9/30    ! offset-skips-ahead",
    ] {
        check(script);
    }
}

#[test]
fn a_connection_that_ends_takes_its_requests_with_it() {
    for script in [
        "> create \n x \n > create \n < created A",
        "> create \n < created A \n > fragment A 0-9/30 \n x \n < received A 10  ! unasked-answer",
        "> create \n < created A \n > fragment A 0-9/30 \n x \n 2> fragment A 0-9/30 \n 2< received A 10",
        // It may have been done, in part.
        "> create \n < created A \n > fragment A 0-9/30 \n x \n 2> fragment A 0-4/30 \n 2< received A 7",
        // Another connection goes on.
        "> create \n < created A \n > fragment A 0-9/30 \n 2x \n < received A 10",
        // Its number is used again: that is another connection.
        "> create \n < created A \n > fragment A 0-9/30 \n < received A 10 \n x
         > fragment A 0-9/30 \n < received A 10",
    ] {
        check(script);
    }
    // What was asked on it before may be unknown to one who has come late, unless nothing was.
    for script in [
        "> ping \n < pinged \n x \n < pinged",
        "> ping \n < pinged \n 2x \n < pinged    ! unasked-answer",
    ] {
        follow(Observer::mid_stream(), script);
    }
}

#[test]
fn what_the_client_makes_of_an_answer_that_nobody_can_read_is_unknown() {
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

/// What is said of more requests than it remembers is nothing, and stays nothing until their
/// connection has ended.
#[test]
fn more_requests_than_it_remembers_are_not_held_against_anybody() {
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
    // The requests before it on its connection wait for answers that nobody can tell.
    check(&script.replace("50-59/90   ! pipelined-request", "50-59/90"));
}

/// Whoever opens so many connections that not even they can be remembered is not accused.
#[test]
fn more_connections_than_it_remembers_are_not_held_against_anybody() {
    let pings: String = (2..=30)
        .map(|connection| {
            let told = if connection < 14 { "! concurrent-request" } else { "" };
            format!("{connection}> ping {told}\n")
        })
        .collect();
    let acks: String = (1..=30).map(|connection| format!("{connection}< pinged\n")).collect();
    check(&format!(
        "> create \n < created A \n > ping \n {pings} {acks} 2> fragment A 5-9/90
         2< received A 50"
    ));
}

/// Downloads that go on for ever take nothing from the memory for packets.
#[test]
fn downloads_take_one_place_for_each_connection() {
    let gets = "2> get \n 3> get \n 4> get \n".repeat(20);
    check(&format!(
        "> create \n < created A \n {gets} > fragment A 0-9/30 \n < received A 10
         > fragment A 20-29/30    ! offset-skips-ahead"
    ));
}

/// However many there are on one connection, each has its answer, and packets keep their turn.
#[test]
fn downloads_are_answered_in_their_turn() {
    let (gets, answers) = ("> get \n".repeat(9), "< bare 200 \n".repeat(9));
    check(&format!(
        "> create \n < created A \n {gets} > fragment A 0-9/30 \n > get
         {answers} < received A 11      ! received-beyond-sent
         < bare 200 \n < bare 200      ! unasked-answer"
    ));
    // Nor do those of one connection belong to another.
    check(
        "> get \n 2> get \n < bare 200 \n 2< bare 200
         < bare 200    ! unasked-answer",
    );
}

/// Answers on one connection come in the order of their requests; those on another do not.
#[test]
fn answers_belong_to_the_requests_of_their_connection() {
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
    // The one that is sent when the first of two has been answered is the last of three.
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
fn what_is_known_can_be_asked() {
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
