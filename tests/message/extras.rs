//! Extra fields on every kind of message: those that may be added, and those that are rejected.

use crate::support::messages;
use crate::support::read::stored;
use bits_proto::Error;
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{
    ContentName, FieldName, OriginalRequestUrl, Protocol, ReceivedContentRange,
    RequestDataFileName, ResponseDataFileName,
};
use bits_proto::http1::RequestTarget;
use bits_proto::message::{
    Ack, CancelSession, CancelSessionAck, CloseSession, CloseSessionAck, CreateSession,
    CreateSessionAck, Fragment, FragmentAck, MessageKind, NO_EXTRAS, NotificationRequest,
    NotificationResponse, NotifiedEntity, Ping, PingAck, Refusal, Request,
};
use messages::{range, session, written};

fn ack_of(kind: MessageKind) -> Ack<'static> {
    let (id, received) = (session("1"), ReceivedContentRange(100));
    match kind {
        MessageKind::PingAck => PingAck.into(),
        MessageKind::CreateSessionAck => CreateSessionAck::new(Protocol::BITS_1_5, id).into(),
        MessageKind::FragmentAck => FragmentAck::new(id, received).into(),
        MessageKind::CloseSessionAck => CloseSessionAck { session_id: Some(id) }.into(),
        MessageKind::CancelSessionAck => CancelSessionAck { session_id: Some(id) }.into(),
        _ => Refusal::session_not_found().into(),
    }
}

fn request_of(kind: MessageKind) -> Request<'static> {
    let id = session("1");
    match kind {
        MessageKind::Ping => Ping::default().into(),
        MessageKind::CreateSession => CreateSession::default().into(),
        MessageKind::Fragment => Fragment::new(id, range(0, 99, 200)).into(),
        MessageKind::CloseSession => CloseSession::new(id).into(),
        _ => CancelSession::new(id).into(),
    }
}

fn notification_of(kind: MessageKind) -> Result<NotificationRequest<'static>, Error> {
    let entity = match kind {
        MessageKind::NotificationByReference => NotifiedEntity::ByReference {
            request: RequestDataFileName::try_from("q")?,
            response: ResponseDataFileName::try_from("s")?,
        },
        _ => NotifiedEntity::ByValue { content_length: 3 },
    };
    let original_request_url = OriginalRequestUrl::try_from("http://o/e")?;
    Ok(NotificationRequest { original_request_url, entity })
}

/// Writes a message of that kind with the extra fields.
fn encode(kind: MessageKind, extras: &[(&str, &[u8])]) -> Result<Vec<u8>, Error> {
    let mut storage = Vec::new();
    let extras = &stored(&mut storage, extras)?;
    let target = RequestTarget::try_from("/e")?;
    Ok(match kind {
        MessageKind::NotificationByReference | MessageKind::NotificationByValue => {
            written(&notification_of(kind)?.encode(target, extras)?)
        }
        MessageKind::NotificationResponse => {
            let response = NotificationResponse { content_length: None, ..Default::default() };
            written(&response.encode(extras)?)
        }
        _ if kind.is_request() => written(&request_of(kind).encode(target, extras)?),
        _ => written(&ack_of(kind).encode(extras)?),
    })
}

/// Checks that the head has the field as one line, and no other new line.
fn check_allowed(kind: MessageKind, name: &str, value: &[u8]) {
    let case = format!("{name}: {} on {kind}", value.escape_ascii());
    let plain = encode(kind, &[]).unwrap_or_else(|error| panic!("{kind}: {error}"));
    let head = encode(kind, &[(name, value)]).unwrap_or_else(|error| panic!("{case}: {error}"));
    let line = [name.as_bytes(), b": ", value, b"\r\n"].concat();
    let at = head.windows(line.len()).position(|window| window == line);
    let at = at.unwrap_or_else(|| panic!("{case} is not in {}", head.escape_ascii()));
    assert!(head[..at].ends_with(b"\r\n"), "{case} starts a line");
    let rest = [&head[..at], &head[at + line.len()..]].concat();
    assert_eq!(rest, plain, "{case}: everything else is unchanged");
}

fn check_refused(kind: MessageKind, name: &str, value: &[u8], error_kind: ErrorKind) {
    let case = format!("{name:?}: {} on {kind}", value.escape_ascii());
    match encode(kind, &[(name, value)]) {
        Ok(head) => panic!("{case} was written: {}", head.escape_ascii()),
        Err(error) => {
            assert_eq!((error.kind(), error.fault()), (error_kind, Fault::Caller), "{case}");
            let field = FieldName::from_name(name).map(FieldName::as_str);
            let field = field.filter(|_| error_kind == ErrorKind::ReservedExtra);
            assert_eq!((error.field(), error.offset()), (field, None), "{case}");
        }
    }
}

fn in_cases(name: &str) -> [String; 3] {
    [name.to_string(), name.to_lowercase(), name.to_uppercase()]
}

/// Returns the fields that are not defined for a message and belong to the transport there.
fn free_fields(kind: MessageKind) -> Vec<FieldName> {
    use FieldName::*;
    let fields: &[FieldName] = match kind {
        MessageKind::Ping => {
            &[SessionId, ContentRange, ContentEncoding, AcceptEncoding, RetryAfter]
        }
        MessageKind::Fragment => &[AcceptEncoding, RetryAfter],
        MessageKind::CreateSession | MessageKind::CloseSession | MessageKind::CancelSession => {
            &[ContentRange, ContentEncoding, AcceptEncoding, RetryAfter]
        }
        MessageKind::PingAck => {
            &[SessionId, ContentName, ContentRange, ContentEncoding, AcceptEncoding, RetryAfter]
        }
        MessageKind::CreateSessionAck => &[ContentName, ContentRange, ContentEncoding, RetryAfter],
        MessageKind::Refusal => &[ContentName, ContentRange, ContentEncoding, AcceptEncoding],
        _ => &[ContentName, ContentRange, ContentEncoding, AcceptEncoding, RetryAfter],
    };
    [fields, &[MethodOverride]].concat()
}

#[test]
fn the_fields_of_a_message_are_reserved_in_any_letter_case() {
    for (kind, field) in
        MessageKind::ALL.iter().flat_map(|kind| FieldName::ALL.iter().map(move |it| (*kind, *it)))
    {
        for name in in_cases(field.as_str()) {
            if free_fields(kind).contains(&field) {
                check_allowed(kind, &name, b"x");
            } else {
                check_refused(kind, &name, b"x", ErrorKind::ReservedExtra);
            }
        }
    }
}

#[test]
fn other_spellings_of_reserved_fields_are_reserved() {
    for name in [
        "BITS-Request-DataEntity-Name",
        "BITS-Response-DataEntity-Name",
        "BITS-Recieved-Content-Range",
    ] {
        for (kind, name) in
            MessageKind::ALL.iter().flat_map(|kind| in_cases(name).map(|name| (*kind, name)))
        {
            check_refused(kind, &name, b"x", ErrorKind::ReservedExtra);
        }
    }
}

#[test]
fn fields_of_the_transport_are_free() {
    for kind in MessageKind::ALL {
        for (name, value) in [
            ("Host", &b"origin.example"[..]),
            ("Accept", b"*/*"),
            ("Connection", b"Keep-Alive"),
            ("connection", b"close"),
            ("Date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
            ("X-Empty", b""),
            ("X-Tab", b"a\tb"),
            ("X-Latin-1", b"caf\xE9"),
            ("X-UTF-8", "ï".as_bytes()),
            ("X-All", b"!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"),
            ("!#$%&'*+-.^_`|~09azAZ", b"a token"),
            ("BITS-Package-Type", b"an unknown field"),
            ("X-Long", &[b'x'; 5000]),
        ] {
            check_allowed(*kind, name, value);
        }
    }
}

#[test]
fn a_name_is_a_token() {
    let marks = b"!#$%&'*+-.^_`|~";
    for byte in 0..0x80_u8 {
        let is_fine = byte.is_ascii_alphanumeric() || marks.contains(&byte);
        let letter = char::from(byte);
        for name in [format!("{letter}"), format!("a{letter}b"), format!("ab{letter}")] {
            if is_fine {
                check_allowed(MessageKind::Ping, &name, b"x");
            } else {
                check_refused(MessageKind::Ping, &name, b"x", ErrorKind::ExtraName);
            }
        }
    }
    for (kind, name) in MessageKind::ALL.iter().flat_map(|kind| {
        ["", "é", "Content-Length ", "Content-Length:", "X: y\r\nContent-Length", "a\r\n", "\r\n"]
            .map(|name| (*kind, name))
    }) {
        check_refused(kind, name, b"9", ErrorKind::ExtraName);
    }
}

#[test]
fn a_value_ends_no_line_and_holds_no_control_character() {
    for byte in 0..=0xFF_u8 {
        let is_fine = byte == b'\t' || (byte >= b' ' && byte != 0x7F);
        for kind in [MessageKind::Fragment, MessageKind::Refusal] {
            if is_fine {
                check_allowed(kind, "X", &[b'a', byte, b'b']);
            } else {
                check_refused(kind, "X", &[b'a', byte, b'b'], ErrorKind::ExtraValue);
                check_refused(kind, "X", &[byte], ErrorKind::ExtraValue);
                check_refused(kind, "X", &[b'a', byte], ErrorKind::ExtraValue);
            }
        }
    }
}

/// Common fields are checked several bytes at a time. An invalid byte is found at any position.
#[test]
fn a_usual_field_is_checked_as_any_other() {
    for length in 1..=40 {
        for name in ["Date", "Host", "Accept", "Server", "Connection", "User-Agent"] {
            let value = vec![b'~'; length];
            check_allowed(MessageKind::Fragment, name, &value);
            for at in 0..length {
                let with = |byte| [&value[..at], &[byte], &value[at + 1..]].concat();
                for byte in [0, b'\n', b'\r', 0x1F, 0x7F] {
                    let value = with(byte);
                    check_refused(MessageKind::Fragment, name, &value, ErrorKind::ExtraValue);
                }
                for byte in [b'!', 0x80, 0xFF] {
                    check_allowed(MessageKind::Fragment, name, &with(byte));
                }
                for byte in [b' ', b'\t'] {
                    if [0, length - 1].contains(&at) {
                        let value = with(byte);
                        check_refused(MessageKind::Fragment, name, &value, ErrorKind::ExtraValue);
                    } else {
                        check_allowed(MessageKind::Fragment, name, &with(byte));
                    }
                }
            }
        }
    }
}

#[test]
fn a_value_cannot_smuggle_another_field_or_message() {
    for (kind, value) in MessageKind::ALL.iter().flat_map(|kind| {
        [
            &b"a\r\nContent-Length: 9"[..],
            b"a\nContent-Length: 9",
            b"a\rContent-Length: 9",
            b"a\r\n\r\nHTTP/1.1 200 OK",
            b"a\r\n b",
            b"a\0",
            b" a",
            b"a ",
            b"\ta",
            b"a\t",
            b" ",
        ]
        .map(|value| (*kind, value))
    }) {
        check_refused(kind, "X", value, ErrorKind::ExtraValue);
    }
}

#[test]
fn every_extra_is_checked() {
    let host = ("Host", &b"h"[..]);
    for (bad, error_kind) in [
        (("Content-Length", &b"9"[..]), ErrorKind::ReservedExtra),
        (("transfer-encoding", b"chunked"), ErrorKind::ReservedExtra),
        (("", b"x"), ErrorKind::ExtraName),
        (("X", b"a\nb"), ErrorKind::ExtraValue),
    ] {
        for extras in [&[bad, host, host][..], &[host, bad, host], &[host, host, bad]] {
            for kind in MessageKind::ALL {
                let error = encode(*kind, extras).map_err(|error| error.kind());
                assert_eq!(error, Err(error_kind), "{extras:?} on {kind}");
            }
        }
    }
}

#[test]
fn there_is_a_message_of_every_kind() {
    for kind in MessageKind::ALL {
        let head = encode(*kind, &[]).unwrap_or_else(|error| panic!("{kind}: {error}"));
        let made = match kind {
            MessageKind::NotificationByReference | MessageKind::NotificationByValue => {
                notification_of(*kind).map(|request| request.kind())
            }
            MessageKind::NotificationResponse => Ok(*kind),
            _ if kind.is_request() => Ok(request_of(*kind).kind()),
            _ => Ok(ack_of(*kind).kind()),
        };
        assert_eq!(made, Ok(*kind));
        assert!(head.ends_with(b"\r\n\r\n"), "{kind}");
    }
}

#[test]
fn a_long_value_is_handed_on_whole() {
    let name = vec![b'n'; 4000];
    let content_name = ContentName::try_from(&*name).ok();
    let ping = Request::from(Ping { content_name });
    let target = RequestTarget::try_from("/e").expect("a target");
    let mut seen = Vec::new();
    let encoder = ping.encode(target, &NO_EXTRAS).expect("it has no extras");
    encoder.for_each_field(|_, value| seen.push(value.to_vec()));
    assert!(seen.contains(&name));
}
