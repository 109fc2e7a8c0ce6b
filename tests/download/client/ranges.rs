//! Responses with ranges.

use std::time::Duration;

use bits_proto::download::{Options, Poll, StopReason};
use bits_proto::field::HResult;

use super::{DATE, NOW, download, exchange, get, receive, requested, stored};

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
    let date = ("Last-Modified", DATE);
    let start = || get(&[(0, 1), (4, 5), (2, 3)], Options::DEFAULT);
    for (status, fields, body, next) in [
        (200, [("Content-Length", "9"), date], "", 0),
        (416, [("Content-Range", "bytes */9"), date], "", 0),
        (206, [("Content-Range", "bytes 0-1/9"), date], "", 0),
        (206, [("Content-Range", "bytes 0-5/9"), date], "", 0),
        (206, [("Content-Type", "text/html"), date], "", 0),
        // Merged, reordered, missing and malformed parts.
        (206, [multipart, date], "--b\r\nContent-Range: bytes 0-5/9\r\n\r\n", 0),
        (206, [multipart, date], "--b\r\nContent-Range: bytes 2-3/9\r\n\r\n", 0),
        (206, [multipart, date], "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b--", 2),
        (
            206,
            [multipart, date],
            "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n--b\r\nContent-Range: bytes 2-3/9\r\n\r\n",
            2,
        ),
        // The bytes of a part whose length is wrong are not trusted.
        (206, [multipart, date], "--b\r\nContent-Range: bytes 0-1/9\r\n\r\n0123\r\n", 0),
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
fn a_server_that_sends_invalid_parts_only_is_given_up() {
    let multipart = [("Content-Type", "multipart/byteranges; boundary=b"), ("Last-Modified", DATE)];
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
fn the_whole_entity_may_arrive_as_a_range_that_was_not_requested() {
    let mut download = get(&[], Options::DEFAULT);
    assert_eq!(requested(&download), None);
    exchange(&mut download, 206, &[("Content-Range", "bytes 0-4/5")]);
    assert_eq!(receive(&mut download, "01234"), [stored(0, 0, "01234")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn a_request_has_up_to_64_ranges_of_any_length_by_default() {
    let ranges: Vec<_> = (0..65).map(|number| (number * 10, number * 10 + 1)).collect();
    let requested_ranges = requested(&get(&ranges, Options::DEFAULT)).unwrap();
    assert_eq!(requested_ranges.split(',').count(), 64, "{requested_ranges}");
    assert_eq!(requested_ranges.split(',').next_back(), Some("630-631"));
    let longest = get(&[(0, u64::MAX - 1)], Options::DEFAULT);
    assert_eq!(requested(&longest).as_deref(), Some("bytes=0-18446744073709551614"));
}

#[test]
fn a_boundary_has_up_to_70_characters() {
    let boundary = "b".repeat(70);
    let content_type = format!("multipart/byteranges; boundary={boundary}");
    let mut download = get(&[(0, 1), (4, 5)], Options::DEFAULT);
    exchange(&mut download, 206, &[("Content-Type", &content_type)]);
    let body = format!(
        "--{boundary}\r\nContent-Range: bytes 0-1/9\r\n\r\n01\r\n\
         --{boundary}\r\nContent-Range: bytes 4-5/9\r\n\r\n45\r\n--{boundary}--\r\n"
    );
    assert_eq!(receive(&mut download, &body), [stored(0, 0, "01"), stored(2, 4, "45")]);
}
