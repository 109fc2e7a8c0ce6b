//! Sessions that the server does not know when they are closed or cancelled, among them those whose
//! Close-Session has lost its response: decision A11.

use crate::support;
use bits_proto::client::{Exchange, State};
use bits_proto::message::Ack;
use support::upload::{
    Client, SESSION_NOT_FOUND, check_exchanges, created, fragment_ack, in_state, pinged, refused,
    refused_with, session_not_found, status,
};

/// Loses the response to a Close-Session, and then rejects the upload.
fn close_without_response(refusal: &Ack<'_>) -> Client {
    let mut client = in_state(State::Close);
    client.disconnect();
    client.wait();
    client.exchange(refusal);
    client.upload.resume().expect("it can be resumed");
    client.with_exchange(&pinged())
}

#[test]
fn a_close_may_have_arrived_although_a_proxy_refuses_the_next_one() {
    let mut client = close_without_response(&refused(413));
    assert_eq!(client.next_action(), "close");
    client.exchange(&session_not_found());
    assert_eq!(client.next_action(), "finished", "the upload does not start over");
}

#[test]
fn a_server_that_refuses_a_close_has_not_closed_the_session() {
    let mut client = close_without_response(&refused_with(403, 0x8007_0005));
    assert_eq!(client.next_action(), "close");
    client.exchange(&session_not_found());
    assert_eq!(client.next_action(), "create");
}

/// A named way to interrupt a close.
type Interruption = (&'static str, fn(&mut Client));

#[test]
fn a11_a_session_that_is_gone_after_a_lost_close_is_closed() {
    let interruptions: [Interruption; 7] = [
        ("broken", Client::disconnect),
        ("late", |it| {
            it.send();
            it.wait();
        }),
        ("refused for now", |it| it.exchange(&refused(503))),
        ("unreadable", |it| {
            it.send();
            it.upload.handle_unreadable(Some(status(200)), it.now).expect("a response is expected");
        }),
        ("paused", |it| {
            it.start_sending();
            it.upload.pause().expect("it can be paused");
        }),
        ("resumed", |it| {
            it.send();
            it.upload.resume().expect("it can be resumed");
        }),
        ("refused by a proxy", |it| {
            it.send();
            it.upload.handle_unreadable(Some(status(502)), it.now).expect("a response is expected");
        }),
    ];
    for (what, interrupt) in interruptions {
        let mut client = Client::fully_received();
        interrupt(&mut client);
        match client.upload.exchange() {
            Exchange::BackOff => drop(client.wait()),
            Exchange::Suspended => client.upload.resume().expect("it can be resumed"),
            _ => {}
        }
        if client.next_action() == "ping" {
            client.exchange(&pinged());
        }
        check_exchanges(&mut client, &[("close", session_not_found())], "finished");
        assert_eq!(client.upload.restarts(), 0, "{what}");
    }
}

#[test]
fn a11_a_session_that_is_gone_at_the_first_close_is_started_over() {
    let quiet: [fn(&mut Client); 4] = [
        |_| {},
        // The request was not sent.
        |it| {
            it.upload.handle_transport_failure(it.now).expect("a request is in flight");
            it.wait();
        },
        // The server responded without closing the session.
        |it| {
            it.exchange(&refused(401));
            it.upload.provide_credentials().expect("credentials are expected");
        },
        |it| {
            it.upload.ping_first().expect("a request is ready");
            it.exchange(&pinged());
        },
    ];
    for prepare in quiet {
        let mut client = Client::fully_received();
        prepare(&mut client);
        check_exchanges(
            &mut client,
            &[("close", session_not_found()), ("create", created())],
            "fragment 0..10",
        );
        assert_eq!(client.upload.restarts(), 1);
    }
    // A lost close of one session does not affect the next session.
    let mut client = Client::fully_received();
    client.disconnect();
    client.upload.resume().expect("it can be resumed");
    let exchanges = [
        ("ping", session_not_found()),
        ("create", created()),
        ("fragment 0..10", fragment_ack(10)),
    ];
    check_exchanges(&mut client, &exchanges, "close");
    check_exchanges(&mut client, &[("close", session_not_found())], "create");
}

#[test]
fn a11_a_session_that_is_gone_is_cancelled() {
    for code in [500, 400, 404] {
        let mut client = in_state(State::Cancel);
        let exchanges = [("cancel", refused_with(code, SESSION_NOT_FOUND))];
        check_exchanges(&mut client, &exchanges, "cancelled");
        assert_eq!(client.upload.restarts(), 0);
    }
}

#[test]
fn a_fatal_refusal_without_a_code_does_not_show_whether_the_session_was_closed() {
    for code in [403, 404] {
        let mut client = Client::fully_received().with_exchange(&refused(code));
        assert_eq!(client.upload.state(), State::Failed, "{code}");
        client.upload.resume().expect("it failed");
        client.exchange(&pinged());
        assert_eq!(client.with_exchange(&session_not_found()).next_action(), "finished", "{code}");
    }
    // The server itself knows: the session exists.
    let mut client = Client::fully_received().with_exchange(&refused_with(403, 0x8007_0005));
    client.upload.resume().expect("it failed");
    client.exchange(&pinged());
    assert_eq!(client.with_exchange(&session_not_found()).next_action(), "create");
}

#[test]
fn a_refused_ping_does_not_show_whether_the_session_was_closed() {
    let mut client = Client::fully_received();
    client.disconnect();
    client.upload.resume().expect("it is in progress");
    client.exchange(&refused_with(403, 0x8007_0005));
    assert_eq!(client.upload.state(), State::Failed);
    client.upload.resume().expect("it failed");
    client.exchange(&pinged());
    assert_eq!(client.with_exchange(&session_not_found()).next_action(), "finished");
}
