//! Acks in the context of their requests, and what a client concludes from them.

use crate::support::messages;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{ContentRange, Protocol, ReceivedContentRange, SessionId};
use bits_proto::http1::{BodyLength, Progress, StatusCode};
use bits_proto::message::{
    Ack, AckContext, CreateSessionAck, Decoded, Failure, FragmentAck, HeaderSlots, NO_EXTRAS,
    NotificationResponse, Request, RequestHead, ResponseHead,
};
use messages::{Draft, Reader, for_create, for_fragment, session};

fn with_ack<T>(
    draft: &Draft,
    ack_context: &AckContext<'_>,
    look: impl Fn(Decoded<Ack<'_>>) -> T,
) -> T {
    let text = draft.text();
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("{text:?} is not a head") };
    look(Ack::from_head(&head, ack_context).unwrap_or_else(|error| panic!("{text:?}: {error}")))
}

fn failure(draft: &Draft, ack_context: &AckContext<'_>) -> Option<Failure> {
    with_ack(draft, ack_context, |decoded| decoded.message.failure())
}

#[test]
fn the_next_offset_comes_from_the_ack() {
    let sent = for_fragment(100, 199, 300);
    // The server may have fewer bytes than were sent, and even fewer than before.
    for offset in [0, 99, 100, 150, 200] {
        let ack = Draft::fragment_ack().set("BITS-Received-Content-Range", offset.to_string());
        let received = with_ack(&ack, &sent, |decoded| match decoded.message {
            Ack::Fragment(FragmentAck { received, .. }) => received.0,
            other => panic!("{other:?}"),
        });
        assert_eq!(received, offset);
    }
    let beyond = Draft::fragment_ack().set("BITS-Received-Content-Range", "201");
    let error = Reader::Ack(sent).error(&beyond);
    assert_eq!(
        (error.kind(), error.fault()),
        (ErrorKind::ReceivedBeyondSent, Fault::PeerBehaviour)
    );
}

#[test]
fn an_offset_beyond_the_fragment_is_right_if_more_was_sent_before() {
    let session_id = Some(SessionId::try_from("1").unwrap());
    let content_range = Some(ContentRange::new(100, 199, 300).unwrap());
    let ack_context = |sent_up_to| AckContext::Fragment { session_id, content_range, sent_up_to };
    let at = |offset: &str| Draft::fragment_ack().set("BITS-Received-Content-Range", offset);
    for (sent_up_to, offset, is_right) in [
        (Some(250), "250", true),
        (Some(250), "251", false),
        (Some(150), "200", true),
        (Some(150), "201", false),
        (Some(300), "300", true),
        (None, "200", true),
        (None, "201", false),
    ] {
        let for_this = ack_context(sent_up_to);
        if is_right {
            with_ack(&at(offset), &for_this, |decoded| {
                let Ack::Fragment(ack) = decoded.message else { panic!("{decoded:?}") };
                assert_eq!(ack.received.to_string(), offset);
            });
        } else {
            let error = Reader::Ack(for_this).error(&at(offset));
            assert_eq!(error.kind(), ErrorKind::ReceivedBeyondSent, "{sent_up_to:?} {offset}");
        }
    }
    // The last byte was received, so the reply URL is not early.
    let whole = at("300").with("BITS-Reply-URL", "/reply");
    with_ack(&whole, &ack_context(Some(300)), |decoded| {
        assert!(matches!(decoded.message, Ack::Fragment(ack) if ack.reply_url.is_some()));
        assert!(!decoded.deviations.contains(Deviation::EarlyReplyUrl));
    });
}

#[test]
fn a_missing_offset_is_the_end_of_the_fragment() {
    let ack = Draft::fragment_ack().without("BITS-Received-Content-Range");
    with_ack(&ack, &for_fragment(100, 199, 300), |decoded| {
        let Ack::Fragment(ack) = decoded.message else { panic!("{decoded:?}") };
        assert_eq!(ack.received, ReceivedContentRange(200));
    });
    let unknown = AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    assert_eq!(Reader::Ack(unknown).error(&ack).kind(), ErrorKind::MissingField);
}

#[test]
fn an_out_of_sync_offset_is_valid_up_to_the_total() {
    let sent = for_fragment(100, 199, 300);
    let at = |offset: &str| {
        Draft::fragment_ack()
            .line("HTTP/1.1 416 Out of sync")
            .set("BITS-Received-Content-Range", offset)
    };
    for offset in [0_u64, 200, 300] {
        with_ack(&at(&offset.to_string()), &sent, |decoded| {
            let Ack::Refused(refusal) = decoded.message else { panic!("{decoded:?}") };
            assert_eq!(refusal.received(), Some(ReceivedContentRange(offset)));
            assert_eq!(refusal.failure(), Failure::Resynchronise);
        });
    }
    assert_eq!(Reader::Ack(sent).error(&at("301")).kind(), ErrorKind::ReceivedBeyondSent);
    // An additional error code makes no difference.
    let with_code = at("128").with("BITS-Error", "0x8020001F").with("BITS-Error-Context", "0x5");
    assert_eq!(failure(&with_code, &sent), Some(Failure::Resynchronise));
}

#[test]
fn offsets_of_other_refusals_are_not_acted_on() {
    let lost = Draft::refusal()
        .set("BITS-Error", "0x8020001F")
        .with("BITS-Received-Content-Range", "99999");
    assert_eq!(failure(&lost, &for_fragment(0, 99, 100)), Some(Failure::StartOver));
}

#[test]
fn an_early_reply_url_is_ignored() {
    let early = Draft::fragment_ack().with("BITS-Reply-URL", "file:///etc/passwd");
    let ack_context = for_fragment(0, 99, 200);
    let expected = Deviations::from_iter([Deviation::EarlyReplyUrl]);
    assert_eq!(Reader::Ack(ack_context).deviations(&early), expected);
    let error = Reader::Ack(for_fragment(0, 99, 100)).error(&early);
    assert_eq!(error.kind(), ErrorKind::UnsupportedScheme);
}

#[test]
fn irrelevant_fields_may_conflict() {
    let strict = Reader::Request(bits_proto::message::ParseOptions::DEFAULT);
    let ping = Draft::ping().with("BITS-Session-Id", "1").with("BITS-Session-Id", "2");
    assert_eq!(strict.deviations(&ping), Deviations::EMPTY);
    let ping = Draft::ping().with("Content-Range", "bytes 0-1/2").with("Content-Range", "x");
    assert_eq!(strict.deviations(&ping), Deviations::EMPTY);
    let ack = Draft::fragment_ack().with("BITS-Error", "0x1").with("BITS-Error", "0x2");
    let expected = Deviations::from_iter([Deviation::ErrorOnSuccess]);
    assert_eq!(Reader::Ack(for_fragment(0, 99, 200)).deviations(&ack), expected);
    let close = Draft::close().with("BITS-Session-Id", "2");
    assert_eq!(strict.error(&close).kind(), ErrorKind::ConflictingField);
    // The first conflict does not matter here, the second one does.
    let fragment = Draft::fragment()
        .with("BITS-Error", "1")
        .with("BITS-Error", "2")
        .with("BITS-Session-Id", "2");
    let error = strict.error(&fragment);
    assert_eq!(error.kind(), ErrorKind::ConflictingField);
    assert_eq!(error.field(), Some("BITS-Session-Id"));
}

#[test]
fn nothing_but_the_offset_is_expected_of_a_416_without_packet_type() {
    let reader = Reader::Ack(for_fragment(0, 99, 200));
    let bare = |name| {
        let session = [("BITS-Session-Id", "1"), ("BITS-Session-Id", "2")];
        Draft::new("HTTP/1.1 416 X", &session).with(name, "50")
    };
    let received = bare("BITS-Received-Content-Range");
    let no_ack = Deviation::MissingPacketType;
    assert_eq!(reader.deviations(&received), Deviations::from_iter([no_ack]));
    let twice = received.with("BITS-Received-Content-Range", "50");
    let expected = Deviations::from_iter([no_ack, Deviation::DuplicateField]);
    assert_eq!(reader.deviations(&twice), expected);
    let misspelt = bare("BITS-Recieved-Content-Range");
    let expected = Deviations::from_iter([no_ack, Deviation::MisspeltReceived]);
    assert_eq!(reader.deviations(&misspelt), expected);
}

#[test]
fn a_session_uses_an_offered_protocol() {
    let expected = CreateSessionAck {
        accept_encoding: None,
        ..CreateSessionAck::new(Protocol::BITS_1_5, session("1"))
    };
    for draft in [Draft::create_ack(), Draft::create_ack().without("BITS-Protocol")] {
        with_ack(&draft, &for_create(), |decoded| {
            assert_eq!(decoded.message, Ack::CreateSession(expected));
        });
    }
    let monitor = AckContext::CreateSession { offered: None };
    assert_eq!(Reader::Ack(monitor).deviations(&Draft::create_ack()), Deviations::EMPTY);
    let unnamed = Draft::create_ack().without("BITS-Protocol");
    assert_eq!(Reader::Ack(monitor).error(&unnamed).kind(), ErrorKind::MissingField);
    let list = "{7df0354d-249b-430f-820d-3d2a9bef4931} {11111111-1111-1111-1111-111111111111}";
    let two = AckContext::CreateSession { offered: Some(messages::protocols(list)) };
    assert_eq!(Reader::Ack(two).error(&unnamed).kind(), ErrorKind::MissingField);
}

#[test]
fn the_ack_context_is_taken_from_the_request() {
    let text = Draft::fragment().text();
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("{text:?}") };
    let request = Request::from_head(&head, &bits_proto::message::ParseOptions::DEFAULT);
    let request = request.unwrap_or_else(|error| panic!("{error}")).message;
    assert_eq!(AckContext::from(&request), for_fragment(0, 99, 200));
    assert_eq!(request.session_id(), SessionId::try_from("1").ok().as_ref());
}

#[test]
fn answers_without_a_body_need_no_length() {
    let success = Deviations::from(Deviation::UnexpectedSuccess);
    for (status, draft, expected) in [
        ("204 No Content", Draft::fragment_ack(), success),
        ("304 Not Modified", Draft::refusal(), Deviations::EMPTY),
    ] {
        let without = draft.line(&format!("HTTP/1.1 {status}")).without("Content-Length");
        let ack_context = for_fragment(0, 99, 200);
        assert_eq!(Reader::Ack(ack_context).deviations(&without), expected, "{status}");
        let with = without.with("Content-Length", "30");
        assert_eq!(Reader::Ack(ack_context).deviations(&with), expected, "{status}");
        let text = with.text();
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
        let body = head.map(|head| head.map(|head| head.body_length()));
        assert_eq!(body, Ok(Some(BodyLength::NoBody)), "{status}");
    }
}

#[test]
fn bodies_are_as_long_as_the_head_says() {
    let bodies = [
        ("HTTP/1.1 200 OK", None, BodyLength::UntilClose),
        ("HTTP/1.1 200 OK", Some("7"), BodyLength::Known(7)),
    ];
    for (line, length, expected) in bodies {
        let fields: Vec<_> = length.map(|length| ("Content-Length", length)).into_iter().collect();
        let text = Draft::new(line, &fields).text();
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
        assert_eq!(head.map(|head| head.map(|head| head.body_length())), Ok(Some(expected)));
    }
    for (draft, expected) in [(Draft::fragment(), 100), (Draft::packet("Ping"), 0)] {
        let text = draft.text();
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
        assert_eq!(head.map(|head| head.map(|head| head.body_length())), Ok(Some(expected)));
    }
}

#[test]
fn statuses_that_cannot_have_a_length_are_written_without() {
    let answer = |code: u16| NotificationResponse {
        status: StatusCode::try_from(code).unwrap_or(StatusCode::OK),
        ..NotificationResponse::default()
    };
    let written = messages::written(&answer(204).encode(&NO_EXTRAS).expect("an answer"));
    assert_eq!(written, b"HTTP/1.1 204 No Content\r\n\r\n");
    // A parsed length is ignored, so that the parsed message can be written.
    let text = b"HTTP/1.1 204 No Content\r\nContent-Length: 254\r\n\r\n";
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(text, &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("complete") };
    let read = NotificationResponse::from_head(&head).map(|decoded| decoded.message.content_length);
    assert_eq!(read, Ok(Some(0)));
    let error = answer(100).encode(&NO_EXTRAS).err().map(|error| (error.kind(), error.fault()));
    assert_eq!(error, Some((ErrorKind::InterimResponse, Fault::Caller)));
}

#[test]
fn requests_and_acks_are_not_confused() {
    let strict = Reader::Request(bits_proto::message::ParseOptions::DEFAULT);
    let error = strict.error(&Draft::ping().set("BITS-Packet-Type", "Ack"));
    assert_eq!(error.kind(), ErrorKind::UnknownPacketType);
    assert_eq!(error.field(), Some("BITS-Packet-Type"));
    for packet_type in ["Ping", "Fragment", "Pong"] {
        let ack = Draft::fragment_ack().set("BITS-Packet-Type", packet_type);
        let error = Reader::Ack(for_fragment(0, 99, 200)).error(&ack);
        assert_eq!(error.kind(), ErrorKind::WrongPacketType, "{packet_type}");
    }
}

#[test]
fn an_interim_response_answers_nothing() {
    for line in ["HTTP/1.1 100 Continue", "HTTP/1.1 102 Processing", "HTTP/1.1 199 x"] {
        let error = Reader::NotificationResponse.error(&Draft::notification_response().line(line));
        assert_eq!(error.kind(), ErrorKind::InterimResponse, "{line}");
        let error = Reader::Ack(AckContext::Ping).error(&Draft::ack().line(line));
        assert_eq!(error.kind(), ErrorKind::InterimResponse, "{line}");
    }
    let mut slots = HeaderSlots::new();
    let error = ResponseHead::parse(b"HTTP/1.1 099 x\r\n\r\n", &mut slots).err();
    assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::Syntax), "not a status code");
}

#[test]
fn every_2xx_is_a_success_of_the_server_application() {
    for code in [100, 199, 200, 201, 204, 205, 299, 300, 302, 403, 500] {
        let status = StatusCode::try_from(code).unwrap_or(StatusCode::OK);
        let response = NotificationResponse { status, ..NotificationResponse::default() };
        assert_eq!(response.is_success(), code / 100 == 2, "{code}");
    }
}

#[test]
fn a_notification_with_a_transfer_coding_is_refused() {
    let chunked = Draft::by_value().with("Transfer-Encoding", "chunked");
    let of_pairs = bits_proto::message::NotificationRequest::from_fields(
        chunked.request_line(),
        chunked.pairs(),
    );
    let kind = of_pairs.err().map(|error| error.kind());
    assert_eq!(kind, Some(ErrorKind::TransferEncoding));
    assert_eq!(Reader::Notification.error(&chunked).kind(), ErrorKind::TransferEncoding);
}

#[test]
fn the_request_of_an_ack_alone_is_assumed_from_its_fields() {
    let assumed = |status: u16, fields: &[(&'static str, &'static [u8])]| {
        let status = StatusCode::try_from(status).expect("a status");
        AckContext::assumed(status, fields.iter().copied())
    };
    let ack = ("bits-packet-type", &b"Ack"[..]);
    let sent_up_to = Some(u64::MAX);
    let fragment = AckContext::Fragment { session_id: None, content_range: None, sent_up_to };
    assert_eq!(assumed(200, &[ack]), Some(AckContext::Ping));
    for name in ["BITS-Received-Content-Range", "BITS-Recieved-Content-Range"] {
        assert_eq!(assumed(200, &[(name, b"5"), ack]), Some(fragment), "{name}");
    }
    assert_eq!(assumed(416, &[ack]), Some(fragment));
    let protocol = ("BITS-Protocol", &b"{7df0354d-249b-430f-820d-3d2a9bef4931}"[..]);
    let create = AckContext::CreateSession { offered: None };
    assert_eq!(assumed(200, &[ack, protocol]), Some(create));
    assert_eq!(assumed(200, &[protocol]), None, "no packet type");
    assert_eq!(assumed(416, &[]), None);
}
