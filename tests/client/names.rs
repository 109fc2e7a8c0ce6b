//! The name of the entity in requests.

use crate::support;
use bits_proto::client::Poll;
use bits_proto::field::ContentName;
use support::upload::{Client, SMALL, created, created_on, fragment_ack, pinged, refused};

/// Returns the name in the next request of a caller that gives one.
fn sent_name(client: &Client) -> Option<String> {
    let Poll::Send(transmit) = client.upload.poll() else { panic!("{client:?}") };
    let name = ContentName::try_from("report.bin").expect("a name");
    assert_eq!(transmit.request().content_name(), None, "{client:?}");
    transmit.request_with_name(name).content_name().map(|name| name.to_string())
}

#[test]
fn every_fragment_carries_the_name_and_no_other_packet_does() {
    let mut client = Client::new(20, SMALL);
    assert_eq!(sent_name(&client), None, "Create-Session");
    client.exchange(&created());
    for offset in [10, 20] {
        assert_eq!(sent_name(&client).as_deref(), Some("report.bin"), "before {offset}");
        client.exchange(&fragment_ack(offset));
    }
    assert_eq!((client.next_action().as_str(), sent_name(&client)), ("close", None));
    client.upload.cancel().expect("a session");
    assert_eq!((client.next_action().as_str(), sent_name(&client)), ("cancel", None));
}

#[test]
fn create_session_carries_the_name_by_option() {
    let mut client = Client::new(20, SMALL.with_name_on_create(true));
    assert_eq!(sent_name(&client).as_deref(), Some("report.bin"));
    client.exchange(&created_on(support::upload::HOST, None));
    assert_eq!((client.next_action().starts_with("ping"), sent_name(&client)), (true, None));
    assert_eq!(sent_name(&client.with_exchange(&pinged())).as_deref(), Some("report.bin"));
}

#[test]
fn the_name_survives_failures_and_a_new_start() {
    let mut client = Client::new(20, SMALL).with_exchange(&created()).with_exchange(&refused(403));
    client.upload.restart().expect("it failed");
    assert_eq!(sent_name(&client.with_exchange(&created())).as_deref(), Some("report.bin"));
}
