//! Uploads to another host, and the fallback when it is unreachable: decision A28. The names of the
//! tests begin with the number.

use crate::support;
use support::upload::{
    Client, SECOND, SMALL, START, check_exchanges, created, fragment_ack, out_of_sync, pinged,
    refused, session_not_found,
};

#[test]
fn a28_after_the_fallback_timeout_the_origin_server_is_used() {
    // Long enough for more failures than the limit of retries.
    let mut client = Client::on_other_host(20, Some(2000));
    assert_eq!(client.upload.poll_timeout(), None, "the timer starts with the first failure");
    client.now += SECOND * 500;
    client.disconnect();
    let expires = client.now + SECOND * 2000;
    let mut failures = 0;
    while client.upload.host().is_some() {
        failures = client.upload.failures().max(failures);
        assert!(client.now < expires);
        match client.next_action().as_str() {
            "wait" => drop(client.wait()),
            other => {
                assert_eq!(other, "fragment 0..10 at node-7.example");
                assert_eq!(client.upload.poll_timeout(), Some(expires));
                let now = client.now;
                client.upload.handle_transport_failure(now).expect("a request is in flight");
            }
        }
    }
    assert!(failures > SMALL.max_retries, "{failures}");
    assert_eq!((client.now, client.upload.failures()), (expires, 0));
    let exchanges =
        [("ping", pinged()), ("fragment 0..10", session_not_found()), ("create", created())];
    check_exchanges(&mut client, &exchanges, "fragment 0..10");
}

#[test]
fn a28_any_ack_stops_the_timer() {
    for ack in [
        fragment_ack(10),
        out_of_sync(0),
        refused(503),
        refused(401),
        session_not_found(),
        refused(403),
    ] {
        let mut client = Client::on_other_host(20, Some(100));
        client.disconnect();
        client.wait();
        assert_eq!(client.upload.poll_timeout(), Some(START + SECOND * 100));
        client.exchange(&ack);
        let mut later = client.upload;
        later.handle_timeout(START + SECOND * 1000);
        assert!(later.host().is_some(), "{ack:?}");
    }
    // So does an Ack for Ping or Create-Session.
    let mut ping = Client::on_other_host(20, Some(100));
    ping.upload.resume().expect("it can be resumed");
    let create = Client::on_other_host(20, Some(100)).with_exchange(&session_not_found());
    for (mut client, ack) in [(ping, pinged()), (create, created())] {
        client.disconnect();
        client.wait();
        assert_eq!(client.upload.poll_timeout(), Some(START + SECOND * 100));
        client.exchange(&ack);
        assert_eq!(client.upload.poll_timeout(), None);
        assert_eq!(client.next_action(), "fragment 0..10 at node-7.example");
    }
    // The next failure starts the timer again, with the same timeout.
    let mut client = Client::on_other_host(20, Some(100));
    client.disconnect();
    client.wait();
    client.exchange(&fragment_ack(10));
    client.now += SECOND * 60;
    let again = client.now;
    client.disconnect();
    client.wait();
    assert_eq!(client.upload.poll_timeout(), Some(again + SECOND * 100));
}

#[test]
fn a28_without_a_fallback_timeout_the_host_is_kept() {
    let mut client = Client::on_other_host(20, None);
    for _ in 0..=SMALL.max_retries {
        client.disconnect();
        client.now += SECOND * 100_000_000;
        client.upload.handle_timeout(client.now);
    }
    assert_eq!(client.next_action(), "suspended: connection to the server failed");
    assert_eq!(client.upload.poll_timeout(), None);
    client.upload.resume().expect("it can be resumed");
    assert_eq!(client.next_action(), "ping at node-7.example");
}

#[test]
fn a28_the_largest_timeout_is_infinite() {
    // [3.1.2.3]: 0xffffffff means infinite. The limit of retries applies, as without a timeout.
    for timeout in [None, Some(u32::MAX)] {
        let mut client = Client::on_other_host(20, timeout);
        for _ in 0..SMALL.max_retries {
            client.disconnect();
            assert!(client.wait() <= SMALL.max_backoff, "{timeout:?}");
        }
        client.disconnect();
        assert_eq!(
            client.next_action(),
            "suspended: connection to the server failed",
            "{timeout:?}"
        );
    }
}

#[test]
fn a28_only_an_unreachable_host_starts_the_timer() {
    let mut client = Client::on_other_host(20, Some(100)).with_exchange(&refused(503));
    client.wait();
    assert_eq!(client.upload.poll_timeout(), None);
    client.send();
    client.upload.handle_unreadable(None, client.now).expect("a response is expected");
    client.wait();
    assert_eq!(client.upload.poll_timeout(), None);
    // The origin server has no fallback timer.
    let mut client = Client::with_session(20, SMALL);
    client.disconnect();
    client.wait();
    assert_eq!(client.upload.poll_timeout(), None);
}

#[test]
fn a28_an_unknown_session_at_the_origin_server_does_not_prove_a_close_at_the_host() {
    let mut client = Client::on_other_host(10, Some(100)).with_exchange(&fragment_ack(10));
    assert_eq!(client.next_action(), "close at node-7.example");
    client.disconnect();
    client.now += SECOND * 100;
    client.upload.handle_timeout(client.now);
    check_exchanges(&mut client, &[("ping", pinged()), ("close", session_not_found())], "create");
}

#[test]
fn a28_the_timer_also_runs_while_a_session_is_created_again() {
    let mut client = Client::on_other_host(10, Some(100)).with_exchange(&session_not_found());
    assert_eq!(client.next_action(), "create at node-7.example");
    client.disconnect();
    client.now += SECOND * 100;
    client.upload.handle_timeout(client.now);
    check_exchanges(&mut client, &[("ping", pinged())], "create");
}
