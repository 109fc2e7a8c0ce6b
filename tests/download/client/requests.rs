//! The requests: methods, conditions and limits.

use bits_proto::download::{
    Condition, Exchange, Method, Options, Poll, State, StopReason, Validator,
};
use bits_proto::http1::StatusCode;

use super::{DATE, break_off, download, exchange, get, head, receive, requested, stored};

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
fn the_whole_entity_may_be_one_of_several_ranges() {
    let mut download = download(&[(1, 2), (0, 8)], Options::DEFAULT.with_max_ranges(1));
    let date = ("Last-Modified", DATE);
    exchange(&mut download, 200, &[("Content-Length", "9"), date]);
    exchange(&mut download, 206, &[("Content-Range", "bytes 1-2/9"), date]);
    receive(&mut download, "12");
    assert_eq!(requested(&download), None);
    exchange(&mut download, 200, &[("Content-Length", "9"), date]);
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
