//! Requests whose body ends early, and the Acks for them.

use crate::support;
use crate::support::conversations::BEGUN;
use bits_proto::observer::Observer;
use support::script::{check, follow, violations};

/// Returns the texts of the violations of the last line of a conversation.
fn last_texts(script: &str) -> Vec<String> {
    violations(Observer::new(), script).iter().map(ToString::to_string).collect()
}

#[test]
fn an_ack_may_not_acknowledge_bytes_that_did_not_arrive() {
    for script in [
        "> fragment A 100-199/300 \n ~ 0 \n < received A 200      ! acknowledged-unsent",
        "> fragment A 100-199/300 \n ~ 99 \n < received A 200     ! acknowledged-unsent",
        "> fragment A 100-199/300 \n ~ 30 \n < received A 131     ! acknowledged-unsent",
        // An Ack without an offset acknowledges the whole fragment.
        "> fragment A 100-199/300 \n ~ 30
         < received A 0 | BITS-Received-Content-Range:   ! missing-received, acknowledged-unsent",
        // The server sent the Ack before the body ended.
        "> fragment A 100-199/300 \n < received A 200 \n ~ 30     ! acknowledged-unsent",
        // The violation is reported once.
        "> fragment A 100-199/300 \n < received A 200 \n ~ 30     ! acknowledged-unsent \n ~ 30",
        // A 416 may not name such an offset either.
        "> fragment A 100-199/300 \n ~ 30 \n < resync 131         ! resynchronised-beyond-sent",
        // The connection and the client continue.
        "> fragment A 100-199/300 \n ~ 30 \n x
         2> fragment A 100-119/300 \n 2< received A 131           ! received-beyond-sent",
    ] {
        check(&format!("{BEGUN} {script}"));
    }
}

#[test]
fn an_ack_may_acknowledge_bytes_that_arrived() {
    for script in [
        "> fragment A 100-199/300 \n ~ 100 \n < received A 200",
        "> fragment A 100-199/300 \n ~ 5000 \n < received A 200",
        // The server stored a part of the fragment.
        "> fragment A 100-199/300 \n ~ 30 \n < received A 130 \n x \n > fragment A 130-199/300
         < received A 200",
        "> fragment A 100-199/300 \n ~ 30 \n < received A 110",
        "> fragment A 100-199/300 \n ~ 30 \n < resync 130",
        "> fragment A 100-199/300 \n ~ 30 \n < refused 400 0x80070057",
        // Earlier requests delivered the bytes.
        "> fragment A 100-199/300 \n x \n 2> fragment A 100-199/300 \n 2~ 30 \n 2< received A 200",
        "> fragment A 100-199/300 \n ~ 60 \n x
         2> fragment A 100-199/300 \n 2~ 30 \n 2< received A 160",
        // A later fragment delivered the bytes on another connection.
        "> fragment A 100-199/300 \n 2> fragment A 100-249/300  ! concurrent-request \n ~ 30
         2< received A 250",
        // Other requests have no bytes to acknowledge.
        "> ping \n ~ 0 \n < pinged",
        "> get \n ~ 0 \n < bare 200",
        "> fragment A 100-199/300 \n < received A 200 \n 2~ 0",
        // The latest request is another one than the fragment.
        "> fragment A 100-199/300 \n < received A 200 \n > get \n < bare 200 \n ~ 0",
        "> fragment A 100-199/300 \n < received A 200 \n > ping \n < pinged \n ~ 0",
        "> fragment A 100-199/300 \n > get \n ~ 0 \n < received A 200",
    ] {
        check(&format!("{BEGUN} {script}"));
    }
    // There is no request.
    check("~ 0 \n > ping \n < pinged");
}

#[test]
fn the_offset_of_an_ack_for_a_part_does_not_go_back() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n ~ 30 \n < received A 99      ! received-goes-back"
    ));
}

/// The observer assumes that the server had no bytes beyond the last offset.
#[test]
fn an_observer_that_starts_late_counts_the_missing_bytes() {
    for script in [
        "> fragment A 500-599/900 \n ~ 0 \n < received A 600      ! acknowledged-unsent",
        "> fragment A 500-599/900 \n ~ 100 \n < received A 600",
        "> fragment A 500-599/900 \n < received A 600 \n x
         > fragment A 500-599/900 \n ~ 0 \n < received A 600",
    ] {
        follow(Observer::mid_stream(), script);
    }
}

#[test]
fn the_violation_states_how_many_bytes_are_missing() {
    let texts = last_texts(&format!(
        "{BEGUN} > fragment A 100-199/300 \n ~ 30 \n < received A 190 | BITS-Reply-URL:"
    ));
    assert_eq!(
        texts,
        ["success for a fragment whose body did not arrive completely; the server must not \
          acknowledge missing bytes (60 of 100 bytes are missing)"]
    );
}

/// The server counts the missing bytes as received, so they violate no further rule.
#[test]
fn bytes_that_were_acknowledged_are_not_missed_again() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n ~ 30 \n < received A 200     ! acknowledged-unsent
         2> fragment A 200-299/300 \n 2< received A 300 \n 3> notify 300 \n 3< bare 200
         2> close A \n 2< closed A"
    ));
}
