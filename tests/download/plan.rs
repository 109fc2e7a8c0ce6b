//! The response of a server.

use crate::support::messages::extras;
use bits_proto::download::field::{Boundary, ContentType, EntityTag, MultipartType};
use bits_proto::download::{
    ByteRange, Entity, MultipartEvent, MultipartReader, Piece, Plan, PlanLimits, Request,
};
use bits_proto::error::ErrorKind;
use bits_proto::field::HttpDate;
use bits_proto::http1::{RequestLine, Version};
use bits_proto::message::{Extras, NO_EXTRAS};
use proptest::prelude::*;

const MODIFIED: i64 = 784_111_777;
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const BOUNDARY: Boundary = Boundary::from_random(0xB0);

fn entity(length: u64) -> Entity<'static> {
    Entity::new(length)
        .with_modified(HttpDate::from_unix_seconds(MODIFIED))
        .with_tag(EntityTag::try_from("\"tag\"").ok())
        .with_content_type(ContentType::try_from("text/plain").ok())
}

fn request<'b>(method: &'static str, fields: &[(&'b str, &'b str)]) -> Request<'b> {
    let line = RequestLine { method, target: "/file", version: Version::Http11 };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    Request::from_fields(line, fields).expect("a download")
}

fn plan<'p>(fields: &[(&'p str, &'p str)], entity: &Entity<'p>) -> Plan<'p> {
    Plan::new(&request("GET", fields), entity, &PlanLimits::DEFAULT, BOUNDARY)
}

fn status(fields: &[(&str, &str)], entity: &Entity<'_>) -> u16 {
    plan(fields, entity).status().get()
}

fn head(plan: &Plan<'_>) -> String {
    String::from_utf8(plan.encode(&NO_EXTRAS).unwrap().to_vec()).unwrap()
}

/// The body of a response, with the bytes of the entity taken from `content`.
fn body(plan: &Plan<'_>, content: &[u8]) -> Vec<u8> {
    let bytes = plan.pieces().flat_map(|piece| {
        let bytes = match piece {
            Piece::Framing(head) => head.to_vec(),
            Piece::Entity(range) => content[range.first() as usize..range.end() as usize].to_vec(),
            other => panic!("an unknown piece: {other:?}"),
        };
        assert_eq!(bytes.len() as u64, piece.len());
        bytes
    });
    bytes.collect()
}

/// A content in which every offset is recognisable.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

#[test]
fn the_whole_entity_is_sent_with_its_metadata() {
    let plan = plan(&[], &entity(1000));
    assert_eq!(
        head(&plan),
        format!(
            "HTTP/1.1 200 OK\r\nAccept-Ranges: bytes\r\nLast-Modified: {DATE}\r\nETag: \"tag\"\r\n\
             Content-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
        )
    );
    assert_eq!(body(&plan, &content(1000)), content(1000));
}

#[test]
fn one_range_is_sent_plain() {
    for (range, first, last) in [
        ("bytes=0-0", 0, 0),
        ("bytes=125-199", 125, 199),
        ("bytes=990-2000", 990, 999),
        ("bytes=990-", 990, 999),
        ("bytes=-10", 990, 999),
        ("bytes=0-999", 0, 999),
        // Ranges that the entity does not have are left out.
        ("bytes=5000-6000,125-199,-0", 125, 199),
    ] {
        let plan = plan(&[("Range", range)], &entity(1000));
        let length = last - first + 1;
        assert_eq!(
            head(&plan),
            format!(
                "HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\nLast-Modified: {DATE}\r\n\
                 ETag: \"tag\"\r\nContent-Type: text/plain\r\n\
                 Content-Range: bytes {first}-{last}/1000\r\nContent-Length: {length}\r\n\r\n"
            ),
            "{range}"
        );
        assert_eq!(body(&plan, &content(1000)), content(1000)[first..=last], "{range}");
    }
}

#[test]
fn several_ranges_are_sent_as_parts_in_the_order_of_the_request() {
    let plan = plan(&[("Range", "bytes=5-6,0-1,1-2")], &entity(10));
    let boundary = BOUNDARY.to_string();
    let expected = format!(
        "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 5-6/10\r\n\r\n56\r\n\
         --{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/10\r\n\r\n01\r\n\
         --{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes 1-2/10\r\n\r\n12\r\n\
         --{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8(body(&plan, b"0123456789")).unwrap(), expected);
    assert_eq!(plan.content_length(), Some(expected.len() as u64));
    let head = head(&plan);
    let multipart = format!("\r\nContent-Type: multipart/byteranges; boundary={boundary}\r\n");
    assert!(head.starts_with("HTTP/1.1 206 Partial Content\r\n") && head.contains(&multipart));
    assert!(!head.contains("Content-Range"), "{head}");
}

#[test]
fn ranges_that_the_entity_does_not_have_are_answered_with_its_length() {
    for range in ["bytes=1000-", "bytes=1000-1001", "bytes=-0", "bytes=2000-,-0"] {
        let plan = plan(&[("Range", range)], &entity(1000));
        assert_eq!(plan.status().get(), 416, "{range}");
        let head = head(&plan);
        assert!(
            head.contains("\r\nContent-Range: bytes */1000\r\nContent-Length: 0\r\n"),
            "{head}"
        );
        assert!(!head.contains("Content-Type"), "{head}");
        assert_eq!(plan.pieces().next(), None);
    }
}

#[test]
fn an_empty_entity_has_no_ranges() {
    for range in ["bytes=0-", "bytes=-0", "bytes=0-0,5-9"] {
        assert_eq!(status(&[("Range", range)], &entity(0)), 416, "{range}");
    }
    let suffix = plan(&[("Range", "bytes=-5")], &entity(0));
    assert_eq!((suffix.status().get(), suffix.content_length()), (200, Some(0)));
    let whole = plan(&[], &entity(0));
    assert_eq!((whole.content_length(), whole.pieces().next()), (Some(0), None));
}

#[test]
fn an_ignored_range_gives_the_whole_entity() {
    for fields in [
        &[("Range", "bytes=5-4")][..],
        &[("Range", "lines=0-4")],
        &[("Range", "bytes=0-499/10")],
        &[("Range", "bytes=0-4"), ("Range", "bytes=0-5")],
        &[("Range", "bytes=0-4"), ("If-Range", "\"other\"")],
        &[("Range", "bytes=0-4"), ("If-Range", "W/\"tag\"")],
        &[("Range", "bytes=0-4"), ("If-Range", "nonsense")],
        &[("Range", "bytes=0-4"), ("If-Range", EARLIER)],
        &[("Range", "bytes=0-4"), ("If-Range", LATER)],
        &[("Range", "bytes=0-4"), ("If-Range", "\"tag\""), ("If-Range", "\"other\"")],
        // The condition precedes the check of the range.
        &[("Range", "bytes=5000-"), ("If-Range", "\"other\"")],
    ] {
        assert_eq!(status(fields, &entity(1000)), 200, "{fields:?}");
    }
    for fields in [
        &[("Range", "bytes=0-4"), ("Range", "bytes=0-4")][..],
        &[("Range", "bytes=0-4"), ("If-Range", "\"tag\"")],
        &[("Range", "bytes=0-4"), ("If-Range", DATE)],
    ] {
        assert_eq!(status(fields, &entity(1000)), 206, "{fields:?}");
    }
    assert_eq!(status(&[("Range", "bytes=0-4"), ("If-Range", DATE)], &Entity::new(1000)), 200);
}

#[test]
fn conditions_are_evaluated_in_the_order_of_http() {
    let range = ("Range", "bytes=0-4");
    for (fields, expected) in [
        (&[("If-Match", "\"tag\"")][..], 200),
        (&[("If-Match", "*")], 200),
        (&[("If-Match", "\"a\""), ("If-Match", "\"tag\"")], 200),
        (&[("If-Match", "\"other\"")], 412),
        (&[("If-Match", "W/\"tag\"")], 412),
        (&[("If-Match", "nonsense")], 412),
        (&[("If-Unmodified-Since", DATE)], 200),
        (&[("If-Unmodified-Since", LATER)], 200),
        (&[("If-Unmodified-Since", EARLIER)], 412),
        (&[("If-Unmodified-Since", "nonsense")], 200),
        (&[("If-Unmodified-Since", LATER), ("If-Unmodified-Since", DATE)], 412),
        (&[range, ("If-Unmodified-Since", DATE)], 206),
        (&[range, ("If-Unmodified-Since", EARLIER)], 412),
        // If-Match takes precedence.
        (&[("If-Match", "\"tag\""), ("If-Unmodified-Since", EARLIER)], 200),
        (&[("If-Match", "\"other\""), ("If-Unmodified-Since", DATE)], 412),
        (&[("If-None-Match", "\"other\"")], 200),
        (&[("If-None-Match", "\"tag\"")], 304),
        (&[("If-None-Match", "W/\"tag\"")], 304),
        (&[("If-None-Match", "*")], 304),
        (&[("If-None-Match", "nonsense")], 200),
        (&[("If-Modified-Since", EARLIER)], 200),
        (&[("If-Modified-Since", DATE)], 304),
        (&[("If-Modified-Since", LATER)], 304),
        (&[("If-Modified-Since", "nonsense")], 200),
        // If-None-Match takes precedence.
        (&[("If-None-Match", "\"other\""), ("If-Modified-Since", DATE)], 200),
        // A failed precondition comes before 304, and both before the range.
        (&[("If-Match", "\"other\""), ("If-None-Match", "\"tag\"")], 412),
        (&[("Range", "bytes=5000-"), ("If-None-Match", "\"tag\"")], 304),
        (&[("Range", "bytes=5000-"), ("If-Match", "\"other\"")], 412),
    ] {
        assert_eq!(status(fields, &entity(1000)), expected, "{fields:?}");
    }
    // Without a date, conditions on it are ignored. Without a tag, none matches.
    let bare = Entity::new(1000);
    assert_eq!(status(&[("If-Unmodified-Since", EARLIER)], &bare), 200);
    assert_eq!(status(&[("If-Modified-Since", LATER)], &bare), 200);
    assert_eq!(status(&[("If-Match", "\"tag\"")], &bare), 412);
    assert_eq!(status(&[("If-None-Match", "\"tag\"")], &bare), 200);
}

#[test]
fn too_many_lines_of_a_list_count_as_a_failed_condition() {
    let mut fields = vec![("If-Match", "\"tag\""); 5];
    assert_eq!(status(&fields, &entity(10)), 200);
    fields.push(("If-Match", "\"tag\""));
    assert_eq!(status(&fields, &entity(10)), 412);
}

#[test]
fn a_response_without_the_entity_has_its_validators() {
    let known = plan(&[("If-None-Match", "\"tag\"")], &entity(10));
    assert_eq!(
        head(&known),
        format!(
            "HTTP/1.1 304 Not Modified\r\nAccept-Ranges: bytes\r\nLast-Modified: {DATE}\r\n\
             ETag: \"tag\"\r\n\r\n"
        )
    );
    let changed = plan(&[("If-Match", "\"other\"")], &entity(10));
    assert!(head(&changed).ends_with("ETag: \"tag\"\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!((known.pieces().count(), changed.pieces().count()), (0, 0));
}

#[test]
fn head_is_answered_like_get_without_a_body() {
    for fields in [
        &[][..],
        &[("Range", "bytes=2-4")],
        &[("Range", "bytes=2-4,0-1")],
        &[("Range", "bytes=50-")],
        &[("If-Match", "\"other\"")],
    ] {
        let get = plan(fields, &entity(10));
        let limits = PlanLimits::DEFAULT;
        let same = Plan::new(&request("HEAD", fields), &entity(10), &limits, BOUNDARY);
        assert_eq!(head(&same), head(&get), "{fields:?}");
        assert_eq!(same.pieces().next(), None, "{fields:?}");
    }
}

#[test]
fn a_request_beyond_a_limit_gives_the_whole_entity() {
    let parts = |count| format!("bytes={}", vec!["0-0"; count].join(","));
    let entity = entity(1000);
    assert_eq!(status(&[("Range", &parts(512))], &entity), 206);
    assert_eq!(status(&[("Range", &parts(513))], &entity), 200);
    assert_eq!(status(&[("Range", "bytes=0-,0-")], &entity), 206);
    assert_eq!(status(&[("Range", "bytes=0-,0-,0-0")], &entity), 200);
    let limits = PlanLimits::DEFAULT.with_max_parts(1).with_max_amplification(1);
    let status = |range| {
        let request = request("GET", &[("Range", range)]);
        Plan::new(&request, &entity, &limits, BOUNDARY).status().get()
    };
    assert_eq!((status("bytes=0-0"), status("bytes=0-0,1-1")), (206, 200));
}

#[test]
fn lengths_that_do_not_fit_are_answered_with_the_whole_entity() {
    let entity = Entity::new(u64::MAX);
    let range = plan(&[("Range", "bytes=1-")], &entity);
    assert_eq!((range.status().get(), range.content_length()), (206, Some(u64::MAX - 1)));
    let twice = plan(&[("Range", "bytes=0-,1-")], &entity);
    assert_eq!((twice.status().get(), twice.content_length()), (200, Some(u64::MAX)));
}

#[test]
fn the_length_of_parts_counts_every_digit() {
    let powers = (0..19).map(|exponent| 10_u64.pow(exponent));
    let ranges = powers.map(|power| format!("{}-{power}", power - 1));
    let value = format!("bytes={}", ranges.collect::<Vec<_>>().join(","));
    for length in [2 * 10_u64.pow(18), 1000, 11] {
        let plan = plan(&[("Range", &value)], &entity(length));
        let sum: u64 = plan.pieces().map(|piece| piece.len()).sum();
        assert_eq!(plan.content_length(), Some(sum), "{length}");
        let heads = plan.pieces().filter_map(|piece| match piece {
            Piece::Framing(head) => Some(head),
            _ => None,
        });
        for head in heads {
            let mut buffer = [0; 256];
            let needed = head.to_vec().len();
            assert_eq!((head.len(), head.write(&mut buffer)), (needed, Ok(needed)));
            assert_eq!(&buffer[..needed], head.to_vec());
            assert_eq!(head.write(&mut buffer[..needed]), Ok(needed));
            let mut small = [7; 256];
            let error = head.write(&mut small[..needed - 1]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed });
            assert_eq!(small, [7; 256]);
        }
    }
}

#[test]
fn extra_fields_precede_those_of_the_plan_and_cannot_replace_them() {
    let plan = plan(&[], &entity(1));
    let extras = extras([("Date", DATE), ("Server", "example")]);
    let head = plan.encode(&extras).unwrap().to_vec();
    assert!(head.starts_with(format!("HTTP/1.1 200 OK\r\nDate: {DATE}\r\nServer: ").as_bytes()));
    for (name, value, kind) in [
        ("Content-Encoding", "gzip", ErrorKind::ReservedExtra),
        ("content-length", "1", ErrorKind::ReservedExtra),
        ("Transfer-Encoding", "chunked", ErrorKind::ReservedExtra),
        ("ETag", "\"b\"", ErrorKind::ReservedExtra),
        ("Content-Type", "a/b", ErrorKind::ReservedExtra),
        ("Server", "a\r\nb", ErrorKind::ExtraValue),
        ("Ser ver", "a", ErrorKind::ExtraName),
    ] {
        let extras = Extras::from_fields([0; 64], [(name, value)]);
        let error = extras.and_then(|extras| plan.encode(&extras).map(drop)).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
    }
    let encoder = plan.encode(&extras).unwrap();
    let mut fields = Vec::new();
    encoder.for_each_field(|name, value| {
        fields.push(format!("{name}: {}\r\n", value.escape_ascii()).replace('\\', ""));
    });
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", fields.concat());
    assert_eq!(lines.as_bytes(), encoder.to_vec());
    let mut buffer = [0; 512];
    let needed = encoder.encoded_len();
    assert_eq!(encoder.write(&mut buffer), Ok(needed));
    assert_eq!(
        encoder.write(&mut buffer[..needed - 1]).unwrap_err().kind(),
        ErrorKind::BufferTooSmall { needed }
    );
}

/// The ranges of a Range value of closed ranges, as a reference.
fn reference(ranges: &[(u64, u64)], length: u64) -> Vec<ByteRange> {
    let has_first = |range: &&(u64, u64)| range.0 < length;
    let clip = |&(first, last): &(u64, u64)| ByteRange::new(first, last.min(length - 1)).unwrap();
    ranges.iter().filter(has_first).map(clip).collect()
}

proptest! {
    #[test]
    fn a_client_reads_exactly_the_requested_ranges(
        ranges in prop::collection::vec((0..60_u64, 0..20_u64), 1..8),
        length in 0..50_u64,
        split in 1..40_usize,
    ) {
        let ranges: Vec<_> = ranges.iter().map(|(first, more)| (*first, first + more)).collect();
        let list: Vec<_> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        let value = format!("bytes={}", list.join(","));
        let fields = [("Range", &*value)];
        let limits = PlanLimits::DEFAULT.with_max_amplification(100);
        let plan = Plan::new(&request("GET", &fields), &entity(length), &limits, BOUNDARY);
        let content = content(length as usize);
        let body = body(&plan, &content);
        prop_assert_eq!(plan.content_length(), Some(body.len() as u64));

        let expected = reference(&ranges, length);
        match expected.len() {
            0 => prop_assert_eq!(plan.status().get(), 416),
            1 => prop_assert_eq!(plan.content_range().and_then(|it| it.range()), Some(expected[0])),
            _ => {
                let boundary = format!("multipart/byteranges; boundary={BOUNDARY}");
                let mut reader = MultipartReader::new(MultipartType::try_from(&*boundary).unwrap());
                let mut parts: Vec<(ByteRange, Vec<u8>)> = Vec::new();
                for piece in body.chunks(split) {
                    let mut input = piece;
                    while !input.is_empty() {
                        let read = reader.read(input).unwrap();
                        match read.event {
                            Some(MultipartEvent::Part(it)) => {
                                prop_assert_eq!(it.total(), Some(length));
                                parts.push((it.range().unwrap(), Vec::new()));
                            }
                            Some(MultipartEvent::Data { offset, bytes }) => {
                                let (range, data) = parts.last_mut().unwrap();
                                prop_assert_eq!(offset, range.first() + data.len() as u64);
                                data.extend_from_slice(bytes);
                            }
                            _ => {}
                        }
                        input = &input[read.consumed..];
                    }
                }
                prop_assert!(reader.is_complete());
                prop_assert_eq!(parts.iter().map(|(range, _)| *range).collect::<Vec<_>>(), expected);
                for (range, data) in parts {
                    prop_assert_eq!(&data[..], &content[range.first() as usize..range.end() as usize]);
                }
            }
        }
    }
}
