//! Presence of fields in the messages of downloads: the behaviour of readers and writers is compared with the
//! table in the documentation, and the documentation with the table in the code.
//!
//! If the documentation is out of date, a test fails. To update it:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --all-features --test library download::presence
//! ```

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::messages::extras;
use bits_proto::download::field::{Boundary, ContentType, EntityTag, FieldName, MultipartType};
use bits_proto::download::presence::{MessageKind, Presence, TABLE, of};
use bits_proto::download::{
    ByteRange, Download, Entity, HeaderSlots, MultipartReader, Options, Piece, Plan, PlanLimits,
    Request, RequestHead, Response, ResponseHead, Validator,
};
use bits_proto::error::ErrorKind;
use bits_proto::field::HttpDate;
use bits_proto::http1::{Progress, RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::NO_EXTRAS;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const MULTIPART: &str = "multipart/byteranges; boundary=b";

use FieldName as F;
use MessageKind as K;

fn full_entity() -> Entity<'static> {
    Entity::new(100)
        .with_modified(HttpDate::try_from(DATE.as_bytes()).ok())
        .with_tag(EntityTag::try_from("\"tag\"").ok())
        .with_content_type(ContentType::try_from("text/plain").ok())
}

// Reading: messages with and without each field.

/// Returns a value of the field that changes the result if it is read.
fn sample(kind: MessageKind, field: FieldName) -> &'static str {
    match field {
        F::AcceptEncoding | F::ContentEncoding => "gzip",
        F::Range => "bytes=0-4",
        F::IfRange | F::IfMatch => "\"other\"",
        F::IfNoneMatch | F::ETag => "\"tag\"",
        F::IfModifiedSince | F::LastModified => DATE,
        F::IfUnmodifiedSince => EARLIER,
        F::AcceptRanges => "bytes",
        F::ContentType if kind == K::Multipart => MULTIPART,
        F::ContentType => "text/plain",
        F::ContentRange if kind == K::Unsatisfiable => "bytes */100",
        F::ContentRange => "bytes 0-4/100",
        F::ContentLength | F::RetryAfter => "5",
        F::TransferEncoding => "chunked",
        other => panic!("no value of {other}"),
    }
}

/// Returns the fields that make a message valid, or that give other fields a meaning.
fn base(kind: MessageKind) -> BTreeSet<FieldName> {
    match kind {
        K::Get | K::Head => [F::Range].into(),
        K::Range | K::Part => [F::ContentRange].into(),
        K::Multipart => [F::ContentType].into(),
        _ => BTreeSet::new(),
    }
}

/// Reads a message with these fields, and returns what was read. `None` if it is rejected.
fn read(kind: MessageKind, fields: &BTreeSet<FieldName>) -> Option<String> {
    let lines = fields.iter().map(|field| format!("{field}: {}\r\n", sample(kind, *field)));
    let lines: String = lines.collect();
    if kind == K::Part {
        let body = format!("--b\r\n{lines}\r\n01234\r\n--b--\r\n");
        let mut reader = MultipartReader::new(MultipartType::try_from(MULTIPART).unwrap());
        let read = reader.read(body.as_bytes()).ok()?;
        return Some(format!("{:?}", read.event));
    }
    if kind.is_request() {
        let head = format!("{} /file HTTP/1.1\r\n{lines}\r\n", kind.name());
        let mut slots = HeaderSlots::new();
        let Progress::Complete(head) = RequestHead::parse(head.as_bytes(), &mut slots).ok()? else {
            panic!("a complete head")
        };
        let request = Request::from_head(&head).ok()?;
        let boundary = Boundary::from_random(0);
        let plan = Plan::new(&request, &full_entity(), &PlanLimits::DEFAULT, boundary);
        return Some(format!("{plan:?}"));
    }
    let head = format!("HTTP/1.1 {} Reason\r\n{lines}\r\n", status(kind));
    let mut slots = HeaderSlots::new();
    let Progress::Complete(head) = ResponseHead::parse(head.as_bytes(), &mut slots).ok()? else {
        panic!("a complete head")
    };
    Some(format!("{:?}", Response::from_head(&head).ok()?))
}

fn status(kind: MessageKind) -> u16 {
    match kind {
        K::Whole => 200,
        K::Range | K::Multipart => 206,
        K::NotModified => 304,
        K::PreconditionFailed => 412,
        K::Unsatisfiable => 416,
        K::Other => 503,
        other => panic!("{other:?} has no status code"),
    }
}

// Writing: messages of senders that know nothing but the length, and of those that know everything.

type Names = BTreeSet<FieldName>;

/// Returns the fields that are always written, and those that may be written.
fn written(kind: MessageKind) -> (Names, Names) {
    match kind {
        K::Get | K::Head => {
            let validators = [Validator::IfUnmodifiedSince, Validator::IfMatch, Validator::IfRange];
            let full = validators.map(|validator| request_fields(kind, validator, true));
            (request_fields(kind, Validator::None, false), full.into_iter().flatten().collect())
        }
        K::Other => Default::default(),
        K::Part => (part_fields(&Entity::new(100)), part_fields(&full_entity())),
        _ => (plan_fields(kind, &Entity::new(100)), plan_fields(kind, &full_entity())),
    }
}

fn names(each: impl FnOnce(&mut dyn FnMut(&str, &[u8]))) -> Names {
    let mut fields = Vec::new();
    each(&mut |name, _| fields.push(FieldName::from_name(name).expect("a known field")));
    let names: Names = fields.iter().copied().collect();
    assert_eq!(fields, names.iter().copied().collect::<Vec<_>>(), "the order of the fields");
    names
}

/// Returns the fields of a request: HEAD, or GET after a response with all validators.
fn request_fields(kind: MessageKind, validator: Validator, with_ranges: bool) -> Names {
    let now = Duration::ZERO;
    let ranges = if with_ranges {
        [ByteRange::at(0, 5), ByteRange::at(50, 5)]
    } else {
        [ByteRange::whole(100), None]
    };
    let ranges: Vec<_> = ranges.into_iter().flatten().collect();
    let options = Options::DEFAULT.with_head_first(true).with_validator(validator);
    let mut download = Download::new(ranges, options, 7);
    if kind == K::Get {
        download.handle_sending(now).unwrap();
        download.handle_sent(now).unwrap();
        let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
        let fields = [("Content-Length", "100"), ("Last-Modified", DATE), ("ETag", "\"tag\"")];
        let fields = fields.map(|(name, value)| (name, value.as_bytes()));
        let response = Response::from_fields(line, fields).unwrap();
        download.handle_response(&response, now).unwrap();
    }
    let transmit = download.transmit().expect("a request");
    assert_eq!(transmit.method().as_str(), kind.name());
    let target = RequestTarget::try_from("/file").unwrap();
    let encoder = transmit.encode(target, &NO_EXTRAS).unwrap();
    names(|each| encoder.for_each_field(each))
}

/// Plans a response of this kind.
fn plan<'p>(kind: MessageKind, entity: &Entity<'p>, method: &'static str) -> Plan<'p> {
    let fields: &[(&str, &str)] = match kind {
        K::Whole => &[],
        K::Range => &[("Range", "bytes=0-4")],
        K::Multipart => &[("Range", "bytes=0-4,6-9")],
        K::NotModified => &[("If-None-Match", "*")],
        K::PreconditionFailed => &[("If-Match", "\"other\"")],
        K::Unsatisfiable => &[("Range", "bytes=100-")],
        other => panic!("no plan is {other:?}"),
    };
    let line = bits_proto::http1::RequestLine { method, target: "/", version: Version::Http11 };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    let request = Request::from_fields(line, fields).unwrap();
    let plan = Plan::new(&request, entity, &PlanLimits::DEFAULT, Boundary::from_random(0));
    assert_eq!(plan.status().get(), status(kind));
    plan
}

fn plan_fields(kind: MessageKind, entity: &Entity<'_>) -> Names {
    let [get, head] = ["GET", "HEAD"].map(|method| {
        let encoder = plan(kind, entity, method).encode(&NO_EXTRAS).unwrap();
        names(|each| encoder.for_each_field(each))
    });
    assert_eq!(get, head, "{kind:?}");
    get
}

fn part_fields(entity: &Entity<'_>) -> Names {
    let Some(Piece::Framing(head)) = plan(K::Multipart, entity, "GET").pieces().next() else {
        panic!("the head of a part")
    };
    let lines = head.to_string();
    let names = lines.lines().skip(1).filter_map(|line| line.split_once(": "));
    names.map(|(name, _)| FieldName::from_name(name).expect("a known field")).collect()
}

// The comparison with the documentation.

/// Returns the word for the presence of a field, from the behaviour of writer and reader.
fn observed(kind: MessageKind, field: FieldName) -> &'static str {
    let (always, sometimes) = written(kind);
    let (mut with, mut without) = (base(kind), base(kind));
    with.insert(field);
    without.remove(&field);
    let (with, without) = (read(kind, &with), read(kind, &without));
    match (always.contains(&field), sometimes.contains(&field), with, without) {
        (true, true, Some(_), None) => "required",
        (true, true, Some(_), Some(_)) => "expected",
        (false, true, Some(_), Some(_)) => "optional",
        (false, false, None, Some(_)) => "forbidden",
        (false, false, Some(with), Some(without)) if with != without => "accepted",
        (false, false, Some(_), Some(_)) => "–",
        other => panic!("{field} of {kind:?}: {other:?}"),
    }
}

#[test]
fn readers_and_writers_behave_as_documented() {
    let lines: Vec<_> = include_str!("../../src/download/presence.md").lines().collect();
    let cells = |line: &'static str| line.split('|').map(str::trim).collect::<Vec<_>>();
    let titles: Vec<_> = MessageKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(cells(lines[0])[2..12], titles);
    for (field, line) in FieldName::ALL.iter().zip(&lines[2..]) {
        let cells = cells(line);
        assert_eq!(cells[1], format!("`{field}` ({})", field.section()));
        let observed: Vec<_> =
            MessageKind::ALL.iter().map(|kind| observed(*kind, *field)).collect();
        assert_eq!(cells[2..12], observed, "{field}");
    }
}

/// Requirements on what is written: the field, the messages, and whether it is written, with the reason.
const REQUIREMENTS: &[(F, &[K], bool, &str)] = &[
    (F::LastModified, &SUCCESSES, true, "[MC-BUP] 3.5.5.1"),
    (F::ContentLength, &SUCCESSES, true, "[MC-BUP] 3.5.5"),
    (F::ContentRange, &[K::Range], true, "RFC 9110 section 15.3.7.1"),
    (F::ContentRange, &[K::Multipart], false, "RFC 9110 section 15.3.7.2"),
    (F::ContentType, &[K::Multipart], true, "RFC 9110 section 15.3.7.2"),
    (F::ContentRange, &[K::Part], true, "RFC 9110 section 15.3.7.2"),
    (F::ContentType, &[K::Part, K::Whole, K::Range], true, "RFC 9110 section 8.3"),
    (F::ETag, &[K::Whole, K::Range, K::Multipart, K::NotModified], true, "RFC 9110 section 15.4.5"),
    (F::LastModified, &[K::NotModified], true, "RFC 9110 section 15.4.5, if there is no tag"),
    (F::ContentLength, &[K::NotModified], false, "RFC 9110 section 8.6: only the length of a 200"),
    (F::ContentRange, &[K::Unsatisfiable], true, "RFC 9110 section 15.5.17"),
    (F::ContentRange, &[K::Whole, K::NotModified, K::PreconditionFailed], false, "no range"),
    (F::ContentType, &BODILESS, false, "RFC 9110 section 8.3: there is no content"),
    (F::LastModified, &BODILESS, true, "the client learns of the new version"),
    (F::ETag, &BODILESS, true, "the client learns of the new version"),
    (F::ContentLength, &[K::PreconditionFailed, K::Unsatisfiable], true, "the body is empty"),
    (F::ContentEncoding, &RESPONSES, false, "the content is the entity"),
    (F::TransferEncoding, &RESPONSES, false, "the length is known"),
    (F::RetryAfter, &RESPONSES, false, "the time is known to the caller"),
    (F::AcceptRanges, &RESPONSES, true, "RFC 9110 section 14.3"),
    (F::AcceptEncoding, &[K::Get, K::Head], true, "content codings change the ranges"),
    (F::Range, &[K::Get], true, "[MC-BUP] 3.6.5"),
    (F::Range, &[K::Head], false, "RFC 9110 section 14.2: defined for GET"),
    (F::IfUnmodifiedSince, &[K::Get], true, "[MC-BUP] 3.6.5: the same version"),
    (F::IfMatch, &[K::Get], true, "the same version"),
    (F::IfRange, &[K::Get], true, "the same version"),
    (F::IfNoneMatch, &[K::Get, K::Head], false, "for caches"),
    (F::IfModifiedSince, &[K::Get, K::Head], false, "for caches"),
];

const SUCCESSES: [K; 3] = [K::Whole, K::Range, K::Multipart];
const BODILESS: [K; 3] = [K::NotModified, K::PreconditionFailed, K::Unsatisfiable];
const RESPONSES: [K; 6] =
    [K::Whole, K::Range, K::Multipart, K::NotModified, K::PreconditionFailed, K::Unsatisfiable];

#[test]
fn messages_are_written_as_http_and_the_specification_require() {
    for (field, kinds, is_expected, reason) in REQUIREMENTS {
        for kind in *kinds {
            let (_, names) = written(*kind);
            assert_eq!(names.contains(field), *is_expected, "{field} of {kind:?}: {reason}");
        }
    }
}

#[test]
fn a_missing_or_forbidden_field_is_named_by_the_error() {
    let read = |fields: &[(&'static str, &'static str)]| {
        let status = StatusCode::PARTIAL_CONTENT;
        let line = StatusLine { version: Version::Http11, status, reason: "" };
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let error = Response::from_fields(line, fields).unwrap_err();
        (error.kind(), error.field())
    };
    let field = Some("Content-Range");
    assert_eq!(read(&[]), (ErrorKind::MissingField, field));
    let both = [("Content-Type", MULTIPART), ("Content-Range", "bytes 0-4/9")];
    assert_eq!(read(&both), (ErrorKind::ConflictingField, field));
}

#[test]
fn callers_cannot_add_fields_that_a_message_decides_about() {
    let of_requests = "Accept-Encoding Range If-Range If-Match If-None-Match If-Modified-Since \
        If-Unmodified-Since Content-Length Transfer-Encoding";
    let of_responses = "Accept-Ranges Last-Modified ETag Content-Type Content-Encoding \
        Content-Range Content-Length Transfer-Encoding";
    let download = Download::new([ByteRange::at(0, 5).unwrap()], Options::DEFAULT, 7);
    let target = RequestTarget::try_from("/file").unwrap();
    for field in FieldName::ALL {
        let extras = extras([(field.as_str(), "value")]);
        let request = download.transmit().expect("a request").encode(target, &extras).is_err();
        assert_eq!(request, of_requests.split(' ').any(|it| it == field.as_str()), "{field}");
        for kind in &MessageKind::ALL[2..8] {
            let response = plan(*kind, &full_entity(), "GET").encode(&extras).is_err();
            let is_reserved = of_responses.split(' ').any(|it| it == field.as_str());
            assert_eq!(response, is_reserved, "{field} of {kind:?}");
        }
    }
}

// The documentation.

const LEGEND: &str = "\
A client sends GET and HEAD, and a server the other messages. The response to HEAD has the fields \
of the response to GET. *required*: always written; a message without the field is rejected. \
*expected*: always written; its absence is accepted. *optional*: written if the sender has a value. \
*accepted*: never written, but read. –: never written, and ignored. *forbidden*: never written; a \
message with the field is rejected.
";

const fn word(presence: Presence) -> &'static str {
    match presence {
        Presence::Required => "required",
        Presence::Expected => "expected",
        Presence::Optional => "optional",
        Presence::Accepted => "accepted",
        Presence::Ignored => "–",
        Presence::Forbidden => "forbidden",
        _ => panic!("a presence without a word in the documentation"),
    }
}

fn document() -> String {
    let row = |first: &str, cells: Vec<&str>| format!("| {first} | {} |\n", cells.join(" | "));
    let kinds = MessageKind::ALL;
    let mut text = row("field", kinds.iter().map(|kind| kind.name()).collect());
    text += &format!("|---|{}\n", "---|".repeat(kinds.len()));
    for (field, columns) in TABLE {
        let title = format!("`{field}` ({})", field.section());
        text += &row(&title, columns.map(word).to_vec());
    }
    format!("{text}\n{LEGEND}")
}

#[test]
fn the_documentation_is_the_table() {
    let document = document();
    if std::env::var_os("BITS_BLESS").is_some() {
        let path =
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/download/presence.md");
        std::fs::write(&path, document).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        return;
    }
    let written = include_str!("../../src/download/presence.md").replace("\r\n", "\n");
    assert_eq!(
        written, document,
        "out of date: BITS_BLESS=1 cargo test --all-features --test library download::presence"
    );
    for (field, columns) in TABLE {
        for (kind, presence) in MessageKind::ALL.iter().zip(columns) {
            assert_eq!(of(*kind, field), presence, "{field} of {kind:?}");
        }
    }
}
