//! A parsed message can be written and is parsed as the same message; writing it again gives the same
//! bytes.

use std::fmt::Debug;

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::field::FieldName;
use bits_proto::http1::{BodyLength, Progress, StartLine, TransferCoding};
use bits_proto::limits::Limits;
use bits_proto::message::{
    Ack, AckContext, Decoded, Failure, Head, HeaderSlots, NotificationRequest,
    NotificationResponse, ParseOptions, Request, RequestHead, ResponseHead,
};

use super::parse::ack_contexts;
use crate::support::inputs::{OwnedExtras, valid_extras};
use crate::support::outputs::check_outputs;
use crate::support::read::{Message, Pair, any, stored};
use crate::support::to_http::check_http;

pub fn roundtrip_request(data: &[u8]) {
    let mut slots = HeaderSlots::default();
    let Ok(Progress::Complete(head)) = RequestHead::parse(data, &mut slots) else { return };
    assert_eq!(Some(head.body_length()), head.framing().content_length.or(Some(0)));
    check_shown(&head);
    for policy in [ParseOptions::DEFAULT, ParseOptions::LENIENT] {
        let Ok(decoded) = any(Request::from_head(&head, &policy)) else { continue };
        check(&decoded, head.line().target, &head.fields().collect::<Vec<_>>(), &|bytes| {
            let mut slots = HeaderSlots::with_capacity();
            let head = again(bytes, &mut slots);
            any(Request::from_head(&head, &ParseOptions::DEFAULT)).map(owned)
        });
    }
}

pub fn roundtrip_ack(data: &[u8]) {
    let mut slots = HeaderSlots::default();
    let Ok(Progress::Complete(head)) = ResponseHead::parse(data, &mut slots) else { return };
    let (status, framing) = (head.line().status, head.framing());
    let expected = match (framing.content_length, framing.transfer_encoding) {
        _ if status.has_no_body() => BodyLength::NoBody,
        (Some(length), None) => BodyLength::Known(length),
        (None, Some(TransferCoding::Chunked)) => BodyLength::Chunked,
        (None, None) if status.get() == 205 => BodyLength::NoBody,
        (None, None) => BodyLength::UntilClose,
        ambiguous => panic!("{ambiguous:?} was accepted"),
    };
    assert_eq!(head.body_length(), expected);
    check_shown(&head);
    for ack_context in ack_contexts() {
        let read = Ack::from_head(&head, &ack_context);
        if read.is_ok_and(|it| is_without_offset(&it.message)) {
            continue;
        }
        let Ok(decoded) = any(read) else { continue };
        check(&decoded, "/", &head.fields().collect::<Vec<_>>(), &|bytes| {
            ack_again(bytes, &ack_context)
        });
    }
}

/// Returns true for a 416 whose offset was unreadable. It is written without an offset, and then no
/// reader accepts it.
fn is_without_offset(ack: &Ack<'_>) -> bool {
    let Ack::Refused(refusal) = ack else { return false };
    refusal.failure() == Failure::Resynchronise && refusal.received().is_none()
}

/// Checks that the displayed fields are those of the head, and that each is found by name.
fn check_shown<'b, L: StartLine<'b>>(head: &Head<'_, 'b, L>) {
    let shown = format!("{:?}", head.fields());
    for (name, value) in head.fields() {
        let value = value.escape_ascii().to_string();
        assert!(shown.contains(&format!("{name:?}: \"{value}\"")), "{shown}");
        let Some(field) = FieldName::from_name(name) else { continue };
        let first = head.fields().find(|(name, _)| FieldName::from_name(name) == Some(field));
        assert_eq!(field.find_in(head.fields()), first.map(|(_, value)| value));
        assert_eq!(field.to_string(), field.as_str());
    }
}

fn ack_again(bytes: &[u8], ack_context: &AckContext<'_>) -> Again {
    let mut slots = HeaderSlots::with_capacity();
    let head = again(bytes, &mut slots);
    any(Ack::from_head(&head, ack_context)).map(owned)
}

pub fn notification_request(data: &[u8]) {
    let mut slots = HeaderSlots::default();
    let Ok(Progress::Complete(head)) = RequestHead::parse(data, &mut slots) else { return };
    let Ok(decoded) = any(NotificationRequest::from_head(&head)) else { return };
    check(&decoded, head.line().target, &head.fields().collect::<Vec<_>>(), &|bytes| {
        let mut slots = HeaderSlots::with_capacity();
        let head = again(bytes, &mut slots);
        any(NotificationRequest::from_head(&head)).map(owned)
    });
}

pub fn notification_response(data: &[u8]) {
    let mut slots = HeaderSlots::default();
    let Ok(Progress::Complete(head)) = ResponseHead::parse(data, &mut slots) else { return };
    let Ok(decoded) = any(NotificationResponse::from_head(&head)) else { return };
    check(&decoded, "/", &head.fields().collect::<Vec<_>>(), &|bytes| {
        let mut slots = HeaderSlots::with_capacity();
        let head = again(bytes, &mut slots);
        any(NotificationResponse::from_head(&head)).map(owned)
    });
}

/// Parses a head that was written. It may exceed the limits slightly: fields that were missing are added, as are
/// spaces after colons.
fn again<'h, 'b, L: StartLine<'b> + Debug>(
    bytes: &'b [u8],
    slots: &'h mut HeaderSlots<'b, 128>,
) -> Head<'h, 'b, L> {
    let limits = Limits::DEFAULT.with_head_bytes(64 << 10).with_fields(128);
    match Head::parse_with_limits(bytes, slots, &limits) {
        Ok(Progress::Complete(head)) => head,
        other => panic!("{other:?} of {}", bytes.escape_ascii()),
    }
}

/// A parsed message: its text, its deviations, and its encoded form.
struct Owned {
    text: String,
    deviations: Deviations,
    bytes: Vec<u8>,
}

type Again = Result<Owned, bits_proto::Error>;

fn owned(decoded: Decoded<Message<'_>>) -> Owned {
    let bytes = decoded.message.encode("/", &[]).expect("a parsed message can be written");
    // Equality of session ids ignores their spelling; the text does not.
    Owned { text: format!("{:?}", decoded.message), deviations: decoded.deviations, bytes }
}

fn check(
    decoded: &Decoded<Message<'_>>,
    target: &str,
    fields: &[Pair<'_>],
    read: &dyn Fn(&[u8]) -> Again,
) {
    let first = owned(*decoded);
    let again = read(&first.bytes);
    let again = again.unwrap_or_else(|error| panic!("{error}: {}", first.bytes.escape_ascii()));
    assert_eq!(again.text, first.text);
    assert_eq!(again.bytes, first.bytes);
    // Details that were unreadable, a code that was zero, and a transfer coding are absent now.
    let mut known = decoded.deviations
        | Deviation::MissingError
        | Deviation::MissingErrorContext
        | Deviation::ContextWithoutError;
    if decoded.deviations.contains(Deviation::ChunkedResponse) {
        known.insert(Deviation::MissingContentLength);
    }
    let new: Vec<_> = (again.deviations - known).iter().collect();
    assert_eq!(new, [], "{}", first.bytes.escape_ascii());

    // Extra fields are written with the message and do not change it.
    let extras: OwnedExtras =
        fields.iter().map(|(name, value)| ((*name).into(), value.to_vec())).collect();
    let extras = valid_extras(decoded.message.kind(), &extras);
    let target = if target.bytes().all(|byte| byte.is_ascii_graphic()) { target } else { "/" };
    let bytes = decoded.message.encode(target, &extras);
    let bytes = bytes.unwrap_or_else(|error| panic!("{error}: {extras:?}"));
    let again = read(&bytes).unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()));
    assert_eq!(again.text, first.text);
    check_ways_out(&decoded.message, target, &extras, &bytes);
}

/// Checks all outputs: the bytes are equal, and so are the fields.
fn check_ways_out(message: &Message<'_>, target: &str, extras: &[Pair<'_>], bytes: &[u8]) {
    let mut storage = Vec::new();
    let stored_extras = stored(&mut storage, extras).expect("it was written");
    let encoder = message.encoder(target, &stored_extras).expect("it was written");
    check_outputs(&encoder, bytes);
    check_http(message, target, extras, bytes);
}
