//! A notification of a server application under any sequence of events.

use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bits_proto::backend::{
    AcceptedStatuses, EventError, Notification, NotificationType, Poll, State, Timeouts,
};
use bits_proto::field::{
    CopyFileToDestination, OriginalRequestUrl, RequestDataFileName, ResponseDataFileName,
    StaticResponseUrl,
};
use bits_proto::http1::StatusCode;
use bits_proto::message::{NotificationResponse, NotifiedEntity};

use crate::support::tally;

/// Maximum number of events of one input.
const MAX_EVENTS: usize = 32;

pub fn notification_steps(data: &[u8]) {
    // An input that ends early has fewer events.
    let _ = notification(&mut Unstructured::new(data));
}

fn notification(input: &mut Unstructured<'_>) -> Result<()> {
    use NotificationType::{ByReference, ByValue, None};
    let kind = *input.choose(&[ByValue, ByValue, ByValue, ByReference, ByReference, None])?;
    let length = *input.choose(&[0, 1, 7, 500, u64::MAX])?;
    let mut now = Duration::from_secs(1_000);
    let accepted_statuses = *input.choose(AcceptedStatuses::ALL)?;
    let mut it = Notification::new(kind, length, Timeouts::default(), now)
        .with_accepted_statuses(accepted_statuses);
    check_requests(&it, kind, length);
    let mut sent = 0;
    for _ in 0..MAX_EVENTS {
        if input.is_empty() {
            break;
        }
        now += Duration::from_secs(*input.choose(&[0, 0, 0, 1, 299, 300])?);
        let before = it;
        let outcome = occur(&mut it, input, now)?;
        match outcome {
            Ok(()) => {}
            Err(error) => {
                tally::note("notification error", &error);
                check_texts(&error);
                // A report at the deadline is too late, and ends the notification.
                assert!(it == before || it.state().is_terminal(), "{before:?}: {error}");
            }
        }
        if before.state().is_terminal() {
            assert_eq!(it, before, "a terminal state does not change");
        }
        if before.is_accepted() {
            assert_eq!(
                it.copy_to_destination(),
                before.copy_to_destination(),
                "it is accepted once"
            );
        }
        assert_eq!(it.is_accepted(), it.copy_to_destination().is_some());
        assert!(!it.is_accepted() || it.state() != State::Error, "an accepted entity cannot fail");
        check(&it, length, &mut sent);
    }
    it.handle_timeout(Duration::MAX);
    assert_eq!(it.poll_timeout(), Option::None, "a timer that is due was not handled");
    Ok(())
}

/// Checks that exactly one kind of request is accepted.
fn check_requests(it: &Notification, kind: NotificationType, length: u64) {
    let url = OriginalRequestUrl::try_from("http://origin.example/e").expect("a URL");
    let request = RequestDataFileName::try_from("/entity").expect("a name");
    let response = ResponseDataFileName::try_from("/reply").expect("a name");
    let by_value = it.request_by_value(url).map(|it| it.entity);
    let by_reference = it.request_by_reference(url, request, response).map(|it| it.entity);
    let of_value = NotifiedEntity::ByValue { content_length: length };
    let of_reference = NotifiedEntity::ByReference { request, response };
    assert_eq!(it.kind(), kind);
    assert_eq!(by_value, (kind == NotificationType::ByValue).then_some(of_value));
    assert_eq!(by_reference, (kind == NotificationType::ByReference).then_some(of_reference));
}

/// Checks the text and the record of an error.
fn check_texts(error: &EventError) {
    let text = error.to_string();
    assert!(!text.is_empty());
    let record = serde_json::to_value(error).expect("a record");
    if let EventError::State(illegal) = error {
        assert_eq!(record["state"]["message"], text);
        assert_eq!(record["state"]["state"], illegal.state.name());
    }
}

fn check(it: &Notification, length: u64, sent: &mut u64) {
    match it.poll() {
        Poll::SendData { offset, length: left, .. } => {
            assert!(offset >= *sent, "no byte is sent twice");
            assert_eq!(offset.checked_add(left), Some(length), "no byte is skipped");
            *sent = offset;
        }
        Poll::Failed(error) => {
            tally::note("notification failure", &error);
            let refusal = error.refusal();
            assert_eq!((refusal.status(), refusal.code()), (error.status(), Some(error.code())));
            assert!(!error.to_string().is_empty());
        }
        _ => {}
    }
    let stored = serde_json::to_string(it).expect("it can be stored");
    assert_eq!(&serde_json::from_str::<Notification>(&stored).expect("and read back"), it);
}

fn occur(
    it: &mut Notification,
    input: &mut Unstructured<'_>,
    now: Duration,
) -> Result<std::result::Result<(), EventError>> {
    let bytes = *input.choose(&[0, 1, 3, 7, 499, 500, u64::MAX])?;
    Ok(match input.int_in_range(0..=11_u8)? {
        0 | 1 => it.handle_headers_sent(now),
        2 | 3 => it.handle_data_sent(bytes, now),
        4 | 5 => it.handle_response(&response(input)?, now),
        6 => it.handle_reply_data(bytes, now),
        7 => it.handle_reply_end(now),
        8 => it.handle_reply_file((bytes != 0).then_some(bytes)),
        9 => it.handle_unreadable(),
        10 if input.arbitrary()? => it.handle_transport_failure(),
        10 => it.handle_storage_failure(),
        _ => {
            let is_due = it.poll_timeout().is_some_and(|deadline| deadline <= now);
            let before = *it;
            it.handle_timeout(now);
            assert_eq!(*it != before, is_due, "{it:?}");
            Ok(())
        }
    })
}

fn response(input: &mut Unstructured<'_>) -> Result<NotificationResponse<'static>> {
    let status = *input.choose(&[200, 200, 200, 201, 204, 205, 403, 500])?;
    let url = StaticResponseUrl::try_from("https://app.example/replies/1").expect("a URL");
    let content_length = *input.choose(&[None, Some(0), Some(7), Some(u64::MAX)])?;
    Ok(NotificationResponse {
        status: StatusCode::try_from(status).expect("a status"),
        content_length: if matches!(status, 204 | 205) { Some(0) } else { content_length },
        static_response_url: input.arbitrary::<bool>()?.then_some(url),
        copy_file_to_destination: input.arbitrary::<bool>()?.then(CopyFileToDestination::default),
    })
}
