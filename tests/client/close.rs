//! A Close-Session whose response does not arrive.

use crate::support;
use bits_proto::client::State;
use bits_proto::message::Ack;
use support::upload::{Client, in_state, pinged, refused, refused_with, session_not_found};

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
