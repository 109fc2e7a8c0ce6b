//! The states of a notification: its actions, its outcomes and illegal inputs.

use crate::support::notifications;
use std::collections::HashSet;

use bits_proto::backend::{
    Event, EventError, Notification, NotificationError, NotificationType, Outcome, Poll, Reply,
    State, TABLE, Timeouts,
};
use bits_proto::field::{OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use bits_proto::http1::{Progress, RequestTarget};
use bits_proto::message::{
    Encoder, HeaderSlots, NO_EXTRAS, NotificationResponse, RequestHead, ResponseHead,
};
use bits_proto::observer::Observer;
use bits_proto::state_machine::{IllegalEvent, StateMachine};
use notifications::{
    LENGTH, NOW, done, new, occur, reachable, success, with_copy, with_length, with_url,
};

/// The transitions of the pseudo-code in \[MC-BUP\] 3.3.5.2: state, event, next state, section.
const SPECIFICATION: &str = "
    send-headers    request-sent          receive-headers  3.3.5.2.2
    send-headers    headers-sent          send-data        3.3.5.2.2
    send-headers    transport-failure     error            3.3.5.2.2
    send-headers    timeout               error            3.3.6.1
    send-data       storage-failure       error            3.3.5.2.3
    send-data       transport-failure     error            3.3.5.2.3
    send-data       data-sent             receive-headers  3.3.5.2.3
    send-data       timeout               error            3.3.6.1
    receive-headers transport-failure     error            3.3.5.2.4
    receive-headers success-by-reference  find-reply       3.3.5.2.4
    receive-headers success-static        complete         3.3.5.2.4
    receive-headers success-by-value      receive-data     3.3.5.2.4
    receive-headers rejected              error            3.3.5.2.6
    receive-headers invalid-response      error            3.3.5.3.2
    receive-headers timeout               error            3.3.6.2
    receive-data    reply-received        complete         3.3.5.2.5
    find-reply      reply-looked-up       complete         3.3.5.2.6
";

/// Transitions that lead to the state error in the pseudo-code. The application has accepted the entity
/// and must not be notified again, which an error would cause.
const ACCEPTED: &str = "
    receive-data    transport-failure     complete         3.3.5.2.5
    receive-data    storage-failure       complete         3.3.5.2.5
    receive-data    timeout               complete         3.3.6.2
    find-reply      storage-failure       complete         3.3.5.2.6
";

/// Transitions that the pseudo-code does not have: partial data, an entity that cannot be opened, and
/// an application that responds before it received the whole request.
const OURS: &str = "
    send-data       success-by-value      send-rest
    send-rest       data-piece            send-rest
    send-rest       data-sent             receive-data
    send-rest       transport-failure     receive-data
    send-rest       storage-failure       receive-data
    send-rest       timeout               receive-data
    send-headers    storage-failure       error
    send-headers    rejected              error
    send-data       data-piece            send-data
    send-data       rejected              error
    receive-data    reply-piece           receive-data
";

fn by_value() -> Notification {
    new(NotificationType::ByValue)
}

/// Returns a notification by value whose request was sent.
fn sent_by_value() -> Notification {
    let mut it = by_value();
    assert!(matches!(it.handle_headers_sent(NOW).map(|()| it.poll()), Ok(Poll::SendData { .. })));
    assert!(matches!(
        it.handle_data_sent(LENGTH, NOW).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { .. })
    ));
    it
}

/// Returns a notification by reference whose request was sent.
fn sent_by_reference() -> Notification {
    let mut it = new(NotificationType::ByReference);
    assert!(matches!(
        it.handle_headers_sent(NOW).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { .. })
    ));
    it
}

fn complete(copy_to_destination: bool, reply: Reply) -> Result<Poll, EventError> {
    Ok(Poll::Complete(Outcome::new(copy_to_destination, reply)))
}

/// Returns the number of bytes to receive, and whether to keep them.
fn to_receive(action: Result<Poll, EventError>) -> (Option<u64>, bool) {
    match action {
        Ok(Poll::ReceiveData { remaining, keep, .. }) => (remaining, keep),
        action => panic!("{action:?}"),
    }
}

/// Returns the offset and length of the bytes to send.
fn to_send(action: Result<Poll, EventError>) -> (u64, u64) {
    match action {
        Ok(Poll::SendData { offset, length, .. }) => (offset, length),
        action => panic!("{action:?}"),
    }
}

#[test]
fn the_table_matches_the_specification() {
    let rows = [SPECIFICATION, ACCEPTED, OURS]
        .into_iter()
        .flat_map(str::lines)
        .filter(|row| !row.trim().is_empty());
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split_whitespace().collect()).collect();
    let named = |state: &State, event: &Event| {
        let mut found = rows.iter().filter(|row| (row[0], row[1]) == (state.name(), event.name()));
        let next = found.next().map(|row| row[2]);
        assert_eq!(found.next(), None, "{state} {event} has two rows");
        next
    };
    let mut legal = 0;
    for (state, row) in &TABLE {
        for (event, next) in Event::ALL.iter().zip(row) {
            assert_eq!(next.map(State::name), named(state, event), "{state}: {event}");
            assert_eq!(state.next(*event), *next, "{state}: {event}");
            legal += usize::from(next.is_some());
        }
    }
    assert_eq!(legal, rows.len(), "a row has an unknown state or event");
}

#[test]
fn every_event_in_every_state_follows_the_table() {
    let (mut states, mut moves) = (HashSet::new(), HashSet::new());
    for before in reachable() {
        let state = before.state();
        states.insert(state);
        for event in Event::ALL {
            let mut after = before;
            let Some(result) = occur(&mut after, *event) else { continue };
            match (state.next(*event), result) {
                (Some(next), Ok(())) => {
                    assert_eq!(after.state(), next, "{before:?}: {event}");
                    moves.insert((state, *event));
                }
                (None, Ok(())) if *event == Event::Timeout => assert_eq!(after, before),
                (None, Err(EventError::State(illegal))) => {
                    assert_eq!(illegal, IllegalEvent { state, got: *event });
                    assert_eq!(after, before, "{event}");
                    check_text(&illegal);
                }
                (next, result) => panic!("{before:?}: {event}: {next:?}, but {result:?}"),
            }
        }
    }
    assert_eq!(states.len(), State::STATES.len(), "{states:?}");
    let legal = State::STATES.iter().map(|state| state.expected().count()).sum::<usize>();
    assert_eq!(moves.len(), legal, "untested transitions; tested: {moves:?}");
}

/// Checks that the text contains the state, the event and the legal events.
fn check_text(illegal: &IllegalEvent<State>) {
    let text = EventError::State(*illegal).to_string();
    let (head, expected) = text.split_once(", expected ").unwrap_or_else(|| panic!("{text}"));
    assert_eq!(head, format!("{}: got {}", illegal.state, illegal.got));
    let names: Vec<&str> = illegal.state.expected().map(Event::name).collect();
    match names.as_slice() {
        [] => assert_eq!(expected, "nothing"),
        names => assert_eq!(expected, format!("one of {}", names.join(", "))),
    }
}

#[test]
fn terminal_states_accept_no_event() {
    for state in State::ALL {
        assert_eq!(state.is_terminal(), state.expected().next().is_none(), "{state}");
    }
}

#[test]
fn without_an_application_a_notification_is_complete_at_once() {
    let it = new(NotificationType::None);
    assert_eq!(Ok(it.poll()), complete(true, Reply::None));
    assert_eq!((it.poll_timeout(), it.kind()), (None, NotificationType::None));
}

#[test]
fn by_value_the_entity_is_sent_in_parts_of_any_length() {
    for part in [1, 7, 499, 500] {
        let mut it = by_value();
        let mut action = it.handle_headers_sent(NOW).map(|()| it.poll());
        let mut sent = 0;
        while sent < LENGTH {
            assert_eq!(to_send(action), (sent, LENGTH - sent));
            let bytes = part.min(LENGTH - sent);
            action = it.handle_data_sent(bytes, NOW).map(|()| it.poll());
            sent += bytes;
        }
        assert!(matches!(action, Ok(Poll::ReceiveHeaders { .. })), "{action:?}");
    }
}

#[test]
fn an_empty_entity_is_sent_with_its_head() {
    let mut it = Notification::new(NotificationType::ByValue, 0, Timeouts::DEFAULT, NOW);
    assert!(matches!(
        it.handle_headers_sent(NOW).map(|()| it.poll()),
        Ok(Poll::ReceiveHeaders { .. })
    ));
}

#[test]
fn sent_bytes_cannot_exceed_the_entity() {
    let mut it = by_value();
    assert_eq!(to_send(it.handle_headers_sent(NOW).map(|()| it.poll())), (0, 500));
    assert_eq!(to_send(it.handle_data_sent(200, NOW).map(|()| it.poll())), (200, 300));
    let before = it;
    for bytes in [301, u64::MAX] {
        assert_eq!(
            it.handle_data_sent(bytes, NOW),
            Err(EventError::TooManyBytes { remaining: 300 })
        );
        assert_eq!(it, before);
    }
    assert_eq!(to_send(it.handle_data_sent(0, NOW).map(|()| it.poll())), (200, 300));
    let text = EventError::TooManyBytes { remaining: 300 }.to_string();
    assert_eq!(text, "reported byte count exceeds the remaining 300");
}

#[test]
fn by_value_the_reply_is_the_body() {
    for copy in [false, true] {
        let with = |response| if copy { with_copy(response) } else { response };
        let mut it = sent_by_value();
        assert_eq!(
            to_receive(it.handle_response(&with(with_length(10)), NOW).map(|()| it.poll())),
            (Some(10), true)
        );
        assert_eq!(to_receive(it.handle_reply_data(4, NOW).map(|()| it.poll())), (Some(6), true));
        assert_eq!(to_receive(it.handle_reply_data(0, NOW).map(|()| it.poll())), (Some(6), true));
        assert_eq!(
            it.handle_reply_data(6, NOW).map(|()| it.poll()),
            complete(copy, Reply::Body { length: 10 })
        );

        let mut it = sent_by_value();
        assert_eq!(
            to_receive(it.handle_response(&with(success()), NOW).map(|()| it.poll())),
            (None, true)
        );
        assert_eq!(to_receive(it.handle_reply_data(4, NOW).map(|()| it.poll())), (None, true));
        assert_eq!(to_receive(it.handle_reply_data(5, NOW).map(|()| it.poll())), (None, true));
        assert_eq!(
            it.handle_reply_end(NOW).map(|()| it.poll()),
            complete(copy, Reply::Body { length: 9 })
        );
    }
}

#[test]
fn the_observer_finds_no_violation_in_a_notification() {
    let url = OriginalRequestUrl::try_from("http://origin.example/e").expect("a URL");
    let file = RequestDataFileName::try_from(r"C:\entity").expect("a name");
    let reply = ResponseDataFileName::try_from(r"C:\reply").expect("a name");
    let by_reference = new(NotificationType::ByReference).request_by_reference(url, file, reply);
    let requests = [by_reference, by_value().request_by_value(url)];
    let answers = [with_length(0), with_url(with_length(0)), with_copy(with_length(0))];
    let mut observer = Observer::mid_stream();
    for (connection, request) in (1..).zip(requests) {
        for answer in &answers {
            let target = RequestTarget::try_from("/application").expect("a target");
            let request = request.expect("a request of this type");
            let bytes = encoded(&request.encode(target, &NO_EXTRAS).expect("a request"));
            let mut slots = HeaderSlots::new();
            let head = RequestHead::parse(&bytes, &mut slots).map(Progress::complete);
            let head = head.expect("a head").expect("complete");
            observer.handle_request(connection, &head, |violation| panic!("{violation}"));
            let bytes = encoded(&answer.encode(&NO_EXTRAS).expect("an answer"));
            let mut slots = HeaderSlots::new();
            let head = ResponseHead::parse(&bytes, &mut slots).map(Progress::complete);
            let head = head.expect("a head").expect("complete");
            observer.handle_response(connection, &head, |violation| panic!("{violation}"));
        }
    }
}

fn encoded(encoder: &Encoder<'_>) -> Vec<u8> {
    let mut bytes = vec![0; encoder.encoded_len()];
    encoder.write(&mut bytes).expect("enough space");
    bytes
}

#[test]
fn by_value_an_empty_body_is_not_a_reply() {
    for copy in [false, true] {
        let with = |response| if copy { with_copy(response) } else { response };
        let mut it = sent_by_value();
        let action = it.handle_response(&with(with_length(0)), NOW).map(|()| it.poll());
        assert_eq!(action, complete(copy, Reply::None));

        let mut it = sent_by_value();
        assert_eq!(
            to_receive(it.handle_response(&with(success()), NOW).map(|()| it.poll())),
            (None, true)
        );
        assert_eq!(it.handle_reply_end(NOW).map(|()| it.poll()), complete(copy, Reply::None));
    }
}

#[test]
fn by_value_a_body_beside_a_static_url_is_discarded() {
    for (copy, length) in [(false, Some(3)), (true, Some(3)), (false, None), (true, None)] {
        let response = with_url(NotificationResponse { content_length: length, ..success() });
        let response = if copy { with_copy(response) } else { response };
        let mut it = sent_by_value();
        assert_eq!(
            to_receive(it.handle_response(&response, NOW).map(|()| it.poll())),
            (length, false)
        );
        let mut action = it.handle_reply_data(3, NOW).map(|()| it.poll());
        if length.is_none() {
            action = it.handle_reply_end(NOW).map(|()| it.poll());
        }
        assert_eq!(action, complete(copy, Reply::Static));
    }
    let mut it = sent_by_value();
    let action = it.handle_response(&with_url(with_length(0)), NOW).map(|()| it.poll());
    assert_eq!(action, complete(false, Reply::Static));
}

#[test]
fn a_body_that_is_too_short_loses_the_reply() {
    let lost = Reply::Lost(NotificationError::Transport);
    for (response, reply) in [(with_length(10), lost), (with_url(with_length(10)), Reply::Static)] {
        let mut it = sent_by_value();
        done([it.handle_response(&response, NOW), it.handle_reply_data(9, NOW)]);
        assert_eq!(it.handle_reply_end(NOW).map(|()| it.poll()), complete(false, reply));
    }
}

#[test]
fn received_bytes_cannot_exceed_content_length() {
    let mut it = sent_by_value();
    done([it.handle_response(&with_length(10), NOW), it.handle_reply_data(4, NOW)]);
    let before = it;
    for bytes in [7, u64::MAX] {
        assert_eq!(
            it.handle_reply_data(bytes, NOW),
            Err(EventError::TooManyBytes { remaining: 6 })
        );
        assert_eq!(it, before);
    }
}

#[test]
fn the_length_of_a_body_cannot_overflow() {
    let mut it = sent_by_value();
    done([it.handle_response(&success(), NOW), it.handle_reply_data(u64::MAX - 1, NOW)]);
    let before = it;
    assert_eq!(it.handle_reply_data(2, NOW), Err(EventError::TooManyBytes { remaining: 1 }));
    assert_eq!(it, before);
    done([it.handle_reply_data(1, NOW)]);
    assert_eq!(
        it.handle_reply_end(NOW).map(|()| it.poll()),
        complete(false, Reply::Body { length: u64::MAX })
    );
}

#[test]
fn by_reference_the_reply_is_the_file() {
    // By reference, a body of any length is not the reply.
    for response in [success(), with_length(0), with_length(77)] {
        for (file, reply) in [
            (None, Reply::None),
            (Some(0), Reply::File { length: 0 }),
            (Some(5), Reply::File { length: 5 }),
        ] {
            let mut it = sent_by_reference();
            assert_eq!(it.handle_response(&response, NOW).map(|()| it.poll()), Ok(Poll::FindReply));
            assert_eq!(it.poll_timeout(), None);
            assert_eq!(it.handle_reply_file(file).map(|()| it.poll()), complete(false, reply));

            let mut it = sent_by_reference();
            assert_eq!(
                it.handle_response(&with_copy(response), NOW).map(|()| it.poll()),
                Ok(Poll::FindReply)
            );
            assert_eq!(it.handle_reply_file(file).map(|()| it.poll()), complete(true, reply));
        }
    }
}

#[test]
fn by_reference_a_static_url_is_the_reply() {
    for response in [success(), with_length(0), with_length(77)] {
        let response = with_url(response);
        let mut it = sent_by_reference();
        let action = it.handle_response(&response, NOW).map(|()| it.poll());
        assert_eq!(action, complete(false, Reply::Static));
        let mut it = sent_by_reference();
        let action = it.handle_response(&with_copy(response), NOW).map(|()| it.poll());
        assert_eq!(action, complete(true, Reply::Static));
    }
}
