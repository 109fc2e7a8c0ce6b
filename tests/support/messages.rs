//! One valid message of every kind, to be changed in one way and parsed from bytes and from pairs.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;

use bits_proto::Error;
use bits_proto::deviation::Deviations;
use bits_proto::field::{ContentRange, SessionId, SupportedProtocols};
use bits_proto::http1::{Progress, RequestLine, StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, Decoded, Encoder, Extras, HeaderSlots, NotificationRequest,
    NotificationResponse, ParseOptions, Request, RequestHead, ResponseHead,
};

pub const PROTOCOL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

/// The parts of a head before it is encoded.
#[derive(Clone, Debug)]
pub struct Draft {
    line: String,
    fields: Vec<(String, String)>,
}

impl Draft {
    pub fn new(line: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self { line: line.into(), fields: fields.collect() }
    }

    pub fn packet(packet_type: &str) -> Self {
        Self::new("BITS_POST /e HTTP/1.1", &[("BITS-Packet-Type", packet_type)])
    }

    pub fn ping() -> Self {
        Self::packet("Ping").with("Content-Length", "0")
    }

    pub fn create() -> Self {
        Self::packet("Create-Session")
            .with("BITS-Supported-Protocols", PROTOCOL)
            .with("Content-Length", "0")
    }

    pub fn fragment() -> Self {
        Self::packet("Fragment")
            .with("BITS-Session-Id", "1")
            .with("Content-Range", "bytes 0-99/200")
            .with("Content-Length", "100")
    }

    pub fn close() -> Self {
        Self::packet("Close-Session").with("BITS-Session-Id", "1").with("Content-Length", "0")
    }

    pub fn cancel() -> Self {
        Self::close().set("BITS-Packet-Type", "Cancel-Session")
    }

    pub fn ack() -> Self {
        let fields = [("BITS-Packet-Type", "Ack"), ("Content-Length", "0")];
        Self::new("HTTP/1.1 200 OK", &fields)
    }

    pub fn create_ack() -> Self {
        Self::ack().with("BITS-Protocol", PROTOCOL).with("BITS-Session-Id", "1")
    }

    pub fn close_ack() -> Self {
        Self::ack().with("BITS-Session-Id", "1")
    }

    pub fn fragment_ack() -> Self {
        Self::close_ack().with("BITS-Received-Content-Range", "100")
    }

    pub fn refusal() -> Self {
        Self::ack()
            .line("HTTP/1.1 503 Service Unavailable")
            .with("BITS-Error", "0x80070070")
            .with("BITS-Error-Context", "0x5")
    }

    pub fn notification() -> Self {
        Self::by_value()
            .with("BITS-Request-DataFile-Name", r"C:\request")
            .with("BITS-Response-DataFile-Name", r"C:\response")
            .set("Content-Length", "0")
    }

    pub fn by_value() -> Self {
        let url = ("BITS-Original-Request-URL", "http://o/e");
        Self::new("POST /app HTTP/1.1", &[url, ("Content-Length", "3")])
    }

    pub fn notification_response() -> Self {
        Self::new("HTTP/1.1 200 OK", &[("Content-Length", "0")])
    }

    pub fn line(self, line: &str) -> Self {
        Self { line: line.into(), ..self }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        let before = self.fields.len();
        self.fields.retain(|(other, _)| other != name);
        assert!(self.fields.len() < before, "{name} is missing and cannot be removed");
        self
    }

    /// Replaces Content-Length, as a reverse proxy does that sends a response in chunks.
    pub fn chunked(self) -> Self {
        self.without("Content-Length").with("Transfer-Encoding", "chunked")
    }

    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let field = self.fields.iter_mut().find(|(other, _)| other == name);
        field.unwrap_or_else(|| panic!("{name} is missing and cannot be set")).1 = value.into();
        self
    }

    pub fn rename(mut self, name: &str, to: &str) -> Self {
        let field = self.fields.iter_mut().find(|(other, _)| other == name);
        field.unwrap_or_else(|| panic!("{name} is missing and cannot be renamed")).0 = to.into();
        self
    }

    pub fn text(&self) -> String {
        let fields = self.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{}\r\n{}\r\n", self.line, fields.collect::<String>())
    }

    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    pub fn request_line(&self) -> RequestLine<'_> {
        let parts: Vec<_> = self.line.split(' ').collect();
        let [method, target, version] = parts[..] else {
            panic!("{:?}: expected three parts", self.line)
        };
        RequestLine { method, target, version: version_of(version) }
    }

    pub fn status_line(&self) -> StatusLine<'_> {
        let mut parts = self.line.splitn(3, ' ');
        let version = version_of(parts.next().unwrap_or_default());
        let code = parts.next().and_then(|code| code.parse::<u16>().ok());
        let status = code.and_then(|code| StatusCode::try_from(code).ok());
        let status = status.unwrap_or_else(|| panic!("{:?}: expected a status", self.line));
        StatusLine { version, status, reason: parts.next().unwrap_or_default() }
    }
}

fn version_of(text: &str) -> Version {
    match text {
        "HTTP/1.0" => Version::Http10,
        "HTTP/1.1" => Version::Http11,
        other => panic!("invalid version: {other:?}"),
    }
}

pub fn protocols(list: &str) -> SupportedProtocols<'_> {
    SupportedProtocols::try_from(list).unwrap_or_else(|error| panic!("{list:?}: {error}"))
}

pub fn session(id: &str) -> SessionId<'_> {
    SessionId::try_from(id).unwrap_or_else(|error| panic!("{id:?}: {error}"))
}

pub fn range(first: u64, last: u64, total: u64) -> ContentRange {
    ContentRange::new(first, last, total)
        .unwrap_or_else(|error| panic!("{first}-{last}/{total}: {error}"))
}

/// Returns the context of the request that [`Draft::fragment_ack`] answers.
pub fn for_fragment(first: u64, last: u64, total: u64) -> AckContext<'static> {
    let content_range = Some(range(first, last, total));
    AckContext::Fragment { session_id: Some(session("1")), content_range, sent_up_to: None }
}

/// Returns the context of the request that [`Draft::create_ack`] answers.
pub fn for_create() -> AckContext<'static> {
    AckContext::CreateSession { offered: Some(SupportedProtocols::BITS_1_5) }
}

/// Returns the context of the request that [`Draft::close_ack`] answers.
pub fn for_close() -> AckContext<'static> {
    AckContext::CloseSession { session_id: Some(session("1")) }
}

/// Returns valid extra fields.
pub fn extras<const N: usize>(fields: [(&str, &str); N]) -> Extras<[u8; 256]> {
    Extras::from_fields([0; 256], fields).unwrap_or_else(|error| panic!("{error}: {fields:?}"))
}

/// Returns the head that an encoder writes.
pub fn written(encoder: &Encoder<'_>) -> Vec<u8> {
    // Filled with a byte that no head contains, so that unset bytes show.
    let mut head = vec![0xFF; encoder.encoded_len()];
    assert_eq!(encoder.write(&mut head), Ok(head.len()));
    head
}

/// The kind of message that a draft is parsed as.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    Request(ParseOptions),
    Ack(AckContext<'static>),
    Notification,
    NotificationResponse,
}

impl Reader {
    /// Parses the draft from bytes and from pairs, with equal results.
    pub fn read(&self, draft: &Draft) -> Result<Deviations, Error> {
        let text = draft.text();
        let bytes = text.as_bytes();
        let mut slots = HeaderSlots::new();
        match self {
            Self::Request(policy) => {
                let head = complete(draft, RequestHead::parse(bytes, &mut slots)?);
                let of_head = Request::from_head(&head, policy);
                let line = draft.request_line();
                agree(draft, of_head, Request::from_fields(line, draft.pairs(), policy))
            }
            Self::Ack(ack_context) => {
                let head = complete(draft, ResponseHead::parse(bytes, &mut slots)?);
                let of_head = Ack::from_head(&head, ack_context);
                let line = draft.status_line();
                agree(draft, of_head, Ack::from_fields(line, draft.pairs(), ack_context))
            }
            Self::Notification => {
                let head = complete(draft, RequestHead::parse(bytes, &mut slots)?);
                let of_head = NotificationRequest::from_head(&head);
                let line = draft.request_line();
                agree(draft, of_head, NotificationRequest::from_fields(line, draft.pairs()))
            }
            Self::NotificationResponse => {
                let head = complete(draft, ResponseHead::parse(bytes, &mut slots)?);
                let of_head = NotificationResponse::from_head(&head);
                let line = draft.status_line();
                agree(draft, of_head, NotificationResponse::from_fields(line, draft.pairs()))
            }
        }
    }

    pub fn error(&self, draft: &Draft) -> Error {
        match self.read(draft) {
            Ok(deviations) => panic!("{draft:?} was accepted, with {deviations:?}"),
            Err(error) => error,
        }
    }

    pub fn deviations(&self, draft: &Draft) -> Deviations {
        self.read(draft).unwrap_or_else(|error| panic!("{draft:?}: {error}"))
    }
}

fn complete<T>(draft: &Draft, progress: Progress<T>) -> T {
    progress.complete().unwrap_or_else(|| panic!("{draft:?} is incomplete"))
}

fn agree<T: Debug>(
    draft: &Draft,
    of_head: Result<Decoded<T>, Error>,
    of_pairs: Result<Decoded<T>, Error>,
) -> Result<Deviations, Error> {
    match (&of_head, &of_pairs) {
        // Compares text, because equal session ids may have different spellings.
        (Ok(head), Ok(pairs)) => assert_eq!(format!("{head:?}"), format!("{pairs:?}"), "{draft:?}"),
        (Err(head), Err(pairs)) => {
            assert_eq!(but_for_offset(head), but_for_offset(pairs), "{draft:?}");
            assert!(head.offset().is_some(), "{draft:?}: bytes have offsets");
            assert_eq!(pairs.offset(), None, "{draft:?}: pairs have no offsets");
        }
        _ => panic!("{draft:?}: from bytes {of_head:?}, from pairs {of_pairs:?}"),
    }
    of_head.map(|decoded| decoded.deviations)
}

fn but_for_offset(error: &Error) -> impl PartialEq + Debug + use<> {
    (error.kind(), error.field(), error.section(), error.fault(), error.stage())
}
