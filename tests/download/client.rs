//! The client: requests, responses, and what happens when they do not match.

use std::time::Duration;

use bits_proto::download::{
    ByteRange, Condition, Data, Download, EventError, Exchange, Method, Options, Poll, Response,
    Source, State, StopReason, Validator,
};
use bits_proto::field::HResult;
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const NOW: Duration = Duration::from_secs(1000);

type Ranges = Download<Vec<ByteRange>>;

fn range(first: u64, last: u64) -> ByteRange {
    ByteRange::new(first, last).unwrap()
}

fn download(ranges: &[(u64, u64)], options: Options) -> Ranges {
    let ranges = ranges.iter().map(|(first, last)| range(*first, *last)).collect();
    Download::new(ranges, options, 7)
}

/// A download that starts with GET.
fn get(ranges: &[(u64, u64)], options: Options) -> Ranges {
    download(ranges, options.with_head_first(false))
}

fn send(download: &mut Ranges) {
    assert_eq!(download.poll(), Poll::Send);
    download.handle_sending(NOW).unwrap();
    download.handle_sent(NOW).unwrap();
}

fn answer(download: &mut Ranges, status: u16, fields: &[(&str, &str)]) {
    let status = StatusCode::try_from(status).unwrap();
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    match Response::from_fields(line, fields) {
        Ok(response) => download.handle_response(&response, NOW).unwrap(),
        Err(_) => download.handle_unreadable(Some(status), NOW).unwrap(),
    }
}

fn exchange(download: &mut Ranges, status: u16, fields: &[(&str, &str)]) {
    send(download);
    answer(download, status, fields);
}

/// Passes all of `body`, and returns the stored bytes with their positions.
fn receive(download: &mut Ranges, body: &str) -> Vec<(u64, u64, String)> {
    let (mut stored, mut rest) = (Vec::new(), body.as_bytes());
    while !rest.is_empty() {
        let Data { consumed, store, is_done, .. } = download.handle_data(rest, NOW).unwrap();
        stored.extend(
            store.map(|it| (it.position, it.offset, String::from_utf8(it.bytes.to_vec()).unwrap())),
        );
        if is_done {
            break;
        }
        rest = &rest[consumed..];
    }
    stored
}

fn stored(position: u64, offset: u64, bytes: &str) -> (u64, u64, String) {
    (position, offset, bytes.to_owned())
}

/// The head of the next request.
fn head(download: &Ranges) -> String {
    let target = RequestTarget::try_from("/f").unwrap();
    let encoder = download.transmit().unwrap().encode(target, [("Host", "h")]).unwrap();
    let mut fields = String::new();
    encoder.for_each_field(|name, value| {
        fields += &format!("{name}: {}\r\n", std::str::from_utf8(value).unwrap());
    });
    let head = String::from_utf8(encoder.to_vec()).unwrap();
    assert!(head.ends_with(&format!(" HTTP/1.1\r\n{fields}\r\n")), "{head}");
    head
}

/// The value of Range in the next request.
fn requested(download: &Ranges) -> Option<String> {
    let head = head(download);
    let value = head.split("\r\nRange: ").nth(1)?;
    value.split("\r\n").next().map(str::to_owned)
}

#[test]
fn the_length_is_asked_for_first_and_then_the_whole_entity() {
    let mut download = download(&[], Options::DEFAULT);
    assert_eq!(head(&download), "HEAD /f HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\n\r\n");
    let fields = [("Content-Length", "5"), ("Last-Modified", DATE), ("ETag", "\"a\"")];
    exchange(&mut download, 200, &fields);
    assert_eq!((download.entity_length(), download.requested()), (Some(5), Some(5)));
    assert_eq!(download.last_modified().unwrap().as_bytes(), DATE.as_bytes());
    let expected = format!(
        "GET /f HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity\r\nIf-Unmodified-Since: {DATE}\r\n\r\n"
    );
    assert_eq!(head(&download), expected);
    exchange(&mut download, 200, &fields);
    assert_eq!(download.exchange(), Exchange::Receiving);
    assert_eq!(receive(&mut download, "hello"), [stored(0, 0, "hello")]);
    assert_eq!((download.poll(), download.received()), (Poll::Commit, 5));
    download.handle_committed().unwrap();
    assert_eq!(download.poll(), Poll::Finished);
}

#[test]
fn a_server_without_head_is_asked_with_get() {
    for status in [405, 501] {
        let mut download = download(&[], Options::DEFAULT);
        exchange(&mut download, status, &[]);
        assert_eq!(download.transmit().unwrap().method(), Method::Get);
        exchange(&mut download, 200, &[("Content-Length", "2")]);
        receive(&mut download, "ab");
        assert_eq!(download.state(), State::Commit);
    }
    let mut download = download(&[], Options::DEFAULT);
    exchange(&mut download, 404, &[]);
    let status = StatusCode::NOT_FOUND;
    assert_eq!(download.poll(), Poll::Failed(StopReason::Refused { status }));
}

#[test]
fn an_empty_entity_needs_no_get() {
    let mut download = download(&[], Options::DEFAULT);
    exchange(&mut download, 200, &[("Content-Length", "0")]);
    assert_eq!(download.poll(), Poll::Commit);
    let mut download = get(&[], Options::DEFAULT);
    exchange(&mut download, 200, &[("Content-Length", "0")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn the_rest_is_requested_after_a_broken_connection() {
    let mut download = get(&[], Options::DEFAULT);
    exchange(&mut download, 200, &[("Content-Length", "10"), ("Last-Modified", DATE)]);
    receive(&mut download, "0123");
    download.handle_transport_failure(NOW).unwrap();
    let Poll::Wait(until) = download.poll() else { panic!() };
    assert!(until > NOW && until <= NOW + Duration::from_secs(1), "{until:?}");
    download.handle_timeout(until - Duration::from_nanos(1));
    assert_eq!(download.poll(), Poll::Wait(until));
    download.handle_timeout(until);
    assert_eq!(requested(&download).as_deref(), Some("bytes=4-9"));
    let fields = [("Content-Range", "bytes 4-9/10"), ("Last-Modified", DATE)];
    exchange(&mut download, 206, &fields);
    assert_eq!(receive(&mut download, "456789"), [stored(4, 4, "456789")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn a_body_that_ends_early_is_continued() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/20")]);
    receive(&mut download, "012");
    download.handle_body_end(NOW).unwrap();
    assert_eq!(download.exchange(), Exchange::BackOff);
    download.handle_timeout(NOW + Duration::from_secs(60));
    assert_eq!(requested(&download).as_deref(), Some("bytes=3-9"));
    // A server may send less than requested.
    exchange(&mut download, 206, &[("Content-Range", "bytes 3-5/20")]);
    assert_eq!(receive(&mut download, "345"), [stored(3, 3, "345")]);
    assert_eq!(requested(&download).as_deref(), Some("bytes=6-9"));
}

#[test]
fn requests_are_limited_in_length_and_in_the_number_of_ranges() {
    let ranges = [(100, 199), (1000, 1099), (200, 299)];
    let options = Options::DEFAULT.with_max_length(200);
    assert_eq!(requested(&get(&ranges, options)).as_deref(), Some("bytes=100-199,1000-1099"));
    let options = Options::DEFAULT.with_max_ranges(2);
    assert_eq!(requested(&get(&ranges, options)).as_deref(), Some("bytes=100-199,1000-1099"));
    let many: Vec<_> = (0..500).map(|at| (at * 10, at * 10 + 1)).collect();
    let options = Options::DEFAULT.with_max_ranges(u32::MAX);
    let value = requested(&get(&many, options)).unwrap();
    assert_eq!(value.split(',').count() as u32, Options::MAX_RANGES);
}

#[test]
fn several_ranges_are_stored_one_after_the_other() {
    let mut download = get(&[(5, 6), (0, 1)], Options::DEFAULT);
    assert_eq!(requested(&download).as_deref(), Some("bytes=5-6,0-1"));
    exchange(&mut download, 206, &[("Content-Type", "multipart/byteranges; boundary=b")]);
    let body = "--b\r\nContent-Range: bytes 5-6/9\r\n\r\n56\r\n\
                --b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b--\r\n";
    assert_eq!(receive(&mut download, body), [stored(0, 5, "56"), stored(2, 0, "01")]);
    assert_eq!((download.poll(), download.entity_length()), (Poll::Commit, Some(9)));
}

#[test]
fn single_ranges_are_requested_where_several_do_not_work() {
    let multipart = ("Content-Type", "multipart/byteranges; boundary=b");
    let start = || get(&[(0, 1), (4, 5), (2, 3)], Options::DEFAULT);
    for (status, fields, body, next) in [
        (200, [("Content-Length", "9"), ("X", "y")], "", 0),
        (416, [("Content-Range", "bytes */9"), ("X", "y")], "", 0),
        (206, [("Content-Range", "bytes 0-1/9"), ("X", "y")], "", 0),
        (206, [("Content-Range", "bytes 0-5/9"), ("X", "y")], "", 0),
        (206, [("Content-Type", "text/html"), ("X", "y")], "", 0),
        // Merged, reordered, missing and malformed parts.
        (206, [multipart, ("X", "y")], "--b\r\nContent-Range: bytes 0-5/9\r\n\r\n", 0),
        (206, [multipart, ("X", "y")], "--b\r\nContent-Range: bytes 2-3/9\r\n\r\n", 0),
        (206, [multipart, ("X", "y")], "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b--", 2),
        (
            206,
            [multipart, ("X", "y")],
            "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b\r\nContent-Range: bytes 2-3/9\r\n\r\n",
            2,
        ),
        // The bytes of a part whose length is wrong are not trusted.
        (206, [multipart, ("X", "y")], "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n0123\r\n", 0),
    ] {
        let mut download = start();
        exchange(&mut download, status, &fields);
        receive(&mut download, body);
        assert_eq!((download.poll(), download.received()), (Poll::Send, next), "{status} {body:?}");
        assert!(download.is_single_range(), "{status} {body:?}");
        let expected = if next == 0 { "bytes=0-1" } else { "bytes=4-5" };
        assert_eq!(requested(&download).as_deref(), Some(expected), "{status} {body:?}");
    }
}

#[test]
fn a_wrong_answer_to_a_single_range_is_retried_and_never_stored() {
    for (status, fields) in [
        (206, [("Content-Range", "bytes 1-9/20"), ("X", "y")]),
        (206, [("Content-Range", "bytes 0-10/20"), ("X", "y")]),
        (206, [("Content-Range", "bytes 0-9/20"), ("Content-Length", "9")]),
        (204, [("X", "y"), ("X", "y")]),
        (304, [("X", "y"), ("X", "y")]),
        (416, [("Content-Range", "bytes */20"), ("X", "y")]),
        (
            206,
            [
                ("Content-Range", "bytes 0-9/20"),
                ("Content-Type", "multipart/byteranges; boundary=b"),
            ],
        ),
    ] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, status, &fields);
        for _ in 0..11 {
            download.handle_timeout(NOW + Duration::from_secs(3600));
            if download.poll() != Poll::Send {
                break;
            }
            exchange(&mut download, status, &fields);
        }
        assert_eq!(download.poll(), Poll::Suspended(StopReason::Protocol), "{status} {fields:?}");
        assert_eq!(download.received(), 0);
    }
}

#[test]
fn the_whole_entity_in_place_of_a_range_is_an_error_or_skipped() {
    let fields = [("Content-Length", "9")];
    let mut download = get(&[(4, 5)], Options::DEFAULT);
    exchange(&mut download, 200, &fields);
    let reason = StopReason::RangesNotSupported;
    assert_eq!(download.poll(), Poll::Suspended(reason));
    assert_eq!(reason.code(), Some(HResult::BG_E_INSUFFICIENT_RANGE_SUPPORT));

    let mut download = get(&[(4, 5)], Options::DEFAULT.with_skip_to_range(true));
    exchange(&mut download, 200, &fields);
    assert_eq!(receive(&mut download, "012"), []);
    assert_eq!(receive(&mut download, "345678"), [stored(0, 4, "45")]);
    assert_eq!(download.poll(), Poll::Commit);

    let mut download = get(&[(0, 8)], Options::DEFAULT);
    exchange(&mut download, 200, &fields);
    assert_eq!(receive(&mut download, "012345678").len(), 1);
}

#[test]
fn an_entity_that_changed_is_downloaded_again_from_its_start() {
    for fields in [
        [("Content-Range", "bytes 2-9/10"), ("Last-Modified", LATER)],
        [("Content-Range", "bytes 2-9/11"), ("Last-Modified", DATE)],
        [("Content-Range", "bytes 2-9/10"), ("ETag", "\"b\"")],
    ] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        let first = [("Content-Range", "bytes 0-9/10"), ("Last-Modified", DATE), ("ETag", "\"a\"")];
        exchange(&mut download, 206, &first);
        receive(&mut download, "01");
        download.pause().unwrap();
        download.resume().unwrap();
        exchange(&mut download, 206, &fields);
        assert_eq!(download.poll(), Poll::Discard, "{fields:?}");
        assert_eq!((download.restarts(), download.transmit().is_none()), (1, true));
        download.handle_discarded().unwrap();
        assert_eq!((download.poll(), download.received()), (Poll::Send, 0));
        // Nothing of the old version is left.
        assert!(!head(&download).contains("If-"), "{}", head(&download));
        exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/99"), ("ETag", "\"c\"")]);
        assert_eq!(receive(&mut download, "abcdefghij"), [stored(0, 0, "abcdefghij")]);
    }
}

#[test]
fn a_failed_condition_means_that_the_entity_changed() {
    let mut download = get(&[(0, 9)], Options::DEFAULT.with_max_restarts(1));
    exchange(&mut download, 412, &[]);
    // Nothing was stored, so there is nothing to discard.
    assert_eq!((download.poll(), download.restarts()), (Poll::Send, 1));
    exchange(&mut download, 412, &[]);
    assert_eq!(download.poll(), Poll::Suspended(StopReason::EntityChanged));
    download.resume().unwrap();
    assert_eq!((download.poll(), download.restarts()), (Poll::Send, 0));
}

#[test]
fn a_part_of_another_version_is_not_stored() {
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Type", "multipart/byteranges; boundary=b")]);
    let body = "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n\
                --b\r\nContent-Range: bytes 4-5/8\r\n\r\nXX\r\n--b--\r\n";
    assert_eq!(receive(&mut download, body), [stored(0, 0, "01")]);
    assert_eq!(download.poll(), Poll::Discard);
}

#[test]
fn a_weak_tag_is_not_compared() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    let first = [("Content-Range", "bytes 0-9/10"), ("ETag", "\"a\""), ("Last-Modified", DATE)];
    exchange(&mut download, 206, &first);
    receive(&mut download, "01");
    break_off(&mut download);
    let second = [("Content-Range", "bytes 2-9/*"), ("ETag", "W/\"b\""), ("Last-Modified", DATE)];
    exchange(&mut download, 206, &second);
    assert_eq!(receive(&mut download, "23456789"), [stored(2, 2, "23456789")]);
    assert_eq!(download.tag().unwrap().as_bytes(), b"\"a\"");
}

#[test]
fn bytes_without_a_comparable_validator_do_not_continue_those_with_one() {
    let long_tag = format!("\"{}\"", "t".repeat(127));
    for fields in [&[][..], &[("ETag", "W/\"a\"")], &[("ETag", &*long_tag)]] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), ("ETag", "\"a\"")]);
        receive(&mut download, "01");
        break_off(&mut download);
        let mut fields = fields.to_vec();
        fields.push(("Content-Range", "bytes 2-9/10"));
        exchange(&mut download, 206, &fields);
        assert_eq!((download.exchange(), download.received()), (Exchange::BackOff, 2));
    }
}

/// Breaks the connection, and waits for the end of the back-off.
fn break_off(download: &mut Ranges) {
    download.handle_transport_failure(NOW).unwrap();
    download.handle_timeout(NOW + Duration::from_secs(3600));
}

#[test]
fn the_whole_entity_may_be_one_of_several_ranges() {
    let mut download = download(&[(1, 2), (0, 8)], Options::DEFAULT.with_max_ranges(1));
    exchange(&mut download, 200, &[("Content-Length", "9")]);
    exchange(&mut download, 206, &[("Content-Range", "bytes 1-2/9")]);
    receive(&mut download, "12");
    assert_eq!(requested(&download), None);
    exchange(&mut download, 200, &[("Content-Length", "9")]);
    assert_eq!(receive(&mut download, "012345678"), [stored(2, 0, "012345678")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn a_limit_of_length_does_not_reject_the_whole_entity() {
    let mut download = get(&[], Options::DEFAULT.with_max_length(4));
    assert_eq!(requested(&download), None);
    exchange(&mut download, 200, &[("Content-Length", "10")]);
    assert_eq!(receive(&mut download, "0123456789"), [stored(0, 0, "0123456789")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn dynamic_content_starts_over_if_its_length_is_stated_later() {
    let mut download = get(&[], Options::DEFAULT.with_dynamic(true));
    exchange(&mut download, 200, &[("Transfer-Encoding", "chunked")]);
    receive(&mut download, "ab");
    break_off(&mut download);
    exchange(&mut download, 200, &[("Content-Length", "9")]);
    assert_eq!(download.poll(), Poll::Discard);
    // HEAD stated another length than the body has.
    let mut download = download_with_head(Options::DEFAULT.with_dynamic(true));
    exchange(&mut download, 200, &[("Content-Length", "9")]);
    exchange(&mut download, 200, &[("Transfer-Encoding", "chunked")]);
    receive(&mut download, "ab");
    download.handle_body_end(NOW).unwrap();
    assert_eq!(download.poll(), Poll::Discard);
}

fn download_with_head(options: Options) -> Ranges {
    download(&[], options)
}

#[test]
fn a_download_without_missing_bytes_sends_no_request() {
    let body = "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n\
                --b\r\nContent-Range: bytes 4-5/9\r\n\r\n45";
    let multipart = [("Content-Type", "multipart/byteranges; boundary=b")];
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    exchange(&mut download, 206, &multipart);
    receive(&mut download, body);
    break_off(&mut download);
    assert_eq!(download.poll(), Poll::Commit);
    download.handle_storage_failure(download.received()).unwrap();
    download.resume().unwrap();
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn a_server_that_sends_invalid_parts_only_is_given_up() {
    let multipart = [("Content-Type", "multipart/byteranges; boundary=b")];
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    for _ in 0..12 {
        exchange(&mut download, 206, &multipart);
        receive(&mut download, "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01xx");
        download.handle_timeout(NOW + Duration::from_secs(3600));
        if download.poll() != Poll::Send {
            break;
        }
    }
    assert_eq!(download.poll(), Poll::Suspended(StopReason::Protocol));
}

#[test]
fn an_unreadable_response_is_classified_like_a_valid_one() {
    let unreadable = |download: &mut Ranges, status| {
        send(download);
        let status = StatusCode::try_from(status).unwrap();
        download.handle_unreadable(Some(status), NOW).unwrap();
    };
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    unreadable(&mut download, 412);
    assert_eq!((download.poll(), download.restarts()), (Poll::Send, 1));
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    unreadable(&mut download, 416);
    assert!(download.is_single_range());
    unreadable(&mut download, 503);
    assert_eq!(download.exchange(), Exchange::BackOff);
}

#[test]
fn a_416_for_bytes_that_the_entity_had_means_that_it_changed() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), ("Last-Modified", DATE)]);
    receive(&mut download, "01");
    break_off(&mut download);
    exchange(&mut download, 416, &[]);
    assert_eq!(download.poll(), Poll::Discard);
}

#[test]
fn a_list_of_ranges_that_is_too_long_is_split() {
    for status in [400, 414, 431] {
        let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
        exchange(&mut download, status, &[]);
        assert_eq!((download.poll(), download.is_single_range()), (Poll::Send, true));
        exchange(&mut download, status, &[]);
        assert!(matches!(download.poll(), Poll::Failed(_)), "{status}");
    }
}

#[test]
fn conditions_are_those_of_the_options() {
    let condition = |validator, fields: &[(&str, &str)], ranges: &[(u64, u64)]| {
        let mut download = download(ranges, Options::DEFAULT.with_validator(validator));
        exchange(&mut download, 200, fields);
        let head = head(&download);
        head.lines().find(|line| line.starts_with("If-")).map(str::to_owned)
    };
    let both = [("Content-Length", "9"), ("Last-Modified", DATE), ("ETag", "\"a\"")];
    let date = [("Content-Length", "9"), ("Last-Modified", DATE)];
    let invalid = [("Content-Length", "9"), ("Last-Modified", "yesterday"), ("ETag", "W/\"a\"")];
    let some = |text: &str| Some(text.to_owned());
    let part = [(0, 4)];
    assert_eq!(condition(Validator::None, &both, &part), None);
    let unmodified = format!("If-Unmodified-Since: {DATE}");
    assert_eq!(condition(Validator::IfUnmodifiedSince, &both, &part), some(&unmodified));
    assert_eq!(condition(Validator::IfUnmodifiedSince, &invalid, &part), None);
    assert_eq!(condition(Validator::IfMatch, &both, &part), some("If-Match: \"a\""));
    assert_eq!(condition(Validator::IfMatch, &date, &part), None);
    assert_eq!(condition(Validator::IfRange, &both, &part), some("If-Range: \"a\""));
    assert_eq!(condition(Validator::IfRange, &date, &part), some(&format!("If-Range: {DATE}")));
    // Without Range the field has no meaning.
    assert_eq!(condition(Validator::IfRange, &both, &[]), None);
    let mut download = download(&part, Options::DEFAULT.with_validator(Validator::IfMatch));
    exchange(&mut download, 200, &both);
    let condition = download.transmit().unwrap().condition();
    assert!(matches!(condition, Some(Condition::IfMatch(tag)) if tag.as_bytes() == b"\"a\""));
}

#[test]
fn a_coded_body_is_never_stored() {
    for fields in [
        [("Content-Length", "9"), ("Content-Encoding", "gzip")],
        [("Content-Encoding", "identity"), ("Content-Encoding", "gzip")],
        [("Content-Length", "9"), ("Transfer-Encoding", "gzip, chunked")],
    ] {
        let mut download = get(&[], Options::DEFAULT);
        exchange(&mut download, 200, &fields);
        let reason = StopReason::UnsupportedEncoding;
        assert_eq!(download.poll(), Poll::Suspended(reason), "{fields:?}");
        assert!(download.handle_data(b"x", NOW).is_err());
    }
}

#[test]
fn an_entity_without_a_length_is_an_error_or_dynamic_content() {
    let chunked = [("Transfer-Encoding", "chunked")];
    let mut download = get(&[], Options::DEFAULT);
    exchange(&mut download, 200, &chunked);
    let reason = StopReason::MissingLength;
    assert_eq!(download.poll(), Poll::Suspended(reason));
    assert_eq!(reason.code(), Some(HResult::BG_E_MISSING_FILE_SIZE));

    let mut download = get(&[], Options::DEFAULT.with_dynamic(true));
    // The end of the connection does not show that the body is complete.
    exchange(&mut download, 200, &[]);
    assert_eq!(download.poll(), Poll::Suspended(reason));
    download.resume().unwrap();
    exchange(&mut download, 200, &chunked);
    assert_eq!(receive(&mut download, "ab"), [stored(0, 0, "ab")]);
    // A break starts over, as the rest cannot be requested.
    download.handle_transport_failure(NOW).unwrap();
    download.handle_timeout(NOW + Duration::from_secs(60));
    exchange(&mut download, 200, &chunked);
    assert_eq!(download.poll(), Poll::Discard);
    download.handle_discarded().unwrap();
    exchange(&mut download, 200, &chunked);
    assert_eq!(receive(&mut download, "abc"), [stored(0, 0, "abc")]);
    download.handle_body_end(NOW).unwrap();
    assert_eq!((download.poll(), download.entity_length()), (Poll::Commit, Some(3)));
}

#[test]
fn ranges_outside_the_entity_fail() {
    let reason = StopReason::RangeOutsideEntity;
    let mut sized = download(&[(0, 9)], Options::DEFAULT);
    exchange(&mut sized, 200, &[("Content-Length", "9")]);
    assert_eq!(sized.poll(), Poll::Failed(reason));
    let mut unsized_ = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut unsized_, 416, &[("Content-Range", "bytes */0")]);
    assert_eq!(unsized_.poll(), Poll::Failed(reason));
}

#[test]
fn credentials_are_asked_for_and_the_request_repeated() {
    for status in [401, 407] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, status, &[]);
        let status = StatusCode::try_from(status).unwrap();
        assert_eq!(download.poll(), Poll::Credentials(status));
        assert_eq!(requested(&download).as_deref(), Some("bytes=0-9"));
        download.provide_credentials().unwrap();
        assert_eq!(download.poll(), Poll::Send);
    }
}

#[test]
fn transient_failures_are_retried_and_redirects_fail() {
    for status in [408, 429, 500, 503] {
        let mut download = get(&[(0, 9)], Options::DEFAULT.with_max_retries(1));
        exchange(&mut download, status, &[]);
        assert_eq!((download.exchange(), download.failures()), (Exchange::BackOff, 1), "{status}");
        download.handle_timeout(NOW + Duration::from_secs(60));
        exchange(&mut download, status, &[]);
        let status = StatusCode::try_from(status).unwrap();
        assert_eq!(download.poll(), Poll::Suspended(StopReason::Refused { status }));
    }
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 503, &[("Retry-After", "120")]);
    assert_eq!(download.poll(), Poll::Wait(NOW + Duration::from_secs(120)));
    download.handle_retry_after(Duration::from_secs(60), NOW);
    assert_eq!(download.poll(), Poll::Wait(NOW + Duration::from_secs(120)));
    download.handle_retry_after(Duration::MAX, NOW);
    assert_eq!(download.poll(), Poll::Wait(NOW + Options::DEFAULT.max_retry_after));
    for status in [301, 302, 307, 308, 403, 404, 410, 501] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, status, &[]);
        let status = StatusCode::try_from(status).unwrap();
        assert_eq!(download.poll(), Poll::Failed(StopReason::Refused { status }));
        download.resume().unwrap();
        assert_eq!(download.poll(), Poll::Send);
    }
}

#[test]
fn timers_limit_the_request_and_every_pause_of_the_response() {
    let options = Options::DEFAULT
        .with_request_timeout(Duration::from_secs(10))
        .with_response_timeout(Duration::from_secs(20));
    let mut download = get(&[(0, 9)], options);
    assert_eq!(download.poll_timeout(), None);
    download.handle_sending(NOW).unwrap();
    assert_eq!(download.poll_timeout(), Some(NOW + Duration::from_secs(10)));
    download.handle_sent(NOW).unwrap();
    assert_eq!(download.poll_timeout(), Some(NOW + Duration::from_secs(20)));
    answer(&mut download, 206, &[("Content-Range", "bytes 0-9/10")]);
    let later = NOW + Duration::from_secs(15);
    let _ = download.handle_data(b"0", later).unwrap();
    assert_eq!(download.poll_timeout(), Some(later + Duration::from_secs(20)));
    download.handle_timeout(later + Duration::from_secs(20));
    assert_eq!((download.exchange(), download.received()), (Exchange::BackOff, 1));
}

#[test]
fn bytes_that_could_not_be_stored_are_requested_again() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/10")]);
    receive(&mut download, "0123456789");
    assert_eq!(download.state(), State::Commit);
    download.handle_storage_failure(4).unwrap();
    assert_eq!(download.poll(), Poll::Suspended(StopReason::Storage));
    download.resume().unwrap();
    assert_eq!(requested(&download).as_deref(), Some("bytes=4-9"));
    download.handle_storage_failure(100).unwrap();
    assert_eq!(download.received(), 4);
}

#[test]
fn illegal_inputs_change_nothing() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    let before = format!("{download:?}");
    assert!(download.handle_sent(NOW).is_err());
    assert!(download.handle_data(b"x", NOW).is_err());
    assert!(download.handle_body_end(NOW).is_err());
    assert!(download.handle_committed().is_err());
    assert!(download.provide_credentials().is_err());
    assert!(download.handle_unreadable(None, NOW).is_err());
    assert_eq!(download.handle_discarded(), Err(EventError::NothingToDiscard));
    assert_eq!(download.handle_peer_fetched(), Err(EventError::NoPeer));
    assert!(download.handle_search_finished([]).is_err());
    assert_eq!(format!("{download:?}"), before);
    download.handle_sending(NOW).unwrap();
    assert_eq!(download.set_options(Options::DEFAULT), Err(EventError::InFlight));
    download.cancel().unwrap();
    assert_eq!(download.poll(), Poll::Cancelled);
    assert!(download.resume().is_err() && download.pause().is_err() && download.cancel().is_err());
}

#[test]
fn ranges_that_peers_have_are_fetched_from_them() {
    let ranges = vec![range(0, 9), range(20, 29), range(40, 49), range(60, 69)];
    let origin = Source::Origin;
    let mut download = Download::new_with_peers(ranges, Options::DEFAULT, 7);
    let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
    let size = |download: &mut Download<Vec<ByteRange>, Vec<Source>>| {
        download.handle_sending(NOW).unwrap();
        let size = Response::from_fields(line, [("Content-Length", &b"100"[..])]).unwrap();
        download.handle_response(&size, NOW).unwrap();
    };
    size(&mut download);
    assert_eq!(download.poll(), Poll::Search);
    let peer = |offset| Source::Peer { index: 3, offset };
    download.handle_search_finished(vec![peer(0), peer(10), origin, peer(20)]).unwrap();
    assert_eq!(download.poll(), Poll::FetchFromPeer(3));
    assert_eq!(download.handle_sending(NOW), Err(EventError::FetchedFromPeer));
    let ranges: Vec<_> = download.transmit().unwrap().ranges().unwrap().collect();
    // The second range follows the first one in the record of the peer.
    assert_eq!(ranges, [range(0, 9), range(10, 19)]);
    download.handle_peer_fetched().unwrap();
    assert_eq!((download.poll(), download.received()), (Poll::Send, 20));
    let ranges: Vec<_> = download.transmit().unwrap().ranges().unwrap().collect();
    assert_eq!(ranges, [range(40, 49)], "the fourth range has another source");
    // Three failures of peers repeat the search, the fourth ends it.
    download.handle_sending(NOW).unwrap();
    let fields = [("Content-Range", &b"bytes 40-49/100"[..])];
    let partial = StatusLine { status: StatusCode::PARTIAL_CONTENT, ..line };
    download.handle_response(&Response::from_fields(partial, fields).unwrap(), NOW).unwrap();
    let _ = download.handle_data(&[0; 10], NOW).unwrap();
    for _ in 0..3 {
        assert_eq!(download.poll(), Poll::FetchFromPeer(3));
        download.handle_peer_failed().unwrap();
        assert_eq!(download.poll(), Poll::Search);
        download.handle_search_finished(vec![peer(0), peer(10), origin, peer(20)]).unwrap();
    }
    download.handle_peer_failed().unwrap();
    assert_eq!((download.poll(), download.state()), (Poll::Send, State::Download));
    let ranges: Vec<_> = download.transmit().unwrap().ranges().unwrap().collect();
    assert_eq!(ranges, [range(60, 69)]);
}

#[test]
fn a_download_can_be_stored_in_any_state() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    let reload = |download: &Ranges| -> Ranges {
        serde_json::from_str(&serde_json::to_string(download).unwrap()).unwrap()
    };
    send(&mut download);
    answer(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), ("Last-Modified", DATE)]);
    receive(&mut download, "0123");
    let mut loaded = reload(&download);
    assert_eq!(loaded.received(), 4);
    loaded.resume().unwrap();
    assert_eq!(requested(&loaded).as_deref(), Some("bytes=4-9"));
    assert!(head(&loaded).contains(&format!("If-Unmodified-Since: {DATE}")));

    let mut value = serde_json::to_value(&download).unwrap();
    value["progress"]["version"] = 2.into();
    let error = serde_json::from_value::<Ranges>(value).unwrap_err().to_string();
    assert_eq!(error, "stored download has version 2, expected 1");
    download.pause().unwrap();
    for (field, value, rule) in [
        ("state", "finished".into(), "exchange contradicts the state"),
        ("next", 11.into(), "offset exceeds the requested bytes"),
        ("stop_reason", serde_json::Value::Null, "stop reason contradicts the state"),
        ("challenge", 401.into(), "challenge contradicts the exchange"),
        ("has_sources", true.into(), "sources without peers"),
        ("state", "search".into(), "search without peers"),
        ("state", "commit".into(), "state needs all bytes to be received"),
        ("tag", "W/\"a\"".into(), "invalid date or entity tag"),
    ] {
        let mut stored = serde_json::to_value(&download).unwrap();
        stored["progress"][field] = value;
        let error = serde_json::from_value::<Ranges>(stored).unwrap_err().to_string();
        assert_eq!(error, format!("stored download is invalid: {rule}"));
    }
}
