//! Refusals: order of the checks, codes, and handling of the unread body, one test for each numbered
//! decision. Decisions about the sequence are tested in `decisions.rs`.

use crate::support;
use crate::support::messages::PROTOCOL;
use bits_proto::deviation::Deviation;
use bits_proto::field::{
    HResult, HostId, HostIdFallbackTimeout, Protocol, ReplyUrl, SessionId, SupportedProtocols,
};
use bits_proto::http1::{RequestLine, Version};
use bits_proto::message::{self, Ack, CreateSession, MissingContentLength, PingAck, Request};
use bits_proto::server::{
    Access, Answer, HostError, Policy, Session, SessionHost, State, Step, UnreadBody,
};
use support::session::*;

/// Parses a request with an error and returns the answer to it.
fn read(fields: &[(&str, &str)], requests: message::ParseOptions, body: Option<u64>) -> Answer {
    let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    let error = Request::from_fields(line, fields, &requests).expect_err("cannot be read");
    Answer::for_error(&error, body, &PLAIN.with_requests(requests))
}

fn as_refused(answer: Answer) -> Refused {
    refused(Step::Answer(answer))
}

fn fragment_fields(range: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("BITS-Packet-Type", "Fragment"),
        ("BITS-Session-Id", "1"),
        ("Content-Range", range),
        ("Content-Length", "1"),
    ]
}

#[test]
fn a16_a_missing_length_is_answered_as_the_policy_sets() {
    let close = [("BITS-Packet-Type", "Close-Session"), ("BITS-Session-Id", "1")];
    let fragment = &fragment_fields("bytes 0-0/1")[..3];
    for (missing_content_length, fields, status) in [
        (MissingContentLength::LengthRequired, &close[..], 411),
        (MissingContentLength::BadRequest, &close[..], 400),
        (MissingContentLength::LengthRequired, fragment, 411),
        (MissingContentLength::BadRequest, fragment, 400),
        (MissingContentLength::AcceptOnEmpty, fragment, 411),
    ] {
        let requests =
            message::ParseOptions::DEFAULT.with_missing_content_length(missing_content_length);
        let answer = read(fields, requests, None);
        assert_eq!(as_refused(answer), (status, Some(0x8007_0057), Some(5)));
        assert_eq!(answer.unread_body, UnreadBody::Close, "unknown end of the body");
        assert!(!answer.has_reply_url());
        assert_eq!(read(fields, requests, Some(0)).unread_body, UnreadBody::None);
        let encoded = [fields, &[("Transfer-Encoding", "chunked")]].concat();
        assert_eq!(as_refused(read(&encoded, requests, None)).0, 400);
    }
}

#[test]
fn a16_a_packet_without_a_body_needs_no_length_by_default() {
    let policy = Policy::DEFAULT.requests;
    assert_eq!(policy.missing_content_length, MissingContentLength::AcceptOnEmpty);
    let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    let (id, protocol) = (("BITS-Session-Id", "1"), ("BITS-Supported-Protocols", PROTOCOL));
    for (packet_type, field) in
        [("Ping", id), ("Create-Session", protocol), ("Close-Session", id), ("Cancel-Session", id)]
    {
        let fields = [("BITS-Packet-Type", packet_type), field];
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let decoded = Request::from_fields(line, fields, &policy).expect(packet_type);
        assert_eq!(decoded.message.content_length(), 0, "{packet_type}");
        assert_eq!(decoded.deviations, Deviation::MissingContentLength.into(), "{packet_type}");
    }
}

#[test]
fn a20_session_ids_are_compared_as_guids_and_echoed_as_issued() {
    let issued = "{07070707-0707-4707-8707-070707070707}";
    for spelling in
        [issued, "07070707-0707-4707-8707-070707070707", "{07070707-0707-4707-8707-070707070707}"]
    {
        for spelling in [spelling.to_lowercase(), spelling.to_uppercase()] {
            let mut server = Server::new(PLAIN);
            let id = SessionId::try_from(spelling.as_str()).expect("visible ASCII");
            let store = stores(server.send(fragment(id, 0, 0, 9)));
            let Ack::Fragment(ack) = answers(server.stored(store.token, 1)).ack(None) else {
                panic!("{spelling}")
            };
            assert_eq!(ack.session_id.expect("an id").as_str(), issued, "{spelling}");
        }
    }
    // Hexadecimal digits are compared ignoring case.
    let server = Server::with_random(PLAIN, [0xAB; 16]);
    assert_eq!(server.session.session_id().as_str(), "{ABABABAB-ABAB-4BAB-ABAB-ABABABABABAB}");
    let lower = "abababab-abab-4bab-abab-abababababab";
    let id = SessionId::try_from(lower).expect("visible ASCII");
    assert_eq!(stores({ server }.send(fragment(id, 0, 0, 9))).take, 1);
    for other in ["1", "07070707-0707-4707-8707-070707070708", "{07070707070747078707070707070707"]
    {
        let id = SessionId::try_from(other).expect("visible ASCII");
        let mut server = Server::new(PLAIN);
        assert_eq!(refused(server.send(fragment(id, 0, 0, 9))), NOT_FOUND, "{other}");
    }
}

/// Starts with a request that has every error, and corrects one after the other.
#[test]
fn a23_the_order_of_the_checks() {
    let mut server = Server::new(PLAIN.with_max_entity(500).with_max_fragment(10));
    assert_eq!(received(server.store(0, 9, 100)), 10);
    let other = SessionId::try_from("1").expect("an id");
    let id = server.session.session_id();
    let token = stores(server.fragment(10, 19, 100)).token;
    let before = server.session;
    // Access, session id, work in progress.
    let bad = fragment(other, 50, 10_000, 20_000);
    assert_eq!(refused(server.send_with(bad, Access::Denied)), ACCESS_DENIED);
    assert_eq!(refused(server.send(bad)), NOT_FOUND);
    let bad = fragment(id, 50, 10_000, 20_000);
    assert_eq!(refused(server.send(bad)), BUSY);
    assert_eq!(server.session, before);
    server.disconnected(token);
    // Total, size of the entity, size of the fragment, offset.
    assert_eq!(refused(server.send(bad)), INVALID_ARGUMENT);
    server.policy.max_entity = 99;
    assert_eq!(refused(server.send(fragment(id, 50, 99, 100))), TOO_LARGE);
    server.policy.max_entity = 100;
    assert_eq!(refused(server.send(fragment(id, 50, 99, 100))), TOO_LARGE);
    server.policy.max_fragment = 50;
    assert_eq!(out_of_sync(server.send(fragment(id, 50, 99, 100))), 10);
    // Create-Session: access, protocols, existing entity at the destination.
    let unknown = [Protocol(uuid::Uuid::from_u128(1))];
    let protocols = SupportedProtocols::new(&unknown).expect("one");
    let create = CreateSession { supported_protocols: protocols, ..CreateSession::default() };
    for (create, access, expected) in [
        (create, Access::Denied, ACCESS_DENIED),
        (create, Access::GrantedOverExisting, INVALID_ARGUMENT),
        (CreateSession::default(), Access::GrantedOverExisting, EXISTS),
    ] {
        let refusal = Session::create(&create, access, &PLAIN, [7; 16], NOW).expect_err("refused");
        assert_eq!(in_numbers(&refusal), expected, "{access:?}");
    }
    let overwriting = PLAIN.with_overwrites(true);
    let over = Access::GrantedOverExisting;
    let created = Session::create(&CreateSession::default(), over, &overwriting, [7; 16], NOW);
    assert_eq!(created.expect("overwrites").0.state(), State::Receiving);
    // A request that cannot be parsed is refused before all other checks.
    let answer = read(&fragment_fields("bytes 1-0/2"), message::ParseOptions::DEFAULT, Some(1));
    assert_eq!((as_refused(answer), answer.unread_body), (INVALID_ARGUMENT, UnreadBody::Drain(1)));
}

#[test]
fn a34_a_full_disk_is_reported_as_the_policy_sets() {
    for (disk_full, code) in
        [(HResult::DISK_FULL, 0x8007_0070), (HResult::DISK_FULL_MC_BUP, 0x8007_0112)]
    {
        let mut server = Server::new(PLAIN.with_disk_full(disk_full));
        let store = stores(server.fragment(0, 99, 100));
        assert_eq!(stores(server.stored(store.token, 30)).take, 70);
        let step = server.failed(store.token, HostError::DiskFull);
        assert_eq!(refused(step), (500, Some(code), Some(5)));
        // Only the embedder knows how much of the body it has read.
        assert_eq!(unread_body(step), UnreadBody::Close);
        // Bytes stored before the failure remain received.
        assert_eq!(stores(server.fragment(30, 99, 100)).offset, 30);
    }
    assert_eq!(Policy::DEFAULT.disk_full.get(), 0x8007_0070, "as Windows does");
}

#[test]
fn an_existing_destination_is_reported_as_the_policy_sets() {
    let over = Access::GrantedOverExisting;
    for (policy, code) in [
        (PLAIN, 0x8007_0050),
        (PLAIN.with_destination_exists(HResult::E_ACCESSDENIED), 0x8007_0005),
    ] {
        let create = CreateSession::default();
        let refusal = Session::create(&create, over, &policy, [7; 16], NOW).expect_err("refused");
        assert_eq!(in_numbers(&refusal), (403, Some(code), Some(5)));
        // An entity that another client has published meanwhile.
        let mut server = Server::new(policy);
        assert_eq!(received(server.store(0, 99, 100)), 100);
        let token = commits(server.close());
        let step = server.failed(token, HostError::DestinationExists);
        assert_eq!(refused(step), (403, Some(code), Some(5)));
    }
}

#[test]
fn a37_the_answer_says_how_to_handle_the_body() {
    let mut server = Server::new(PLAIN.with_drain_limit(50));
    for (last, expected) in
        [(49, UnreadBody::Drain(49)), (50, UnreadBody::Drain(50)), (51, UnreadBody::Close)]
    {
        let other = SessionId::try_from("1").expect("an id");
        assert_eq!(unread_body(server.send(fragment(other, 1, last, 100))), expected);
        assert_eq!(unread_body(server.fragment(1, last, 100)), expected);
        let denied = fragment(server.session.session_id(), 1, last, 100);
        assert_eq!(unread_body(server.send_with(denied, Access::Denied)), expected);
        let body = last;
        let not_found = Answer::session_not_found(body, &server.policy);
        assert_eq!((as_refused(not_found), not_found.unread_body), (NOT_FOUND, expected));
    }
    // By default, up to 16 MiB.
    const MAX: u64 = 16 * 1024 * 1024;
    let mut server = Server::new(PLAIN);
    assert_eq!(unread_body(server.fragment(1, MAX, MAX * 2)), UnreadBody::Drain(MAX));
    assert_eq!(unread_body(server.fragment(1, MAX + 1, MAX * 2)), UnreadBody::Close);
    let close = CreateSession::default();
    assert_eq!(unread_body(server.send_with(close.into(), Access::Denied)), UnreadBody::None);
    // Only the embedder knows how much it has read of the bytes to store.
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!(unread_body(server.failed(store.token, HostError::Other)), UnreadBody::Close);
    let store = stores(server.fragment(0, 99, 100));
    assert_eq!(stores(server.stored(store.token, 60)).take, 40);
    assert_eq!(unread_body(server.failed(store.token, HostError::Other)), UnreadBody::Close);
    assert_eq!(unread_body(server.store(60, 99, 100)), UnreadBody::None);
}

/// [MC-BUP] 3.2.5.2.4.
#[test]
fn a_created_session_names_the_host_to_continue_at() {
    let host_id = HostId::try_from("node-7").expect("a name");
    let timeouts = [
        (None, HostIdFallbackTimeout::INFINITE),
        (Some(HostIdFallbackTimeout(60)), HostIdFallbackTimeout(60)),
    ];
    for (fallback_timeout, written) in timeouts {
        let host = Some(SessionHost::new(host_id, fallback_timeout));
        let policy = PLAIN.with_host(host);
        let create = CreateSession::default();
        let created = Session::create(&create, Access::Granted, &policy, [7; 16], NOW);
        let (session, ack) = created.expect("granted");
        assert_eq!((ack.host_id, ack.host_id_fallback_timeout), (Some(host_id), Some(written)));
        assert_eq!((ack.protocol, ack.session_id), (Protocol::BITS_1_5, session.session_id()));
    }
    let created = Session::create(&CreateSession::default(), Access::Granted, &PLAIN, [7; 16], NOW);
    let (_, ack) = created.expect("granted");
    assert_eq!((ack.host_id, ack.host_id_fallback_timeout), (None, None));
}

#[test]
fn a_reply_url_is_sent_only_with_the_ack_for_a_fragment() {
    let url = ReplyUrl::try_from("/reply").expect("a URL");
    for (notified, expected) in [(NO_REPLY, None), (STATIC_REPLY, Some(url))] {
        let mut server = Server::new(NOTIFYING);
        let token = notifies(server.store(0, 99, 100));
        let answer = answers(server.notified(token, notified));
        let Ack::Fragment(ack) = answer.ack(Some(url)) else { panic!("{answer:?}") };
        assert_eq!((ack.reply_url, ack.received.0), (expected, 100));
    }
    // Only the Ack for a fragment has a reply URL.
    assert_eq!(answers(Server::new(PLAIN).send(ping())).ack(Some(url)), PingAck.into());
}
