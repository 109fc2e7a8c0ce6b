//! Rules of sequence: conversations that violate each of them, and similar ones that violate none. See
//! `tests/support/script.rs` for the syntax of a conversation.

use crate::support;
use crate::support::conversations;
use bits_proto::observer::{Observer, SequenceRule};
use conversations::{BEGUN, HOSTS, REQUESTS, RESPONSES, WHOLE};
use support::script::{check, follow};

#[test]
fn each_rule_is_reported_where_it_is_broken_and_nowhere_else() {
    for (before, after) in REQUESTS.iter().chain(HOSTS).chain(RESPONSES) {
        let after = after.replace(r" \n ", "\n");
        check(&format!("{before}\n{after}"));
    }
}

/// Before a session and after each of its ends, also after a Ping.
#[test]
fn without_a_session_a_request_and_its_success_are_violations() {
    let close = ("close A", "closed A");
    let cancel = ("cancel A", "cancelled A");
    let before = ["request-before-create", "granted-without-session"];
    let after = ["request-after-end", "granted-after-end"];
    for (start, [request_rule, success_rule]) in [
        (String::new(), before),
        (format!("{WHOLE}\n> close A\n< closed A"), after),
        (format!("{BEGUN}\n> cancel A\n< cancelled A"), after),
        (format!("{BEGUN}\n> fragment A 100-199/300\n< lost"), after),
    ] {
        for ping in ["", "> ping\n< pinged"] {
            for (request, success) in [close, cancel] {
                check(&format!(
                    "{start}\n{ping}\n> {request} ! {request_rule}\n< {success} ! {success_rule}"
                ));
            }
        }
        if !start.contains("closed") {
            check(&format!(
                "{start}\n> fragment A 100-199/300 ! {request_rule}\n< received A 200 ! {success_rule}"
            ));
        }
    }
}

#[test]
fn each_rule_is_broken_by_one_of_the_conversations() {
    let is_violated = |name: &str| {
        let lines =
            REQUESTS.iter().chain(HOSTS).chain(RESPONSES).flat_map(|(_, after)| after.lines());
        lines
            .filter_map(|line| line.split_once('!'))
            .any(|(_, rules)| rules.split(',').any(|rule| rule.trim() == name))
    };
    for rule in SequenceRule::ALL {
        assert!(is_violated(rule.name()), "no conversation violates {rule}");
    }
}

#[test]
fn valid_conversations_have_no_violation() {
    for script in [
        // An upload with every kind of request.
        "> create | Host: o | Content-Name: e
         < refused 401
         > create | Host: o | Content-Name: e
         < created A | BITS-Host-Id: n | BITS-Host-Id-Fallback-Timeout: 9
         > ping | Host: n
         < pinged
         > fragment A 0-9/30 | Content-Name: e
         < received A 10
         > fragment A 10-29/30
         2> notify 30
         2< bare 200
         < received A 30 | BITS-Reply-URL: /r
         > get
         < bare 200
         > close A
         < closed A",
        // Two uploads in succession.
        "> create
         < created A
         > fragment A 0-9/10
         < received A 10
         > close A
         < closed A
         > create
         < created B
         > fragment B 0-19/20
         < received B 20
         > close B
         < closed B",
        // An empty entity.
        "> create
         < created A
         > close A
         < closed A",
        // A proxy responds instead of the server: suspicious only.
        "> create
         < created A
         > fragment A 0-9/10
         < bare 502      ! missing-packet-type
         > fragment A 0-9/10
         < received A 10",
    ] {
        check(script);
    }
}

#[test]
fn everything_in_one_message_is_reported() {
    check("
        > create
        < created A
        > fragment A 0-99/300
        < received A 100
        > fragment A 50-1x9/300 | Content-Length: 1 | Content-Encoding: gzip | +Bits-Session-Id: 7 | Content-Name: a/b  ! not-byte-range, conflicting-field, unsupported-encoding
        > fragment  200-299/400 | Content-Length: 100  ! pipelined-request, missing-field
    ".replace("fragment  200-299/400", "line BITS_POST /e HTTP/1.1 | BITS-Packet-Type: Fragment | Content-Range: bytes 200-299/400").as_str());
}

#[test]
fn the_observer_continues_after_a_violation() {
    check(
        "> create
         < created A
         > fragment A 0-99/300
         < received A 100
         > fragment A 50-149/300  ! offset-goes-back
         < received A 150
         > fragment A 50-149/300  ! offset-goes-back
         < resync 150
         > fragment A 150-299/301 ! total-changes
         < refused 400 0x80070057
         > fragment A 150-299/300
         < received A 300
         > close A
         < closed A",
    );
}

#[test]
fn an_observer_that_starts_late_learns_from_each_message() {
    for script in [
        "> fragment A 500-599/900 \n < received A 600 \n > fragment A 650-699/900 ! offset-skips-ahead",
        "> fragment A 500-599/900 \n < received A 800 \n > fragment A 800-899/900",
        "> fragment A 500-599/900 \n < resync 300 \n > fragment A 300-399/900",
        "> fragment A 500-599/900 \n < resync 700 \n > fragment A 700-899/900 \n < received A 900
         > close A \n < closed A \n > close A          ! request-after-end",
        "> fragment A 500-599/900 \n < received A 600 \n > close A   ! close-before-whole",
        "> close A \n < closed A",
        "> cancel A \n < lost",
        "> ping \n < pinged \n > close B \n < closed B",
        // The response to a request before the start.
        "< received A 100 \n > fragment A 100-199/900 \n < received A 200 \n < pinged ! unasked-answer",
        // Another session may also have started before.
        "> fragment A 500-599/900 \n < received A 600 \n > fragment B 7-9/10 \n < received B 10",
        // So may a session other than the one issued since.
        "> create \n < created B \n 2> fragment A 100-199/300 \n 2< received A 200
         2> fragment B 0-9/30 \n 2< received B 10 \n 2> fragment A 210-219/300 ! offset-skips-ahead",
        // A pending request on another connection.
        "> ping \n 2< bare 200 \n < pinged \n < pinged    ! unasked-answer",
        // The offered protocols are unknown.
        "< created A | BITS-Protocol: {00000000-249b-430f-820d-3d2a9bef4931}
         > fragment A 3-9/10      ",
    ] {
        follow(Observer::mid_stream(), script);
    }
}

#[test]
fn the_protocol_is_one_that_was_offered() {
    let other = "{00000000-249b-430f-820d-3d2a9bef4931}";
    // The offered protocols are unknown if there are too many lists.
    let lists = "| +BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931} ".repeat(3);
    check(&format!(
        "> create {lists} | +BITS-Supported-Protocols: {other}   ! protocol-count, joined-protocols
         < created A | BITS-Protocol: {other}    ! granted-despite-error
         > fragment A 1-9/10    ! offset-skips-ahead"
    ));
    check(&format!("> create \n < created A | BITS-Protocol: {other}   ! not-offered"));
    check(&format!(
        "> create | BITS-Supported-Protocols: {other} {{7df0354d-249b-430f-820d-3d2a9bef4931}}
         < created A | BITS-Protocol: {other}"
    ));
    check("> create \n < created A | BITS-Protocol:   ! missing-protocol");
    // If several are offered, the Ack must contain one.
    check(&format!(
        "> create | BITS-Supported-Protocols: {other} {{7df0354d-249b-430f-820d-3d2a9bef4931}}
         < created A | BITS-Protocol:   ! missing-field"
    ));
    check("> create | +BITS-Supported-Protocols: {7}   ! not-guid, joined-protocols");
    // The observer remembers 16 protocols. More are not checked.
    for (count, violation) in [(16, "! not-offered"), (17, "")] {
        let many = vec!["{7df0354d-249b-430f-820d-3d2a9bef4931}"; count].join(",");
        check(&format!(
            "> create | BITS-Supported-Protocols: {many}
             < created A | BITS-Protocol: {other}   {violation}"
        ));
    }
}

#[test]
fn the_received_offset_lies_within_what_was_sent() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n < received A 201   ! received-beyond-sent"
    ));
    check(&format!("{BEGUN} > fragment A 100-199/300 \n < resync 301   ! received-beyond-sent"));
    // The client may or may not accept such an Ack.
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n < received A 201   ! received-beyond-sent
         > fragment A 201-299/300 \n < resync 200"
    ));
}

#[test]
fn a_reply_url_comes_with_the_last_fragment() {
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n < received A 200 | BITS-Reply-URL: /r   ! early-reply-url"
    ));
    check(&format!("{BEGUN} > fragment A 100-299/300 \n < received A 300 | BITS-Reply-URL: /r"));
}

/// An Ack without an offset names none, so the client and the server may continue anywhere.
#[test]
fn an_ack_without_an_offset_violates_no_rule_about_offsets() {
    let ack = "< received A 0 | BITS-Received-Content-Range:    ! missing-received";
    check(&format!(
        "> create \n < created A
         > fragment A 0-9/30 \n {ack} \n > fragment A 10-19/30 \n {ack}
         > fragment A 0-9/30 \n {ack} \n > fragment A 10-29/30 \n {ack}
         > close A \n < closed A"
    ));
    check(&format!("{BEGUN} > fragment A 50-99/300  ! offset-goes-back \n {ack}"));
    // The next offset counts again.
    check(&format!(
        "{BEGUN} > fragment A 100-199/300 \n {ack} \n > fragment A 200-249/300 \n < received A 250
         > fragment A 200-249/300    ! offset-goes-back"
    ));
}

#[test]
fn an_ack_for_a_repeated_fragment_names_the_offset_that_the_server_holds() {
    check(
        "> create \n < created A
         > fragment A 0-9/30 \n < received A 10 \n > fragment A 10-19/30 \n < received A 20 \n x
         2> fragment A 0-9/30     ! offset-goes-back
         2< received A 20",
    );
}
