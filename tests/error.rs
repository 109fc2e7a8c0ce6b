//! Errors: a sample of every kind, texts and offsets.

use crate::support::messages;
use crate::support::sample_errors as errors;
use std::mem::discriminant;

use bits_proto::download;
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::field::{FieldName, ReceivedContentRange};
use bits_proto::http1::Progress;
use bits_proto::limits::Limits;
use bits_proto::message::{
    AckContext, Extras, HeaderSlots, MissingContentLength, ParseOptions, Request, RequestHead,
};
use errors::samples;
use messages::{Draft, Reader, for_create, for_fragment, protocols};

const REQUEST: Reader = Reader::Request(ParseOptions::DEFAULT);

#[test]
fn every_kind_has_the_expected_properties() {
    samples().iter().for_each(errors::Sample::check);
}

#[test]
fn every_kind_has_a_sample() {
    // Numbers in a kind are ignored.
    let samples = samples();
    for kind in ErrorKind::ALL {
        let same = |sample: &&errors::Sample| discriminant(&sample.kind) == discriminant(kind);
        assert_eq!(samples.iter().filter(same).count(), 1, "samples of {kind:?}");
    }
    assert_eq!(samples.len(), ErrorKind::ALL.len());
}

#[test]
fn every_error_text_states_what_was_received_and_expected() {
    let texts: Vec<_> = samples().iter().map(|sample| sample.error.to_string()).collect();
    let expected: Vec<_> = include_str!("support/error_texts.txt").lines().collect();
    assert_eq!(texts, expected);
}

#[test]
fn an_error_holds_an_excerpt_around_its_offset() {
    let long = "x".repeat(50);
    let text = |value: &str| {
        let error = ReceivedContentRange::try_from(value).expect_err(value);
        let received = error.received().map(<[u8]>::len);
        let text = error.to_string();
        let (_, shown) = text.split_once("received ").expect("an excerpt");
        let (shown, _) = shown.rsplit_once(" (byte").expect("an offset");
        (received, shown.to_owned())
    };
    assert_eq!(text(&long), (Some(40), format!("\"{}\"...", &long[..40])));
    assert_eq!(text(&long[..40]), (Some(40), format!("\"{}\"", &long[..40])));
    let (zeros, tens) = ("0".repeat(100), "0".repeat(20));
    let middle = format!("\"{tens}{}\"", "x".repeat(20));
    assert_eq!(text(&format!("{zeros}{long}")), (Some(40), format!("...{middle}...")));
    let end = format!("...\"{}{}\"", "0".repeat(39), "x");
    assert_eq!(text(&format!("{zeros}x")), (Some(40), end));
    assert_eq!(text("1\"\n"), (Some(3), r#""1\"\n""#.to_owned()));
}

#[test]
fn conflicting_values_are_shown_around_their_first_difference() {
    let [one, two] = ["1", "2"].map(|end| format!("{{11111111-1111-1111-1111-11111111111{end}}}"));
    let error =
        REQUEST.error(&Draft::close().set("BITS-Session-Id", &one).with("BITS-Session-Id", &two));
    let expected = "BITS-Session-Id: conflicting values \
        ...\"1-1111-111111111111}\" and ...\"1-1111-111111111112}\" (byte 149, [MC-BUP] 2.2.1.2)";
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.received(), Some(&one.as_bytes()[18..]));
    assert_eq!(error.conflicting(), Some(&two.as_bytes()[18..]));
}

#[test]
fn an_invalid_extra_field_is_named_without_its_value() {
    let extras = Extras::from_fields([0; 64], [("X-Token", "secret\n")]);
    let error = extras.expect_err("a line end");
    assert_eq!((error.kind(), error.received()), (ErrorKind::ExtraValue, Some(&b"X-Token"[..])));
    let text = error.to_string();
    assert!(text.contains("\"X-Token\"") && !text.contains("secret"), "{text}");
}

#[test]
fn the_value_of_a_field_that_the_protocol_does_not_define_is_not_copied() {
    let error = REQUEST.error(&Draft::ping().with("Cookie", "x".repeat(5120)));
    assert_eq!((error.received(), error.limit()), (None, Some(4096)));
    let text = "value of 5120 bytes exceeds the limit of 4096 (";
    assert!(error.to_string().starts_with(text), "{error}");
}

#[test]
fn the_debug_output_of_an_error_names_its_properties() {
    let error = ReceivedContentRange::try_from("+5").expect_err("a sign");
    let expected = format!(
        "Error {{ kind: NotDecimal, field: Some(\"BITS-Received-Content-Range\"), \
         offset: Some(0), section: \"2.2.7.2\", fault: Caller, stage: Packet, message: {error} }}"
    );
    assert_eq!(format!("{error:?}"), expected);
}

#[test]
fn kinds_have_different_descriptions() {
    let mut descriptions: Vec<_> = ErrorKind::ALL.iter().map(ToString::to_string).collect();
    descriptions.sort();
    descriptions.dedup();
    assert_eq!(descriptions.len(), ErrorKind::ALL.len());
    let needed = ErrorKind::BufferTooSmall { needed: 1234 }.to_string();
    assert!(needed.contains("1234"), "{needed}");
}

#[test]
fn the_section_of_an_error_is_that_of_its_field() {
    // But for what a caller asks for, the field's own section states the rule.
    for sample in samples().iter().filter(|sample| sample.kind != ErrorKind::ReservedExtra) {
        let Some(name) = sample.error.field() else { continue };
        let (spelling, section) = match FieldName::from_name(name) {
            Some(field) if sample.error.section() != "2.3" => (field.as_str(), field.section()),
            _ => {
                let field = download::field::FieldName::from_name(name);
                (field.unwrap_or_else(|| panic!("{name} is not a field")).as_str(), "2.3")
            }
        };
        assert_eq!(name, spelling, "{:?}", sample.kind);
        assert_eq!(sample.error.section(), section, "{:?} in {name}", sample.kind);
    }
}

#[test]
fn a_transfer_coding_is_reported_alike_by_every_reader() {
    let coding = ("Transfer-Encoding", "chunked");
    let line = "BITS_POST /e HTTP/1.1";
    let request = Draft::new(line, &[("BITS-Packet-Type", "Ping"), coding]);
    let of_head = REQUEST.error(&request);
    let pairs = request.pairs();
    let policy = ParseOptions::DEFAULT;
    let of_pairs = Request::from_fields(request.request_line(), pairs, &policy);
    let of_pairs = of_pairs.expect_err("a transfer coding in pairs");
    let of_ack = Reader::Ack(AckContext::Ping).error(&Draft::ack().with(coding.0, coding.1));
    for (reader, error) in [("head", of_head), ("pairs", of_pairs), ("Ack", of_ack)] {
        assert_eq!(error.kind(), ErrorKind::TransferEncoding, "{reader}");
        assert_eq!(error.field(), Some("Transfer-Encoding"), "{reader}");
        assert_eq!(error.section(), "2.2.1.1", "{reader}");
        let (fault, stage) = (error.fault(), error.stage());
        assert_eq!((fault, stage), (Fault::PeerBytes, CheckStage::Http), "{reader}");
    }
}

#[test]
fn the_first_field_that_is_too_many_is_reported() {
    let text = "BITS_POST /e HTTP/1.1\r\nAlpha: 1\r\nBeta:\r\nGamma: 3\r\n\r\n";
    for (fields, name) in [(0, "Alpha"), (1, "Beta"), (2, "Gamma")] {
        let limits = Limits::DEFAULT.with_fields(fields);
        let mut slots = HeaderSlots::new();
        let error = RequestHead::parse_with_limits(text.as_bytes(), &mut slots, &limits);
        let error = error.expect_err(name);
        let expected = (ErrorKind::TooManyFields, text.find(name));
        assert_eq!((error.kind(), error.offset()), expected, "limit {fields}");
    }
    let mut two = HeaderSlots::<2>::with_capacity();
    let error = RequestHead::parse(text.as_bytes(), &mut two).expect_err("room for two");
    let expected = (ErrorKind::TooManyFields, text.find("Gamma"));
    assert_eq!((error.kind(), error.offset()), expected, "room for two");
    let (mut slots, three) = (HeaderSlots::new(), Limits::DEFAULT.with_fields(3));
    let read = RequestHead::parse_with_limits(text.as_bytes(), &mut slots, &three);
    assert!(read.is_ok(), "limit 3: {read:?}");
}

#[test]
fn an_empty_value_is_located_after_its_own_colon() {
    let text = "BITS_POST /e HTTP/1.1\r\nContent-Length: 1\r\nX-Other:\r\n\
        BITS-Packet-Type: Fragment\r\nBITS-Session-Id: 1\r\nContent-Range:\r\n\r\n";
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(text.as_bytes(), &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("{text:?} is incomplete or invalid") };
    let error = Request::from_head(&head, &ParseOptions::DEFAULT).expect_err("a range of nothing");
    let colon = text.find("Range:").map(|at| at + "Range:".len());
    assert_eq!((error.kind(), error.offset()), (ErrorKind::NotByteRange, colon));
}

#[test]
fn white_space_around_a_value_in_pairs_is_spaces_and_tabs() {
    let close = |id| {
        let draft = Draft::close().set("BITS-Session-Id", id);
        let read =
            Request::from_fields(draft.request_line(), draft.pairs(), &ParseOptions::DEFAULT);
        read.map(|decoded| decoded.message.session_id().map(ToString::to_string))
            .map_err(|error| (error.kind(), error.field()))
    };
    assert_eq!(close(" \t1\t "), Ok(Some("1".into())));
    for id in ["1\r\n", "1\n", "\r1", "\x0C1", "\x0B1", "1\0"] {
        let refused = Err((ErrorKind::InvalidByte, Some("BITS-Session-Id")));
        assert_eq!(close(id), refused, "{id:?}");
    }
}

#[test]
fn every_line_ends_in_cr_lf() {
    let whole = "BITS_POST /e HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
    for (at, _) in whole.match_indices('\r') {
        let text = format!("{}{}", &whole[..at], &whole[at + 1..]);
        let error = RequestHead::parse(text.as_bytes(), &mut HeaderSlots::new()).expect_err(&text);
        assert_eq!((error.kind(), error.offset()), (ErrorKind::BareLineFeed, Some(at)), "{text:?}");
    }
}

/// Checks kind, field, stage and offset of the error in each message. The offset is that of the
/// given text, or of the end of the head for a missing field.
fn check_errors(reader: Reader, rows: &[(Draft, ErrorKind, &str, CheckStage, Option<&str>)]) {
    for (draft, kind, field, stage, mark) in rows {
        let (error, text) = (reader.error(draft), draft.text());
        assert_eq!((error.kind(), error.field()), (*kind, Some(*field)), "{text:?}");
        assert_eq!((error.fault(), error.stage()), (Fault::PeerBytes, *stage), "{text:?}");
        let offset = mark.map_or(Some(text.len() - 2), |mark| text.find(mark));
        assert!(offset.is_some(), "{mark:?} is not in {text:?}");
        assert_eq!(error.offset(), offset, "{text:?}");
    }
}

#[test]
fn a_missing_field_is_reported_at_the_end_of_the_head() {
    let missing = |draft: Draft, field: &'static str, stage| {
        (draft.without(field), ErrorKind::MissingField, field, stage, None)
    };
    let (create, fragment) = (Draft::create, Draft::fragment);
    check_errors(
        REQUEST,
        &[
            missing(fragment(), "BITS-Packet-Type", CheckStage::PacketType),
            missing(fragment(), "Content-Length", CheckStage::Length),
            missing(fragment(), "BITS-Session-Id", CheckStage::Session),
            missing(Draft::close(), "BITS-Session-Id", CheckStage::Session),
            missing(Draft::cancel(), "BITS-Session-Id", CheckStage::Session),
            missing(create(), "BITS-Supported-Protocols", CheckStage::Packet),
            missing(fragment(), "Content-Range", CheckStage::Packet),
        ],
    );
    let options = ParseOptions::DEFAULT;
    let strict = options.with_missing_content_length(MissingContentLength::LengthRequired);
    let create = missing(create(), "Content-Length", CheckStage::Length);
    check_errors(Reader::Request(strict), &[create]);
    let notification = Draft::notification;
    check_errors(
        Reader::Notification,
        &[
            missing(notification(), "BITS-Original-Request-URL", CheckStage::Packet),
            missing(notification(), "BITS-Request-DataFile-Name", CheckStage::Packet),
            missing(notification(), "BITS-Response-DataFile-Name", CheckStage::Packet),
            missing(Draft::by_value(), "BITS-Original-Request-URL", CheckStage::Packet),
            missing(Draft::by_value(), "Content-Length", CheckStage::Length),
        ],
    );
    let two =
        protocols("{7df0354d-249b-430f-820d-3d2a9bef4931} {11111111-1111-1111-1111-111111111111}");
    check_errors(
        Reader::Ack(AckContext::CreateSession { offered: Some(two) }),
        &[missing(Draft::create_ack(), "BITS-Protocol", CheckStage::Packet)],
    );
    check_errors(
        Reader::Ack(for_create()),
        &[missing(Draft::create_ack(), "BITS-Session-Id", CheckStage::Packet)],
    );
    let unknown = AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    check_errors(
        Reader::Ack(unknown),
        &[missing(Draft::fragment_ack(), "BITS-Received-Content-Range", CheckStage::Packet)],
    );
}

#[test]
fn an_error_in_a_value_is_reported_at_its_byte_of_the_head() {
    use ErrorKind::*;
    let set = |draft: Draft, field: &'static str, value: &str, kind, stage, mark| {
        (draft.set(field, value), kind, field, stage, Some(mark))
    };
    let (fragment, session) = (Draft::fragment, CheckStage::Session);
    let (range, packet) = ("Content-Range", CheckStage::Packet);
    check_errors(
        REQUEST,
        &[
            set(fragment(), "BITS-Session-Id", "ab cd", InvalidByte, session, " cd"),
            set(fragment(), "BITS-Session-Id", &"x".repeat(101), TooLong, session, "x\r\n"),
            set(fragment(), range, "bytes 0-99", NotByteRange, packet, "\r\nContent-Length"),
            set(fragment(), range, "bytes 0-x/2", NotDecimal, packet, "x/2"),
            set(fragment(), range, "bytes 0-99/*", NotDecimal, packet, "*"),
            set(fragment(), range, "bytes 7-3/8", FirstBeyondLast, packet, "7-3"),
            set(fragment(), range, "bytes 0-9/9", LastBeyondTotal, packet, "0-9"),
            set(
                Draft::create(),
                "BITS-Supported-Protocols",
                "{7df0354d-249b-430f-820d-3d2a9bef4931} pong",
                NotGuid,
                packet,
                "pong",
            ),
            set(Draft::create(), "BITS-Supported-Protocols", ",", ProtocolCount, packet, ",\r\n"),
            (
                fragment().with("Content-Encoding", "gzip"),
                UnsupportedEncoding,
                "Content-Encoding",
                packet,
                Some("gzip"),
            ),
        ],
    );
    let received = "BITS-Received-Content-Range";
    check_errors(
        Reader::Ack(for_fragment(0, 99, 200)),
        &[
            set(Draft::fragment_ack(), received, "+100", NotDecimal, packet, "+100"),
            set(Draft::fragment_ack(), received, "7 9", NotDecimal, packet, " 9\r\n"),
        ],
    );
}

#[test]
fn an_empty_value_is_reported_after_its_colon() {
    let draft = Draft::fragment().set("BITS-Session-Id", "");
    let (error, text) = (REQUEST.error(&draft), draft.text());
    let colon = text.find("BITS-Session-Id:").map(|at| at + "BITS-Session-Id:".len());
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Empty, colon), "{text:?}");
    let length = Draft::ping().set("Content-Length", "");
    let (error, text) = (REQUEST.error(&length), length.text());
    let colon = text.find("Content-Length:").map(|at| at + "Content-Length:".len());
    assert_eq!((error.kind(), error.offset()), (ErrorKind::NotDecimal, colon), "{text:?}");
    // Also under another spelling of the name.
    let misspelt = "BITS-Recieved-Content-Range";
    let received = Draft::fragment_ack()
        .set("BITS-Received-Content-Range", "")
        .rename("BITS-Received-Content-Range", misspelt);
    let data_entity = "BITS-Request-DataEntity-Name";
    let name = Draft::notification()
        .set("BITS-Request-DataFile-Name", "")
        .rename("BITS-Request-DataFile-Name", data_entity);
    for (reader, draft, spelling) in [
        (Reader::Ack(for_fragment(0, 99, 200)), received, misspelt),
        (Reader::Notification, name, data_entity),
    ] {
        let (error, text) = (reader.error(&draft), draft.text());
        let colon = text.find(spelling).map(|at| at + spelling.len() + 1);
        assert_eq!(error.offset(), colon, "{text:?}");
    }
}

#[test]
fn an_error_in_the_start_line_is_reported_at_that_line() {
    let bytes = b"\r\n\r\nPUT /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n";
    let mut slots = HeaderSlots::new();
    let head = RequestHead::parse(bytes, &mut slots).map(Progress::complete);
    let Ok(Some(head)) = head else { panic!("{head:?}") };
    let error = Request::from_head(&head, &ParseOptions::DEFAULT).expect_err("PUT");
    assert_eq!((error.kind(), error.offset()), (ErrorKind::NotBits, Some(4)));
}

#[test]
fn a_long_value_of_an_unknown_field_has_an_offset_but_no_name() {
    let draft = Draft::ping().with("Cookie", "x".repeat(4097));
    let error = REQUEST.error(&draft);
    assert_eq!((error.kind(), error.field()), (ErrorKind::ValueTooLong, None));
    assert_eq!(error.offset(), draft.text().find("xx"));
    assert_eq!((error.stage(), error.section()), (CheckStage::Limits, "2.2.1"));
    let fits = Draft::ping().with("Cookie", "x".repeat(4096));
    assert!(REQUEST.deviations(&fits).is_empty(), "4096 bytes do not exceed the limit");
    let policy = ParseOptions::DEFAULT.with_max_value(10);
    let long = Draft::ping().with("Cookie", "x".repeat(11));
    assert_eq!(Reader::Request(policy).error(&long).kind(), ErrorKind::ValueTooLong);
}
