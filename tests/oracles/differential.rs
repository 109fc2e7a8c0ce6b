//! Compares the crate's parsing with the reference parser. Differences are allowed only where a rule says so.

use bits_proto::http1::Progress;
use bits_proto::message::{
    Ack, AckContext, CreateSessionAck, Fragment, FragmentAck, HeaderSlots, ParseOptions,
    Refusal as Refused, Request, RequestHead, ResponseHead,
};
use http::{HeaderMap, HeaderValue};

use super::reference_grammar;
use super::reference_parser::{
    AnsweredRequest, Case, Packet, Parsed, Refusal, Start, parse, parse_refusal,
};

/// A deliberate difference from the reference parser.
pub struct Rule {
    pub name: &'static str,
    effect: Effect,
}

enum Effect {
    /// The crate rejects a message that the reference parser accepts.
    Rejects(fn(&Case<'_>, AnsweredRequest) -> bool),
    /// The crate parses the message as if the fields were these.
    Rewrites(fn(&Case<'_>, &mut HeaderMap)),
    /// The crate accepts a message that the reference parser rejects, with this result.
    Accepts(fn(&Case<'_>, &HeaderMap) -> Option<Parsed>),
}

use Effect::{Accepts, Rejects, Rewrites};

/// All rules.
pub const RULES: [Rule; 10] = [
    // Two readers could use different values.
    Rule { name: "conflicting-fields", effect: Rejects(has_conflict) },
    // Two readers could find different ends of the message.
    Rule { name: "conflicting-lengths", effect: Rejects(|case, _| lengths_conflict(case)) },
    // The end of the message is in doubt, except for a response that is sent in chunks.
    Rule { name: "transfer-encoding", effect: Rejects(|case, _| has_rejected_coding(case)) },
    // Some readers end a line there and others do not.
    Rule { name: "bare-line-feed", effect: Rejects(|case, _| has_bare_line_feed(case.head)) },
    // The specification's limit for values, which applies to servers.
    Rule { name: "long-value", effect: Rejects(|case, _| has_long_value(case)) },
    // Limits how long a server waits for the end of a head.
    Rule { name: "large-head", effect: Rejects(|case, _| case.head.len() > 16 * 1024) },
    // HTTP allows to spread a list over several fields.
    Rule { name: "joined-protocols", effect: Rewrites(join_protocols) },
    // A misspelling that servers send.
    Rule { name: "misspelt-received", effect: Rewrites(respell_received) },
    // Servers send these fields empty instead of omitting them.
    Rule { name: "empty-is-absent", effect: Rewrites(remove_empty) },
    // An error of an intermediary, which is not an Ack but has a status.
    Rule { name: "not-an-ack", effect: Accepts(bare_refusal) },
];

pub fn differential(data: &[u8]) {
    for request in AnsweredRequest::ALL {
        let actual = crate_result(data, request);
        let expected = reference_result(data, request, |_| true);
        assert_eq!(actual, expected, "for {request:?}: {}", data.escape_ascii());
    }
}

/// Returns the rules without which the result of the reference parser would differ from the crate's.
pub fn needed(data: &[u8]) -> Vec<&'static str> {
    let is_needed = |rule: &&Rule| {
        AnsweredRequest::ALL.iter().any(|request| {
            let without = reference_result(data, *request, |other| other.name != rule.name);
            without != crate_result(data, *request)
        })
    };
    RULES.iter().filter(is_needed).map(|rule| rule.name).collect()
}

/// Returns the result of the reference parser, with the rules that count.
fn reference_result(
    data: &[u8],
    request: AnsweredRequest,
    counts: impl Fn(&Rule) -> bool,
) -> Option<Parsed> {
    let case = Case::of(data)?;
    let rules = RULES.iter().filter(|rule| counts(rule));
    let mut map = case.map.clone();
    let mut taken = None;
    for rule in rules {
        match rule.effect {
            Rejects(is_rejected) if is_rejected(&case, request) => return None,
            Rejects(_) => {}
            Rewrites(rewrite) => rewrite(&case, &mut map),
            Accepts(take) => taken = take(&case, &map),
        }
    }
    parse(case.start, &map, request).or(taken)
}

/// The offset, in the documented spelling and in that of some servers.
const RECEIVED: &[&str] = &["BITS-Received-Content-Range", "BITS-Recieved-Content-Range"];

fn has_conflict(case: &Case<'_>, request: AnsweredRequest) -> bool {
    let is = |kind: &str| {
        case.map
            .get("bits-packet-type")
            .is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(kind.as_bytes()))
    };
    let carried: &[&[&str]] = match case.start {
        Start::Request { .. } if is("Fragment") => &[
            &["BITS-Packet-Type"],
            &["BITS-Session-Id"],
            &["Content-Name"],
            &["Content-Range"],
            &["Content-Encoding"],
        ],
        Start::Request { .. } if is("Close-Session") || is("Cancel-Session") => {
            &[&["BITS-Packet-Type"], &["BITS-Session-Id"], &["Content-Name"]]
        }
        Start::Request { .. } => &[&["BITS-Packet-Type"], &["Content-Name"]],
        Start::Response { .. } if !is("Ack") => &[],
        Start::Response { status: 200..=299, .. } if request == AnsweredRequest::Create => &[
            &["BITS-Packet-Type"],
            &["BITS-Session-Id"],
            &["BITS-Protocol"],
            &["BITS-Host-Id"],
            &["BITS-Host-Id-Fallback-Timeout"],
        ],
        Start::Response { status: 200..=299, .. } if request == AnsweredRequest::Fragment => {
            &[&["BITS-Packet-Type"], &["BITS-Session-Id"], RECEIVED, &["BITS-Reply-URL"]]
        }
        Start::Response { status: 200..=299, .. } if request == AnsweredRequest::Ping => {
            &[&["BITS-Packet-Type"]]
        }
        Start::Response { status: 200..=299, .. } => &[&["BITS-Packet-Type"], &["BITS-Session-Id"]],
        // The details of a refusal are absent if they conflict.
        Start::Response { .. } => &[&["BITS-Packet-Type"]],
    };
    carried.iter().any(|names| {
        let mut values = case.all(names);
        if names.iter().any(|name| EMPTY_IS_ABSENT.contains(&&*name.to_ascii_lowercase())) {
            values.retain(|value| !value.is_empty());
        }
        values.windows(2).any(|pair| pair[0] != pair[1])
    })
}

fn lengths_conflict(case: &Case<'_>) -> bool {
    let lengths: Vec<_> =
        case.all(&["Content-Length"]).into_iter().map(reference_grammar::content_length).collect();
    lengths.contains(&None) || lengths.windows(2).any(|pair| pair[0] != pair[1])
}

fn has_rejected_coding(case: &Case<'_>) -> bool {
    let may_be_chunked = matches!(case.start, Start::Response { minor: 1, .. })
        && case.all(&["Content-Length"]).is_empty();
    match case.all(&["Transfer-Encoding"])[..] {
        [] => false,
        [coding] => !may_be_chunked || !coding.eq_ignore_ascii_case(b"chunked"),
        _ => true,
    }
}

fn has_bare_line_feed(head: &[u8]) -> bool {
    head.starts_with(b"\n") || head.windows(2).any(|pair| pair[1] == b'\n' && pair[0] != b'\r')
}

fn has_long_value(case: &Case<'_>) -> bool {
    let is_request = matches!(case.start, Start::Request { .. });
    is_request && case.fields.iter().any(|(_, value)| value.len() > 4096)
}

fn join_protocols(case: &Case<'_>, map: &mut HeaderMap) {
    let name = "bits-supported-protocols";
    let lists = case.all(&[name]);
    match lists.len() {
        0 | 1 => {}
        2..=4 => {
            let joined = HeaderValue::from_bytes(&lists.join(&b","[..])).expect("values before");
            map.insert(name, joined);
        }
        // A larger number of protocols is rejected if protocols are required.
        _ => {
            map.insert(name, HeaderValue::from_static(""));
        }
    }
}

fn respell_received(case: &Case<'_>, map: &mut HeaderMap) {
    replace(map, "bits-received-content-range", case.all(RECEIVED));
}

/// Replaces all values of a field.
fn replace(map: &mut HeaderMap, name: &'static str, values: Vec<&[u8]>) {
    map.remove(name);
    for value in values {
        map.append(name, HeaderValue::from_bytes(value).expect("a value before"));
    }
}

const EMPTY_IS_ABSENT: [&str; 4] =
    ["bits-error", "bits-error-code", "bits-error-context", "bits-reply-url"];

fn remove_empty(case: &Case<'_>, map: &mut HeaderMap) {
    for name in EMPTY_IS_ABSENT {
        let values = case.all(&[name]).into_iter().filter(|value| !value.is_empty());
        replace(map, name, values.collect());
    }
}

fn bare_refusal(case: &Case<'_>, map: &HeaderMap) -> Option<Parsed> {
    match case.start {
        Start::Response { status: status @ 300.., .. } if !map.contains_key("bits-packet-type") => {
            parse_refusal(status, map, None)
        }
        _ => None,
    }
}

fn crate_result(data: &[u8], request: AnsweredRequest) -> Option<Parsed> {
    if data.starts_with(b"HTTP/") { our_ack(data, request) } else { our_request(data) }
}

fn our_request(data: &[u8]) -> Option<Parsed> {
    let mut slots = HeaderSlots::new();
    let Ok(Progress::Complete(head)) = RequestHead::parse(data, &mut slots) else { return None };
    let request = Request::from_head(&head, &ParseOptions::DEFAULT).ok()?.message;
    let packet = match request {
        Request::Ping(_) => Packet::Ping,
        Request::CreateSession(it) => {
            Packet::Create(it.supported_protocols.iter().map(|it| it.0.as_u128()).collect())
        }
        Request::Fragment(Fragment { content_range: range, content_encoding, .. }) => {
            let range = (range.first(), range.last(), range.total());
            Packet::Fragment { range, identity: content_encoding.is_some() }
        }
        Request::CloseSession(_) => Packet::Close,
        Request::CancelSession(_) => Packet::Cancel,
        _ => panic!("a variant that this code does not know"),
    };
    Some(Parsed::Request {
        target: head.line().target.into(),
        session: request.session_id().map(|id| id.as_bytes().to_vec()),
        name: request.content_name().map(|name| name.as_bytes().to_vec()),
        packet,
    })
}

fn our_ack(data: &[u8], request: AnsweredRequest) -> Option<Parsed> {
    let mut slots = HeaderSlots::new();
    let Ok(Progress::Complete(head)) = ResponseHead::parse(data, &mut slots) else { return None };
    let ack_context = match request {
        AnsweredRequest::Ping => AckContext::Ping,
        AnsweredRequest::Close => AckContext::CloseSession { session_id: None },
        AnsweredRequest::Cancel => AckContext::CancelSession { session_id: None },
        AnsweredRequest::Create => AckContext::CreateSession { offered: None },
        AnsweredRequest::Fragment => {
            AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None }
        }
    };
    let ack = Ack::from_head(&head, &ack_context).ok()?.message;
    let session = ack.session_id().map(|id| id.as_bytes().to_vec());
    Some(match ack {
        Ack::CreateSession(CreateSessionAck {
            protocol,
            host_id,
            host_id_fallback_timeout,
            ..
        }) => Parsed::CreateAck {
            session: session?,
            protocol: protocol.0.as_u128(),
            host: host_id.map(|host| host.as_str().into()),
            timeout: host_id_fallback_timeout.map(|it| it.0.into()),
        },
        Ack::Fragment(FragmentAck { received, reply_url, .. }) => Parsed::FragmentAck {
            session,
            received: received.0,
            reply: reply_url.map(|url| url.as_bytes().to_vec()),
        },
        Ack::Refused(refused) => our_refusal(&refused, session),
        Ack::Ping(_) | Ack::CloseSession(_) | Ack::CancelSession(_) => Parsed::Ack { session },
        _ => panic!("a variant that this code does not know"),
    })
}

fn our_refusal(refused: &Refused<'_>, session: Option<Vec<u8>>) -> Parsed {
    Parsed::Refusal(Refusal {
        status: refused.status().get(),
        code: refused.code().map(|code| code.get()),
        context: refused.context().map(|context| context.0),
        received: refused.received().map(|received| received.0),
        session,
    })
}
