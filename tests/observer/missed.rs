//! Messages that passed without being observed: no verdict depends on them.

use crate::support;
use bits_proto::observer::{Observer, State};
use support::script::{check, follow};

/// Requests of a connection whose responses are not captured.
fn requests_only(script: &str) -> String {
    let line = |line: &str| match line.split_once('>') {
        Some((connection, _)) => format!("{line}\n{}< ?\n", connection.trim()),
        None => format!("{line}\n"),
    };
    script.lines().map(line).collect()
}

#[test]
fn requests_whose_responses_are_missed_violate_no_rule_of_order() {
    for script in [
        "> create \n > fragment A 0-9/30 \n > fragment A 10-29/30 \n > close A",
        "> create \n > fragment A 5-9/30",
        "> ping \n 2> ping \n > ping \n 3> create",
        // The server may have refused the first length.
        "> create \n > fragment A 0-9/900 \n > fragment A 0-9/30",
        // It may have refused the end of the session.
        "> create \n > fragment A 0-9/30 \n > close A \n > fragment A 0-9/30 \n > cancel A \n > close A",
        // It may have accepted a fragment, so that a longer one is allowed again.
        "> create \n > fragment A 0-9999/90000 \n > fragment A 0-9999/90000",
        "> create | Host: origin.example \n > ping | Host: node.example
         > fragment A 0-9/10 | Host: third.example",
    ] {
        let script = requests_only(script);
        check(&script);
        follow(Observer::mid_stream(), &script);
    }
}

#[test]
fn requests_whose_responses_are_missed_are_checked_by_themselves() {
    check(&requests_only(
        "> create | BITS-Supported-Protocols: {1}                   ! not-guid
         > fragment A 0-9/30 | Content-Length: 11                   ! length-mismatch
         > fragment A 0-9/30 | Content-Name: a
         > fragment A 10-19/30 | Content-Name: b                    ! content-name-changes
         > ping | BITS-Host-Id: h                                   ! unexpected-field",
    ));
}

/// Facts that a missed response cannot change remain known.
#[test]
fn a_missed_response_hides_only_its_own_effect() {
    const BEGUN: &str = "> create \n < created A \n > fragment A 0-9/30 \n < received A 10";
    for script in [
        "> fragment A 10-19/30 \n < ? \n > fragment A 0-9/30",
        "> fragment A 10-19/30 \n < ? \n > fragment A 20-29/31      ! total-changes",
        "> fragment A 10-19/30 \n < ? \n > fragment A 20-29/30 \n < received A 31 ! received-beyond-sent",
        "> fragment A 20-29/30  ! offset-skips-ahead \n < ? \n > fragment A 10-19/30 \n < received A 30",
        "> fragment A 10-19/30 \n < ? \n > fragment B 0-9/30         ! unknown-session",
        "> ping \n < ? \n > fragment A 20-29/30                      ! offset-skips-ahead",
        "> create \n < ? \n > fragment B 5-9/30",
        "> close A   ! close-before-whole \n < ? \n > fragment A 10-19/30 \n < received A 20",
        // The server may have accepted a shorter fragment after it rejected one.
        "> create \n < created B \n > fragment B 0-9999/90000 \n < refused 413
         > fragment B 0-5999/90000 \n < ? \n > fragment B 6000-15999/90000",
        // It may have named another host.
        "> create | Host: o \n < created B | BITS-Host-Id: n | BITS-Host-Id-Fallback-Timeout: 9
         > create | Host: o \n < ? \n > fragment C 0-9/30 | Host: o",
        // The answer to the next request counts again.
        "> fragment A 10-19/30 \n < ? \n > fragment A 20-24/30 \n < received A 25
         > fragment A 20-24/30                                      ! offset-goes-back",
    ] {
        check(&format!("{BEGUN}\n{script}"));
    }
}

#[test]
fn a_missed_response_answers_the_oldest_request() {
    check(
        "> ping
         > ping         ! pipelined-request
         < ?
         < pinged
         < pinged       ! unasked-answer",
    );
    check(
        "> get \n < ? \n > notify 0 ! early-notification \n < ? \n < bare 200   ! unasked-answer",
    );
    // Without a pending request there is nothing to answer.
    check("< ? \n > ping \n < pinged");
}

#[test]
fn a_request_before_the_response_to_the_last_one_is_still_too_early() {
    check("> ping \n < ? \n > ping \n > ping     ! pipelined-request");
}

#[test]
fn a_missed_refusal_of_an_end_leaves_the_state_unknown() {
    let observer = follow(Observer::mid_stream(), "> close A \n < ?");
    assert_eq!(observer.state(), State::Unknown);
    let ended = follow(Observer::mid_stream(), "> close A \n < closed A \n 2> close A \n 2< ?");
    assert_eq!(ended.state(), State::Closed);
}

#[test]
fn responses_whose_requests_are_missed_violate_no_rule_of_order() {
    check(
        "> ?
         < created A
         > ?
         < received A 10
         > ?
         < received A 900
         > ?
         < resync 3
         > ?
         < closed A
         > ?
         < bare 200
         > ?
         < bare 500
         < bare 200     ! unasked-answer",
    );
}

#[test]
fn responses_whose_requests_are_missed_are_checked_by_themselves() {
    check(
        "> ?
         < created A | BITS-Protocol: 1                             ! not-guid
         > ?
         < received A -1                                            ! not-decimal
         > ?
         < pinged | Content-Length:                                 ! missing-content-length
         > ?
         < refused 416                                              ! out-of-sync-without-offset
         > ?
         < pinged | BITS-Error: 0x1                                 ! error-on-success
         > ?
         < created A | BITS-Host-Id: h:1 | BITS-Host-Id-Fallback-Timeout: 1    ! host-id-port
         > ?
         ?",
    );
}

/// The missed request may have changed every session.
#[test]
fn a_missed_request_makes_progress_unknown() {
    check(
        "> create
         < created A
         > fragment A 0-9/30
         < received A 10
         > ?
         < received A 20
         > fragment A 25-29/30
         < received A 30
         > fragment B 7-9/10
         < received B 10",
    );
}
