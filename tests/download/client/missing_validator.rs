//! Servers that send neither Last-Modified nor a strong tag: only lengths tell versions apart.

use bits_proto::download::{Exchange, Options, Poll, State, StopReason};

use super::{
    DATE, NOW, Ranges, break_off, download, exchange, get, receive, requested, send, stored,
};

const RANGE: (&str, &str) = ("Content-Range", "bytes 0-9/10");
const REASON: StopReason = StopReason::MissingValidator;

/// A download of bytes 0 to 9 that received three of them in a response without a validator.
fn three_bytes(options: Options) -> Ranges {
    let mut download = get(&[(0, 9)], options);
    exchange(&mut download, 206, &[RANGE]);
    assert_eq!(receive(&mut download, "012"), [stored(0, 0, "012")]);
    download
}

#[track_caller]
fn assert_starts_over(download: &mut Ranges) {
    assert_eq!((download.poll(), download.restart_reason()), (Poll::Discard, Some(REASON)));
    assert_eq!((download.restarts(), download.transmit().is_none()), (1, true));
    download.handle_discarded().unwrap();
    assert_eq!((download.received(), download.restart_reason()), (0, None));
    assert_eq!(requested(download).as_deref(), Some("bytes=0-9"));
    exchange(download, 206, &[RANGE]);
    assert_eq!(receive(download, "abcdefghij"), [stored(0, 0, "abcdefghij")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn bytes_of_an_interrupted_response_are_discarded() {
    let interruptions: [fn(&mut Ranges); 5] = [
        break_off,
        |download| {
            download.handle_body_end(NOW).unwrap();
            download.handle_timeout(download.poll_timeout().unwrap());
        },
        |download| {
            let until = download.poll_timeout().unwrap();
            download.handle_timeout(until);
            download.handle_timeout(download.poll_timeout().unwrap());
        },
        |download| {
            download.pause().unwrap();
            download.resume().unwrap();
        },
        |download| {
            download.handle_storage_failure(2).unwrap();
            download.resume().unwrap();
        },
    ];
    for interrupt in interruptions {
        let mut download = three_bytes(Options::DEFAULT);
        interrupt(&mut download);
        assert_starts_over(&mut download);
    }
}

#[test]
fn the_back_off_precedes_the_new_start() {
    let mut download = three_bytes(Options::DEFAULT);
    download.handle_transport_failure(NOW).unwrap();
    assert_eq!((download.exchange(), download.restarts()), (Exchange::BackOff, 0));
    download.handle_timeout(download.poll_timeout().unwrap());
    assert_starts_over(&mut download);
}

#[test]
fn nothing_is_discarded_if_nothing_was_received_or_nothing_is_missing() {
    let mut download = get(&[(0, 9)], Options::DEFAULT);
    exchange(&mut download, 206, &[RANGE]);
    break_off(&mut download);
    assert_eq!((download.poll(), download.restarts()), (Poll::Send, 0));
    exchange(&mut download, 206, &[RANGE]);
    receive(&mut download, "0123456789");
    assert_eq!(download.poll(), Poll::Commit);
    // Of a complete entity, bytes are missing if they could not be stored.
    download.handle_storage_failure(9).unwrap();
    download.resume().unwrap();
    assert_starts_over(&mut download);
}

#[test]
fn a_weak_or_long_validator_counts_as_absent() {
    let long = "x".repeat(129);
    for field in [("ETag", "W/\"a\""), ("ETag", &*format!("\"{long}\"")), ("Last-Modified", &*long)]
    {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, 206, &[RANGE, field]);
        receive(&mut download, "012");
        break_off(&mut download);
        assert_starts_over(&mut download);
    }
}

#[test]
fn too_many_new_starts_suspend_the_download() {
    let mut download = three_bytes(Options::DEFAULT);
    for restarts in 1..=3 {
        break_off(&mut download);
        assert_eq!((download.poll(), download.restarts()), (Poll::Discard, restarts));
        download.handle_discarded().unwrap();
        exchange(&mut download, 206, &[RANGE]);
        receive(&mut download, "012");
    }
    break_off(&mut download);
    assert_eq!((download.poll(), download.restart_reason()), (Poll::Suspended(REASON), None));
    assert!(REASON.is_permanent());
    let text = "server sends neither Last-Modified nor a strong ETag, so that the download cannot be \
                continued with another request";
    assert_eq!(REASON.to_string(), text);
    download.resume().unwrap();
    assert_eq!((download.poll(), download.restarts()), (Poll::Discard, 0));
}

#[test]
fn a_download_that_may_not_start_over_can_be_resumed() {
    let mut download = three_bytes(Options::DEFAULT.with_max_restarts(0));
    break_off(&mut download);
    assert_eq!(download.poll(), Poll::Suspended(REASON));
    download.resume().unwrap();
    assert_eq!((download.poll(), download.state()), (Poll::Discard, State::Discard));
}

#[test]
fn parts_before_an_invalid_part_are_discarded() {
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Type", "multipart/byteranges; boundary=b")]);
    let body = "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b--\r\n";
    assert_eq!(receive(&mut download, body), [stored(0, 0, "01")]);
    // A new start would end with the same response.
    assert_eq!((download.poll(), download.restarts()), (Poll::Suspended(REASON), 0));
    download.resume().unwrap();
    assert_eq!((download.poll(), download.restart_reason()), (Poll::Discard, Some(REASON)));
}

#[test]
fn everything_is_requested_at_once() {
    let ranges = [(0, 3), (5, 9)];
    let options = Options::DEFAULT.with_max_length(4);
    let mut sized = download(&ranges, options);
    exchange(&mut sized, 200, &[("Content-Length", "10")]);
    assert_eq!(requested(&sized).as_deref(), Some("bytes=0-3,5-9"));
    // The first response shows that there is no validator. It is not stored.
    let mut unsized_ = get(&ranges, options);
    assert_eq!(requested(&unsized_).as_deref(), Some("bytes=0-3"));
    exchange(&mut unsized_, 206, &[("Content-Range", "bytes 0-3/10")]);
    assert_eq!((unsized_.poll(), unsized_.received(), unsized_.restarts()), (Poll::Send, 0, 0));
    assert_eq!(requested(&unsized_).as_deref(), Some("bytes=0-3,5-9"));
    // A request without Range has no limit, so that the response is complete.
    let mut whole = get(&[], options);
    assert_eq!(requested(&whole), None);
    exchange(&mut whole, 206, &[("Content-Range", "bytes 0-9/10")]);
    assert_eq!(receive(&mut whole, "0123456789"), [stored(0, 0, "0123456789")]);
    assert_eq!(whole.poll(), Poll::Commit);
    // With a validator, the limit applies.
    let mut identified = download(&ranges, options);
    exchange(&mut identified, 200, &[("Content-Length", "10"), ("Last-Modified", DATE)]);
    assert_eq!(requested(&identified).as_deref(), Some("bytes=0-3"));
}

#[test]
fn ranges_that_need_several_requests_suspend_the_download() {
    let single = [("Content-Range", "bytes 0-1/10")];
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    exchange(&mut download, 416, &[("Content-Range", "bytes */10")]);
    assert_eq!(requested(&download).as_deref(), Some("bytes=0-1"));
    exchange(&mut download, 206, &single);
    assert_eq!((download.poll(), download.received()), (Poll::Suspended(REASON), 0));
    assert!(download.handle_data(b"01", NOW).is_err());
    // The caller accepts the risk.
    download.resume().unwrap();
    download.set_options(Options::DEFAULT.with_allow_missing_validator(true)).unwrap();
    exchange(&mut download, 206, &single);
    receive(&mut download, "01");
    exchange(&mut download, 206, &[("Content-Range", "bytes 4-5/10")]);
    assert_eq!(receive(&mut download, "45"), [stored(2, 4, "45")]);
    assert_eq!(download.poll(), Poll::Commit);
    // So does a server that sends less than requested, also if it does not state the length.
    for fields in [("Content-Range", "bytes 0-1/10"), ("Content-Range", "bytes 0-1/*")] {
        let mut download = get(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, 206, &[fields]);
        assert_eq!(download.poll(), Poll::Suspended(REASON));
    }
}

#[test]
fn the_validators_of_head_do_not_identify_the_bytes_of_get() {
    for head in [("Last-Modified", DATE), ("ETag", "\"a\"")] {
        let mut download = download(&[(0, 9)], Options::DEFAULT);
        exchange(&mut download, 200, &[("Content-Length", "10"), head]);
        exchange(&mut download, 206, &[RANGE]);
        receive(&mut download, "012");
        break_off(&mut download);
        assert_eq!((download.poll(), download.restart_reason()), (Poll::Discard, Some(REASON)));
    }
    // Equal tags show that the date belongs to the bytes, too.
    let mut download = download(&[(0, 9)], Options::DEFAULT);
    let both = [("Content-Length", "10"), ("Last-Modified", DATE), ("ETag", "\"a\"")];
    exchange(&mut download, 200, &both);
    exchange(&mut download, 206, &[RANGE, ("ETag", "\"a\"")]);
    receive(&mut download, "012");
    break_off(&mut download);
    exchange(&mut download, 206, &[("Content-Range", "bytes 3-9/10"), ("Last-Modified", DATE)]);
    assert_eq!(receive(&mut download, "3456789"), [stored(3, 3, "3456789")]);
}

#[test]
fn an_option_compares_lengths_only() {
    let options = Options::DEFAULT.with_allow_missing_validator(true);
    let continued = |length: &str| {
        let mut download = three_bytes(options);
        break_off(&mut download);
        assert_eq!(requested(&download).as_deref(), Some("bytes=3-9"));
        exchange(&mut download, 206, &[("Content-Range", &*format!("bytes 3-9/{length}"))]);
        download
    };
    let mut equal = continued("10");
    assert_eq!(receive(&mut equal, "3456789"), [stored(3, 3, "3456789")]);
    assert_eq!(equal.poll(), Poll::Commit);
    let other = continued("11");
    assert_eq!(other.restart_reason(), Some(StopReason::EntityChanged));
    // An unknown length is not comparable.
    assert_eq!(continued("*").exchange(), Exchange::BackOff);
    let mut unknown = get(&[(0, 9)], options);
    exchange(&mut unknown, 206, &[("Content-Range", "bytes 0-9/*")]);
    receive(&mut unknown, "012");
    break_off(&mut unknown);
    assert_eq!(unknown.restart_reason(), Some(REASON));
    // With a validator, the option has no effect.
    let mut identified = get(&[(0, 9)], options);
    exchange(&mut identified, 206, &[RANGE, ("Last-Modified", DATE)]);
    receive(&mut identified, "012");
    break_off(&mut identified);
    exchange(&mut identified, 206, &[("Content-Range", "bytes 3-9/10")]);
    assert_eq!(identified.exchange(), Exchange::BackOff);
}

#[test]
fn an_option_applies_the_limit_of_length() {
    let options = Options::DEFAULT.with_allow_missing_validator(true).with_max_length(4);
    let mut download = download(&[(0, 9)], options);
    exchange(&mut download, 200, &[("Content-Length", "10")]);
    assert_eq!(requested(&download).as_deref(), Some("bytes=0-3"));
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-3/10")]);
    receive(&mut download, "0123");
    send(&mut download);
    assert_eq!(requested(&download).as_deref(), Some("bytes=4-7"));
}
