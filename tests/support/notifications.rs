//! Notifications in every state, and a function that triggers any event.
#![allow(dead_code, reason = "each test file uses a part of it")]

use core::time::Duration;

use bits_proto::backend::{
    Event, EventError, Notification, NotificationError, NotificationType, Poll, State, Timeouts,
    Timer,
};
use bits_proto::field::{CopyFileToDestination, StaticResponseUrl};
use bits_proto::http1::StatusCode;
use bits_proto::message::NotificationResponse;

pub const KINDS: [NotificationType; 3] =
    [NotificationType::None, NotificationType::ByReference, NotificationType::ByValue];

/// Start time of all samples. No timeout of the samples is shorter than a test.
pub const NOW: Duration = Duration::from_secs(1_000);

/// Length of every sample's entity.
pub const LENGTH: u64 = 500;

pub const URL: &str = "https://app.example/replies/1";

pub fn new(kind: NotificationType) -> Notification {
    Notification::new(kind, LENGTH, Timeouts::DEFAULT, NOW)
}

/// Checks that all reports are legal.
#[track_caller]
pub fn done<const N: usize>(results: [Result<(), EventError>; N]) {
    for result in results {
        assert!(result.is_ok(), "{result:?}");
    }
}

pub fn status(code: u16) -> StatusCode {
    StatusCode::try_from(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

/// Returns a 200 with a body of unknown length.
pub fn success() -> NotificationResponse<'static> {
    NotificationResponse { content_length: None, ..NotificationResponse::default() }
}

pub fn with_length(length: u64) -> NotificationResponse<'static> {
    NotificationResponse { content_length: Some(length), ..success() }
}

pub fn with_url(response: NotificationResponse<'static>) -> NotificationResponse<'static> {
    let url = StaticResponseUrl::try_from(URL).unwrap_or_else(|error| panic!("{error}"));
    NotificationResponse { static_response_url: Some(url), ..response }
}

pub fn with_copy(response: NotificationResponse<'static>) -> NotificationResponse<'static> {
    let copy = Some(CopyFileToDestination::default());
    NotificationResponse { copy_file_to_destination: copy, ..response }
}

pub fn answering(code: u16) -> NotificationResponse<'static> {
    NotificationResponse { status: status(code), ..success() }
}

pub fn refusing(code: u16) -> NotificationResponse<'static> {
    NotificationResponse { status: status(code), ..NotificationResponse::default() }
}

/// Triggers `event`. Returns `None` if a notification of this kind has no call for it.
///
pub fn occur(it: &mut Notification, event: Event) -> Option<Result<(), EventError>> {
    let by_value = it.kind() == NotificationType::ByValue;
    let by_reference = it.kind() == NotificationType::ByReference;
    let left = match it.poll() {
        Poll::SendData { length, .. } => length,
        _ => 1,
    };
    Some(match event {
        Event::HeadersSent if by_value => it.handle_headers_sent(NOW),
        Event::RequestSent if !by_value => it.handle_headers_sent(NOW),
        Event::HeadersSent | Event::RequestSent => return None,
        Event::DataPiece => it.handle_data_sent(left.min(2) - 1, NOW),
        // If nothing is to be sent, no call is needed.
        Event::DataSent if matches!(it.state(), State::SendData | State::SendRest) => {
            it.handle_data_sent(left, NOW)
        }
        Event::DataSent => return None,
        Event::SuccessByValue if !by_reference => it.handle_response(&success(), NOW),
        Event::SuccessByReference if by_reference => it.handle_response(&success(), NOW),
        Event::SuccessStatic if by_reference => it.handle_response(&with_url(success()), NOW),
        Event::SuccessByValue | Event::SuccessByReference | Event::SuccessStatic => return None,
        Event::ReplyPiece => it.handle_reply_data(3, NOW),
        Event::ReplyReceived => it.handle_reply_end(NOW),
        Event::ReplyLookedUp => it.handle_reply_file(Some(9)),
        Event::Rejected => it.handle_response(&refusing(403), NOW),
        Event::InvalidResponse => it.handle_unreadable(),
        Event::TransportFailure => it.handle_transport_failure(),
        Event::StorageFailure => it.handle_storage_failure(),
        Event::Timeout => {
            // Later, a second timer would be due.
            it.handle_timeout(it.poll_timeout().unwrap_or(Duration::MAX));
            Ok(())
        }
        other => panic!("unknown event {other}"),
    })
}

/// Returns every notification that is reachable within a few events, without duplicates.
pub fn reachable() -> Vec<Notification> {
    let mut found: Vec<Notification> = KINDS.map(new).into();
    let mut next = 0;
    while let Some(from) = found.get(next).copied().filter(|_| next < 200) {
        for event in Event::ALL {
            let mut it = from;
            if let Some(Ok(())) = occur(&mut it, *event) {
                if !found.contains(&it) {
                    found.push(it);
                }
            }
        }
        next += 1;
    }
    found
}

/// All failures, with a status that is passed on.
pub const FAILURES: [NotificationError; 7] = [
    NotificationError::Application(StatusCode::FORBIDDEN),
    NotificationError::InvalidResponse,
    NotificationError::Timeout(Timer::Send),
    NotificationError::Timeout(Timer::Receive),
    NotificationError::Timeout(Timer::ReceiveResponse),
    NotificationError::Transport,
    NotificationError::Storage,
];
