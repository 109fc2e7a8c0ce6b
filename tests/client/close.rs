//! A Close-Session whose answer does not arrive: whether it was heard.

use crate::support;
use bits_proto::client::State;
use bits_proto::message::Ack;
use support::upload::{Client, in_state, lost, pinged, refused, refused_with};

/// The answer to a Close-Session is lost, and then something refuses for good.
fn closed_unheard(refusal: &Ack<'_>) -> Client {
    let mut client = in_state(State::Close);
    client.breaks();
    client.wait();
    client.answer(refusal);
    client.upload.resume().expect("it can be resumed");
    client.answered(&pinged())
}

#[test]
fn a_close_may_have_arrived_although_a_proxy_refuses_the_next_one() {
    let mut client = closed_unheard(&refused(413));
    assert_eq!(client.due(), "close");
    client.answer(&lost());
    assert_eq!(client.due(), "finished", "nothing is uploaded twice");
}

#[test]
fn a_server_that_refuses_a_close_has_not_closed_the_session() {
    let mut client = closed_unheard(&refused_with(403, 0x8007_0005));
    assert_eq!(client.due(), "close");
    client.answer(&lost());
    assert_eq!(client.due(), "create");
}
