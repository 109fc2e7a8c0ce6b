//! Random downloads from servers of several kinds, over connections that break, with an entity that
//! changes.

use std::time::Duration;

use super::download_server::{Answer, Server, Several, Version};
use super::tally;
use bits_proto::download::{
    ByteRange, Download, Exchange, HeaderSlots, Options, Poll, Response, ResponseHead, State,
    Validator,
};
use bits_proto::http1::{BodyLength, Progress, RequestTarget};
use bits_proto::message::NO_EXTRAS;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

fn random_server(random: &mut SmallRng) -> Server {
    let several = match random.random_range(0..5) {
        0 => Several::Parts,
        1 => Several::Sorted,
        2 => Several::Merged,
        3 => Several::Whole,
        _ => Several::Unsatisfiable,
    };
    Server {
        several,
        ignores_conditions: random.random_bool(0.3),
        has_tag: random.random_bool(0.5),
        has_date: random.random_bool(0.8),
        identifies_head_only: random.random_bool(0.1),
        is_chunked_first: random.random_bool(0.1),
        supports_ranges: random.random_bool(0.95),
        supports_head: random.random_bool(0.9),
    }
}

/// The end of a download.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// With the bytes of this version.
    Finished(u8),
    Stopped,
}

fn options(random: &mut SmallRng) -> Options {
    let validator = match random.random_range(0..4) {
        0 => Validator::None,
        1 => Validator::IfUnmodifiedSince,
        2 => Validator::IfMatch,
        _ => Validator::IfRange,
    };
    let max_length = if random.random_bool(0.5) { u64::MAX } else { random.random_range(1..60) };
    Options::DEFAULT
        .with_head_first(random.random_bool(0.5))
        .with_validator(validator)
        .with_max_length(max_length)
        .with_max_ranges(random.random_range(1..6))
        .with_dynamic(random.random_bool(0.5))
        .with_skip_to_range(random.random_bool(0.5))
}

fn random_ranges(random: &mut SmallRng, length: usize) -> Vec<ByteRange> {
    if length == 0 || random.random_bool(0.4) {
        return Vec::new();
    }
    let range = |random: &mut SmallRng| {
        let first = random.random_range(0..length as u64);
        ByteRange::new(first, random.random_range(first..length as u64)).expect("a range")
    };
    (0..random.random_range(1..8)).map(|_| range(random)).collect()
}

/// Stores the download as bytes and loads it again.
fn reload(download: Download<Vec<ByteRange>>) -> Download<Vec<ByteRange>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&download, &mut bytes).expect("a stored download");
    ciborium::from_reader(&bytes[..]).expect("a loaded download")
}

/// Runs a download to its end, and checks the bytes.
pub fn run(seed: u64) -> End {
    run_with_commands(seed, 0.0)
}

/// Runs a download whose caller gives commands with this probability at each step.
pub fn run_with_commands(seed: u64, rate: f64) -> End {
    let mut random = SmallRng::seed_from_u64(seed);
    let server = random_server(&mut random);
    let is_empty = random.random_bool(rate);
    let length = if is_empty { 0 } else { random.random_range(0..200) };
    let mut version = Version { number: 1, length };
    let ranges = random_ranges(&mut random, version.length);
    let has_ranges = !ranges.is_empty();
    let mut download = Download::new(ranges.clone(), options(&mut random), seed);
    let (mut file, mut now) = (Vec::new(), Duration::ZERO);
    let (mut is_first, mut may_restart) = (true, true);
    for _ in 0..2000 {
        now += Duration::from_millis(10);
        if random.random_bool(0.02) && version.number < 4 {
            // A changed entity keeps its length if ranges of it are downloaded.
            let length = if has_ranges { version.length } else { random.random_range(0..200) };
            version = Version { number: version.number + 1, length };
        }
        if random.random_bool(0.02) {
            download = reload(download);
            download.resume().ok();
        }
        if may_restart && random.random_bool(0.005) {
            may_restart = false;
            download.restart().ok();
        }
        if random.random_bool(rate) {
            command(&mut download, file.len(), &mut random);
        }
        match download.poll() {
            Poll::Send => {
                let target = RequestTarget::try_from("/file").expect("a target");
                let transmit = download.transmit().expect("a request");
                let request = transmit.encode(target, &NO_EXTRAS).expect("no extras").to_vec();
                download.handle_sending(now).expect("ready");
                if random.random_bool(0.05) {
                    download.handle_transport_failure(now).expect("in flight");
                    continue;
                }
                download.handle_sent(now).expect("sending");
                let answer = server.answer(&request, &version, std::mem::take(&mut is_first));
                receive(&mut download, &answer, &mut file, &mut random, (now, rate));
            }
            Poll::Discard => {
                if let Some(reason) = download.restart_reason() {
                    tally::note("download stop", &reason);
                }
                assert!(!file.is_empty());
                file.clear();
                download.handle_discarded().expect("bytes to discard");
            }
            Poll::Wait(until) => {
                now = now.max(until);
                download.handle_timeout(now);
            }
            Poll::Commit if random.random_bool(0.1) => {
                let stored = random.random_range(0..=file.len());
                download.handle_storage_failure(stored as u64).expect("bytes to store");
            }
            Poll::Commit => {
                file.truncate(download.received() as usize);
                download.handle_committed().expect("all bytes");
            }
            Poll::Finished => {
                let found = versions_of(&file, &ranges);
                assert_eq!(found.len(), 1, "seed {seed}: {server:?} {file:?}");
                return End::Finished(found[0]);
            }
            Poll::Cancelled => return End::Stopped,
            Poll::Suspended(reason) | Poll::Failed(reason) => {
                tally::note("download stop", &reason);
                if random.random_bool(rate) {
                    download.restart().expect("neither finished nor cancelled");
                    continue;
                }
                if download.state() == State::Failed || random.random_bool(0.3) {
                    return End::Stopped;
                }
                download.resume().expect("suspended");
            }
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    panic!("seed {seed}: no end: {server:?} {:?} {:?}", download.state(), download.exchange());
}

/// Gives a command at a time at which callers rarely give it. An illegal command has no effect.
fn command(download: &mut Download<Vec<ByteRange>>, stored: usize, random: &mut SmallRng) {
    match random.random_range(0..12) {
        0..4 => download.pause().ok(),
        4..6 => download.cancel().ok(),
        6..9 => download.restart().ok(),
        9 => download.resume().ok(),
        _ => download.handle_storage_failure(random.random_range(0..=stored) as u64).ok(),
    };
}

/// Passes a response to the download, in pieces, and perhaps not all of it. The caller gives commands with the
/// probability `rate`.
fn receive(
    download: &mut Download<Vec<ByteRange>>,
    answer: &Answer,
    file: &mut Vec<u8>,
    random: &mut SmallRng,
    (now, rate): (Duration, f64),
) {
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(&answer.head, &mut slots).expect("a valid head");
    let Progress::Complete(head) = head else { panic!("a complete head") };
    match Response::from_head(&head) {
        Ok(response) => {
            assert!(response.body != BodyLength::UntilClose);
            download.handle_response(&response, now).expect("awaiting");
        }
        Err(_) => download.handle_unreadable(Some(head.line().status), now).expect("awaiting"),
    }
    let is_cut = random.random_bool(0.2);
    let length =
        if is_cut { random.random_range(0..=answer.body.len()) } else { answer.body.len() };
    let mut rest = &answer.body[..length];
    while download.exchange() == Exchange::Receiving {
        if random.random_bool(rate) {
            return command(download, file.len(), random);
        }
        let (mut piece, tail) = rest.split_at(random.random_range(0..=rest.len().min(40)));
        rest = tail;
        while !piece.is_empty() {
            let data = download.handle_data(piece, now).expect("receiving");
            if let Some(store) = data.store {
                assert!(store.position <= file.len() as u64);
                file.truncate(store.position as usize);
                file.extend_from_slice(store.bytes);
            }
            if data.is_done {
                return;
            }
            piece = &piece[data.consumed..];
        }
        if rest.is_empty() && download.exchange() == Exchange::Receiving {
            if is_cut {
                download.handle_transport_failure(now).expect("receiving");
            } else {
                download.handle_body_end(now).expect("receiving");
            }
        }
    }
}

/// The versions whose bytes a file contains.
fn versions_of(file: &[u8], ranges: &[ByteRange]) -> Vec<u8> {
    let whole = ByteRange::whole(file.len() as u64);
    let ranges = if ranges.is_empty() { whole.as_slice() } else { ranges };
    let is_of = |number: &u8| {
        let version = Version { number: *number, length: 0 };
        ranges.iter().flat_map(|range| version.bytes(*range)).eq(file.iter().copied())
    };
    let numbers: Vec<_> = (1..=4).filter(is_of).collect();
    if file.is_empty() { vec![1] } else { numbers }
}
