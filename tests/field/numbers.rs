//! Values that are numbers or words: syntax, meaning, and offsets of errors.

use crate::support::field_values;
use crate::support::messages;
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{
    ContentEncoding, ContentRange, FieldName, HostIdFallbackTimeout, Overlap, PacketType,
    ReceivedContentRange,
};
use bits_proto::http1::{Framing, RequestTarget, StatusCode, TransferCoding, Version};
use field_values::{check_refused, near_misses, read, spellings};
use messages::range;

const MAX: u64 = u64::MAX;

#[test]
fn a_content_range_is_read_and_written() {
    for (text, (first, last, total), written) in [
        ("bytes 0-0/1", (0, 0, 1), "bytes 0-0/1"),
        ("bytes 128-212/213", (128, 212, 213), "bytes 128-212/213"),
        ("BYTES 0-4/5", (0, 4, 5), "bytes 0-4/5"),
        ("bYtEs 0-4/9", (0, 4, 9), "bytes 0-4/9"),
        ("bytes 000-0004/00005", (0, 4, 5), "bytes 0-4/5"),
        ("bytes 0-4/000000000000000000000000005", (0, 4, 5), "bytes 0-4/5"),
        ("bytes  0-4/5", (0, 4, 5), "bytes 0-4/5"),
        ("bytes\t0-4/5", (0, 4, 5), "bytes 0-4/5"),
        ("bytes \t 0-4/5", (0, 4, 5), "bytes 0-4/5"),
        // 2^32 and 34 GB exceed offsets of 32 and 35 bits.
        ("bytes 4294967296-34359738368/34359738369", (1 << 32, 1 << 35, (1 << 35) + 1), ""),
        ("bytes 18446744073709551614-18446744073709551614/18446744073709551615", MAX_RANGE, ""),
    ] {
        let range: ContentRange = read(text);
        assert_eq!((range.first(), range.last(), range.total()), (first, last, total), "{text}");
        let written = if written.is_empty() { text } else { written };
        assert_eq!(range.to_string(), written, "{text}");
    }
}

const MAX_RANGE: (u64, u64, u64) = (MAX - 1, MAX - 1, MAX);

#[test]
fn a_content_range_with_invalid_syntax_is_rejected() {
    use ErrorKind::{NotByteRange, NotDecimal, NumberTooLarge};
    check_refused::<ContentRange>(
        FieldName::ContentRange,
        &[
            ("", NotByteRange, 0),
            ("0-4/5", NotByteRange, 0),
            ("octets 0-4/5", NotByteRange, 0),
            ("byte 0-4/5", NotByteRange, 0),
            (" bytes 0-4/5", NotByteRange, 0),
            ("bytes", NotByteRange, 5),
            ("bytes=0-4/5", NotByteRange, 5),
            ("bytes: 0-4/5", NotByteRange, 5),
            ("bytes0-4/5", NotByteRange, 5),
            ("bytes ", NotDecimal, 6),
            ("bytes =0-4/5", NotDecimal, 6),
            ("bytes +0-4/5", NotDecimal, 6),
            ("bytes -0-4/5", NotDecimal, 6),
            ("bytes -4/5", NotDecimal, 6),
            ("bytes */5", NotDecimal, 6),
            ("bytes *", NotDecimal, 6),
            ("bytes 0", NotByteRange, 7),
            ("bytes 0 -4/5", NotByteRange, 7),
            ("bytes 0-", NotDecimal, 8),
            ("bytes 0- 4/5", NotDecimal, 8),
            ("bytes 0-+4/5", NotDecimal, 8),
            ("bytes 0--1/0", NotDecimal, 8),
            ("bytes 0-/5", NotDecimal, 8),
            ("bytes 0-4", NotByteRange, 9),
            ("bytes 0-4 /5", NotByteRange, 9),
            ("bytes 0-4,6-7/9", NotByteRange, 9),
            ("bytes 0-4/", NotDecimal, 10),
            ("bytes 0-4/*", NotDecimal, 10),
            ("bytes 0-4/ 5", NotDecimal, 10),
            ("bytes 0-4/+5", NotDecimal, 10),
            ("bytes 0-4/5 ", NotByteRange, 11),
            ("bytes 0-4/5;x", NotByteRange, 11),
            ("bytes 0-4/5, bytes 5-6/7", NotByteRange, 11),
            ("bytes 0-4/0x5", NotByteRange, 11),
            ("bytes 0-4/5\0", NotByteRange, 11),
            ("bytes 18446744073709551616-18446744073709551617/1", NumberTooLarge, 6),
            ("bytes 0-18446744073709551616/1", NumberTooLarge, 8),
            ("bytes 0-4/18446744073709551616", NumberTooLarge, 10),
            ("bytes 0-4/99999999999999999999999999", NumberTooLarge, 10),
        ],
    );
}

#[test]
fn white_space_behind_the_unit_is_spaces_and_tabs() {
    // Another reader could interpret a line end there as the start of another field.
    check_refused::<ContentRange>(
        FieldName::ContentRange,
        &["\n", "\r", "\r\n ", "\x0B", "\x0C"]
            .map(|blank| (format!("bytes{blank}0-4/5"), ErrorKind::NotByteRange, 5)),
    );
}

#[test]
fn a_content_range_outside_its_entity_is_refused() {
    use ErrorKind::{FirstBeyondLast, LastBeyondTotal};
    for (first, last, total, kind) in [
        (1, 0, 2, FirstBeyondLast),
        (5, 4, 9, FirstBeyondLast),
        (MAX, 0, MAX, FirstBeyondLast),
        // Breaks both rules.
        (9, 8, 5, FirstBeyondLast),
        (0, 0, 0, LastBeyondTotal),
        (0, 5, 5, LastBeyondTotal),
        (0, 204, 10, LastBeyondTotal),
        (0, MAX, MAX, LastBeyondTotal),
        (MAX, MAX, MAX, LastBeyondTotal),
        (MAX, MAX, 0, LastBeyondTotal),
    ] {
        let text = format!("bytes {first}-{last}/{total}");
        check_refused::<ContentRange>(FieldName::ContentRange, &[(&text, kind, 6)]);
        let error = ContentRange::new(first, last, total).expect_err(&text);
        assert_eq!((error.kind(), error.fault()), (kind, Fault::Caller), "new, {text}");
    }
}

#[test]
fn the_numbers_of_a_content_range_fit_together() {
    for (range, len, end, is_last) in [
        (range(0, 0, 1), 1, 1, true),
        (range(0, 0, 2), 1, 1, false),
        (range(1, 1, 2), 1, 2, true),
        (range(128, 212, 213), 85, 213, true),
        (range(0, MAX - 1, MAX), MAX, MAX, true),
        (range(MAX - 1, MAX - 1, MAX), 1, MAX, true),
        (range(0, MAX - 2, MAX), MAX - 1, MAX - 1, false),
    ] {
        assert_eq!(range.len(), len, "len of {range}");
        assert_eq!(range.end(), end, "end of {range}");
        assert_eq!(range.received(), ReceivedContentRange(end), "received of {range}");
        assert_eq!(range.is_last(), is_last, "is_last of {range}");
    }
}

/// Computes the overlap byte by byte.
fn overlap_counted(range: ContentRange, next: u64) -> Overlap {
    let bytes = range.first()..=range.last();
    let skip = bytes.clone().filter(|byte| *byte < next).count() as u64;
    let take = bytes.filter(|byte| *byte >= next).count() as u64;
    match (range.first() > next, take) {
        (true, _) => Overlap::Gap,
        (false, 0) => Overlap::Held,
        (false, take) => Overlap::New { skip, take },
    }
}

#[test]
fn overlap_agrees_with_counting_bytes() {
    for (first, last, next) in (0..6).flat_map(|first| {
        (first..6).flat_map(move |last| (0..9).map(move |next| (first, last, next)))
    }) {
        let range = range(first, last, 6);
        assert_eq!(range.overlap(next), overlap_counted(range, next), "{range} at {next}");
    }
}

#[test]
fn overlap_holds_at_the_largest_offsets() {
    let whole = range(0, MAX - 1, MAX);
    let end = range(MAX - 1, MAX - 1, MAX);
    for (range, next, overlap) in [
        (whole, 0, Overlap::New { skip: 0, take: MAX }),
        (whole, MAX - 1, Overlap::New { skip: MAX - 1, take: 1 }),
        (whole, MAX, Overlap::Held),
        (end, MAX - 2, Overlap::Gap),
        (end, MAX - 1, Overlap::New { skip: 0, take: 1 }),
        (end, MAX, Overlap::Held),
    ] {
        assert_eq!(range.overlap(next), overlap, "{range} at {next}");
    }
}

#[test]
fn an_offset_is_digits() {
    for (text, value) in [
        ("0", 0),
        ("213", 213),
        ("000213", 213),
        ("0000000000000000000000000000000001", 1),
        ("18446744073709551615", MAX),
    ] {
        let received: ReceivedContentRange = read(text);
        assert_eq!(received, ReceivedContentRange(value), "{text}");
        assert_eq!(received.to_string(), value.to_string(), "{text}");
    }
    use ErrorKind::{NotDecimal, NumberTooLarge};
    check_refused::<ReceivedContentRange>(
        FieldName::ReceivedContentRange,
        &[
            ("", NotDecimal, 0),
            ("+213", NotDecimal, 0),
            ("-1", NotDecimal, 0),
            (" 213", NotDecimal, 0),
            ("213 ", NotDecimal, 3),
            ("0-212", NotDecimal, 1),
            ("bytes 0-212/213", NotDecimal, 0),
            ("0x10", NotDecimal, 1),
            ("1e3", NotDecimal, 1),
            ("1_000", NotDecimal, 1),
            ("213\r", NotDecimal, 3),
            // Digits in Unicode, but not in HTTP.
            ("٣", NotDecimal, 0),
            ("18446744073709551616", NumberTooLarge, 0),
            ("99999999999999999999", NumberTooLarge, 0),
            ("340282366920938463463374607431768211456", NumberTooLarge, 0),
        ],
    );
}

/// Compares with the standard library: all numbers of up to five digits, at each position of longer
/// ones.
#[test]
fn a_number_is_written_with_all_its_digits_and_no_others() {
    let places = (0..20).map(|place| 10_u64.pow(place));
    for number in places.flat_map(|place| (0..100_000).map_while(move |it| place.checked_mul(it))) {
        for number in [number, number.wrapping_sub(1)] {
            assert_eq!(ReceivedContentRange(number).to_string(), number.to_string());
        }
    }
}

#[test]
fn no_other_byte_is_a_digit() {
    for byte in (0..=0xFF_u8).filter(|byte| !byte.is_ascii_digit()) {
        let field = FieldName::ReceivedContentRange;
        let rows =
            [([b'7', byte], ErrorKind::NotDecimal, 1), ([byte, b'7'], ErrorKind::NotDecimal, 0)];
        check_refused::<ReceivedContentRange>(field, &rows);
    }
}

#[test]
fn a_timeout_is_seconds_in_32_bits() {
    for (text, seconds) in [
        ("0", 0),
        ("110", 110),
        ("0110", 110),
        ("4294967295", u32::MAX),
        ("00004294967295", u32::MAX),
    ] {
        let timeout: HostIdFallbackTimeout = read(text);
        assert_eq!(timeout, HostIdFallbackTimeout(seconds), "{text}");
        assert_eq!(timeout.duration().as_secs(), u64::from(seconds), "{text}");
        assert_eq!(timeout.duration().subsec_nanos(), 0, "{text}");
        assert_eq!(timeout.to_string(), seconds.to_string(), "{text}");
    }
    use ErrorKind::{NotDecimal, NumberTooLarge};
    check_refused::<HostIdFallbackTimeout>(
        FieldName::HostIdFallbackTimeout,
        &[
            ("", NotDecimal, 0),
            ("+1", NotDecimal, 0),
            ("-1", NotDecimal, 0),
            ("0xFFFFFFFF", NotDecimal, 1),
            ("110 ", NotDecimal, 3),
            ("1.5", NotDecimal, 1),
            ("4294967296", NumberTooLarge, 0),
            // 2^32 + 110, which a cast would truncate to 110.
            ("4294967406", NumberTooLarge, 0),
            ("18446744073709551616", NumberTooLarge, 0),
        ],
    );
}

#[test]
fn a_length_is_digits() {
    for (text, length) in [("0", 0), ("0005", 5), (" 5\t", 5), ("18446744073709551615", MAX)] {
        let framing = Framing::from_fields([("content-LENGTH", text)]);
        assert_eq!(framing.map(|framing| framing.content_length), Ok(Some(length)), "{text:?}");
    }
    for text in ["", "+5", "-5", "5 5", "5,", "0x5", "18446744073709551616"] {
        let framing = Framing::from_fields([("Content-Length", text)]);
        assert!(framing.is_err(), "{text:?} was read as {framing:?}");
    }
}

#[test]
fn framing_depends_on_two_fields_only() {
    let framing = |fields: &[(&str, &str)]| {
        let framing = Framing::from_fields(fields.iter().copied());
        framing.map(|it| (it.content_length, it.transfer_encoding)).map_err(|error| error.kind())
    };
    let (length, coding) = (("Content-Length", "5"), ("TRANSFER-encoding", "chunked"));
    let chunked = Some(TransferCoding::Chunked);
    assert_eq!(framing(&[]), Ok((None, None)));
    assert_eq!(framing(&[("Host", "6"), length, ("Content-Range", "7")]), Ok((Some(5), None)));
    assert_eq!(framing(&[coding]), Ok((None, chunked)));
    assert_eq!(framing(&[length, coding, ("content-length", "05")]), Ok((Some(5), chunked)));
    let six = ("content-length", "6");
    assert_eq!(framing(&[length, coding, six]), Err(ErrorKind::ContentLengthConflict));
}

#[test]
fn a_length_with_line_ends_around_it_is_refused() {
    // Only spaces and tabs are white space around a value; readers disagree about other bytes.
    for text in ["5\r\n", "\r5", "\n5", "5\n", "5\x0C"] {
        let framing = Framing::from_fields([("Content-Length", text)]);
        assert!(framing.is_err(), "{text:?} was read as {framing:?}");
    }
}

#[test]
fn a_packet_type_is_read_in_every_letter_case() {
    for (text, packet_type) in [
        ("Create-Session", PacketType::CreateSession),
        ("Ping", PacketType::Ping),
        ("Fragment", PacketType::Fragment),
        ("Close-Session", PacketType::CloseSession),
        ("Cancel-Session", PacketType::CancelSession),
        ("Ack", PacketType::Ack),
    ] {
        assert_eq!((packet_type.as_str(), packet_type.to_string().as_str()), (text, text));
        for spelling in spellings(text) {
            assert_eq!(PacketType::try_from(spelling.as_str()), Ok(packet_type), "{spelling}");
        }
        let misses = near_misses(text).into_iter();
        let rows: Vec<_> = misses.map(|miss| (miss, ErrorKind::UnknownPacketType, 0)).collect();
        check_refused::<PacketType>(FieldName::PacketType, &rows);
    }
    assert_eq!(PacketType::ALL.len(), 6);
}

#[test]
fn words_that_are_not_packet_types_are_rejected() {
    let words = ["", "CreateSession", "Create Session", "Create_Session", "Pong", "Ack, Ack"];
    let rows = words.map(|word| (word, ErrorKind::UnknownPacketType, 0));
    check_refused::<PacketType>(FieldName::PacketType, &rows);
}

#[test]
fn the_only_encoding_is_identity() {
    for spelling in spellings("identity") {
        let encoding = ContentEncoding::try_from(spelling.as_str());
        assert_eq!(encoding, Ok(ContentEncoding::Identity), "{spelling}");
    }
    assert_eq!(ContentEncoding::Identity.to_string(), "identity");
    let mut others = near_misses("identity");
    others
        .extend(["", "gzip", "*", "identity, gzip", "identity;q=1", "identity,"].map(String::from));
    let rows: Vec<_> =
        others.into_iter().map(|other| (other, ErrorKind::UnsupportedEncoding, 0)).collect();
    check_refused::<ContentEncoding>(FieldName::ContentEncoding, &rows);
}

#[test]
fn a_target_is_visible_ascii() {
    for byte in 0..0x80_u8 {
        let text = format!("/a{}b", char::from(byte));
        let taken = RequestTarget::try_from(text.as_str());
        assert_eq!(taken.is_ok(), (0x21..=0x7E).contains(&byte), "{text:?}");
        if let Ok(target) = taken {
            assert_eq!((target.as_str(), target.to_string()), (text.as_str(), text.clone()));
        }
    }
    for text in ["", " ", "/ü", "/e\u{7F}", "/e ", " /e"] {
        let error = RequestTarget::try_from(text).expect_err(text);
        assert_eq!((error.kind(), error.offset()), (ErrorKind::NotTarget, None), "{text:?}");
        assert_eq!((error.fault(), error.field()), (Fault::Caller, None), "{text:?}");
    }
    for text in ["/", "*", "http://o:80/e?q=1#f", "/%7B1%7D"] {
        assert_eq!(RequestTarget::try_from(text).map(|target| target.as_str()), Ok(text));
    }
}

#[test]
fn a_status_has_three_digits() {
    for code in 0..=u16::MAX {
        let status = StatusCode::try_from(code);
        if !(100..=999).contains(&code) {
            let error = status.expect_err(&code.to_string());
            assert_eq!((error.kind(), error.fault()), (ErrorKind::NotStatus, Fault::Caller));
            continue;
        }
        let status = status.unwrap_or_else(|error| panic!("{code}: {error}"));
        assert_eq!((status.get(), status.to_string()), (code, code.to_string()));
        assert_eq!(code.to_string().parse(), Ok(status));
        assert_eq!(status.is_interim(), code / 100 == 1, "{code}");
        assert_eq!(status.is_success(), code / 100 == 2, "{code}");
    }
    for text in ["", "20", "99", "099", "0200", "2000", "+20", "+200", "-20", " 200", "2 0", "2é"]
    {
        let error = text.parse::<StatusCode>().expect_err(text);
        assert_eq!((error.kind(), error.fault()), (ErrorKind::NotStatus, Fault::Caller), "{text}");
        assert_eq!(error.received(), Some(text.as_bytes()), "{text}");
    }
    assert_eq!(
        (Version::Http10.to_string(), Version::Http11.to_string()),
        ("HTTP/1.0".into(), "HTTP/1.1".into())
    );
    assert_eq!(RequestTarget::try_from("/e").as_ref().map(AsRef::<str>::as_ref), Ok("/e"));
}

#[test]
fn statuses_have_their_usual_reasons() {
    for (status, code, reason) in [
        (StatusCode::OK, 200, "OK"),
        (StatusCode::CREATED, 201, "Created"),
        (StatusCode::BAD_REQUEST, 400, "Bad Request"),
        (StatusCode::UNAUTHORIZED, 401, "Unauthorized"),
        (StatusCode::FORBIDDEN, 403, "Forbidden"),
        (StatusCode::NOT_FOUND, 404, "Not Found"),
        (StatusCode::METHOD_NOT_ALLOWED, 405, "Method Not Allowed"),
        (StatusCode::PROXY_AUTHENTICATION_REQUIRED, 407, "Proxy Authentication Required"),
        (StatusCode::REQUEST_TIMEOUT, 408, "Request Timeout"),
        (StatusCode::CONFLICT, 409, "Conflict"),
        (StatusCode::LENGTH_REQUIRED, 411, "Length Required"),
        (StatusCode::CONTENT_TOO_LARGE, 413, "Request Entity Too Large"),
        (StatusCode::RANGE_NOT_SATISFIABLE, 416, "Requested Range Not Satisfiable"),
        (StatusCode::INTERNAL_SERVER_ERROR, 500, "Internal Server Error"),
        (StatusCode::NOT_IMPLEMENTED, 501, "Not Implemented"),
        (StatusCode::BAD_GATEWAY, 502, "Bad Gateway"),
        (StatusCode::SERVICE_UNAVAILABLE, 503, "Service Unavailable"),
        (StatusCode::GATEWAY_TIMEOUT, 504, "Gateway Timeout"),
        (StatusCode::HTTP_VERSION_NOT_SUPPORTED, 505, "HTTP Version Not Supported"),
    ] {
        assert_eq!((status.get(), status.reason()), (code, reason));
        assert_eq!(StatusCode::try_from(code), Ok(status));
    }
    assert_eq!(StatusCode::try_from(299).map(StatusCode::reason), Ok(""));
}
