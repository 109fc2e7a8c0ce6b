//! One case for every kind of error: the field, the place, the section, whose fault, and at which
//! stage of checking.

mod common;

use bits_proto::Error;
use bits_proto::error::{ErrorKind, Fault, Stage};
use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, HResult, HostId, HostIdFallbackTimeout, PacketType,
    Protocol, ReceivedContentRange, ReplyUrl, SessionId, StaticResponseUrl, SupportedProtocols,
};
use bits_proto::head::{RequestHead, Slots, Status, Target};
use bits_proto::limits::Limits;
use bits_proto::message::{
    AbsentLength, Ack, FragmentAck, NO_EXTRAS, Ping, PingAck, Policy, Refusal, Request,
};
use common::{SESSION, asked, head, ok, post, read_ack, read_notification, read_request};

/// An input, the error it gives, and the error expected.
type Case = (Vec<u8>, Error, Expected);

/// What is expected of one error.
struct Expected {
    kind: ErrorKind,
    field: Option<&'static str>,
    section: &'static str,
    fault: Fault,
    stage: Stage,
    /// The text that the offset points to; `None` where there is no offset.
    at: Option<&'static str>,
}

const fn http(kind: ErrorKind, at: &'static str) -> Expected {
    let (field, section, fault) = (None, "2.2.1", Fault::PeerBytes);
    Expected { kind, field, section, fault, stage: Stage::Http, at: Some(at) }
}

const fn peer(
    kind: ErrorKind,
    field: &'static str,
    section: &'static str,
    stage: Stage,
    at: &'static str,
) -> Expected {
    Expected { kind, field: Some(field), section, fault: Fault::PeerBytes, stage, at: Some(at) }
}

const fn caller(kind: ErrorKind, section: &'static str) -> Expected {
    let (field, fault, stage) = (None, Fault::Caller, Stage::Packet);
    Expected { kind, field, section, fault, stage, at: None }
}

#[track_caller]
fn check(input: &[u8], error: Error, expected: &Expected) {
    let kind = expected.kind;
    assert_eq!(error.kind(), kind, "{}", input.escape_ascii());
    assert_eq!(error.field(), expected.field, "{kind:?}");
    assert_eq!(error.section(), expected.section, "{kind:?}");
    assert_eq!(error.fault(), expected.fault, "{kind:?}");
    assert_eq!(error.stage(), expected.stage, "{kind:?}");
    match (expected.at, error.offset()) {
        (Some(at), Some(offset)) => {
            let rest = input[offset..].escape_ascii().to_string();
            assert!(
                rest.starts_with(&at.as_bytes().escape_ascii().to_string()),
                "{kind:?} points to {rest}"
            );
        }
        (None, None) => {}
        (at, offset) => panic!("{kind:?}: expected {at:?}, found {offset:?}"),
    }
    let text = error.to_string();
    assert!(text.contains(&kind.to_string()) && text.contains(expected.section), "{text}");
    assert!(error.field().is_none_or(|field| text.starts_with(field)), "{text}");
}

fn request_error(bytes: &[u8]) -> Error {
    read_request(bytes, &Policy::DEFAULT).expect_err("a refused request")
}

fn fragment(fields: &[&str]) -> Vec<u8> {
    let session = format!("BITS-Session-Id: {SESSION}");
    post(&[&["BITS-Packet-Type: Fragment", &session], fields].concat())
}

fn errors_of_heads() -> Vec<Case> {
    use ErrorKind::{
        BareLineFeed, ContentLengthConflict, HeadTooLarge, HttpVersion, NotDecimal, NumberTooLarge,
        Syntax, TooManyFields, TransferEncoding,
    };
    let length = |kind, at| peer(kind, "Content-Length", "2.2.1.1", Stage::Http, at);
    let many: Vec<String> = (0..65).map(|index| format!("F{index}: 1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let cases: Vec<(Vec<u8>, Expected)> = vec![
        (post(&["Bad name: 1"]), http(Syntax, " name")),
        (post(&["Space : 1"]), http(Syntax, " : 1")),
        (post(&["A: 1", " folded"]), http(Syntax, " folded")),
        (post(&["A: \0"]), http(Syntax, "\0")),
        (b"BITS_POST /e HTTP/1.1\r\nA: 1\nB: 2\r\n\r\n".into(), http(BareLineFeed, "\nB")),
        (b"BITS_POST /e HTTP/1.1\nA: 1\r\n\r\n".into(), http(BareLineFeed, "\nA")),
        (b"BITS_POST /e HTTP/1.1\r\nA: 1\n\r\n".into(), http(BareLineFeed, "\n\r\n")),
        (b"BITS_POST /e HTTP/1.1\r\nA: 1\r\n\n".into(), http(BareLineFeed, "\n")),
        (b"\nBITS_POST /e HTTP/1.1\r\n\r\n".into(), http(BareLineFeed, "\nBITS")),
        (b"BITS_POST /e HTTP/2.0\r\n\r\n".into(), http(HttpVersion, "2.0\r\n")),
        (post(&many), http(TooManyFields, "\n\r\n")),
        (
            post(&["Transfer-Encoding: chunked"]),
            peer(TransferEncoding, "Transfer-Encoding", "2.2.1", Stage::Http, "Transfer"),
        ),
        (post(&["Content-Length: +5"]), length(NotDecimal, "+5")),
        (post(&["Content-Length: 5, 5"]), length(NotDecimal, ", 5")),
        (post(&["Content-Length:"]), length(NotDecimal, "\r\n")),
        (post(&["Content-Length: 18446744073709551616"]), length(NumberTooLarge, "1844")),
        (post(&["Content-Length: 5", "content-length: 6"]), length(ContentLengthConflict, "6")),
    ];
    let mut cases = refused_requests(cases);
    let bytes = post(&["A: 1"]);
    let limits = Limits { head_bytes: bytes.len() - 1, ..Limits::DEFAULT };
    let mut slots = Slots::new();
    let error = RequestHead::parse_within(&bytes, &mut slots, &limits).expect_err("too large");
    cases.push((bytes.clone(), error, http(HeadTooLarge, "\n")));
    cases
}

fn refused_requests(cases: Vec<(Vec<u8>, Expected)>) -> Vec<Case> {
    let refused = |(bytes, expected): (Vec<u8>, Expected)| {
        let error = request_error(&bytes);
        (bytes, error, expected)
    };
    cases.into_iter().map(refused).collect()
}

fn errors_of_requests() -> Vec<Case> {
    use ErrorKind::{
        ConflictingField, HttpVersion, LengthMismatch, MissingField, NotBits, NotPost,
        UnexpectedBody, UnknownPacketType, UnsupportedEncoding, ValueTooLong,
    };
    let packet_type = |kind, at| peer(kind, "BITS-Packet-Type", "2.2.1.2", Stage::PacketType, at);
    let length = |kind, stage, at| peer(kind, "Content-Length", "2.2.1.1", stage, at);
    let method = |kind, at| Expected { stage: Stage::Method, ..http(kind, at) };
    let ping = "BITS-Packet-Type: Ping";
    let long = format!("A: {}", "x".repeat(4097));
    let cases: Vec<(Vec<u8>, Expected)> = vec![
        (head(&["BITS_POST /e HTTP/1.0", ping]), http(HttpVersion, "BITS_POST")),
        (head(&["bits_post /e HTTP/1.1", ping]), method(NotBits, "bits_post")),
        (post(&["Host: h"]), packet_type(MissingField, "\r\n")),
        (post(&["BITS-Packet-Type: Pong"]), packet_type(UnknownPacketType, "Pong")),
        (post(&["BITS-Packet-Type: Ack"]), packet_type(UnknownPacketType, "Ack")),
        (post(&["BITS-Packet-Type:"]), packet_type(UnknownPacketType, "\r\n")),
        (post(&[ping, &long]), Expected { stage: Stage::Limits, ..http(ValueTooLong, "xxx") }),
        (
            post(&[ping, "BITS-Session-Id: 1", "BITS-Session-Id: 2"]),
            peer(ConflictingField, "BITS-Session-Id", "2.2.1.2", Stage::Limits, "2"),
        ),
        (post(&[ping]), length(MissingField, Stage::Length, "\r\n")),
        (post(&[ping, "Content-Length: 1"]), length(UnexpectedBody, Stage::Length, "1")),
        (
            post(&["BITS-Packet-Type: Fragment", "Content-Length: 1"]),
            peer(MissingField, "BITS-Session-Id", "2.2.1.2", Stage::Session, "\r\n"),
        ),
        (
            fragment(&["Content-Length: 2"]),
            peer(MissingField, "Content-Range", "2.2.6.1", Stage::Packet, "\r\n"),
        ),
        (
            fragment(&["Content-Range: bytes 0-1/2", "Content-Length: 3"]),
            length(LengthMismatch, Stage::Packet, "3"),
        ),
        (
            fragment(&["Content-Range: bytes 0-0/2", "Content-Length: 1", "Content-Encoding: br"]),
            peer(UnsupportedEncoding, "Content-Encoding", "2.2.6.1", Stage::Packet, "br"),
        ),
    ];
    let mut cases = refused_requests(cases);
    let bytes = head(&["PUT /e HTTP/1.1", "BITS-Original-Request-URL: u"]);
    let error = read_notification(&bytes).expect_err("no notification");
    cases.push((bytes.clone(), error, method(NotPost, "PUT")));
    cases
}

fn errors_of_acks() -> Vec<Case> {
    use ErrorKind::{
        InterimResponse, NotAnAck, NotOffered, OutOfSyncWithoutOffset, ReceivedBeyondSent,
        WrongPacketType,
    };
    let ack = "BITS-Packet-Type: Ack";
    let packet_type = |kind, at| peer(kind, "BITS-Packet-Type", "2.2.1.2", Stage::Packet, at);
    let received =
        |kind, at| peer(kind, "BITS-Received-Content-Range", "2.2.7.2", Stage::Packet, at);
    let behaviour = |expected| Expected { fault: Fault::PeerBehaviour, ..expected };
    let other = "BITS-Protocol: {11111111-1111-1111-1111-111111111111}";
    let out_of_sync = "HTTP/1.1 416 Out of Sync";
    let cases: Vec<(Vec<u8>, &str, Expected)> = vec![
        (ok(&["Content-Length: 0"]), "ping", packet_type(NotAnAck, "\r\n")),
        (ok(&["BITS-Packet-Type: Ping"]), "ping", packet_type(WrongPacketType, "Ping")),
        (
            head(&["HTTP/1.1 100 Continue"]),
            "ping",
            Expected { stage: Stage::Packet, ..http(InterimResponse, "HTTP") },
        ),
        (
            ok(&[ack, other, "BITS-Session-Id: 1"]),
            "create",
            behaviour(peer(NotOffered, "BITS-Protocol", "2.2.3.2", Stage::Packet, "{1111")),
        ),
        (
            ok(&[ack, "BITS-Received-Content-Range: 101"]),
            "fragment",
            behaviour(received(ReceivedBeyondSent, "101")),
        ),
        (
            head(&[out_of_sync, ack, "BITS-Received-Content-Range: 201"]),
            "fragment",
            behaviour(received(ReceivedBeyondSent, "201")),
        ),
        (head(&[out_of_sync, ack]), "fragment", received(OutOfSyncWithoutOffset, "\r\n")),
        (head(&[out_of_sync]), "fragment", received(OutOfSyncWithoutOffset, "\r\n")),
    ];
    let refused = |(bytes, request, expected): (Vec<u8>, &str, Expected)| {
        let error = read_ack(&bytes, &asked(request)).expect_err("a refused Ack");
        (bytes, error, expected)
    };
    cases.into_iter().map(refused).collect()
}

/// Values that a caller makes: the offset is within the value.
fn errors_of_values() -> Vec<Case> {
    let value = |kind, field, section, at| Expected {
        fault: Fault::Caller,
        ..peer(kind, field, section, Stage::Packet, at)
    };
    macro_rules! refused {
        ($($type:ty: $text:expr => $kind:ident $field:literal $section:literal $at:literal;)+) => {
            vec![$({
                let text: &[u8] = $text.as_ref();
                let error = <$type>::try_from(text).expect_err("a refused value");
                (text.to_vec(), error, value(ErrorKind::$kind, $field, $section, $at))
            }),+]
        };
    }
    let long = "x".repeat(101);
    let mut cases = refused! {
        SessionId: "" => Empty "BITS-Session-Id" "2.2.1.2" "";
        SessionId: long => TooLong "BITS-Session-Id" "2.2.1.2" "x";
        SessionId: "two words" => InvalidByte "BITS-Session-Id" "2.2.1.2" " words";
        ContentName: b"a\rb" => InvalidByte "Content-Name" "2.2.1.1" "\rb";
        PacketType: "Pong" => UnknownPacketType "BITS-Packet-Type" "2.2.1.2" "Pong";
        ReceivedContentRange: "1-" => NotDecimal "BITS-Received-Content-Range" "2.2.7.2" "-";
        HostIdFallbackTimeout: "4294967296" => NumberTooLarge "BITS-Host-Id-Fallback-Timeout" "2.2.3.2" "4";
        Protocol: "{7df0354d}" => NotGuid "BITS-Protocol" "2.2.3.2" "{7df";
        SupportedProtocols: " , " => ProtocolCount "BITS-Supported-Protocols" "2.2.2.2" " ,";
        ContentRange: "bytes=0-1/2" => NotByteRange "Content-Range" "2.2.6.1" "=0";
        ContentRange: "bytes 0-1/2 " => NotByteRange "Content-Range" "2.2.6.1" " ";
        ContentRange: "bytes 2-1/9" => FirstBeyondLast "Content-Range" "2.2.6.1" "2-1";
        ContentRange: "bytes 0-9/9" => LastBeyondTotal "Content-Range" "2.2.6.1" "0-9";
        ContentEncoding: "gzip" => UnsupportedEncoding "Content-Encoding" "2.2.6.1" "gzip";
        HostId: "http://h" => NotHost "BITS-Host-Id" "2.2.3.2" "http";
        ReplyUrl: "file:///e" => UnsupportedScheme "BITS-Reply-URL" "2.2.7.2" "file";
        StaticResponseUrl: "http:///e" => NotAbsoluteUrl "BITS-Static-Response-URL" "2.2.13.2" "http";
    };
    let error = HResult::parse("0x123456789").expect_err("nine digits");
    let expected = value(ErrorKind::NotHexadecimal, "BITS-Error", "2.2.1.2", "123456789");
    cases.push((b"0x123456789".into(), error, expected));
    cases
}

fn errors_of_what_a_caller_writes() -> Vec<Case> {
    use ErrorKind::{
        BufferTooSmall, ExtraName, ExtraValue, NotRefusal, NotStatus, NotTarget, ReservedExtra,
    };
    let request = Request::Ping(Ping::default());
    let target = Target::try_from("/e").expect("a target");
    let extra = |name: &str, value: &str| request.encode(target, [(name, value)]).err();
    let cases = [
        (Status::try_from(99).err(), caller(NotStatus, "2.2")),
        (Target::try_from("/two words").err(), caller(NotTarget, "2.2")),
        (Refusal::new(Status::OK).err(), caller(NotRefusal, "2.2")),
        (extra("", "1"), caller(ExtraName, "2.2")),
        (extra("A", "1\n"), caller(ExtraValue, "2.2")),
        (
            extra("bits-packet-type", "1"),
            Expected { field: Some("BITS-Packet-Type"), ..caller(ReservedExtra, "2.2") },
        ),
    ];
    let refused =
        |(error, expected): (Option<Error>, _)| (Vec::new(), error.expect("an error"), expected);
    let mut cases: Vec<Case> = cases.into_iter().map(refused).collect();
    let head = Ack::Ping(PingAck).encode(NO_EXTRAS).expect("an Ack");
    let needed = head.encoded_len();
    let error = head.write(&mut vec![0; needed - 1]).expect_err("too small");
    cases.push((Vec::new(), error, caller(BufferTooSmall { needed }, "2.2")));
    cases
}

fn all_cases() -> Vec<Case> {
    [
        errors_of_heads(),
        errors_of_requests(),
        errors_of_acks(),
        errors_of_values(),
        errors_of_what_a_caller_writes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_case_is_as_expected() {
    for (input, error, expected) in &all_cases() {
        check(input, *error, expected);
    }
}

/// A kind that is added without a case fails here.
#[test]
fn every_kind_has_a_case() {
    let cases = all_cases();
    for kind in ErrorKind::ALL {
        let same =
            |found: ErrorKind| std::mem::discriminant(&found) == std::mem::discriminant(kind);
        assert!(cases.iter().any(|(_, error, _)| same(error.kind())), "no case for {kind:?}");
    }
}

/// Of two things that are wrong, the one that is checked first is reported.
#[test]
fn checks_go_in_the_order_of_the_stages() {
    let long = format!("A: {}", "x".repeat(4097));
    let bad = [
        (Stage::Http, "Transfer-Encoding: chunked"),
        (Stage::PacketType, "BITS-Packet-Type: Pong"),
        (Stage::Limits, long.as_str()),
        (Stage::Length, ""),
        (Stage::Session, "BITS-Session-Id: a b"),
        (Stage::Packet, "Content-Range: bytes 9-1/2"),
    ];
    let fine = [
        (Stage::Http, "Host: h"),
        (Stage::PacketType, "BITS-Packet-Type: Fragment"),
        (Stage::Limits, "A: x"),
        (Stage::Length, "Content-Length: 2"),
        (Stage::Session, "BITS-Session-Id: 1"),
        (Stage::Packet, "Content-Range: bytes 0-1/2"),
    ];
    for first in 0..bad.len() {
        for second in first..bad.len() {
            let broken = |index: usize| index == first || index == second;
            let lines: Vec<&str> = (0..bad.len())
                .map(|index| if broken(index) { bad[index].1 } else { fine[index].1 })
                .filter(|line| !line.is_empty())
                .collect();
            let error = request_error(&post(&lines));
            assert_eq!(error.stage(), bad[first].0, "{first} and {second}: {error}");
        }
    }
    let method = head(&["PUT /e HTTP/1.1", "BITS-Packet-Type: Pong"]);
    assert_eq!(request_error(&method).stage(), Stage::Method);
    let version = head(&["PUT /e HTTP/1.0", "BITS-Packet-Type: Pong"]);
    assert_eq!(request_error(&version).stage(), Stage::Http);
    assert!(Stage::Length < Stage::Access && Stage::Access < Stage::Session);
}

#[test]
fn a_missing_length_is_refused_as_the_policy_has_it() {
    let ping = post(&["BITS-Packet-Type: Ping"]);
    let fragment = fragment(&["Content-Range: bytes 0-1/2"]);
    let policy = |absent_length| Policy { absent_length, ..Policy::DEFAULT };
    for (absent, status, ping_is_taken) in [
        (AbsentLength::LengthRequired, 411, false),
        (AbsentLength::BadRequest, 400, false),
        (AbsentLength::AcceptOnEmpty, 411, true),
    ] {
        let policy = policy(absent);
        assert_eq!(read_request(&ping, &policy).is_ok(), ping_is_taken, "{absent:?}");
        let error = read_request(&fragment, &policy).expect_err("a Fragment needs a length");
        let refusal = Refusal::for_error(&error, &policy);
        assert_eq!(refusal.status().get(), status, "{absent:?}");
        assert_eq!(refusal.code(), Some(HResult::E_INVALIDARG), "{absent:?}");
    }
}

/// Without bytes there is no place, and everything else is the same.
#[test]
fn errors_of_pairs_have_no_offset() {
    let ack = [("BITS-Packet-Type", &b"Ack"[..]), ("BITS-Received-Content-Range", b"-1")];
    let line = bits_proto::head::StatusLine {
        version: bits_proto::head::Version::Http11,
        status: Status::OK,
        reason: "",
    };
    let error = Ack::from_fields(line, ack, &asked("fragment")).expect_err("a refused Ack");
    assert_eq!((error.kind(), error.offset()), (ErrorKind::NotDecimal, None));
    let fine = Ack::from_fields(line, [("bits-packet-type", &b" ack\t"[..])], &asked("last"));
    let received = ContentRange::new(100, 199, 200).expect("a range").received();
    let expected = FragmentAck { session_id: None, received, reply_url: None };
    assert_eq!(fine.expect("an Ack").message, Ack::Fragment(expected));
}
