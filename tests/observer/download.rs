//! The rules of downloads, and conversations that violate none.

use std::collections::BTreeSet;

use bits_proto::download::field::{Boundary, ContentRange, EntityTag, MultipartType};
use bits_proto::download::{
    ByteRange, Download, Entity, HeaderSlots, MultipartEvent, MultipartReader, Options, Piece,
    Plan, PlanLimits, Poll, Request, RequestHead, Response, ResponseHead, Validator,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::{Progress, RequestLine, RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::NO_EXTRAS;
use bits_proto::observer::{DownloadObserver, DownloadRule, Violation};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use std::time::Duration;

const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const NEW: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const MULTIPART: (&str, &str) = ("Content-Type", "multipart/byteranges; boundary=b");

type Fields<'f> = &'f [(&'f str, &'f str)];

fn pairs<'f>(fields: Fields<'f>) -> impl Iterator<Item = (&'f str, &'f [u8])> {
    fields.iter().map(|(name, value)| (*name, value.as_bytes()))
}

fn response_line(status: u16) -> StatusLine<'static> {
    let status = StatusCode::try_from(status).expect("a status");
    StatusLine { version: Version::Http11, status, reason: "" }
}

/// An observer with its violations so far.
#[derive(Default)]
struct Watch {
    observer: DownloadObserver,
    seen: Vec<Violation>,
}

impl Watch {
    fn request(&mut self, connection: u32, method: &str, fields: Fields<'_>) {
        let line = RequestLine { method, target: "/file", version: Version::Http11 };
        self.observer.handle_request_fields(connection, line, pairs(fields));
    }

    /// Passes a response and returns its violations.
    fn response(&mut self, connection: u32, status: u16, fields: Fields<'_>) -> Vec<&'static str> {
        let report = |violation| self.seen.push(violation);
        let line = response_line(status);
        self.observer.handle_response_fields(connection, line, pairs(fields), report);
        self.rules()
    }

    /// Passes the parts of a body and its end, and returns their violations.
    fn parts(&mut self, connection: u32, parts: &[&str]) -> Vec<&'static str> {
        for part in parts {
            let part = ContentRange::try_from(*part).expect("a range");
            self.observer.handle_part(connection, part, |it| self.seen.push(it));
        }
        self.observer.handle_body_end(connection, |it| self.seen.push(it));
        self.rules()
    }

    fn exchange(
        &mut self,
        request: (&str, Fields<'_>),
        response: (u16, Fields<'_>),
    ) -> Vec<&'static str> {
        self.request(1, request.0, request.1);
        self.response(1, response.0, response.1)
    }

    fn rules(&mut self) -> Vec<&'static str> {
        self.seen.drain(..).map(|it| it.rule()).collect()
    }
}

/// Returns the violations of a response to a request that were not observed before.
fn exchange(request: (&str, Fields<'_>), response: (u16, Fields<'_>)) -> Vec<&'static str> {
    Watch::default().exchange(request, response)
}

/// Returns the violations of a GET with one value of Range and of a response with a date.
fn ranges(range: &str, status: u16, fields: Fields<'_>) -> Vec<&'static str> {
    let fields: Vec<_> = fields.iter().copied().chain([("Last-Modified", OLD)]).collect();
    exchange(("GET", &[("Range", range)]), (status, &fields))
}

/// Returns the violations of a body with these parts.
fn parts(range: &str, parts: &[&str]) -> Vec<&'static str> {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    let head = watch.exchange(("GET", &[("Range", range)]), (206, &fields));
    assert_eq!(head, [""; 0]);
    watch.parts(1, parts)
}

/// Returns the violations of a GET with one condition and of a response with these validators.
fn condition(condition: (&str, &str), status: u16, validators: Fields<'_>) -> Vec<&'static str> {
    let fields = [("Content-Length", "10"), ("Content-Range", "bytes 0-9/100")];
    let fields: Vec<_> = fields[..if status == 206 { 2 } else { 1 }].to_vec();
    let fields: Vec<_> = fields.into_iter().chain(validators.iter().copied()).collect();
    exchange(("GET", &[condition, ("Range", "bytes=0-9")]), (status, &fields))
}

const NONE: [&str; 0] = [];

#[test]
fn a_response_must_have_length_and_date() {
    let date = ("Last-Modified", OLD);
    for method in ["GET", "HEAD"] {
        let response = |status, fields: Fields<'_>| exchange((method, &[]), (status, fields));
        assert_eq!(response(200, &[date, ("Content-Length", "5")]), NONE);
        assert_eq!(response(200, &[date]), ["download-without-length"]);
        let chunked = [date, ("Transfer-Encoding", "chunked")];
        assert_eq!(response(200, &chunked), ["download-without-length"]);
        assert_eq!(response(200, &[("Content-Length", "5")]), ["download-without-date"]);
        assert_eq!(response(404, &[]), NONE);
        assert_eq!(response(304, &[]), NONE);
    }
}

#[test]
fn the_body_must_not_be_encoded_for_a_client_that_accepts_only_identity() {
    let fields = [("Last-Modified", OLD), ("Content-Length", "5"), ("Content-Encoding", "gzip")];
    let identity = [("Accept-Encoding", "identity")];
    assert_eq!(exchange(("GET", &identity), (200, &fields)), ["unrequested-coding"]);
    assert_eq!(exchange(("GET", &identity), (200, &fields[..2])), NONE);
    for accepted in [&[][..], &[("Accept-Encoding", "gzip, identity")]] {
        assert_eq!(exchange(("GET", accepted), (200, &fields)), NONE);
    }
}

#[test]
fn an_entity_that_fails_a_condition_must_not_be_sent() {
    for status in [200, 206] {
        let rules = |field, value, validators| {
            let rules = condition((field, value), status, validators);
            let is_of_condition = |rule: &&str| rule.ends_with("-condition");
            rules.into_iter().filter(is_of_condition).collect::<Vec<_>>()
        };
        let (old, new) = ([("Last-Modified", OLD)], [("Last-Modified", NEW)]);
        let changed = ["changed-despite-condition"];
        assert_eq!(rules("If-Unmodified-Since", OLD, &new), changed);
        assert_eq!(rules("If-Unmodified-Since", OLD, &old), NONE);
        assert_eq!(rules("If-Unmodified-Since", NEW, &old), NONE);
        assert_eq!(rules("If-Unmodified-Since", "yesterday", &new), NONE);
        let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
        assert_eq!(rules("If-Match", "\"a\"", &tagged), changed);
        assert_eq!(rules("If-Match", "\"a\", \"b\"", &tagged), NONE);
        // A proxy may have removed the tag.
        assert_eq!(rules("If-Match", "\"a\"", &old), NONE);
        let long = format!("\"{}\"", "a".repeat(200));
        assert_eq!(rules("If-Match", &long, &tagged), NONE);
    }
    assert_eq!(condition(("If-Unmodified-Since", OLD), 412, &[("Last-Modified", NEW)]), NONE);
}

#[test]
fn an_entity_that_the_client_has_should_not_be_sent() {
    let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
    let rules = |field, value, fields| condition((field, value), 206, fields);
    let ignored = ["condition-ignored"];
    assert_eq!(rules("If-None-Match", "W/\"b\"", &tagged[..]), ignored);
    assert_eq!(rules("If-None-Match", "\"a\"", &tagged), NONE);
    assert_eq!(rules("If-None-Match", "\"b\"", &tagged[..1]), NONE);
    assert_eq!(rules("If-Modified-Since", OLD, &tagged), ignored);
    assert_eq!(rules("If-Modified-Since", OLD, &[("Last-Modified", NEW)]), NONE);
}

#[test]
fn ranges_of_an_entity_that_fails_if_range_must_not_be_sent() {
    let tagged = [("Last-Modified", OLD), ("ETag", "\"b\"")];
    let rules = |value, status, fields| condition(("If-Range", value), status, fields);
    let despite = ["ranges-despite-condition"];
    assert_eq!(rules("\"a\"", 206, &tagged[..]), despite);
    assert_eq!(rules("\"b\"", 206, &tagged), NONE);
    assert_eq!(rules(NEW, 206, &tagged), despite);
    assert_eq!(rules(OLD, 206, &tagged), NONE);
    assert_eq!(rules("\"a\"", 206, &tagged[..1]), NONE);
    assert_eq!(rules("\"a\"", 200, &tagged), NONE);
    // The range of a request whose condition passes may be ignored, as dates are weak.
    assert_eq!(rules(OLD, 200, &[("Last-Modified", OLD), ("Content-Length", "10")]), NONE);
}

#[test]
fn one_range_should_not_be_answered_with_the_whole_entity() {
    let length = [("Content-Length", "100")];
    assert_eq!(ranges("bytes=0-9", 200, &length), ["range-ignored"]);
    assert_eq!(ranges("bytes=-1", 200, &length), ["range-ignored"]);
    for ignored in ["bytes=0-", "bytes=100-", "bytes=5-4", "lines=0-9"] {
        assert_eq!(ranges(ignored, 200, &length), NONE, "{ignored}");
    }
    let unknown = ranges("bytes=0-9", 200, &[("Transfer-Encoding", "chunked")]);
    assert_eq!(unknown, ["download-without-length"]);
    let fields = [("Last-Modified", OLD), ("Content-Length", "100")];
    assert_eq!(exchange(("HEAD", &[("Range", "bytes=0-9")]), (200, &fields)), NONE);
}

#[test]
fn several_ranges_may_be_refused() {
    let range = "bytes=0-9,20-29";
    assert_eq!(ranges(range, 200, &[("Content-Length", "100")]), ["several-ranges-refused"]);
    let unsatisfied = [("Content-Range", "bytes */100")];
    assert_eq!(ranges(range, 416, &unsatisfied), ["several-ranges-refused"]);
    assert_eq!(ranges(range, 416, &[]), NONE);
    assert_eq!(ranges("bytes=100-,200-", 416, &unsatisfied), NONE);
}

#[test]
fn a_range_that_the_entity_has_must_be_sent() {
    let rules = |range| ranges(range, 416, &[("Content-Range", "bytes */100")]);
    assert_eq!(rules("bytes=99-120"), ["satisfiable-range-refused"]);
    assert_eq!(rules("bytes=-5"), ["satisfiable-range-refused"]);
    assert_eq!(rules("bytes=100-"), NONE);
    assert_eq!(ranges("bytes=99-120", 416, &[]), NONE);
}

#[test]
fn a_response_must_have_the_requested_range() {
    let rules =
        |range, sent| ranges(range, 206, &[("Content-Range", sent), ("Content-Length", "10")]);
    assert_eq!(rules("bytes=10-19", "bytes 10-19/100"), NONE);
    assert_eq!(rules("bytes=90-120", "bytes 90-99/100"), NONE);
    assert_eq!(rules("bytes=-10", "bytes 90-99/100"), NONE);
    assert_eq!(rules("bytes=200-,10-19", "bytes 10-19/100"), NONE);
    let unrequested = ["unrequested-range"];
    assert_eq!(rules("bytes=10-19", "bytes 10-20/100"), unrequested);
    assert_eq!(rules("bytes=10-19", "bytes 11-19/100"), unrequested);
    assert_eq!(rules("bytes=5-4", "bytes 0-9/100"), unrequested);
    assert_eq!(rules("bytes=10-19", "bytes 10-18/100"), ["short-range"]);
    // The length is unknown, so that the range may end at the end of the entity.
    assert_eq!(rules("bytes=10-19", "bytes 10-18/*"), NONE);
    assert_eq!(rules("bytes=10-19,30-39", "bytes 10-19/100"), ["missing-parts"]);
    assert_eq!(rules("bytes=10-19,20-29", "bytes 10-29/100"), ["merged-ranges"]);
}

#[test]
fn only_several_ranges_are_sent_as_parts() {
    let fields = [("Content-Length", "100"), MULTIPART];
    assert_eq!(ranges("bytes=0-9", 206, &fields), ["unexpected-multipart"]);
    assert_eq!(ranges("bytes=5-4", 206, &fields), ["unexpected-multipart"]);
    assert_eq!(ranges("bytes=0-9,20-29", 206, &fields), NONE);
}

#[test]
fn parts_must_be_the_requested_ranges_in_their_order() {
    let range = "bytes=10-19,50-59,20-29,50-59,500-";
    let (a, b, c) = ("bytes 10-19/100", "bytes 50-59/100", "bytes 20-29/100");
    assert_eq!(parts(range, &[a, b, c, b]), NONE);
    assert_eq!(parts(range, &[a, c, b, b]), ["reordered-ranges"]);
    assert_eq!(parts(range, &[b, a, b, c]), ["reordered-ranges"]);
    assert_eq!(parts(range, &[b, b, c, a]), ["reordered-ranges"], "reported once");
    assert_eq!(parts(range, &[a, b, b]), ["missing-parts"]);
    assert_eq!(parts(range, &["bytes 10-29/100", b, b]), ["merged-ranges", "reordered-ranges"]);
    assert_eq!(parts(range, &["bytes 10-59/100"]), ["merged-ranges"]);
    assert_eq!(parts(range, &[a, b, c, "bytes 50-58/100"]), ["short-range"]);
    assert_eq!(parts(range, &[a, b, c, b, b]), ["unrequested-range"]);
    assert_eq!(parts(range, &[a, "bytes 50-61/100", c, b]), ["unrequested-range"]);
    assert_eq!(parts(range, &[a, "bytes 50-59/101", c, b]), ["mixed-lengths"]);
    assert_eq!(parts(range, &[a, "bytes 50-59/*"]), NONE);
    assert_eq!(parts(range, &[]), NONE);
}

#[test]
fn missing_bytes_are_counted() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    watch.exchange(("GET", &[("Range", "bytes=0-9,20-39")]), (206, &fields));
    watch.observer.handle_part(1, "bytes 0-9/100".parse().expect("a range"), |_| {});
    let mut seen = Vec::new();
    watch.observer.handle_body_end(1, |it| seen.push(it.to_string()));
    assert!(seen[0].ends_with("(20 of 30 bytes are missing)"), "{seen:?}");
}

#[test]
fn ranges_beyond_the_first_ones_are_only_counted() {
    let starts = || (0..10).map(|index| index * 10);
    let list: Vec<_> = starts().map(|first| format!("{first}-{}", first + 4)).collect();
    let range = format!("bytes={}", list.join(","));
    let sent: Vec<_> = starts().map(|first| format!("bytes {first}-{}/100", first + 4)).collect();
    let mut sent: Vec<_> = sent.iter().map(String::as_str).collect();
    assert_eq!(parts(&range, &sent), NONE);
    sent[9] = "bytes 95-99/100";
    assert_eq!(parts(&range, &sent), NONE);
    assert_eq!(parts(&range, &sent[..8]), NONE);
    assert_eq!(parts(&range, &sent[1..]), ["missing-parts"]);
}

#[test]
fn head_and_get_must_agree_about_one_entity() {
    let rules = |head: Fields<'_>, get: Fields<'_>| {
        let mut watch = Watch::default();
        assert_eq!(watch.exchange(("HEAD", &[]), (200, head)), NONE);
        watch.exchange(("GET", &[]), (200, get))
    };
    let (date, length) = (("Last-Modified", OLD), ("Content-Length", "100"));
    let (tag, other_length) = (("ETag", "\"a\""), ("Content-Length", "99"));
    let new = ("Last-Modified", NEW);
    let differs = ["head-differs"];
    assert_eq!(rules(&[date, length], &[date, length]), NONE);
    assert_eq!(rules(&[date, length], &[date, other_length]), differs);
    assert_eq!(rules(&[date, length, tag], &[new, length, tag]), differs);
    assert_eq!(rules(&[date, length], &[date, length, tag]), differs);
    // The entity may have changed.
    assert_eq!(rules(&[date, length], &[new, other_length]), NONE);
    let other_tag = ("ETag", "\"b\"");
    assert_eq!(rules(&[date, length, tag], &[date, other_length, other_tag]), NONE);
    // The length is that of the encoded entity.
    let gzip = ("Content-Encoding", "gzip");
    assert_eq!(rules(&[date, length], &[date, other_length, gzip]), NONE);
}

#[test]
fn the_length_of_parts_is_compared_with_head() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    assert_eq!(watch.exchange(("HEAD", &[]), (200, &fields[..2])), NONE);
    let range = [("Range", "bytes=0-9,20-29")];
    assert_eq!(watch.exchange(("GET", &range), (206, &fields)), NONE);
    let parts = watch.parts(1, &["bytes 0-9/501", "bytes 20-29/501"]);
    assert_eq!(parts, ["head-differs"]);
}

#[test]
fn a_changed_entity_must_have_other_validators() {
    let rules = |first: Fields<'_>, second: Fields<'_>| {
        let mut watch = Watch::default();
        let of_range = [("Content-Length", "10"), ("Content-Range", "bytes 0-9/100")];
        let of_range: Vec<_> = of_range.iter().chain(second).copied().collect();
        let whole: Vec<_> = [("Content-Length", "90")].iter().chain(first).copied().collect();
        assert_eq!(watch.exchange(("GET", &[]), (200, &whole)), NONE);
        watch.exchange(("GET", &[("Range", "bytes=0-9")]), (206, &of_range))
    };
    let (old, new) = ([("Last-Modified", OLD)], [("Last-Modified", NEW)]);
    assert_eq!(rules(&old, &old), ["unchanged-validators"]);
    assert_eq!(rules(&old, &new), NONE);
}

#[test]
fn invalid_responses_are_errors_of_the_message() {
    let length = [("Content-Length", "10")];
    assert_eq!(ranges("bytes=0-9", 206, &length), ["missing-field"]);
}

#[test]
fn responses_are_assigned_to_the_requests_on_their_connection() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "100")];
    watch.request(1, "GET", &[("Range", "bytes=0-9")]);
    watch.request(2, "BITS_POST", &[]);
    watch.request(2, "GET", &[]);
    assert_eq!(watch.response(2, 200, &[]), NONE, "no download");
    assert_eq!(watch.response(1, 100, &[]), NONE, "an interim response");
    assert_eq!(watch.response(2, 200, &fields), NONE);
    assert_eq!(watch.response(1, 200, &fields), ["range-ignored"]);
    assert_eq!(watch.response(1, 200, &[]), NONE, "no request is pending");
    watch.request(1, "GET", &[("Range", "bytes=0-9")]);
    watch.observer.handle_disconnected(1);
    watch.request(1, "GET", &[]);
    assert_eq!(watch.response(1, 200, &fields), NONE);
}

#[test]
fn the_parts_of_a_response_end_with_the_next_response() {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    let range = [("Range", "bytes=0-9,20-29")];
    watch.request(1, "GET", &range);
    watch.request(1, "GET", &range);
    assert_eq!(watch.response(1, 206, &fields), NONE);
    assert_eq!(watch.response(1, 206, &fields), NONE);
    assert_eq!(watch.parts(1, &["bytes 0-9/100", "bytes 20-29/100"]), NONE);
    assert_eq!(watch.parts(1, &["bytes 0-9/100"]), NONE, "no body is being received");
}

#[test]
fn too_many_pending_requests_end_the_verdicts() {
    let respond = |pending: u32| {
        let mut watch = Watch::default();
        for connection in 0..pending {
            watch.request(connection, "GET", &[]);
        }
        watch.response(0, 200, &[("Content-Length", "5")])
    };
    assert_eq!(respond(8), ["download-without-date"]);
    assert_eq!(respond(9), NONE);
}

/// Observes a download of random ranges, and returns the violations.
fn observe_download(seed: u64) -> BTreeSet<&'static str> {
    let mut random = SmallRng::seed_from_u64(seed);
    let length = random.random_range(1..300);
    let tag = random.random_bool(0.5).then(|| EntityTag::try_from("\"a\"").expect("a tag"));
    let entity =
        Entity::new(length).with_modified(HttpDate::from_unix_seconds(784_111_777)).with_tag(tag);
    let range = |random: &mut SmallRng| {
        let first = random.random_range(0..length);
        ByteRange::new(first, random.random_range(first..length)).expect("a range")
    };
    let ranges: Vec<_> = (0..random.random_range(0..12)).map(|_| range(&mut random)).collect();
    let validators =
        [Validator::None, Validator::IfUnmodifiedSince, Validator::IfMatch, Validator::IfRange];
    let is_whole_at_once = ranges.is_empty() && random.random_bool(0.5);
    let max_length = if is_whole_at_once { u64::MAX } else { random.random_range(1..200) };
    let options = Options::DEFAULT
        .with_head_first(!is_whole_at_once && (ranges.is_empty() || random.random_bool(0.5)))
        .with_validator(validators[random.random_range(0..4)])
        .with_max_length(max_length)
        .with_max_ranges(random.random_range(1..12));
    let plan_limits = PlanLimits::DEFAULT.with_max_amplification(u64::MAX);
    let mut download = Download::new(ranges, options, seed);
    let (mut watch, now) = (Watch::default(), Duration::from_secs(1));
    for connection in 0..10_000 {
        match download.poll() {
            Poll::Send => {}
            Poll::Commit => {
                download.handle_committed().expect("all bytes");
                continue;
            }
            Poll::Finished => return watch.rules().into_iter().collect(),
            other => panic!("seed {seed}: {other:?}"),
        }
        let target = RequestTarget::try_from("/file").expect("a target");
        let request = download.transmit().expect("a request");
        let request = request.encode(target, NO_EXTRAS).expect("no extras").to_vec();
        download.handle_sending(now).expect("ready");
        download.handle_sent(now).expect("sending");
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(&request, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        watch.observer.handle_request(connection, &head);
        let request = Request::from_head(&head).expect("a download");
        let plan = Plan::new(&request, &entity, &plan_limits, Boundary::from_random(seed.into()));
        respond(&plan, &mut download, &mut watch, connection);
    }
    panic!("seed {seed}: no end");
}

/// Passes the response of a plan to the client and to the observer.
fn respond(
    plan: &Plan<'_>,
    download: &mut Download<Vec<ByteRange>>,
    watch: &mut Watch,
    connection: u32,
) {
    let now = Duration::from_secs(1);
    let answer = plan.encode(NO_EXTRAS).expect("no extras").to_vec();
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(&answer, &mut slots).expect("a valid head");
    let Progress::Complete(head) = head else { panic!("a complete head") };
    let report = |violation| watch.seen.push(violation);
    watch.observer.handle_response(connection, &head, report);
    let response = Response::from_head(&head).expect("a valid response");
    download.handle_response(&response, now).expect("awaiting");
    let body: Vec<u8> = plan
        .pieces()
        .flat_map(|piece| match piece {
            Piece::Framing(head) => head.to_vec(),
            Piece::Entity(range) => vec![0; usize::try_from(range.len()).expect("a small range")],
            other => panic!("{other:?}"),
        })
        .collect();
    let mut rest = &body[..];
    while !rest.is_empty() {
        let data = download.handle_data(rest, now).expect("receiving");
        rest = &rest[data.consumed..];
        if data.is_done {
            break;
        }
    }
    if let Some(content_type) = response.multipart {
        pass_parts(content_type, &body, watch, connection);
    }
}

fn pass_parts(content_type: MultipartType<'_>, body: &[u8], watch: &mut Watch, connection: u32) {
    let (mut reader, mut rest) = (MultipartReader::new(content_type), body);
    while !rest.is_empty() {
        let read = reader.read(rest).expect("a valid body");
        if let Some(MultipartEvent::Part(part)) = read.event {
            watch.observer.handle_part(connection, part, |it| watch.seen.push(it));
        }
        rest = &rest[read.consumed..];
    }
    assert!(reader.is_complete());
    watch.observer.handle_body_end(connection, |it| watch.seen.push(it));
}

#[test]
fn downloads_from_our_own_server_violate_no_rule() {
    for seed in 0..2000 {
        assert_eq!(observe_download(seed), BTreeSet::new(), "seed {seed}");
    }
}

#[test]
fn every_rule_has_its_own_name() {
    let names: BTreeSet<_> = DownloadRule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), DownloadRule::ALL.len());
    let sequence = bits_proto::observer::SequenceRule::ALL.iter().map(|rule| rule.name());
    let deviations = bits_proto::deviation::Deviation::ALL.iter().map(|it| it.name());
    for name in sequence.chain(deviations) {
        assert!(!names.contains(name), "{name}");
    }
}
