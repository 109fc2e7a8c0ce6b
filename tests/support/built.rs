//! Checks for every message that can be built: writing and parsing it returns the same message, and no value
//! leaves its field.

use bits_proto::message::{
    Ack, Decoded, ErrorFields, HeaderSlots, NotificationRequest, NotificationResponse,
    ParseOptions, Request,
};

use super::inputs::{OwnedExtras, valid_extras};
use super::read::{
    Message, Pair, any as any_message, is_extra, request_head, response_head, stored, written,
};
use super::specs::Spec;

/// A written head, parsed again.
pub struct ReadBack<'b> {
    pub decoded: Decoded<Message<'b>>,
    pub target: &'b str,
    pub fields: Vec<Pair<'b>>,
}

pub fn read_back<'b>(spec: &Spec, bytes: &'b [u8]) -> ReadBack<'b> {
    let mut slots = HeaderSlots::new();
    let (decoded, len, target, fields) = if spec.is_sent_by_client() {
        let head = request_head("written", bytes, &mut slots);
        let decoded = match spec {
            Spec::Request(_) => any_message(Request::from_head(&head, &ParseOptions::DEFAULT)),
            _ => any_message(NotificationRequest::from_head(&head)),
        };
        let is_notification = NotificationRequest::is_notification(&head.line(), head.fields());
        assert_eq!(is_notification, matches!(spec, Spec::NotificationRequest(_)));
        (decoded, head.len(), head.line().target, head.fields().collect::<Vec<_>>())
    } else {
        let head = response_head("written", bytes, &mut slots);
        let decoded = match spec {
            Spec::Ack(_) => any_message(Ack::from_head(&head, &spec.ack_context())),
            _ => any_message(NotificationResponse::from_head(&head)),
        };
        (decoded, head.len(), "/", head.fields().collect())
    };
    assert_eq!(len, bytes.len(), "the head has no more bytes");
    let decoded = decoded.unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()));
    ReadBack { decoded, target, fields }
}

/// Returns the extras in their order on the wire. A server's extras come first. Of a client's, Accept comes
/// first, Connection last, and the others before Content-Length.
fn in_order<'e>(spec: &Spec, own: &[Pair<'e>], extras: &[Pair<'e>]) -> Vec<Pair<'e>> {
    if !spec.is_sent_by_client() {
        return [extras, own].concat();
    }
    let named =
        |wanted: &'static str| move |(name, _): &&Pair<'e>| name.eq_ignore_ascii_case(wanted);
    let (accept, connection) = (named("accept"), named("connection"));
    let length = own.iter().position(|(name, _)| *name == "Content-Length").expect("a length");
    let (before, after) = own.split_at(length);
    let lead = extras.iter().filter(accept);
    let middle = extras.iter().filter(|extra| !accept(extra) && !connection(extra));
    let trail = extras.iter().filter(connection);
    lead.chain(before).chain(middle).chain(after).chain(trail).copied().collect()
}

pub fn count_line_ends(bytes: &[u8]) -> usize {
    bytes.windows(2).filter(|pair| pair == b"\r\n").count()
}

/// Checks that no value ends its line: the head has as many line ends as lines.
pub fn check_line_ends(bytes: &[u8], fields: usize) {
    assert_eq!(count_line_ends(bytes), fields + 2, "{}", bytes.escape_ascii());
    let controls = |wanted| bytes.iter().filter(|byte| **byte == wanted).count();
    assert_eq!(controls(b'\r'), fields + 2, "{}", bytes.escape_ascii());
    assert_eq!(controls(b'\n'), fields + 2, "{}", bytes.escape_ascii());
    assert_eq!(controls(0), 0, "{}", bytes.escape_ascii());
}

/// Checks that parsing returns the message and its extras, and that it is written again as before.
pub fn check_read_back(spec: &Spec, target: &str, extras: &OwnedExtras, error_fields: ErrorFields) {
    let message = spec.view();
    let kind = message.kind();
    let extras = valid_extras(kind, extras);
    let mut storage = Vec::new();
    let stored_extras = stored(&mut storage, &extras).unwrap();
    let encoder = message.encoder(target, &stored_extras).unwrap();
    let bytes = written(&encoder.with_error_fields(error_fields));
    let found = read_back(spec, &bytes);

    assert_eq!(found.decoded.message, message);
    assert_eq!(found.decoded.deviations, spec.deviations());
    if spec.is_sent_by_client() {
        assert_eq!(found.target, target);
    }
    let own: Vec<_> =
        found.fields.iter().copied().filter(|(name, _)| !is_extra(kind, name)).collect();
    assert_eq!(found.fields, in_order(spec, &own, &extras));
    check_line_ends(&bytes, found.fields.len());
    let found_extras = super::read::extras(kind, &found.fields);
    let mut storage = Vec::new();
    let found_extras = stored(&mut storage, &found_extras).unwrap();
    let again = found.decoded.message.encoder(found.target, &found_extras).unwrap();
    assert_eq!(written(&again.with_error_fields(error_fields)), bytes);
}
