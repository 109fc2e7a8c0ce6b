//! A simple parser of packets with httparse and a map of fields, which uses the first value of each field.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::reference_grammar;

/// A head as parsed by httparse.
pub struct Case<'b> {
    pub start: Start<'b>,
    /// The bytes of the head.
    pub head: &'b [u8],
    pub fields: Vec<(&'b str, &'b [u8])>,
    pub map: HeaderMap,
}

#[derive(Clone, Copy)]
pub enum Start<'b> {
    Request { method: &'b str, target: &'b str, minor: u8 },
    Response { status: u16, minor: u8 },
}

/// The content of a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    Request {
        target: String,
        session: Option<Vec<u8>>,
        name: Option<Vec<u8>>,
        packet: Packet,
    },
    CreateAck {
        session: Vec<u8>,
        protocol: u128,
        host: Option<Vec<u8>>,
        timeout: Option<u64>,
    },
    FragmentAck {
        session: Option<Vec<u8>>,
        received: u64,
        reply: Option<Vec<u8>>,
    },
    /// An Ack to any other request, with no further values.
    Ack {
        session: Option<Vec<u8>>,
    },
    Refusal(Refusal),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Packet {
    Ping,
    Create(Vec<u128>),
    Fragment { range: (u64, u64, u64), identity: bool },
    Close,
    Cancel,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub status: u16,
    pub code: Option<u32>,
    pub context: Option<u32>,
    pub received: Option<u64>,
    pub session: Option<Vec<u8>>,
}

/// The request that an Ack answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AnsweredRequest {
    Ping,
    Create,
    Fragment,
    Close,
    Cancel,
}

impl AnsweredRequest {
    pub const ALL: [Self; 5] =
        [Self::Ping, Self::Create, Self::Fragment, Self::Close, Self::Cancel];
}

impl<'b> Case<'b> {
    /// Parses a head. Returns `None` if it is invalid or incomplete.
    pub fn of(data: &'b [u8]) -> Option<Self> {
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let (start, len, found) = if data.starts_with(b"HTTP/") {
            let mut response = httparse::Response::new(&mut slots);
            let len = complete(response.parse(data))?;
            let (status, minor) = (response.code?, response.version?);
            (Start::Response { status, minor }, len, response.headers)
        } else {
            let mut request = httparse::Request::new(&mut slots);
            let len = complete(request.parse(data))?;
            let (method, target, minor) = (request.method?, request.path?, request.version?);
            (Start::Request { method, target, minor }, len, request.headers)
        };
        let fields: Vec<_> = found.iter().map(|field| (field.name, field.value)).collect();
        let mut map = HeaderMap::new();
        for (name, value) in &fields {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            map.append(name, HeaderValue::from_bytes(value).ok()?);
        }
        Some(Self { start, head: &data[..len], fields, map })
    }

    /// Returns the values of the fields with one of these names, in their order.
    pub fn all(&self, names: &[&str]) -> Vec<&'b [u8]> {
        let is_meant = |name: &str| names.iter().any(|it| it.eq_ignore_ascii_case(name));
        self.fields.iter().filter(|(name, _)| is_meant(name)).map(|(_, value)| *value).collect()
    }
}

fn complete(status: httparse::Result<usize>) -> Option<usize> {
    match status {
        Ok(httparse::Status::Complete(len)) => Some(len),
        _ => None,
    }
}

/// Reads an optional field. Returns `None` if its value is invalid.
fn optional<T>(
    map: &HeaderMap,
    name: &str,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Option<Option<T>> {
    match map.get(name) {
        None => Some(None),
        Some(value) => read(value.as_bytes()).map(Some),
    }
}

fn required<T>(map: &HeaderMap, name: &str, read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    optional(map, name, read)?
}

fn kept(is_valid: impl Fn(&[u8]) -> bool) -> impl Fn(&[u8]) -> Option<Vec<u8>> {
    move |value| is_valid(value).then(|| value.to_vec())
}

pub fn parse(start: Start<'_>, map: &HeaderMap, request: AnsweredRequest) -> Option<Parsed> {
    match start {
        Start::Request { method: "BITS_POST", target, minor: 1 } => parse_request(target, map),
        Start::Request { .. } => None,
        Start::Response { status, .. } => parse_ack(status, map, request),
    }
}

fn parse_request(target: &str, map: &HeaderMap) -> Option<Parsed> {
    let kind = map.get("bits-packet-type")?.as_bytes().to_ascii_lowercase();
    let length = optional(map, "content-length", reference_grammar::content_length)?;
    let session = || required(map, "bits-session-id", kept(reference_grammar::is_session_id));
    let (session, packet) = match &kind[..] {
        b"ping" => (None, Packet::Ping),
        b"create-session" => {
            let list = required(map, "bits-supported-protocols", reference_grammar::protocols)?;
            (None, Packet::Create(list.guids))
        }
        b"fragment" => {
            let (range, _) = required(map, "content-range", reference_grammar::content_range)?;
            let is_identity = |value: &[u8]| value.eq_ignore_ascii_case(b"identity").then_some(());
            let identity = optional(map, "content-encoding", is_identity)?.is_some();
            (Some(session()?), Packet::Fragment { range, identity })
        }
        b"close-session" => (Some(session()?), Packet::Close),
        b"cancel-session" => (Some(session()?), Packet::Cancel),
        _ => return None,
    };
    let is_length_valid = match packet {
        Packet::Fragment { range: (first, last, _), .. } => length == Some(last - first + 1),
        _ => length.is_none_or(|length| length == 0),
    };
    let name = optional(map, "content-name", kept(reference_grammar::is_content))?;
    is_length_valid.then(|| Parsed::Request { target: target.into(), session, name, packet })
}

fn parse_ack(status: u16, map: &HeaderMap, request: AnsweredRequest) -> Option<Parsed> {
    if status < 200 {
        return None;
    }
    map.get("bits-packet-type").filter(|it| it.as_bytes().eq_ignore_ascii_case(b"ack"))?;
    let is_id = || kept(reference_grammar::is_session_id);
    if status >= 300 {
        return parse_refusal(status, map, detail(map, "bits-session-id", is_id()));
    }
    let session = optional(map, "bits-session-id", is_id());
    match request {
        AnsweredRequest::Ping => Some(Parsed::Ack { session: None }),
        AnsweredRequest::Close | AnsweredRequest::Cancel => Some(Parsed::Ack { session: session? }),
        AnsweredRequest::Create => Some(Parsed::CreateAck {
            session: session??,
            protocol: required(map, "bits-protocol", reference_grammar::guid)?.0,
            host: optional(
                map,
                "bits-host-id",
                kept(|host| reference_grammar::host(host).is_some()),
            )?,
            timeout: optional(map, "bits-host-id-fallback-timeout", |value| {
                reference_grammar::decimal(value).filter(|seconds| *seconds < 1 << 32)
            })?,
        }),
        AnsweredRequest::Fragment => Some(Parsed::FragmentAck {
            session: session?,
            received: required(map, "bits-received-content-range", reference_grammar::decimal)?,
            reply: optional(map, "bits-reply-url", kept(reference_grammar::is_reference))?,
        }),
    }
}

/// Reads a detail of a refusal: an invalid or conflicting value is absent.
fn detail<T>(map: &HeaderMap, name: &str, read: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let first = map.get(name)?;
    let is_single = map.get_all(name).iter().all(|value| value == first);
    read(first.as_bytes()).filter(|_| is_single)
}

/// Reads a refusal, whose offset is required only to continue at it.
pub fn parse_refusal(status: u16, map: &HeaderMap, session: Option<Vec<u8>>) -> Option<Parsed> {
    let received = detail(map, "bits-received-content-range", reference_grammar::decimal);
    let error = detail(map, "bits-error", reference_grammar::hexadecimal);
    let error_code = detail(map, "bits-error-code", reference_grammar::hexadecimal);
    let context = detail(map, "bits-error-context", reference_grammar::hexadecimal);
    let has_offset = map.contains_key("bits-received-content-range");
    if status == 416 && context != Some(7) && !has_offset {
        return None;
    }
    let code = error.or(error_code).filter(|code| *code > 0);
    Some(Parsed::Refusal(Refusal { status, code, context, received, session }))
}
