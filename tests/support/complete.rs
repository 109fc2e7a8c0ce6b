//! A message of every kind with all fields that it may carry, to be changed in one way and parsed.

use std::fmt::Write as _;

use bits_proto::Error;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::FieldName;
use bits_proto::field::FieldName as F;
use bits_proto::http1::Progress;
use bits_proto::message::MessageKind as K;
use bits_proto::message::presence::{Presence, of};
use bits_proto::message::{
    Ack, AckContext, Decoded, HeaderSlots, MessageKind, NotificationRequest, NotificationResponse,
    ParseOptions, Request, RequestHead, ResponseHead,
};

use super::read::{Message, any};

pub const SESSION: &str = "{3F9C1A52-7E64-4B0D-8A2F-6D15C0E4B793}";
pub const BITS_1_5: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

pub type Fields = Vec<(FieldName, &'static str)>;

/// A message as written by hand.
#[derive(Clone)]
pub struct Sample {
    pub kind: MessageKind,
    pub line: &'static str,
    pub fields: Fields,
}

pub fn sample(
    kind: MessageKind,
    line: &'static str,
    fields: &[(FieldName, &'static str)],
) -> Sample {
    Sample { kind, line, fields: fields.to_vec() }
}

/// Returns a message with all fields that it may carry, in the order of the captures.
pub fn complete(kind: MessageKind) -> Sample {
    match kind {
        K::NotificationByReference | K::NotificationByValue | K::NotificationResponse => {
            complete_notification(kind)
        }
        K::Refusal => sample(
            kind,
            "HTTP/1.1 500 Internal Server Error",
            &[
                (F::PacketType, "Ack"),
                (F::SessionId, SESSION),
                (F::ContentLength, "0"),
                (F::ReceivedContentRange, "10"),
                (F::Error, "0x80200020"),
                (F::ErrorCode, "0x80200020"),
                (F::ErrorContext, "0x5"),
                (F::RetryAfter, "120"),
            ],
        ),
        kind if kind.is_success() => complete_ack(kind),
        kind => complete_request(kind),
    }
}

pub fn complete_request(kind: MessageKind) -> Sample {
    let name = (F::ContentName, "report.bin");
    let session = (F::SessionId, SESSION);
    let empty = (F::ContentLength, "0");
    let fields: Fields = match kind {
        K::Ping => vec![(F::PacketType, "Ping"), name, empty],
        K::CreateSession => {
            vec![(F::PacketType, "Create-Session"), (F::SupportedProtocols, BITS_1_5), name, empty]
        }
        K::CloseSession => vec![(F::PacketType, "Close-Session"), session, name, empty],
        K::CancelSession => vec![(F::PacketType, "Cancel-Session"), session, name, empty],
        _ => vec![
            (F::PacketType, "Fragment"),
            session,
            name,
            (F::ContentRange, "bytes 10-19/20"),
            (F::ContentEncoding, "identity"),
            (F::ContentLength, "10"),
        ],
    };
    sample(kind, "BITS_POST /inbox/report.bin HTTP/1.1", &fields)
}

pub fn complete_ack(kind: MessageKind) -> Sample {
    let ack = (F::PacketType, "Ack");
    let session = (F::SessionId, SESSION);
    let empty = (F::ContentLength, "0");
    let fields: Fields = match kind {
        K::PingAck => vec![ack, empty],
        K::CreateSessionAck => vec![
            ack,
            (F::Protocol, BITS_1_5),
            session,
            (F::HostId, "upload.example"),
            (F::HostIdFallbackTimeout, "110"),
            empty,
            (F::AcceptEncoding, "identity"),
        ],
        K::FragmentAck => vec![
            ack,
            session,
            empty,
            (F::ReceivedContentRange, "20"),
            (F::ReplyUrl, r"BITS-Sessions\Replies\1"),
        ],
        _ => vec![ack, session, empty],
    };
    sample(kind, "HTTP/1.1 200 OK", &fields)
}

pub fn complete_notification(kind: MessageKind) -> Sample {
    let url = (F::OriginalRequestUrl, "http://origin.example/inbox/report.bin");
    match kind {
        K::NotificationResponse => sample(
            kind,
            "HTTP/1.1 200 OK",
            &[
                (F::StaticResponseUrl, "https://app.example/replies/1"),
                (F::CopyFileToDestination, "1"),
                (F::ContentLength, "0"),
            ],
        ),
        K::NotificationByValue => {
            sample(kind, "POST /app HTTP/1.1", &[url, (F::ContentLength, "20")])
        }
        _ => sample(
            kind,
            "POST /app HTTP/1.1",
            &[
                url,
                (F::RequestDataFileName, r"D:\requests\1"),
                (F::ResponseDataFileName, r"D:\replies\1"),
                (F::ContentLength, "0"),
            ],
        ),
    }
}

impl Sample {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{}\r\n", self.line);
        for (field, value) in &self.fields {
            write!(head, "{field}: {value}\r\n").expect("a string takes everything");
        }
        (head + "\r\n").into_bytes()
    }

    pub fn without(&self, dropped: &[FieldName]) -> Self {
        let mut sample = self.clone();
        sample.fields.retain(|(field, _)| !dropped.contains(field));
        sample
    }

    /// Adds one field at the start or at the end.
    pub fn with(&self, at_start: bool, field: FieldName, value: &'static str) -> Self {
        let mut sample = self.clone();
        let at = if at_start { 0 } else { sample.fields.len() };
        sample.fields.insert(at, (field, value));
        sample
    }

    pub fn has(&self, presence: Presence) -> Vec<FieldName> {
        let fields = FieldName::ALL.iter().copied();
        fields.filter(|field| of(self.kind, *field) == presence).collect()
    }

    pub fn read(&self) -> Outcome {
        Outcome::of(self.kind, &self.to_bytes())
    }

    pub fn granted(&self) -> Outcome {
        let outcome = self.read();
        assert!(outcome.result.is_ok(), "{}: {outcome:?}", self.kind);
        outcome
    }
}

/// The result of parsing a message. The `Debug` text of a message contains all its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub result: Result<(String, Deviations), Error>,
}

impl Outcome {
    pub fn of(kind: MessageKind, bytes: &[u8]) -> Self {
        Self {
            result: decode(kind, bytes).map(|Decoded { message, deviations }| {
                (format!("{:?} {message:?}", message.kind()), deviations)
            }),
        }
    }

    pub fn message(&self) -> &str {
        self.result.as_ref().map_or("none", |(message, _)| message)
    }

    pub fn deviations(&self) -> Vec<Deviation> {
        let deviations =
            self.result.as_ref().map_or(Deviations::EMPTY, |(_, deviations)| *deviations);
        deviations.iter().collect()
    }

    pub fn error(&self) -> Option<(ErrorKind, Option<&'static str>)> {
        self.result.as_ref().err().map(|error| (error.kind(), error.field()))
    }
}

/// Calls `read` with the request that the Acks of this file answer.
pub fn with_ack_for<T>(kind: MessageKind, read: impl FnOnce(&AckContext<'_>) -> T) -> T {
    let kind_of_request = match kind {
        K::PingAck => K::Ping,
        K::CreateSessionAck => K::CreateSession,
        K::CloseSessionAck => K::CloseSession,
        K::CancelSessionAck => K::CancelSession,
        _ => K::Fragment,
    };
    let bytes = complete(kind_of_request).to_bytes();
    match decode(kind_of_request, &bytes).map(|decoded| decoded.message) {
        Ok(Message::Request(request)) => read(&AckContext::from(&request)),
        other => panic!("{kind_of_request}: {other:?}"),
    }
}

pub fn decode(kind: MessageKind, bytes: &[u8]) -> Result<Decoded<Message<'_>>, Error> {
    if !bytes.starts_with(b"HTTP/") {
        return decode_request(kind, bytes);
    }
    let mut slots = HeaderSlots::new();
    let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else {
        panic!("{kind}: {} is incomplete", bytes.escape_ascii())
    };
    if kind == K::NotificationResponse {
        return any(NotificationResponse::from_head(&head));
    }
    with_ack_for(kind, |ack_context| any(Ack::from_head(&head, ack_context)))
}

pub fn decode_request(kind: MessageKind, bytes: &[u8]) -> Result<Decoded<Message<'_>>, Error> {
    let mut slots = HeaderSlots::new();
    let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else {
        panic!("{kind}: {} is incomplete", bytes.escape_ascii())
    };
    if kind.is_request() {
        return any(Request::from_head(&head, &ParseOptions::DEFAULT));
    }
    any(NotificationRequest::from_head(&head))
}

pub fn every_kind() -> impl Iterator<Item = Sample> {
    MessageKind::ALL.iter().map(|kind| complete(*kind))
}
