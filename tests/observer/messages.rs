//! Violations in single messages: those that parsing reports, and those after the first error, at
//! which parsing stops.

use crate::support;
use crate::support::messages;
use crate::support::single_message::{
    request_bytes, request_violations, response_violations, rules, same_rules,
};
use std::collections::BTreeSet;

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::FieldName;
use bits_proto::message::{
    Ack, AckContext, Decoded, HeaderSlots, METHOD, MissingContentLength, NotificationRequest,
    NotificationResponse, ParseOptions, Request, RequestHead, ResponseHead,
};
use bits_proto::observer::{Observer, SequenceRule, Severity, Violation};
use messages::Draft;
use support::read::request_head;
use support::script;
use support::vectors;

/// Accepts every unambiguous message.
const OPTIONS: ParseOptions = ParseOptions::DEFAULT
    .with_method_override(true)
    .with_plain_post(true)
    .with_missing_content_length(MissingContentLength::AcceptOnEmpty)
    .with_max_ignored_body(u64::MAX);

/// The result of parsing: the deviations, or the first error.
type Parsed = Result<Deviations, Error>;

fn parsed<T>(decoded: Result<Decoded<T>, Error>) -> Parsed {
    decoded.map(|decoded| decoded.deviations)
}

/// Checks that the violations are the deviations of a valid message, or contain the first error of
/// an invalid one.
fn compare(name: &str, parsed: Parsed, seen: &[Violation]) {
    match parsed {
        Ok(deviations) => {
            let expected: Vec<_> = deviations.iter().map(Deviation::name).collect();
            assert_eq!(rules(seen), expected, "{name}");
        }
        Err(error) => {
            assert!(seen.contains(&Violation::from(error)), "{name}: {error:?} of {seen:?}");
        }
    }
}

/// Returns the context for parsing the response to a request.
fn ack_context<'b>(request: &RequestHead<'_, 'b>) -> AckContext<'b> {
    let request = Request::from_head(request, &OPTIONS).expect("a request").message;
    match AckContext::from(&request) {
        AckContext::Fragment { session_id, content_range, .. } => {
            AckContext::Fragment { session_id, content_range, sent_up_to: Some(u64::MAX) }
        }
        other => other,
    }
}

#[test]
fn violations_in_every_vector_agree_with_parsing() {
    let mut counts = [0; 2];
    for message in vectors::all() {
        if message.is_response() {
            counts[0] += usize::from(check_response(&message));
        } else {
            counts[1] += usize::from(check_request(&message));
        }
    }
    assert!(counts[0] > 80 && counts[1] > 80, "{counts:?}");
}

fn check_request(message: &vectors::Message) -> bool {
    let mut slots = HeaderSlots::new();
    let Ok(progress) = RequestHead::parse(&message.bytes, &mut slots) else { return false };
    let Some(head) = progress.complete() else { return false };
    let seen = request_violations(&head);
    if NotificationRequest::is_notification(&head.line(), head.fields()) {
        compare(&message.name, parsed(NotificationRequest::from_head(&head)), &seen);
    } else if head.line().method != METHOD && !has_packet_type(&head) {
        assert_eq!(seen, [], "{}", message.name);
    } else {
        compare(&message.name, parsed(Request::from_head(&head, &OPTIONS)), &seen);
    }
    true
}

fn has_packet_type(head: &RequestHead<'_, '_>) -> bool {
    FieldName::PacketType.find_in(head.fields()).is_some()
}

fn check_response(message: &vectors::Message) -> bool {
    let mut slots = HeaderSlots::new();
    let Ok(progress) = ResponseHead::parse(&message.bytes, &mut slots) else { return false };
    let Some(head) = progress.complete() else { return false };
    let request_kind = &message.ack_context[..];
    if head.line().status.is_interim() {
        return false;
    }
    let seen = response_violations(request_kind, &head);
    // Other tests check the rules of sequence. Some replace a deviation.
    let is_in_message = |violation: &&Violation| !matches!(violation, Violation::Sequence { .. });
    let seen: Vec<_> = seen.iter().filter(is_in_message).copied().collect();
    if request_kind == "notification" {
        compare(&message.name, parsed(NotificationResponse::from_head(&head)), &seen);
        return true;
    }
    let (bytes, mut slots) = (request_bytes(request_kind), HeaderSlots::new());
    let request = request_head("a request", &bytes, &mut slots);
    let parsed = parsed(Ack::from_head(&head, &ack_context(&request)));
    let status = head.line().status.get();
    let has = |field: FieldName| field.find_in(head.fields()).is_some_and(|code| !code.is_empty());
    let has_code = has(FieldName::Error) || has(FieldName::ErrorCode);
    let needs_code = has_code || matches!(status, 400 | 403 | 411 | 501);
    let is_omitted = |deviation: &Deviation| {
        (*deviation == Deviation::MissingError && !needs_code)
            || (*deviation == Deviation::MissingPacketType && matches!(status, 401 | 407))
            || (*deviation == Deviation::UnexpectedField
                && !rules(&seen).contains(&"unexpected-field"))
    };
    let parsed = parsed.map(|all| all.iter().filter(|it| !is_omitted(it)).collect());
    compare(&message.name, parsed, &seen);
    true
}

#[test]
fn a_notification_without_a_length_has_the_error_of_parsing() {
    let bytes = Draft::by_value().without("Content-Length").text().into_bytes();
    let mut slots = HeaderSlots::new();
    let head = request_head("a notification", &bytes, &mut slots);
    let error = NotificationRequest::from_head(&head).map(drop).expect_err("no length");
    assert_eq!(request_violations(&head), [Violation::from(error)]);
}

/// Other HTTP stacks may pass on framing errors that this crate rejects in a head.
#[test]
fn a_packet_is_recognised_despite_framing_errors() {
    let lengths = |draft: Draft, lengths: &[&str]| {
        let draft = draft.without("Content-Length");
        lengths.iter().fold(draft, |draft, length| draft.with("Content-Length", *length))
    };
    let create_ack =
        || Draft::create_ack().set("BITS-Session-Id", "{01234567-89AB-CDEF-0123-456789ABCDEF}");
    for (request, violated, ack) in [
        (
            lengths(Draft::fragment(), &["100", "101"]),
            &["content-length-conflict"][..],
            Draft::fragment_ack(),
        ),
        (
            lengths(Draft::fragment(), &["101", "100"]),
            &["content-length-conflict", "length-mismatch"],
            Draft::fragment_ack(),
        ),
        (lengths(Draft::create(), &["x"]), &["not-decimal"], create_ack()),
        (lengths(Draft::create(), &["x", "y"]), &["not-decimal"], create_ack()),
        (lengths(Draft::create(), &["0", "x"]), &["not-decimal"], create_ack()),
        (lengths(Draft::fragment(), &["100", "0100"]), &["duplicate-field"], Draft::fragment_ack()),
    ] {
        let mut observer = Observer::mid_stream();
        let mut seen = Vec::new();
        let fields: Vec<_> = request.pairs().collect();
        let fields = fields.iter().copied();
        observer.handle_request_fields(1, request.request_line(), fields, |it| seen.push(it));
        assert_eq!(rules(&seen), violated, "{request:?}");
        let mut seen = Vec::new();
        let fields: Vec<_> = ack.pairs().collect();
        let fields = fields.iter().copied();
        observer.handle_response_fields(1, ack.status_line(), fields, |it| seen.push(it));
        let expected =
            if violated == ["duplicate-field"] { &[][..] } else { &["granted-despite-error"] };
        assert_eq!(rules(&seen), expected, "{request:?}");
    }
}

#[test]
fn a_head_that_cannot_be_parsed_may_claim_to_be_a_packet() {
    for head in [
        "BITS_POST /e HTTP/1.1\r\nHost h\r\n\r\n",
        "\r\nBITS_POST\t/e\r\n",
        "BITS_POST",
        "POST /e HTTP/1.1\nHost: h\nbits-packet-type : Ping\n\n",
        "POST /e HTTP/1.1\r\n\0\r\nX-HTTP-Method-Override:  BITS_POST\r\n",
    ] {
        assert!(Request::is_bits_head(head.as_bytes()), "{head:?}");
    }
    for head in [
        "",
        "\r\n\r\n",
        "BITS_POSTS /e HTTP/1.1\r\n\r\n",
        "GET /BITS_POST HTTP/1.1\r\nHost: BITS-Packet-Type\r\n\r\n",
        "POST /e HTTP/1.1\r\nX-HTTP-Method-Override: PUT\r\n\r\n",
        "CCM_POST /e HTTP/1.1\r\nHost: h\r\n\r\nBITS-Packet-Type: Ping\r\n",
    ] {
        assert!(!Request::is_bits_head(head.as_bytes()), "{head:?}");
    }
}

/// White space around a method is ignored, as in a head.
#[test]
fn pairs_may_have_white_space_around_their_values() {
    let draft = Draft::new("POST /e HTTP/1.1", &[("X-HTTP-Method-Override", " BITS_POST\t")]);
    let fields: Vec<_> = draft.pairs().collect();
    let is_bits_request = Request::is_bits_request(&draft.request_line(), fields.iter().copied());
    assert!(is_bits_request);
    let mut seen = Vec::new();
    Observer::new().handle_request_fields(1, draft.request_line(), fields.iter().copied(), |it| {
        seen.push(it);
    });
    let bytes = draft.text().into_bytes();
    let mut slots = HeaderSlots::new();
    same_rules(&seen, &request_violations(&request_head("a request", &bytes, &mut slots)));
}

/// A missing error code is a violation only where the specification requires one. Other status codes
/// may come from HTTP itself.
#[test]
fn a_status_code_of_http_needs_no_error_code() {
    // The status codes of the errors in [MC-BUP] 2.2 that have one each.
    let with_code = [400, 403, 411, 501];
    for status in (300..=999).filter(|status| *status != 416) {
        let violation = if with_code.contains(&status) { "! missing-error" } else { "" };
        script::check(&format!("> ping \n < refused {status}    {violation}"));
    }
    // The code 0 denies the error that the status code reports.
    for status in [400, 404, 500, 503] {
        for field in ["BITS-Error", "BITS-Error-Code"] {
            script::check(&format!(
                "> ping \n < refused {status} | {field}: 0 | BITS-Error-Context: 0x5  ! missing-error"
            ));
        }
    }
    for code in ["", "| BITS-Error: 0"] {
        script::check(&format!(
            "> create \n < created A \n > fragment A 0-9/10 \n < resync 5 {code}"
        ));
    }
    // An authentication challenge belongs to HTTP. Any other response without a packet type may not
    // be the server's.
    for status in [401, 407] {
        script::check(&format!("> ping \n < bare {status}"));
    }
    for status in [302, 403, 404, 500, 502, 503] {
        script::check(&format!("> ping \n < bare {status}    ! missing-packet-type"));
    }
}

/// The head of an unrelated request need not be valid.
#[test]
fn unrelated_requests_are_ignored() {
    let mut observer = Observer::new();
    observer.handle_unrelated_request(1);
    let observer = script::follow(observer, "< bare 200 \n > ping \n < pinged");
    script::follow(observer, "< bare 200   ! unasked-answer");
}

#[test]
fn messages_of_other_protocols_are_ignored() {
    for script in [
        "> line OPTIONS * HTTP/1.1 \n < bare 200",
        "> line GET /e HTTP/1.1 | Range: bytes=0-9 \n < bare 206",
        "> line POST /form HTTP/1.1 | Content-Length: 3 \n < bare 302",
        "> line GET /e HTTP/1.1 \n < bare 200 | Transfer-Encoding: chunked \n > ping \n < pinged",
        // Invalid packets are not ignored.
        "> line PUT /e HTTP/1.1 | BITS-Packet-Type: Ping | Content-Length: 0   ! not-bits",
        "> line bits_post /e HTTP/1.1 | BITS-Packet-Type: Ping | Content-Length: 0  ! not-bits",
        "> line BITS_POST /e HTTP/1.1 | Content-Length: 0    ! missing-field",
        "> line POST /e HTTP/1.1 | X-HTTP-Method-Override: BITS_POST | Content-Length: 0 ! method-override, missing-field",
        "> line BITS_POST /e HTTP/1.1 | BITS-Packet-Type: Ack | Content-Length: 0  ! unknown-packet-type",
    ] {
        script::check(script);
    }
}

fn is_kebab_case(name: &str) -> bool {
    let is_allowed = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.split('-').all(|word| !word.is_empty() && word.chars().all(is_allowed))
}

/// Returns true for lower case without a full stop, apart from names at the start.
fn is_description(text: &str) -> bool {
    const NAMES: &[&str] =
        &["BITS-", "Content-", "Fragment ", "Close-Session ", "Ack ", "Host ", "416 "];
    let starts_with_name = NAMES.iter().any(|name| text.starts_with(name));
    !text.ends_with('.')
        && (starts_with_name || text.starts_with(|it: char| it.is_ascii_lowercase()))
}

#[test]
fn rules_have_names_sections_and_descriptions() {
    let mut names = BTreeSet::new();
    for rule in SequenceRule::ALL {
        let violation = Violation::from(*rule);
        assert!(is_kebab_case(rule.name()) && names.insert(rule.name()), "{rule}");
        assert_eq!(violation.rule(), rule.to_string());
        assert!(violation.section().split('.').all(|part| part.parse::<u8>().is_ok()), "{rule}");
        assert_eq!(violation.to_string(), rule.description());
        assert!(is_description(rule.description()), "{rule}");
        assert_eq!(violation.severity(), rule.severity());
    }
    for deviation in Deviation::ALL {
        let violation = Violation::from(*deviation);
        assert!(is_kebab_case(deviation.name()) && names.insert(deviation.name()), "{deviation}");
        assert_eq!(violation.to_string(), deviation.description());
        assert_eq!(violation.section(), deviation.section());
    }
    for kind in ErrorKind::ALL {
        assert!(is_kebab_case(kind.name()), "{kind}");
        // An unexpected body is an error or a deviation, depending on the options.
        let is_both = *kind == ErrorKind::UnexpectedBody;
        assert_eq!(names.insert(kind.name()), !is_both, "{}", kind.name());
    }
}

#[test]
fn severities_follow_the_specification() {
    assert_eq!(
        Severity::ALL.iter().map(|it| it.name()).collect::<Vec<_>>(),
        ["suspicious", "SHOULD", "MUST"]
    );
    assert!(Severity::Suspicious < Severity::Should && Severity::Should < Severity::Must);
    let severity = |deviation: Deviation| Violation::from(deviation).severity();
    assert_eq!(severity(Deviation::MissingSessionId), Severity::Must);
    assert_eq!(severity(Deviation::EarlyReplyUrl), Severity::Should);
    assert_eq!(severity(Deviation::LongContentName), Severity::Should);
    assert_eq!(severity(Deviation::MissingPacketType), Severity::Suspicious);
    let error = |head: &[u8]| Violation::from(script::head_error(head));
    let error = error(b"BITS_POST /e HTTP/1.1\r\nContent-Length: -1\r\n\r\n");
    assert_eq!((error.rule(), error.severity()), ("not-decimal", Severity::Must));
    let long = Draft::ping().with("X-Other", "x".repeat(4097)).text();
    let mut slots = HeaderSlots::new();
    let seen = request_violations(&request_head("a request", long.as_bytes(), &mut slots));
    assert_eq!(seen.iter().map(Violation::severity).collect::<Vec<_>>(), [Severity::Should]);
}

/// Returns rule, section and severity of each violation of the last line.
fn ranked(script: &str) -> Vec<(&'static str, &'static str, Severity)> {
    let seen = script::violations(Observer::new(), script);
    seen.iter().map(|it| (it.rule(), it.section(), it.severity())).collect()
}

#[test]
fn error_fields_on_a_success_are_forbidden_by_the_section_of_its_ack() {
    const SESSION: &str = "> create \n < created A";
    for (script, section) in [
        ("> ping \n < pinged", "2.2.5.2"),
        ("> create \n < created A", "2.2.3.2"),
        (&*format!("{SESSION} \n > fragment A 0-9/10 \n < received A 10"), "2.2.7.2"),
        (&*format!("{SESSION} \n > close A \n < closed A"), "2.2.9.2"),
        (&*format!("{SESSION} \n > cancel A \n < cancelled A"), "2.2.11.2"),
    ] {
        for field in ["BITS-Error: 0x1", "BITS-Error-Code: 0", "BITS-Error-Context: 0x5"] {
            let expected = [("error-on-success", section, Severity::Must)];
            assert_eq!(ranked(&format!("{script} | {field}")), expected, "{script}");
        }
    }
    // Without the kind of request, the common section applies.
    for request in ["> ?", "> line BITS_POST /e HTTP/1.1 | BITS-Packet-Type: Pong"] {
        let seen = ranked(&format!("{request} \n < pinged | BITS-Error: 0x1"));
        let seen: Vec<_> =
            seen.into_iter().filter(|(rule, ..)| *rule == "error-on-success").collect();
        assert_eq!(seen, [("error-on-success", "2.2.1.2", Severity::Should)], "{request}");
    }
}

#[test]
fn a_refusal_may_not_name_a_protocol() {
    let protocol = "BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}";
    assert_eq!(
        ranked(&format!("> create \n < refused 403 0x80070005 | {protocol}")),
        [("protocol-on-refusal", "2.2.3.2", Severity::Must)]
    );
    // Microsoft's documentation of the packet allows it with 201.
    assert_eq!(ranked("> create \n < created A | X: y"), []);
}

/// A response without a packet type may be that of a proxy, unless it has other fields of the
/// protocol.
#[test]
fn a_server_may_not_omit_the_packet_type() {
    let ranks = |severity| [("missing-packet-type", "2.2.1.2", severity)];
    assert_eq!(ranked("> ping \n < bare 500"), ranks(Severity::Suspicious));
    for field in ["BITS-Error: 0x80200020", "BITS-Error-Code: 0", "BITS-Session-Id: 1"] {
        for status in [401, 404, 500] {
            let seen = ranked(&format!("> ping \n < bare {status} | {field}"));
            assert_eq!(seen, ranks(Severity::Must), "{status} {field}");
        }
    }
}
