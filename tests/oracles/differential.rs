//! Our reading of a head against the plain one, which differs only where a rule says so.

use bits_proto::http1::Progress;
use bits_proto::message::{
    Ack, AckContext, CreateSessionAck, Fragment, FragmentAck, HeaderSlots, ParseOptions,
    Refusal as Refused, Request, RequestHead, ResponseHead,
};
use http::{HeaderMap, HeaderValue};

use super::reference_grammar;
use super::reference_parser::{Asked, Case, Packet, Reading, Refusal, Start, read};

/// Where we read otherwise than the plain way, on purpose.
pub struct Rule {
    pub name: &'static str,
    effect: Effect,
}

enum Effect {
    /// We refuse what the plain way takes.
    Refuses(fn(&Case<'_>, Asked) -> bool),
    /// We read as if the fields were these.
    Rewrites(fn(&Case<'_>, &mut HeaderMap)),
    /// We take what the plain way does not, for this.
    Takes(fn(&Case<'_>) -> Option<Reading>),
}

use Effect::{Refuses, Rewrites, Takes};

/// All of them.
pub const RULES: [Rule; 10] = [
    // Two readers could take one value each.
    Rule { name: "conflicting-fields", effect: Refuses(has_conflict) },
    // Two readers could see the end of the message in two places.
    Rule { name: "conflicting-lengths", effect: Refuses(|case, _| lengths_conflict(case)) },
    // The protocol has no other framing than Content-Length.
    Rule {
        name: "transfer-encoding",
        effect: Refuses(|case, _| case.map.contains_key("transfer-encoding")),
    },
    // Some readers end a line at it and others do not.
    Rule { name: "bare-line-feed", effect: Refuses(|case, _| has_bare_line_feed(case.head)) },
    // The specification's limit for values, which holds for servers.
    Rule { name: "long-value", effect: Refuses(|case, _| has_long_value(case)) },
    // So that nobody makes a server wait for the end of a head.
    Rule { name: "large-head", effect: Refuses(|case, _| case.head.len() > 16 * 1024) },
    // A list may be spread over several fields, as HTTP has it.
    Rule { name: "joined-protocols", effect: Rewrites(join_protocols) },
    // A misspelling that servers send.
    Rule { name: "misspelt-received", effect: Rewrites(respell_received) },
    // Servers send these empty where there is nothing to say.
    Rule { name: "empty-is-absent", effect: Rewrites(remove_empty) },
    // A failure of something on the way, which is no Ack but has a status.
    Rule { name: "not-an-ack", effect: Takes(bare_refusal) },
];

pub fn differential(data: &[u8]) {
    for asked in Asked::ALL {
        let ours = our_reading(data, asked);
        let plain = plain_reading(data, asked, |_| true);
        assert_eq!(ours, plain, "for {asked:?}: {}", data.escape_ascii());
    }
}

/// The rules without which the plain reading of an input is not ours.
pub fn needed(data: &[u8]) -> Vec<&'static str> {
    let is_needed = |rule: &&Rule| {
        Asked::ALL.iter().any(|asked| {
            let without = plain_reading(data, *asked, |other| other.name != rule.name);
            without != our_reading(data, *asked)
        })
    };
    RULES.iter().filter(is_needed).map(|rule| rule.name).collect()
}

/// The plain way, with those rules that count.
fn plain_reading(data: &[u8], asked: Asked, counts: impl Fn(&Rule) -> bool) -> Option<Reading> {
    let case = Case::of(data)?;
    let rules = RULES.iter().filter(|rule| counts(rule));
    let mut map = case.map.clone();
    let mut taken = None;
    for rule in rules {
        match rule.effect {
            Refuses(is_refused) if is_refused(&case, asked) => return None,
            Refuses(_) => {}
            Rewrites(rewrite) => rewrite(&case, &mut map),
            Takes(take) => taken = take(&case),
        }
    }
    read(case.start, &map, asked).or(taken)
}

/// The offset, as documented and as some servers spell it.
const RECEIVED: &[&str] = &["BITS-Received-Content-Range", "BITS-Recieved-Content-Range"];

fn has_conflict(case: &Case<'_>, asked: Asked) -> bool {
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
        // Of what is no Ack, only the offset is looked at.
        Start::Response { status: 416 } if !is("Ack") => &[RECEIVED],
        Start::Response { .. } if !is("Ack") => &[],
        Start::Response { status: 200 | 201 } if asked == Asked::Create => &[
            &["BITS-Packet-Type"],
            &["BITS-Session-Id"],
            &["BITS-Protocol"],
            &["BITS-Host-Id"],
            &["BITS-Host-Id-Fallback-Timeout"],
        ],
        Start::Response { status: 200 | 201 } if asked == Asked::Fragment => {
            &[&["BITS-Packet-Type"], &["BITS-Session-Id"], RECEIVED, &["BITS-Reply-URL"]]
        }
        Start::Response { status: 200 | 201 } if asked == Asked::Ping => &[&["BITS-Packet-Type"]],
        Start::Response { status: 200 | 201 } => &[&["BITS-Packet-Type"], &["BITS-Session-Id"]],
        Start::Response { .. } => &[
            &["BITS-Packet-Type"],
            &["BITS-Session-Id"],
            RECEIVED,
            &["BITS-Error"],
            &["BITS-Error-Code"],
            &["BITS-Error-Context"],
        ],
    };
    carried.iter().any(|names| {
        let mut values = case.all(names);
        if names.iter().any(|name| EMPTY_IS_ABSENT.contains(name)) {
            values.retain(|value| !value.is_empty());
        }
        values.windows(2).any(|pair| pair[0] != pair[1])
    })
}

fn lengths_conflict(case: &Case<'_>) -> bool {
    let lengths: Vec<_> =
        case.all(&["Content-Length"]).into_iter().map(reference_grammar::decimal).collect();
    lengths.contains(&None) || lengths.windows(2).any(|pair| pair[0] != pair[1])
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
        // More are refused where there are to be any.
        _ => {
            map.insert(name, HeaderValue::from_static(""));
        }
    }
}

fn respell_received(case: &Case<'_>, map: &mut HeaderMap) {
    let all = case.all(RECEIVED);
    if let Some(first) = all.first() {
        let value = HeaderValue::from_bytes(first).expect("a value before");
        map.insert("bits-received-content-range", value);
    }
}

const EMPTY_IS_ABSENT: [&str; 4] =
    ["BITS-Error", "BITS-Error-Code", "BITS-Error-Context", "BITS-Reply-URL"];

fn remove_empty(case: &Case<'_>, map: &mut HeaderMap) {
    for name in EMPTY_IS_ABSENT {
        let value = case.all(&[name]).into_iter().find(|value| !value.is_empty());
        match value {
            Some(value) => {
                map.insert(name, HeaderValue::from_bytes(value).expect("a value before"));
            }
            None => {
                map.remove(name);
            }
        }
    }
}

fn bare_refusal(case: &Case<'_>) -> Option<Reading> {
    let Start::Response { status: status @ 300.. } = case.start else { return None };
    if case.map.contains_key("bits-packet-type") {
        return None;
    }
    let all = case.all(RECEIVED);
    let received = match status {
        416 => Some(reference_grammar::decimal(all.first()?)?),
        _ => None,
    };
    let bare = Refusal { status, code: None, context: None, received, session: None };
    Some(Reading::Refusal(bare))
}

fn our_reading(data: &[u8], asked: Asked) -> Option<Reading> {
    if data.starts_with(b"HTTP/") { our_ack(data, asked) } else { our_request(data) }
}

fn our_request(data: &[u8]) -> Option<Reading> {
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
    };
    Some(Reading::Request {
        target: head.line().target.into(),
        session: request.session_id().map(|id| id.as_bytes().to_vec()),
        name: request.content_name().map(|name| name.as_bytes().to_vec()),
        packet,
    })
}

fn our_ack(data: &[u8], asked: Asked) -> Option<Reading> {
    let mut slots = HeaderSlots::new();
    let Ok(Progress::Complete(head)) = ResponseHead::parse(data, &mut slots) else { return None };
    let ack_context = match asked {
        Asked::Ping => AckContext::Ping,
        Asked::Close => AckContext::CloseSession { session_id: None },
        Asked::Cancel => AckContext::CancelSession { session_id: None },
        Asked::Create => AckContext::CreateSession { offered: None },
        Asked::Fragment => {
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
        }) => Reading::CreateAck {
            session: session?,
            protocol: protocol.0.as_u128(),
            host: host_id.map(|host| host.as_str().into()),
            timeout: host_id_fallback_timeout.map(|it| it.0.into()),
        },
        Ack::Fragment(FragmentAck { received, reply_url, .. }) => Reading::FragmentAck {
            session,
            received: received.0,
            reply: reply_url.map(|url| url.as_bytes().to_vec()),
        },
        Ack::Refused(refused) => our_refusal(&refused, session),
        Ack::Ping(_) | Ack::CloseSession(_) | Ack::CancelSession(_) => Reading::Ack { session },
    })
}

fn our_refusal(refused: &Refused<'_>, session: Option<Vec<u8>>) -> Reading {
    Reading::Refusal(Refusal {
        status: refused.status().get(),
        code: refused.code().map(|code| code.get()),
        context: refused.context().map(|context| context.0),
        received: refused.received().map(|received| received.0),
        session,
    })
}
