//! Failures: interruptions, refusals, timeouts and invalid responses.

use std::time::Duration;

use bits_proto::download::{Download, Exchange, Options, Poll, Response, State, StopReason};
use bits_proto::http1::{StatusCode, StatusLine, Version};

use super::{
    DATE, NOW, Ranges, answer, break_off, exchange, get, receive, requested, send, stored,
};

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
    let date = ("Last-Modified", DATE);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/20"), date]);
    receive(&mut download, "012");
    download.handle_body_end(NOW).unwrap();
    assert_eq!(download.exchange(), Exchange::BackOff);
    download.handle_timeout(NOW + Duration::from_secs(60));
    assert_eq!(requested(&download).as_deref(), Some("bytes=3-9"));
    // A server may send less than requested.
    exchange(&mut download, 206, &[("Content-Range", "bytes 3-5/20"), date]);
    assert_eq!(receive(&mut download, "345"), [stored(3, 3, "345")]);
    assert_eq!(requested(&download).as_deref(), Some("bytes=6-9"));
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
    for range in
        [("Content-Range", "bytes 0-9/10"), ("Content-Type", "multipart/byteranges; boundary=b")]
    {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, 206, &[range, ("Content-Encoding", "gzip")]);
        assert_eq!(download.poll(), Poll::Suspended(StopReason::UnsupportedEncoding), "{range:?}");
    }
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

/// RFC 9110 section 15; 429: RFC 6585 section 4. Redirects are followed by the caller.
#[test]
fn a_request_is_repeated_after_failures_that_can_pass() {
    for status in 300..=999 {
        let is_of_server = (500..=599).contains(&status) && ![501, 505].contains(&status);
        let is_repeated = is_of_server || [408, 409, 429].contains(&status);
        let reason = StopReason::Refused { status: StatusCode::try_from(status).unwrap() };
        assert_eq!(reason.is_permanent(), !is_repeated, "{status}");
        // Challenges, 304, 412 and 416 have an effect of their own.
        if [304, 401, 407, 412, 416].contains(&status) {
            continue;
        }
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, status, &[]);
        let is_waiting = matches!(download.poll(), Poll::Wait(_));
        assert_eq!(is_waiting, is_repeated, "{status}: {:?}", download.poll());
    }
}

#[test]
fn a_request_is_repeated_ten_times_by_default() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    for _ in 0..10 {
        break_off(&mut download);
        assert_eq!(download.poll(), Poll::Send);
    }
    download.handle_transport_failure(NOW).unwrap();
    assert_eq!(download.poll(), Poll::Suspended(StopReason::Transport));
}

#[test]
fn the_first_backoff_is_at_most_a_second_and_all_are_at_most_a_minute() {
    // The longest of many is close to the maximum.
    let is_close = |delay, max: Duration| delay > max - Duration::from_millis(1) && delay <= max;
    let wait = |download: &mut Ranges| {
        download.handle_transport_failure(NOW).unwrap();
        let Poll::Wait(until) = download.poll() else { panic!("{:?}", download.poll()) };
        download.handle_timeout(until);
        until - NOW
    };
    let firsts = (0..10_000).map(|seed| wait(&mut Download::new(vec![], Options::DEFAULT, seed)));
    let first = firsts.max().unwrap();
    assert!(is_close(first, Duration::from_secs(1)), "{first:?}");
    let mut download = get(&[], Options::DEFAULT.with_max_retries(200_000));
    let longest = (0..200_000).map(|_| wait(&mut download)).max().unwrap();
    assert!(is_close(longest, Duration::from_secs(60)), "{longest:?}");
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
    // By default, a response may take five minutes, and so may each part of it.
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    send(&mut download);
    let five_minutes = Duration::from_secs(300);
    assert_eq!(download.poll_timeout(), Some(NOW + five_minutes));
    let later = NOW + Duration::from_secs(15);
    let line =
        StatusLine { version: Version::Http11, status: StatusCode::PARTIAL_CONTENT, reason: "" };
    let fields = [("Content-Range", b"bytes 0-9/10".as_slice())];
    let response = Response::from_fields(line, fields).unwrap();
    download.handle_response(&response, later).unwrap();
    assert_eq!(download.poll_timeout(), Some(later + five_minutes));
    let _ = download.handle_data(b"0", later + Duration::from_secs(1)).unwrap();
    assert_eq!(download.poll_timeout(), Some(later + Duration::from_secs(1) + five_minutes));
}

#[test]
fn bytes_that_could_not_be_stored_are_requested_again() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), ("ETag", "\"a\"")]);
    receive(&mut download, "0123456789");
    assert_eq!(download.state(), State::Commit);
    download.handle_storage_failure(4).unwrap();
    assert_eq!(download.poll(), Poll::Suspended(StopReason::Storage));
    download.resume().unwrap();
    assert_eq!(requested(&download).as_deref(), Some("bytes=4-9"));
    download.handle_storage_failure(100).unwrap();
    assert_eq!(download.received(), 4);
}
