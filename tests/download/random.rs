//! Random downloads from servers of several kinds, over connections that break, with an entity that
//! changes.

use std::time::Duration;

use bits_proto::download::field::{Boundary, EntityTag};
use bits_proto::download::{
    ByteRange, Download, Entity, Exchange, HeaderSlots, Options, Piece, Plan, PlanOptions, Poll,
    Request, RequestHead, Response, ResponseHead, Validator,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::{BodyLength, Progress, RequestTarget};
use bits_proto::message::NO_EXTRAS;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

/// What a server or the caches before it do with several ranges and with conditions.
#[derive(Clone, Copy, Debug)]
struct Server {
    several: Several,
    /// Conditions are ignored, as by a cache.
    ignores_conditions: bool,
    has_tag: bool,
    has_date: bool,
    /// The first answer has no length, as that of a cache to a range that it does not have.
    is_chunked_first: bool,
    supports_ranges: bool,
    supports_head: bool,
}

#[derive(Clone, Copy, Debug)]
enum Several {
    /// nginx: parts in order.
    Parts,
    /// lighttpd: parts sorted and merged.
    Sorted,
    /// Apache: one part where ranges are adjacent.
    Merged,
    /// Squid.
    Whole,
    /// Varnish.
    Unsatisfiable,
}

/// One version of the entity: its number is in every byte.
struct Version {
    number: u8,
    length: usize,
}

impl Version {
    fn byte(&self, offset: u64) -> u8 {
        // Every offset and every version differ in a period of 32 bytes.
        self.number.wrapping_mul(37) ^ (offset % 32) as u8
    }

    fn bytes(&self, range: ByteRange) -> Vec<u8> {
        (range.first()..range.end()).map(|offset| self.byte(offset)).collect()
    }
}

struct Answer {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Server {
    fn random(random: &mut SmallRng) -> Self {
        let several = match random.random_range(0..5) {
            0 => Several::Parts,
            1 => Several::Sorted,
            2 => Several::Merged,
            3 => Several::Whole,
            _ => Several::Unsatisfiable,
        };
        let has_date = random.random_bool(0.9);
        Self {
            several,
            ignores_conditions: random.random_bool(0.3),
            has_tag: random.random_bool(0.5) || !has_date,
            has_date,
            is_chunked_first: random.random_bool(0.1),
            supports_ranges: random.random_bool(0.95),
            supports_head: random.random_bool(0.9),
        }
    }

    fn answer(&self, request: &[u8], version: &Version, is_first: bool) -> Answer {
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(request, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        let is_head = head.line().method == "HEAD";
        if is_head && !self.supports_head {
            return Answer {
                head: b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n".into(),
                body: vec![],
            };
        }
        let range = head.fields().find(|(name, _)| *name == "Range").map(|(_, value)| value);
        let is_several = range.is_some_and(|value| value.contains(&b','));
        let fields = head.fields().filter(|(name, _)| match *name {
            "Range" => {
                self.supports_ranges && !(is_several && matches!(self.several, Several::Whole))
            }
            name if name.starts_with("If-") => !self.ignores_conditions,
            _ => true,
        });
        let mut fields: Vec<_> = fields.collect();
        let rewritten = range.filter(|_| is_several).and_then(|value| self.rewrite(value));
        if let (Some(rewritten), Some(field)) =
            (&rewritten, fields.iter_mut().find(|(name, _)| *name == "Range"))
        {
            field.1 = rewritten.as_bytes();
        }
        if is_several && self.supports_ranges && matches!(self.several, Several::Unsatisfiable) {
            let head = format!(
                "HTTP/1.1 416 No\r\nContent-Range: bytes */{}\r\nContent-Length: 0\r\n\r\n",
                version.length
            );
            return Answer { head: head.into_bytes(), body: Vec::new() };
        }
        let request =
            Request::from_fields(head.line(), fields.iter().copied()).expect("a download");
        let tag = format!("\"{}\"", version.number);
        let date = HttpDate::from_unix_seconds(1_000_000_000 + i64::from(version.number));
        let entity = Entity::new(version.length as u64)
            .with_tag(EntityTag::try_from(&*tag).ok().filter(|_| self.has_tag))
            .with_modified(date.filter(|_| self.has_date));
        let options = PlanOptions::DEFAULT.with_max_amplification(1000);
        let plan = Plan::new(&request, &entity, &options, Boundary::from_random(5));
        let mut head = plan.encode(NO_EXTRAS).expect("no extras").to_vec();
        let body = plan.pieces().flat_map(|piece| match piece {
            Piece::Framing(framing) => framing.to_vec(),
            Piece::Entity(range) => version.bytes(range),
            other => panic!("an unknown piece: {other:?}"),
        });
        let body = body.collect();
        if self.is_chunked_first && is_first && plan.status().get() == 200 {
            // The framing is decoded below.
            let text = String::from_utf8(head).expect("ASCII");
            let length = format!("Content-Length: {}", version.length);
            head = text.replace(&length, "Transfer-Encoding: chunked").into_bytes();
        }
        Answer { head, body }
    }

    /// Returns the ranges that a server uses in place of the requested ones.
    fn rewrite(&self, value: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(value).ok()?.strip_prefix("bytes=")?;
        let mut ranges: Vec<(u64, u64)> = text
            .split(',')
            .map(|range| {
                let (first, last) = range.split_once('-').expect("a closed range");
                (first.parse().expect("a number"), last.parse().expect("a number"))
            })
            .collect();
        match self.several {
            Several::Sorted => ranges.sort_unstable(),
            Several::Merged => {
                let mut merged: Vec<(u64, u64)> = Vec::new();
                for (first, last) in ranges {
                    match merged.last_mut().filter(|before| before.1 + 1 == first) {
                        Some(before) => before.1 = last,
                        None => merged.push((first, last)),
                    }
                }
                ranges = merged;
            }
            _ => return None,
        }
        let ranges: Vec<_> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        Some(format!("bytes={}", ranges.join(",")))
    }
}

/// How a download ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
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

fn run(seed: u64) -> End {
    let mut random = SmallRng::seed_from_u64(seed);
    let server = Server::random(&mut random);
    // Without a date and a tag, only lengths tell versions apart.
    let mut version = Version { number: 1, length: random.random_range(0..200) };
    let ranges = random_ranges(&mut random, version.length);
    let has_ranges = !ranges.is_empty();
    let mut download = Download::ranges(ranges.clone(), options(&mut random), seed);
    let (mut file, mut now, mut is_first) = (Vec::new(), Duration::ZERO, true);
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
        match download.poll() {
            Poll::Send => {
                let target = RequestTarget::try_from("/file").expect("a target");
                let transmit = download.transmit().expect("a request");
                let request = transmit.encode(target, NO_EXTRAS).expect("no extras").to_vec();
                download.handle_sending(now).expect("ready");
                if random.random_bool(0.05) {
                    download.handle_transport_failure(now).expect("in flight");
                    continue;
                }
                download.handle_sent(now).expect("sending");
                let answer = server.answer(&request, &version, std::mem::take(&mut is_first));
                receive(&mut download, &answer, &mut file, &mut random, now);
            }
            Poll::Discard => {
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
            Poll::Commit => download.handle_committed().expect("all bytes"),
            Poll::Finished => {
                let found = versions_of(&file, &ranges);
                assert_eq!(found.len(), 1, "seed {seed}: {server:?} {file:?}");
                return End::Finished(found[0]);
            }
            Poll::Suspended(_) if random.random_bool(0.7) => download.resume().expect("suspended"),
            Poll::Suspended(_) | Poll::Failed(_) => return End::Stopped,
            other => panic!("seed {seed}: {other:?}"),
        }
    }
    panic!("seed {seed}: no end: {server:?} {:?} {:?}", download.state(), download.exchange());
}

/// Passes a response to the download, in pieces, and perhaps not all of it.
fn receive(
    download: &mut Download<Vec<ByteRange>>,
    answer: &Answer,
    file: &mut Vec<u8>,
    random: &mut SmallRng,
    now: Duration,
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

#[test]
fn ten_thousand_downloads_end_with_the_bytes_of_one_version() {
    let (mut finished, mut of_later_versions) = (0, 0);
    for seed in 0..10_000 {
        if let End::Finished(number) = run(seed) {
            finished += 1;
            of_later_versions += u32::from(number > 1);
        }
    }
    assert!(finished > 8000, "{finished}");
    assert!(of_later_versions > 500, "{of_later_versions}");
}
