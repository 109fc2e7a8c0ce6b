//! Downloads from peers and the origin server, whose caller reports events and gives commands in any order.

use std::time::Duration;

use bits_proto::download::{
    ByteRange, Download, EventError, Options, Poll, Response, Source, State,
};
use bits_proto::http1::{StatusCode, StatusLine, Version};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::tally;

type Peers = Download<Vec<ByteRange>, Vec<Source>>;

const NOW: Duration = Duration::from_secs(1_000);

/// Runs a download. An illegal event must change nothing.
pub fn run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let ranges = [(0, 9), (20, 29), (40, 49)];
    let ranges = ranges.map(|(first, last)| ByteRange::new(first, last).expect("a range")).to_vec();
    let mut download = Peers::new_with_peers(ranges, Options::DEFAULT, seed);
    let size = [("Content-Length", &b"100"[..]), ("ETag", b"\"a\"")];
    download.handle_sending(NOW).expect("ready");
    download.handle_response(&response(200, &size), NOW).expect("sending");
    for _ in 0..random.random_range(1..20) {
        let before = stored(&download);
        if let Err(error) = occur(&mut download, &mut random) {
            tally::note("download error", &error);
            assert_eq!(stored(&download), before, "{error}");
        }
        if let Poll::Suspended(reason) | Poll::Failed(reason) = download.poll() {
            tally::note("download stop", &reason);
        }
    }
}

fn occur(download: &mut Peers, random: &mut SmallRng) -> Result<(), EventError> {
    if download.state() == State::Search && random.random_bool(0.7) {
        let peer = |index| Source::Peer { index, offset: 0 };
        return download.handle_search_finished(vec![peer(1), peer(2), Source::Origin]);
    }
    match random.random_range(0..12) {
        0..4 => download.handle_peer_fetched(),
        4..6 => download.handle_peer_failed(),
        6 => download.handle_sending(NOW),
        7 => download.handle_response(&response(404, &[]), NOW),
        8 => download.handle_discarded(),
        9 => download.restart(),
        10 => download.handle_transport_failure(NOW),
        _ => download.resume(),
    }
}

fn response<'a>(status: u16, fields: &[(&'a str, &'a [u8])]) -> Response<'a> {
    let status = StatusCode::try_from(status).expect("a status code");
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    Response::from_fields(line, fields.iter().copied()).expect("a valid response")
}

/// Returns the stored form.
fn stored(download: &Peers) -> String {
    serde_json::to_string(download).expect("a download can be stored")
}
