//! Ranges that peers have.

use bits_proto::download::{
    ByteRange, Download, EventError, Options, Poll, Response, Source, State,
};
use bits_proto::http1::{StatusCode, StatusLine, Version};

use super::{DATE, NOW, range};

#[test]
fn ranges_that_peers_have_are_fetched_from_them() {
    let ranges = vec![range(0, 9), range(20, 29), range(40, 49), range(60, 69)];
    let origin = Source::Origin;
    let mut download = Download::new_with_peers(ranges, Options::DEFAULT, 7);
    let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
    let size = |download: &mut Download<Vec<ByteRange>, Vec<Source>>| {
        download.handle_sending(NOW).unwrap();
        let fields = [("Content-Length", &b"100"[..]), ("Last-Modified", DATE.as_bytes())];
        let size = Response::from_fields(line, fields).unwrap();
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
    let content_range = ("Content-Range", &b"bytes 40-49/100"[..]);
    let fields = [content_range, ("Last-Modified", DATE.as_bytes())];
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
fn peers_are_not_searched_without_a_validator() {
    let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
    for (allows, expected) in [(false, Poll::Send), (true, Poll::Search)] {
        let options = Options::DEFAULT.with_allow_missing_validator(allows);
        let mut download: Download<Vec<ByteRange>, Vec<Source>> =
            Download::new_with_peers(vec![range(0, 9)], options, 7);
        download.handle_sending(NOW).unwrap();
        let size = Response::from_fields(line, [("Content-Length", &b"100"[..])]).unwrap();
        download.handle_response(&size, NOW).unwrap();
        assert_eq!(download.poll(), expected);
    }
}
