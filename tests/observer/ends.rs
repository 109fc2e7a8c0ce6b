//! Sessions that were closed, cancelled or lost.

use bits_proto::observer::{Observer, Violation};

use crate::support::script;

/// Messages that do not end a session have no effect on its state.
#[test]
fn a_session_that_was_closed_or_cancelled_stays_so() {
    const SENT: &str = "> create \n < created A \n > fragment A 0-9/20 \n < received A 10";
    // A request on another connection does not wait for an Ack.
    const PENDING: &str = "9> fragment A 10-19/20";
    const FRAGMENT: &str = "> fragment A 10-19/20";
    let check = |ended: &str, between: &[&str], fragment: &str, rule: &str| {
        for between in between {
            let script = format!("{SENT} \n {ended} \n {between}");
            let seen = script::violations(Observer::new(), &format!("{script} \n {fragment}"));
            let seen: Vec<_> = seen.iter().map(Violation::rule).collect();
            assert!(seen.contains(&rule), "{seen:?} of {script}");
        }
    };
    let others = ["", "2> ping", "2> ping \n 2< pinged", "2> create"];
    check("> close A", &others, PENDING, "fragment-after-close");
    check("> close A", &["2> close A"], PENDING, "fragment-after-close");
    check("> close A", &["2> cancel A"], PENDING, "request-after-cancel");
    check("> cancel A", &others, PENDING, "request-after-cancel");
    check("> cancel A", &["2> cancel A"], PENDING, "request-after-cancel");
    let others = ["", "> ping", "> ping \n < pinged", "> create"];
    check("> close A \n < closed A", &others, FRAGMENT, "request-after-end");
    check("> cancel A \n < cancelled A", &others, FRAGMENT, "request-after-end");
    check("> fragment A 10-19/20 \n < lost", &others, FRAGMENT, "request-after-end");
    // A refusal of a request after the end does not open the session again.
    for refusal in ["< refused 503", "< lost"] {
        for ended in ["> close A \n < closed A", "> cancel A \n < cancelled A"] {
            check(
                ended,
                &[&format!("> fragment A 10-19/20 \n {refusal}")],
                FRAGMENT,
                "request-after-end",
            );
        }
    }
}

/// The requests of a session whose start was not seen.
#[test]
fn a_session_can_end_before_anything_else_of_it_is_seen() {
    for (script, rule) in [
        ("> close A \n 2> fragment A 10-19/20", "fragment-after-close"),
        ("> cancel A \n 2> fragment A 10-19/20", "request-after-cancel"),
        ("> cancel A \n < cancelled A \n > fragment A 10-19/20", "request-after-end"),
        ("> fragment A 0-9/20 \n < lost \n > fragment A 10-19/20", "request-after-end"),
    ] {
        let seen = script::violations(Observer::mid_stream(), script);
        assert!(seen.iter().any(|it| it.rule() == rule), "{seen:?} of {script}");
    }
}
