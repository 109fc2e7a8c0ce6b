//! Commands of the caller, and illegal inputs.

use bits_proto::download::{EventError, Options, Poll, State, StopReason};

use super::{DATE, NOW, Ranges, download, exchange, get, receive, send, stored};

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

/// A download that received bytes 0 and 1, in every state and exchange in which the caller can start it
/// over.
fn with_two_bytes() -> Vec<Ranges> {
    let options = Options::DEFAULT.with_max_restarts(1);
    let receiving = |last: u64| {
        let mut download = get(&[(0, last)], options);
        let range = format!("bytes 0-{last}/10");
        exchange(&mut download, 206, &[("Content-Range", &*range), ("Last-Modified", DATE)]);
        receive(&mut download, "01");
        download
    };
    let after = |change: fn(&mut Ranges)| {
        let mut download = receiving(9);
        change(&mut download);
        download
    };
    vec![
        receiving(9),
        // All bytes are there.
        receiving(1),
        after(|it| it.pause().unwrap()),
        after(|it| it.handle_storage_failure(2).unwrap()),
        after(|it| it.handle_transport_failure(NOW).unwrap()),
        after(|it| {
            it.pause().unwrap();
            it.resume().unwrap();
            exchange(it, 404, &[]);
        }),
        after(|it| {
            it.pause().unwrap();
            it.resume().unwrap();
            exchange(it, 401, &[]);
        }),
        after(|it| {
            it.pause().unwrap();
            it.resume().unwrap();
            exchange(it, 412, &[]);
        }),
    ]
}

#[test]
fn a_download_is_started_over() {
    for mut download in with_two_bytes() {
        let before = download.restarts();
        download.restart().unwrap();
        assert_eq!(download.poll(), Poll::Discard);
        assert_eq!((download.restarts(), download.failures()), (before + 1, 0));
        assert_eq!((download.restart_reason(), download.poll_timeout()), (None, None));
        download.handle_discarded().unwrap();
        // Another version is downloaded.
        exchange(&mut download, 206, &[("Content-Range", "bytes 0-1/20"), ("ETag", "\"b\"")]);
        assert_eq!(receive(&mut download, "ab"), [stored(0, 0, "ab")]);
    }
}

#[test]
fn a_download_without_stored_bytes_starts_over_with_nothing_to_discard() {
    let mut download = download(&[], Options::DEFAULT);
    download.pause().unwrap();
    download.restart().unwrap();
    assert_eq!((download.poll(), download.state()), (Poll::Send, State::Size));
    exchange(&mut download, 404, &[]);
    assert!(matches!(download.poll(), Poll::Failed(_)));
    download.restart().unwrap();
    assert_eq!((download.poll(), download.state()), (Poll::Send, State::Size));
    exchange(&mut download, 200, &[("Content-Length", "0")]);
    assert_eq!(download.poll(), Poll::Commit);
    download.restart().unwrap();
    assert_eq!((download.poll(), download.restarts()), (Poll::Send, 3));
    send(&mut download);
    download.cancel().unwrap();
    assert!(download.restart().is_err());
}

#[test]
fn permanent_reasons_are_distinguished_from_temporary_ones() {
    let refused = |status: u16| StopReason::Refused { status: status.try_into().unwrap() };
    let permanent = [
        StopReason::MissingValidator,
        StopReason::MissingLength,
        StopReason::RangeOutsideEntity,
        StopReason::RangesNotSupported,
        StopReason::UnsupportedEncoding,
        refused(302),
        refused(308),
        refused(403),
        refused(404),
        refused(501),
    ];
    assert!(permanent.iter().all(|reason| reason.is_permanent()));
    let temporary = [
        StopReason::Paused,
        StopReason::Transport,
        StopReason::Timeout,
        StopReason::Protocol,
        StopReason::EntityChanged,
        StopReason::Interrupted,
        StopReason::Storage,
        refused(408),
        refused(429),
        refused(500),
        refused(503),
    ];
    assert!(!temporary.iter().any(|reason| reason.is_permanent()));
}
