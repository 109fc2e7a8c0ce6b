//! Violations that an observer finds in a single message, parsed from its head and from pairs.

use crate::support::messages::Draft;
use crate::support::script;
use bits_proto::message::{RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

pub fn request_violations(head: &RequestHead<'_, '_>) -> Vec<Violation> {
    let mut seen = Vec::new();
    Observer::mid_stream().handle_request(1, head, |violation| seen.push(violation));
    let mut pairs = Vec::new();
    let fields = head.fields();
    Observer::mid_stream().handle_request_fields(1, head.line(), fields, |it| pairs.push(it));
    same_rules(&seen, &pairs);
    seen
}

pub fn response_violations(request: &str, head: &ResponseHead<'_, '_>) -> Vec<Violation> {
    let mut observer = Observer::mid_stream();
    let bytes = request_bytes(request);
    script::request(&mut observer, 1, &bytes, &mut Vec::new());
    let (mut seen, mut pairs, mut other) = (Vec::new(), Vec::new(), observer);
    observer.handle_response(1, head, |violation| seen.push(violation));
    let fields = head.fields();
    other.handle_response_fields(1, head.line(), fields, |violation| pairs.push(violation));
    same_rules(&seen, &pairs);
    assert_eq!(observer, other, "bytes and pairs have the same result");
    seen
}

/// Compares violations without offsets, which pairs do not have.
pub fn same_rules(left: &[Violation], right: &[Violation]) {
    let rule = |violation: &Violation| (violation.rule(), violation.section());
    let names = |violations: &[Violation]| violations.iter().map(rule).collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
}

/// Returns a request of this kind.
pub fn request_bytes(request: &str) -> Vec<u8> {
    let draft = match request {
        "ping" => Draft::ping(),
        "create-session" => Draft::create(),
        "close-session" => Draft::close(),
        "cancel-session" => Draft::cancel(),
        "notification" => Draft::by_value(),
        _ => Draft::fragment(),
    };
    draft.text().into_bytes()
}

/// Returns the names of the violated rules, as reported.
pub fn rules(seen: &[Violation]) -> Vec<&'static str> {
    seen.iter().map(Violation::rule).collect()
}

/// Returns the names of the violated rules, sorted.
pub fn sorted_rules(seen: &[Violation]) -> Vec<&'static str> {
    let mut rules = rules(seen);
    rules.sort_unstable();
    rules
}
