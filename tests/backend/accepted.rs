//! Acceptance of the entity by the server application: its statuses, its time, and failures after it.

use crate::support::notifications;
use bits_proto::backend::{
    AcceptedStatuses, Event, EventError, Notification, NotificationError, NotificationType,
    Outcome, Poll, Reply, State, Timer,
};
use bits_proto::http1::{StatusLine, Version};
use bits_proto::message::NotificationResponse;
use bits_proto::state_machine::StateMachine as _;
use notifications::{
    LENGTH, NOW, answering, done, new, occur, reachable, refusing, status, success, with_copy,
    with_length, with_url,
};

/// A failure of the connection or of the caller.
type Fail = fn(&mut Notification) -> Result<(), EventError>;

fn complete(copy_to_destination: bool, reply: Reply) -> Poll {
    Poll::Complete(Outcome::new(copy_to_destination, reply))
}

/// Returns a notification by value that has sent part of the entity.
fn sending() -> Notification {
    let mut it = new(NotificationType::ByValue);
    done([it.handle_headers_sent(NOW), it.handle_data_sent(100, NOW)]);
    it
}

/// Returns a notification whose request was sent.
fn sent(kind: NotificationType) -> Notification {
    let mut it = new(kind);
    done([it.handle_headers_sent(NOW)]);
    if kind == NotificationType::ByValue {
        done([it.handle_data_sent(LENGTH, NOW)]);
    }
    assert_eq!(it.state(), State::ReceiveHeaders);
    it
}

#[test]
fn any_2xx_accepts_the_entity_unless_only_200_does() {
    for kind in [NotificationType::ByValue, NotificationType::ByReference] {
        for code in 100..=999 {
            let response = with_copy(answering(code));
            for (statuses, is_accepted) in [
                (AcceptedStatuses::AnySuccess, code / 100 == 2),
                (AcceptedStatuses::OnlyOk, code == 200),
            ] {
                assert_eq!(statuses.accepts(status(code)), is_accepted, "{code}");
                let mut it = sent(kind).with_accepted_statuses(statuses);
                assert_eq!((it.is_accepted(), it.copy_to_destination()), (false, None));
                done([it.handle_response(&response, NOW)]);
                assert_eq!(it.is_accepted(), is_accepted, "{statuses}: {code}");
                assert_eq!(it.copy_to_destination(), is_accepted.then_some(true));
                let error = NotificationError::Application(status(code));
                assert_eq!(it.poll() == Poll::Failed(error), !is_accepted, "{code}");
            }
        }
    }
    assert!(
        new(NotificationType::ByValue).with_accepted_statuses(AcceptedStatuses::AnySuccess)
            == new(NotificationType::ByValue),
        "the default"
    );
}

#[test]
fn a_response_with_204_or_205_has_no_reply() {
    for code in [204, 205] {
        for field in [None, Some(("Content-Length", "10")), Some(("Transfer-Encoding", "chunked"))]
        {
            let line = StatusLine { version: Version::Http11, status: status(code), reason: "" };
            let fields = field.map(|(name, value)| (name, value.as_bytes()));
            let read = NotificationResponse::from_fields(line, fields).expect("a response");
            let response = read.message;
            assert_eq!(response.content_length, Some(0), "{code} {field:?}");
            let mut it = sent(NotificationType::ByValue);
            done([it.handle_response(&response, NOW)]);
            assert_eq!(it.poll(), complete(false, Reply::None), "{code}");

            let mut it = sent(NotificationType::ByReference);
            done([it.handle_response(&response, NOW), it.handle_reply_file(Some(5))]);
            assert_eq!(it.poll(), complete(false, Reply::File { length: 5 }), "{code}");
        }
    }
    let mut it = sent(NotificationType::ByValue);
    done([it.handle_response(&with_url(refusing(204)), NOW)]);
    assert_eq!(it.poll(), complete(false, Reply::Static));
    // Any other success may have a reply.
    let mut it = sent(NotificationType::ByValue);
    done([it.handle_response(&answering(202), NOW), it.handle_reply_data(3, NOW)]);
    done([it.handle_reply_end(NOW)]);
    assert_eq!(it.poll(), complete(false, Reply::Body { length: 3 }));
}

/// The state error would cause another notification.
#[test]
fn no_event_after_the_acceptance_leads_to_an_error() {
    let mut found = 0;
    for before in reachable().into_iter().filter(Notification::is_accepted) {
        assert_ne!(before.state(), State::Error);
        for event in Event::ALL {
            let mut it = before;
            let _ = occur(&mut it, *event);
            assert_eq!(
                it.copy_to_destination(),
                before.copy_to_destination(),
                "{before:?}: {event}"
            );
        }
        found += 1;
    }
    assert!(found > 10, "{found}");
    for state in [State::SendRest, State::ReceiveData, State::FindReply] {
        let next = Event::ALL.iter().filter_map(|event| state.next(*event));
        assert!(next.clone().count() > 0 && next.into_iter().all(|it| it != State::Error));
    }
}

#[test]
fn a_failure_after_the_acceptance_loses_only_the_reply() {
    let rows: [(Fail, NotificationError); 4] = [
        (|it| it.handle_transport_failure(), NotificationError::Transport),
        (|it| it.handle_storage_failure(), NotificationError::Storage),
        (|it| it.handle_reply_end(NOW), NotificationError::Transport),
        (
            |it| {
                it.handle_timeout(core::time::Duration::MAX);
                Ok(())
            },
            NotificationError::Timeout(Timer::Receive),
        ),
    ];
    for (fail, error) in rows {
        let mut it = sent(NotificationType::ByValue);
        done([it.handle_response(&with_copy(with_length(10)), NOW), it.handle_reply_data(9, NOW)]);
        done([fail(&mut it)]);
        assert_eq!(it.poll(), complete(true, Reply::Lost(error)));
        // A body beside a static URL is not the reply.
        let mut it = sent(NotificationType::ByValue);
        done([it.handle_response(&with_url(with_length(10)), NOW), fail(&mut it)]);
        assert_eq!(it.poll(), complete(false, Reply::Static), "{error}");
    }
    let mut it = sent(NotificationType::ByReference);
    done([it.handle_response(&with_copy(success()), NOW), it.handle_storage_failure()]);
    assert_eq!(it.poll(), complete(true, Reply::Lost(NotificationError::Storage)));
}

#[test]
fn after_an_early_success_the_rest_of_the_entity_is_sent() {
    let mut it = sending();
    done([it.handle_response(&with_copy(with_length(10)), NOW)]);
    assert_eq!((it.state(), it.copy_to_destination()), (State::SendRest, Some(true)));
    let before = it;
    assert!(matches!(it.handle_response(&success(), NOW), Err(EventError::State(_))));
    let too_many = Err(EventError::TooManyBytes { remaining: 400 });
    assert_eq!(it.handle_data_sent(401, NOW), too_many);
    assert_eq!(it, before);
    done([it.handle_data_sent(399, NOW)]);
    assert!(matches!(it.poll(), Poll::SendData { offset: 499, length: 1, .. }), "{it:?}");
    done([it.handle_data_sent(1, NOW)]);
    assert!(matches!(it.poll(), Poll::ReceiveData { remaining: Some(10), keep: true, .. }));
    done([it.handle_reply_data(10, NOW)]);
    assert_eq!(it.poll(), complete(true, Reply::Body { length: 10 }));

    // Without a body, the notification is complete with the last byte.
    let mut it = sending();
    done([it.handle_response(&refusing(204), NOW)]);
    assert!(matches!(it.poll(), Poll::SendData { offset: 100, length: 400, .. }));
    done([it.handle_data_sent(400, NOW)]);
    assert_eq!(it.poll(), complete(false, Reply::None));
}

/// An application may answer without reading the whole entity, and close the connection.
#[test]
fn an_early_success_counts_even_if_the_rest_cannot_be_sent() {
    let fails: [Fail; 2] = [|it| it.handle_transport_failure(), |it| it.handle_storage_failure()];
    for fail in fails {
        let mut it = sending();
        done([it.handle_response(&with_length(3), NOW), fail(&mut it)]);
        assert!(matches!(it.poll(), Poll::ReceiveData { remaining: Some(3), .. }), "{it:?}");
        done([it.handle_reply_data(3, NOW)]);
        assert_eq!(it.poll(), complete(false, Reply::Body { length: 3 }));

        let mut it = sending();
        done([it.handle_response(&with_length(0), NOW), fail(&mut it)]);
        assert_eq!(it.poll(), complete(false, Reply::None));
    }
}

#[test]
fn an_early_refusal_ends_the_notification() {
    let by_value = new(NotificationType::ByValue);
    for before in [by_value, sending(), new(NotificationType::ByReference)] {
        let mut it = before;
        done([it.handle_response(&refusing(503), NOW)]);
        assert_eq!(it.poll(), Poll::Failed(NotificationError::Application(status(503))));
    }
    // Before the head was sent, there is nothing that could be accepted.
    for before in [by_value, new(NotificationType::ByReference)] {
        let mut it = before;
        assert!(matches!(it.handle_response(&success(), NOW), Err(EventError::State(_))));
        assert_eq!(it, before);
    }
}
