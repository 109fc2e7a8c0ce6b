//! Entities whose length is unknown.

use bits_proto::download::{Options, Poll, StopReason};
use bits_proto::field::HResult;

use super::{NOW, break_off, download, exchange, get, receive, requested, stored};

#[test]
fn the_length_of_dynamic_content_may_be_stated_later() {
    let mut download = get(&[], Options::DEFAULT.with_dynamic(true));
    exchange(&mut download, 200, &[("Transfer-Encoding", "chunked")]);
    receive(&mut download, "ab");
    break_off(&mut download);
    download.handle_discarded().unwrap();
    exchange(&mut download, 200, &[("Content-Length", "3")]);
    assert_eq!(receive(&mut download, "abc"), [stored(0, 0, "abc")]);
    assert_eq!(download.poll(), Poll::Commit);
}

#[test]
fn dynamic_content_of_another_length_than_stated_starts_over() {
    for (body, ends) in [("ab", true), ("0123456789", false)] {
        let mut download = download(&[], Options::DEFAULT.with_dynamic(true));
        exchange(&mut download, 200, &[("Content-Length", "9"), ("ETag", "\"a\"")]);
        exchange(&mut download, 200, &[("Transfer-Encoding", "chunked"), ("ETag", "\"a\"")]);
        receive(&mut download, body);
        if ends {
            download.handle_body_end(NOW).unwrap();
        }
        assert_eq!(download.poll(), Poll::Discard);
        assert_eq!(download.restart_reason(), Some(StopReason::EntityChanged));
    }
}

#[test]
fn dynamic_content_that_breaks_off_too_often_suspends_the_download() {
    let mut download = get(&[], Options::DEFAULT.with_dynamic(true));
    for _ in 0..3 {
        exchange(&mut download, 200, &[("Transfer-Encoding", "chunked"), ("ETag", "\"a\"")]);
        receive(&mut download, "ab");
        break_off(&mut download);
        download.handle_discarded().unwrap();
    }
    exchange(&mut download, 200, &[("Transfer-Encoding", "chunked"), ("ETag", "\"a\"")]);
    receive(&mut download, "ab");
    break_off(&mut download);
    assert_eq!(download.poll(), Poll::Suspended(StopReason::Interrupted));
    assert!(!StopReason::Interrupted.is_permanent());
    download.resume().unwrap();
    assert_eq!(download.poll(), Poll::Discard);
}

#[test]
fn the_rest_is_not_taken_from_a_body_in_chunks() {
    let mut download = get(&[], Options::DEFAULT.with_dynamic(true));
    exchange(&mut download, 200, &[("Content-Length", "9"), ("ETag", "\"a\"")]);
    receive(&mut download, "012");
    break_off(&mut download);
    assert_eq!(requested(&download).as_deref(), Some("bytes=3-8"));
    exchange(&mut download, 200, &[("Transfer-Encoding", "chunked"), ("ETag", "\"a\"")]);
    assert_eq!(download.poll(), Poll::Discard);
    assert_eq!(download.restart_reason(), Some(StopReason::Interrupted));
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
    // A break starts over without another request, as the rest cannot be requested.
    break_off(&mut download);
    assert_eq!((download.poll(), download.restarts()), (Poll::Discard, 1));
    assert_eq!(download.restart_reason(), Some(StopReason::Interrupted));
    download.handle_discarded().unwrap();
    exchange(&mut download, 200, &chunked);
    assert_eq!(receive(&mut download, "abc"), [stored(0, 0, "abc")]);
    download.handle_body_end(NOW).unwrap();
    assert_eq!((download.poll(), download.entity_length()), (Poll::Commit, Some(3)));
}
