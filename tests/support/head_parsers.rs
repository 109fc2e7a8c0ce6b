//! Compares the two parsers of a head: the one that users call, which has a fast path, and httparse alone.

use std::fmt::Debug;

use bits_proto::http1::{Framing, Progress, RequestLine, StartLine, StatusLine};
use bits_proto::limits::Limits;
use bits_proto::message::{
    Ack, AckContext, Head, HeaderSlots, NotificationRequest, NotificationResponse, ParseOptions,
    Request,
};
use bits_proto::{Error, download};

/// The maximum number of fields. Inputs have more as well.
const SLOTS: usize = 12;

/// Everything that a complete head consists of; `M` is the messages that are read from it.
#[derive(Debug, PartialEq)]
struct Whole<'b, L, M> {
    line: L,
    len: usize,
    framing: Framing,
    fields: Vec<(&'b str, &'b [u8])>,
    messages: M,
}

/// Evaluates to the result of one parser, with the messages of a complete head.
macro_rules! result {
    ($head:ty, $slots:ident, $parse:ident($bytes:expr, $limits:expr), $read:expr) => {{
        let mut slots = $slots::<SLOTS>::with_capacity();
        match <$head>::$parse($bytes, &mut slots, $limits) {
            Ok(Progress::Complete(head)) => Ok(Progress::Complete(Whole {
                line: head.line(),
                len: head.len(),
                framing: head.framing(),
                fields: head.fields().collect(),
                messages: $read(&head),
            })),
            Ok(Progress::Partial) => Ok(Progress::Partial),
            Err(error) => Err(error),
        }
    }};
}

/// Checks that both parsers have the same result, and returns it.
macro_rules! compare {
    ($head:ty, $slots:ident, $bytes:expr, $limits:expr, $read:expr) => {{
        let fast = result!($head, $slots, parse_with_limits($bytes, $limits), $read);
        let slow = result!($head, $slots, parse_without_fast_path($bytes, $limits), $read);
        assert!(fast == slow, "{}\n{fast:?}\n{slow:?}", $bytes.escape_ascii());
        fast
    }};
}

/// Checks that the result of a parser does not depend on the fast path, for the types of uploads and of downloads:
/// start line, length, framing, fields, every message that is read from the head, and every error.
pub fn assert_equal(bytes: &[u8], limits: &Limits) {
    assert_equal_for_uploads(bytes, limits);
    assert_equal_for_downloads(bytes, limits);
}

pub fn assert_equal_for_uploads(bytes: &[u8], limits: &Limits) {
    if bytes.starts_with(b"HTTP") {
        let parsed = compare!(Head<'_, '_, StatusLine<'_>>, HeaderSlots, bytes, limits, responses);
        assert_fields_of_httparse(bytes, limits, &parsed);
    } else {
        let parsed = compare!(Head<'_, '_, RequestLine<'_>>, HeaderSlots, bytes, limits, requests);
        assert_fields_of_httparse(bytes, limits, &parsed);
    }
}

pub fn assert_equal_for_downloads(bytes: &[u8], limits: &Limits) {
    if bytes.starts_with(b"HTTP") {
        let read = download::Response::from_head;
        let parsed = compare!(download::ResponseHead<'_, '_>, DownloadSlots, bytes, limits, read);
        assert_fields_of_httparse(bytes, limits, &parsed);
    } else {
        let read = download::Request::from_head;
        let parsed = compare!(download::RequestHead<'_, '_>, DownloadSlots, bytes, limits, read);
        assert_fields_of_httparse(bytes, limits, &parsed);
    }
}

use download::HeaderSlots as DownloadSlots;

type Parsed<'b, L, M> = Result<Progress<Whole<'b, L, M>>, Error>;

type Read<M> = Result<bits_proto::message::Decoded<M>, Error>;

fn requests<'b>(
    head: &Head<'_, 'b, RequestLine<'b>>,
) -> (Read<Request<'b>>, Read<NotificationRequest<'b>>) {
    (Request::from_head(head, &ParseOptions::LENIENT), NotificationRequest::from_head(head))
}

fn responses<'b>(
    head: &Head<'_, 'b, StatusLine<'b>>,
) -> (Read<Ack<'b>>, Read<NotificationResponse<'b>>) {
    let context =
        AckContext::Fragment { session_id: None, content_range: None, sent_up_to: Some(300) };
    (Ack::from_head(head, &context), NotificationResponse::from_head(head))
}

/// Checks that a complete head has the fields that httparse finds.
fn assert_fields_of_httparse<'b, L: StartLine<'b> + Debug, M>(
    bytes: &'b [u8],
    limits: &Limits,
    parsed: &Parsed<'b, L, M>,
) {
    let Ok(Progress::Complete(whole)) = parsed else { return };
    let mut slots = [httparse::EMPTY_HEADER; SLOTS];
    let bytes = bytes.get(..limits.head_bytes).unwrap_or(bytes);
    let (status, fields) = if bytes.starts_with(b"HTTP") {
        let mut response = httparse::Response::new(&mut slots);
        (response.parse(bytes), response.headers)
    } else {
        let mut request = httparse::Request::new(&mut slots);
        (request.parse(bytes), request.headers)
    };
    assert_eq!(status, Ok(httparse::Status::Complete(whole.len)));
    let fields: Vec<_> = fields.iter().map(|field| (field.name, field.value)).collect();
    assert_eq!(whole.fields, fields);
}
