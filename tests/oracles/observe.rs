//! An observer finds the same violations in heads and in the fields that another HTTP stack has parsed.

use bits_proto::error::ErrorKind;
use bits_proto::http1::{Progress, RequestLine, StartLine, StatusLine};
use bits_proto::message::{Head, HeaderSlots};
use bits_proto::observer::{Observer, Violation};

use crate::support::serialize::check_violation;

/// The input consists of parts between NULs, which no message contains. Each has the number of its connection,
/// followed by bytes; without bytes, the connection ends. One byte is a missed message, or the end of a body.
pub fn observe(data: &[u8]) {
    for observer in [Observer::default(), Observer::mid_stream()] {
        let (mut from_heads, mut from_fields) = (observer, observer);
        for piece in data.split(|byte| *byte == 0) {
            let Some((connection, message)) = piece.split_first() else { continue };
            let connection = u32::from(connection % 4);
            if message.len() < 2 {
                other_event(
                    connection,
                    message.first().copied(),
                    [&mut from_heads, &mut from_fields],
                );
            } else if message.starts_with(b"HTTP/") {
                response(connection, message, [&mut from_heads, &mut from_fields]);
            } else {
                request(connection, message, [&mut from_heads, &mut from_fields]);
            }
            assert_eq!(from_heads, from_fields, "{}", piece.escape_ascii());
            check_queries(&from_heads);
        }
    }
}

/// Passes an event that is not a message: the end of the connection, a missed request (`>`) or response (`<`),
/// or the end of a body after so many bytes.
fn other_event(connection: u32, event: Option<u8>, observers: [&mut Observer; 2]) {
    let seen = observers.map(|observer| {
        let mut seen = Vec::new();
        match event {
            None => observer.handle_disconnected(connection),
            Some(b'>') => observer.handle_missed_request(connection),
            Some(b'<') => observer.handle_missed_response(connection),
            Some(arrived) => observer.handle_incomplete_request(connection, arrived.into(), |it| {
                seen.push(without_offset(&it));
            }),
        }
        seen
    });
    assert_eq!(seen[0], seen[1]);
}

/// Calls the queries about a conversation.
fn check_queries(observer: &Observer) {
    assert!(size_of_val(observer) <= 2048);
    let (received, total) = (observer.received(), observer.total());
    assert!(received.zip(total).is_none_or(|(received, total)| received.0 <= total));
}

/// Returns a violation without its offset, which pairs do not have.
pub(super) fn without_offset(violation: &Violation) -> (&'static str, &'static str, String) {
    check_violation(violation);
    (violation.rule(), violation.section(), format!("{:?}", violation.severity()))
}

/// Returns a head, its error, or nothing if it is incomplete.
fn head<'h, 'b, L: StartLine<'b>>(
    message: &'b [u8],
    slots: &'h mut HeaderSlots<'b>,
) -> Option<Result<Head<'h, 'b, L>, bits_proto::Error>> {
    match Head::parse(message, slots) {
        Ok(Progress::Complete(head)) => Some(Ok(head)),
        Ok(Progress::Partial) => None,
        Err(error) => {
            assert!(!matches!(error.kind(), ErrorKind::BufferTooSmall { .. }), "{error}");
            Some(Err(error))
        }
    }
}

fn request(connection: u32, message: &[u8], [from_heads, from_fields]: [&mut Observer; 2]) {
    let (mut of_head, mut of_fields) = (Vec::new(), Vec::new());
    let mut slots = HeaderSlots::new();
    match head::<RequestLine<'_>>(message, &mut slots) {
        None => {
            from_heads.handle_unrelated_request(connection);
            from_fields.handle_unrelated_request(connection);
        }
        Some(Err(error)) => {
            from_heads.handle_malformed_request(connection, &error, |it| {
                of_head.push(without_offset(&it))
            });
            from_fields.handle_malformed_request(connection, &error, |it| {
                of_fields.push(without_offset(&it))
            });
        }
        Some(Ok(head)) => {
            from_heads.handle_request(connection, &head, |it| of_head.push(without_offset(&it)));
            let fields = head.fields();
            from_fields.handle_request_fields(connection, head.line(), fields, |it| {
                of_fields.push(without_offset(&it));
            });
        }
    }
    assert_eq!(of_head, of_fields, "{}", message.escape_ascii());
}

fn response(connection: u32, message: &[u8], [from_heads, from_fields]: [&mut Observer; 2]) {
    let (mut of_head, mut of_fields) = (Vec::new(), Vec::new());
    let mut slots = HeaderSlots::new();
    match head::<StatusLine<'_>>(message, &mut slots) {
        None => {}
        Some(Err(error)) => {
            from_heads.handle_malformed_response(connection, &error, |it| {
                of_head.push(without_offset(&it))
            });
            from_fields.handle_malformed_response(connection, &error, |it| {
                of_fields.push(without_offset(&it))
            });
        }
        Some(Ok(head)) => {
            from_heads.handle_response(connection, &head, |it| of_head.push(without_offset(&it)));
            let fields = head.fields();
            from_fields.handle_response_fields(connection, head.line(), fields, |it| {
                of_fields.push(without_offset(&it));
            });
        }
    }
    assert_eq!(of_head, of_fields, "{}", message.escape_ascii());
}
