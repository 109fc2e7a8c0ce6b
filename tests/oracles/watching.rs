//! Whatever an observer is told, it says the same of heads and of what another HTTP stack has read.

use bits_proto::error::ErrorKind;
use bits_proto::http1::{Progress, RequestLine, StartLine, StatusLine};
use bits_proto::message::{Head, HeaderSlots};
use bits_proto::observer::{Observer, Violation};

use crate::support::serialize::check_violation;

/// Pieces between NULs, which no message holds: a connection's number, and what comes on it; nothing
/// is its end.
pub fn observe(data: &[u8]) {
    for observer in [Observer::default(), Observer::mid_stream()] {
        let (mut of_heads, mut of_fields) = (observer, observer);
        for piece in data.split(|byte| *byte == 0) {
            let Some((connection, message)) = piece.split_first() else { continue };
            let connection = u32::from(connection % 4);
            if message.is_empty() {
                of_heads.handle_disconnected(connection);
                of_fields.handle_disconnected(connection);
            } else if message.starts_with(b"HTTP/") {
                response(connection, message, [&mut of_heads, &mut of_fields]);
            } else {
                request(connection, message, [&mut of_heads, &mut of_fields]);
            }
            assert_eq!(of_heads, of_fields, "{}", piece.escape_ascii());
            look_at(&of_heads);
        }
    }
}

/// What can be asked about a conversation.
fn look_at(observer: &Observer) {
    let (received, total) = (observer.received(), observer.total());
    assert!(received.zip(total).is_none_or(|(received, total)| received.0 <= total));
}

/// The violation but for its place, which pairs have none of.
fn told(violation: &Violation) -> (&'static str, &'static str, String) {
    check_violation(violation);
    (violation.rule(), violation.section(), format!("{:?}", violation.severity()))
}

/// A head, or what is wrong with it; nothing if it is not all there.
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

fn request(connection: u32, message: &[u8], [of_heads, of_fields]: [&mut Observer; 2]) {
    let (mut by_head, mut by_fields) = (Vec::new(), Vec::new());
    let mut slots = HeaderSlots::new();
    match head::<RequestLine<'_>>(message, &mut slots) {
        None => {
            of_heads.handle_foreign_request(connection);
            of_fields.handle_foreign_request(connection);
        }
        Some(Err(error)) => {
            of_heads.handle_broken_request(connection, &error, |it| by_head.push(told(&it)));
            of_fields.handle_broken_request(connection, &error, |it| by_fields.push(told(&it)));
        }
        Some(Ok(head)) => {
            of_heads.handle_request(connection, &head, |it| by_head.push(told(&it)));
            let fields = head.fields();
            of_fields.handle_request_fields(connection, head.line(), fields, |it| {
                by_fields.push(told(&it));
            });
        }
    }
    assert_eq!(by_head, by_fields, "{}", message.escape_ascii());
}

fn response(connection: u32, message: &[u8], [of_heads, of_fields]: [&mut Observer; 2]) {
    let (mut by_head, mut by_fields) = (Vec::new(), Vec::new());
    let mut slots = HeaderSlots::new();
    match head::<StatusLine<'_>>(message, &mut slots) {
        None => {}
        Some(Err(error)) => {
            of_heads.handle_broken_response(connection, &error, |it| by_head.push(told(&it)));
            of_fields.handle_broken_response(connection, &error, |it| by_fields.push(told(&it)));
        }
        Some(Ok(head)) => {
            of_heads.handle_response(connection, &head, |it| by_head.push(told(&it)));
            let fields = head.fields();
            of_fields.handle_response_fields(connection, head.line(), fields, |it| {
                by_fields.push(told(&it));
            });
        }
    }
    assert_eq!(by_head, by_fields, "{}", message.escape_ascii());
}
