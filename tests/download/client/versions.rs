//! Versions of the entity: their bytes never mix.

use bits_proto::download::{Exchange, Options, Poll, StopReason};

use super::{DATE, LATER, break_off, download, exchange, get, head, receive, stored};

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
fn a_416_with_another_length_means_that_the_entity_changed() {
    // Single ranges of the old version are not requested.
    for ranges in [&[(0, 9)][..], &[(0, 1), (4, 9)]] {
        let mut download = download(ranges, Options::DEFAULT);
        exchange(&mut download, 200, &[("Content-Length", "10"), ("Last-Modified", DATE)]);
        exchange(&mut download, 416, &[("Content-Range", "bytes */5")]);
        assert_eq!((download.poll(), download.restarts()), (Poll::Send, 1), "{ranges:?}");
        assert!(!download.is_single_range(), "{ranges:?}");
    }
}

/// A caller may discard the bytes of a download that is suspended. It remains suspended, also when it is
/// restored.
#[test]
fn bytes_can_be_discarded_while_the_download_is_suspended() {
    let mut download = get(&[(0, 9)], Options::DEFAULT.with_max_restarts(0));
    let first = [("Content-Range", "bytes 0-9/10"), ("Last-Modified", DATE)];
    exchange(&mut download, 206, &first);
    receive(&mut download, "01");
    download.pause().unwrap();
    download.resume().unwrap();
    exchange(&mut download, 412, &[]);
    let suspended = Poll::Suspended(StopReason::EntityChanged);
    assert_eq!(download.poll(), suspended);
    download.handle_discarded().unwrap();
    assert_eq!((download.poll(), download.received()), (suspended, 0));
    download.resume().unwrap();
    assert_eq!(download.poll(), Poll::Send);
}

#[test]
fn validators_are_kept_up_to_their_maximum_length() {
    // A date is compared as it was received, even if it is not valid.
    let date = |length| format!("{DATE}{}", "x".repeat(length - DATE.len()));
    let tag = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    for (field, kept, longer) in
        [("Last-Modified", date(64), date(65)), ("ETag", tag(128), tag(129))]
    {
        // Without a validator, the bytes after an interruption may be those of another version.
        for (value, next) in [(kept, Poll::Send), (longer, Poll::Discard)] {
            let mut download = get(&[(0, 9)], Options::DEFAULT);
            exchange(&mut download, 206, &[("Content-Range", "bytes 0-9/10"), (field, &value)]);
            receive(&mut download, "01");
            break_off(&mut download);
            assert_eq!(download.poll(), next, "{field}: {value}");
        }
    }
}
