//! Requirements on clients, servers and back-end clients that other tests do not cover: the Ack for each request,
//! the use of an entity's name, invalid responses, and responses of a server application.

use crate::support;
use crate::support::messages;
use std::time::Duration;

use bits_proto::backend::{Notification, NotificationType, Poll, Timeouts};
use bits_proto::client::{self, Exchange, State};
use bits_proto::error::ErrorKind;
use bits_proto::field::{ContentName, Protocol, SessionId};
use bits_proto::http1::{StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, CreateSession, CreateSessionAck, Fragment, MessageKind, NotificationResponse, Request,
};
use bits_proto::server::{Access, HostError, Session};
use messages::{Draft, PROTOCOL};
use support::session::{
    NOTIFYING, NOW, PLAIN, Server, commits, discards, is_cancelled, is_closed, notifies, received,
    refused, stores,
};
use support::upload::{Client, SMALL, cancelled, closed, fragment_ack, in_state};

#[test]
fn every_request_gets_the_ack_of_its_kind() {
    let create = CreateSession::default();
    let (_, ack) =
        Session::create(&create, Access::Granted, &PLAIN, [7; 16], NOW).expect("granted");
    assert_eq!(Ack::from(ack).kind(), MessageKind::CreateSessionAck);
    let kind = |step| support::session::answers(step).ack(None).kind();
    let mut server = Server::new(PLAIN);
    assert_eq!(kind(server.send(support::session::ping())), MessageKind::PingAck);
    let (mut closing, mut cancelling) = (server, server);
    assert_eq!(kind(server.store(0, 9, 20)), MessageKind::FragmentAck);
    assert_eq!(kind(server.store(10, 19, 20)), MessageKind::FragmentAck, "the last one");
    assert_eq!(kind(server.fragment(0, 9, 20)), MessageKind::FragmentAck, "a repeated one");
    let turn = commits(closing.close());
    assert_eq!(kind(closing.committed(turn)), MessageKind::CloseSessionAck);
    let turn = discards(cancelling.cancel()).token;
    assert_eq!(kind(cancelling.discarded(turn)), MessageKind::CancelSessionAck);
}

/// The name that the client sends affects neither the storage nor the responses.
#[test]
fn a_name_changes_nothing_about_a_session() {
    let names = ["report.bin", "../../etc/passwd", r"C:\x", "NUL", "", "caf\u{e9}"];
    let bare = {
        let mut server = Server::new(PLAIN);
        let step = server.fragment(0, 9, 20);
        (step, server.session)
    };
    for name in names {
        let content_name = Some(ContentName::try_from(name).expect("it can be carried"));
        let create = CreateSession { content_name, ..CreateSession::default() };
        let created = Session::create(&create, Access::Granted, &PLAIN, [7; 16], NOW);
        let (session, _) = created.unwrap_or_else(|refusal| panic!("{name}: {refusal:?}"));
        let mut server = Server { session, ..Server::new(PLAIN) };
        let fragment = Fragment {
            content_name,
            ..Fragment::new(session.session_id(), support::session::range(0, 9, 20))
        };
        let step = server.send(Request::from(fragment));
        assert_eq!((step, server.session), bare, "{name}");
        // Another name in the next fragment does not start another entity.
        let asked = stores(step);
        assert_eq!(received(server.stored(asked.token, 10)), 10);
        assert_eq!(received(server.store(10, 19, 20)), 20, "{name}");
    }
}

#[test]
fn the_caller_may_name_the_entity() {
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        let client = in_state(state);
        let client::Poll::Send(transmit) = client.upload.poll() else { panic!("{state}") };
        let mut request = transmit.request();
        assert_eq!(request.content_name(), None, "{state}");
        let name = ContentName::try_from("report.bin").ok();
        match &mut request {
            Request::CreateSession(it) => it.content_name = name,
            Request::Fragment(it) => it.content_name = name,
            _ => continue,
        }
        assert_eq!(request.content_name(), name, "{state}");
    }
}

#[test]
fn every_packet_of_a_session_carries_the_id_it_was_issued() {
    for id in ["{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}", "-7", "abc", "%7B1%7D"] {
        let id = SessionId::try_from(id).expect("a session id");
        let carried = |client: &Client| match client.upload.poll() {
            client::Poll::Send(transmit) => {
                transmit.request().session_id().map(|it| it.as_str().to_string())
            }
            other => panic!("{other:?}"),
        };
        let expected = Some(id.as_str().to_string());
        let created = CreateSessionAck::new(Protocol::BITS_1_5, id).into();
        let mut client = Client::new(20, SMALL);
        assert_eq!(carried(&client), None);
        client.exchange(&created);
        for received in [10, 20] {
            assert_eq!(carried(&client), expected, "a fragment up to {received}");
            client.exchange(&fragment_ack(received));
        }
        let mut cancelling = client;
        assert_eq!(carried(&client), expected, "Close-Session");
        assert_eq!(client.with_exchange(&closed()).next_action(), "finished");
        cancelling.upload.cancel().expect("it can be cancelled");
        assert_eq!(carried(&cancelling), expected, "Cancel-Session");
        assert_eq!(cancelling.with_exchange(&cancelled()).next_action(), "cancelled");
    }
}

/// Returns the valid Ack for the request in a state, and ways to make it invalid.
fn broken_acks(state: State) -> Vec<(Draft, ErrorKind)> {
    let ack = match state {
        State::CreateSession => Draft::create_ack(),
        State::Fragment => Draft::fragment_ack().set("BITS-Received-Content-Range", "10"),
        State::Ping => Draft::ack(),
        _ => Draft::close_ack(),
    };
    let long = "x".repeat(101);
    let mut broken = vec![
        (ack.clone().without("BITS-Packet-Type"), ErrorKind::NotAnAck),
        (ack.clone().set("BITS-Packet-Type", "Fragment"), ErrorKind::WrongPacketType),
        (ack.clone().set("Content-Length", "x"), ErrorKind::NotDecimal),
        (ack.clone().with("Content-Length", "1"), ErrorKind::ContentLengthConflict),
        (ack.clone().line("HTTP/1.1 100 Continue"), ErrorKind::InterimResponse),
        (ack.clone().with("BITS-Packet-Type", "Ping"), ErrorKind::ConflictingField),
    ];
    let other = "{11111111-1111-1111-1111-111111111111}";
    match state {
        State::CreateSession => broken.extend([
            (ack.clone().without("BITS-Session-Id"), ErrorKind::MissingField),
            (ack.clone().set("BITS-Session-Id", long), ErrorKind::TooLong),
            (ack.clone().set("BITS-Protocol", other), ErrorKind::NotOffered),
            (ack.clone().set("BITS-Protocol", &PROTOCOL[1..]), ErrorKind::NotGuid),
            (ack.clone().with("BITS-Host-Id", "host/path"), ErrorKind::NotHost),
        ]),
        State::Fragment => broken.extend([
            (ack.clone().set("BITS-Received-Content-Range", "+10"), ErrorKind::NotDecimal),
            (ack.clone().set("BITS-Received-Content-Range", "11"), ErrorKind::ReceivedBeyondSent),
            (
                ack.clone().without("BITS-Received-Content-Range").line("HTTP/1.1 416 Out of sync"),
                ErrorKind::OutOfSyncWithoutOffset,
            ),
        ]),
        State::Close | State::Cancel => {
            broken.push((ack.set("BITS-Session-Id", "a b"), ErrorKind::InvalidByte));
        }
        _ => {}
    }
    broken
}

#[test]
fn an_answer_that_breaks_the_rules_is_discarded() {
    for state in [State::CreateSession, State::Ping, State::Fragment, State::Close, State::Cancel] {
        for (draft, kind) in broken_acks(state) {
            let mut client = in_state(state);
            let before = client;
            client.send();
            let client::Poll::Send(transmit) = before.upload.poll() else { panic!("{before:?}") };
            let ack_context = transmit.ack_context();
            let read = Ack::from_fields(draft.status_line(), draft.pairs(), &ack_context);
            let error =
                read.map(|decoded| decoded.message.kind()).expect_err(&format!("{draft:?}"));
            assert_eq!(error.kind(), kind, "{state}: {draft:?}");
            let now = client.now;
            let status = Some(draft.status_line().status);
            client.upload.handle_unreadable(status, now).expect("an answer is due");
            assert_eq!(client.states(), (state, Exchange::BackOff), "{draft:?}");
            let progress = |client: &Client| {
                let upload = client.upload;
                let id = upload.session_id().map(|id| id.to_string());
                (upload.received(), id, upload.host().is_some(), upload.restarts())
            };
            assert_eq!(progress(&client), progress(&before), "{draft:?}");
            client.wait();
            assert_eq!(
                client.next_action(),
                before.next_action(),
                "{state}: the same packet is sent again"
            );
        }
    }
}

/// From the application's head to the Ack for the last fragment.
#[test]
fn an_application_whose_answer_cannot_be_read_is_reported_with_411() {
    let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "OK" };
    for fields in [
        [("BITS-Static-Response-URL", "ftp://app.example/reply"), ("Content-Length", "0")],
        [("Content-Length", "5"), ("Content-Length", "6")],
        [("BITS-Static-Response-URL", "http://a/1"), ("BITS-Static-Response-URL", "http://a/2")],
        [("BITS-Copy-File-To-Destination", "1"), ("Content-Length", "x")],
    ] {
        let pairs = fields.map(|(name, value)| (name, value.as_bytes()));
        let read = NotificationResponse::from_fields(line, pairs);
        assert!(read.is_err(), "{fields:?}: {read:?}");
        let now = Duration::from_secs(1);
        let mut notification =
            Notification::new(NotificationType::ByReference, 100, Timeouts::DEFAULT, now);
        notification.handle_headers_sent(now).expect("it is sent");
        assert!(matches!(notification.poll(), Poll::ReceiveHeaders { .. }), "{notification:?}");
        notification.handle_unreadable().expect("a response is expected");
        let Poll::Failed(failed) = notification.poll() else { panic!("{notification:?}") };
        let mut server = Server::new(NOTIFYING);
        let turn = notifies(server.store(0, 99, 100));
        let error = HostError::Application { status: failed.status(), code: Some(failed.code()) };
        assert_eq!(refused(server.failed(turn, error)), (411, Some(0x8007_0057), Some(7)));
    }
}

/// The data of a session are deleted before the Ack that ends it.
#[test]
fn the_end_of_a_session_is_acknowledged_after_its_data_is_deleted() {
    let policy = PLAIN.with_notification(true);
    for cancels in [false, true] {
        let mut server = Server::new(policy);
        let turn = notifies(server.store(0, 99, 100));
        assert_eq!(received(server.notified(turn, support::session::KEPT_REPLY)), 100);
        let step = if cancels {
            server.cancel()
        } else {
            let turn = commits(server.close());
            server.committed(turn)
        };
        let discard = discards(step);
        assert_eq!((discard.entity, discard.reply), (cancels, true));
        let ended = server.discarded(discard.token);
        assert_eq!((is_closed(ended), is_cancelled(ended)), (!cancels, cancels));
        assert_eq!(server.session.state(), bits_proto::server::State::Ended);
    }
}
