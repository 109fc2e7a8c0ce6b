//! What an observer says of a single message, from its head and from pairs.

use crate::support::messages::Draft;
use crate::support::script;
use bits_proto::http1::{RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

pub fn of_request(head: &RequestHead<'_, '_>) -> Vec<Violation> {
    let mut seen = Vec::new();
    Observer::mid_stream().handle_request(1, head, |violation| seen.push(violation));
    let mut pairs = Vec::new();
    let fields = head.fields();
    Observer::mid_stream().handle_request_fields(1, head.line(), fields, |it| pairs.push(it));
    same_rules(&seen, &pairs);
    seen
}

pub fn of_response(asked: &str, head: &ResponseHead<'_, '_>) -> Vec<Violation> {
    let mut observer = Observer::mid_stream();
    let bytes = request_bytes(asked);
    script::request(&mut observer, 1, &bytes, &mut Vec::new());
    let (mut seen, mut pairs, mut other) = (Vec::new(), Vec::new(), observer);
    observer.handle_response(1, head, |violation| seen.push(violation));
    let fields = head.fields();
    other.handle_response_fields(1, head.line(), fields, |violation| pairs.push(violation));
    same_rules(&seen, &pairs);
    assert_eq!(observer, other, "what comes from bytes and what comes from pairs are the same");
    seen
}

/// Without places, which pairs do not have.
pub fn same_rules(left: &[Violation], right: &[Violation]) {
    let rule = |violation: &Violation| (violation.rule(), violation.section());
    let names = |violations: &[Violation]| violations.iter().map(rule).collect::<Vec<_>>();
    assert_eq!(names(left), names(right));
}

/// The request of this kind.
pub fn request_bytes(asked: &str) -> Vec<u8> {
    let draft = match asked {
        "ping" => Draft::ping(),
        "create-session" => Draft::create(),
        "close-session" => Draft::close(),
        "cancel-session" => Draft::cancel(),
        "notification" => Draft::by_value(),
        _ => Draft::fragment(),
    };
    draft.text().into_bytes()
}

/// The names of the rules that are broken, as they are told.
pub fn rules(seen: &[Violation]) -> Vec<&'static str> {
    seen.iter().map(Violation::rule).collect()
}

/// The same in the order of the alphabet.
pub fn sorted_rules(seen: &[Violation]) -> Vec<&'static str> {
    let mut rules = rules(seen);
    rules.sort_unstable();
    rules
}
