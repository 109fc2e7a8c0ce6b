//! Downloads from our own server, over connections that may break, which an observer follows.

use std::time::Duration;

use bits_proto::download::field::{Boundary, MultipartType};
use bits_proto::download::{
    ByteRange, Download, Entity, Exchange, HeaderSlots, MultipartEvent, MultipartReader, Options,
    Piece, Plan, PlanLimits, Poll, Request, RequestHead, Response, ResponseHead,
};
use bits_proto::http1::{Progress, RequestTarget};
use bits_proto::message::NO_EXTRAS;
use bits_proto::observer::{DownloadObserver, Violation};

/// A download, its entity, and the faults of its connections.
pub struct WatchedDownload<'e> {
    pub ranges: Vec<ByteRange>,
    pub options: Options,
    pub seed: u32,
    /// The entity, and the version that replaces it.
    pub versions: [Entity<'e>; 2],
    /// The number of the exchange before which the entity is replaced.
    pub replaced_at: u32,
    /// The number of an exchange whose connection breaks after so many bytes of the body.
    pub broken: Option<(u32, usize)>,
    /// The number of bytes that the observer receives at once.
    pub piece_length: usize,
}

/// The findings of an observer.
#[derive(Debug, Default)]
pub struct Watched {
    pub violations: Vec<Violation>,
    /// True if the download was successful.
    pub is_finished: bool,
}

/// The two sides of an exchange.
struct Sides {
    download: Download<Vec<ByteRange>>,
    observer: DownloadObserver,
    now: Duration,
}

impl WatchedDownload<'_> {
    /// Runs the download to its end.
    pub fn run(self) -> Watched {
        let mut sides = Sides {
            download: Download::new(self.ranges.clone(), self.options, self.seed.into()),
            observer: DownloadObserver::new(),
            now: Duration::from_secs(1),
        };
        let mut watched = Watched::default();
        let mut exchanges = 0;
        while exchanges < 10_000 {
            match sides.download.poll() {
                Poll::Send => {
                    self.exchange(exchanges, &mut sides, &mut watched.violations);
                    exchanges += 1;
                }
                Poll::Discard => sides.download.handle_discarded().expect("nothing is stored"),
                Poll::Commit => sides.download.handle_committed().expect("all bytes are stored"),
                Poll::Wait(until) => {
                    sides.now = until;
                    sides.download.handle_timeout(until);
                }
                Poll::Finished => {
                    watched.is_finished = true;
                    return watched;
                }
                // The entity changes too often, or no longer has a range.
                Poll::Suspended(_) | Poll::Failed(_) => return watched,
                other => panic!("{other:?} of {:?}", sides.download),
            }
        }
        panic!("the download does not end");
    }

    fn exchange(&self, number: u32, sides: &mut Sides, violations: &mut Vec<Violation>) {
        let Sides { download, observer, now } = sides;
        let target = RequestTarget::try_from("/file").expect("a target");
        let request = download.transmit().expect("a request");
        let request = request.encode(target, &NO_EXTRAS).expect("no extras").to_vec();
        download.handle_sending(*now).expect("ready");
        download.handle_sent(*now).expect("sending");
        let mut slots = HeaderSlots::new();
        let head = RequestHead::parse(&request, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        observer.handle_request(number, &head);
        let request = Request::from_head(&head).expect("a download");
        let entity = &self.versions[usize::from(number >= self.replaced_at)];
        let limits = PlanLimits::DEFAULT.with_max_amplification(u64::MAX);
        let plan = Plan::new(&request, entity, &limits, Boundary::from_random(self.seed.into()));
        let answer = plan.encode(&NO_EXTRAS).expect("no extras").to_vec();
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(&answer, &mut slots).expect("a valid head");
        let Progress::Complete(head) = head else { panic!("a complete head") };
        observer.handle_response(number, &head, |violation| violations.push(violation));
        let response = Response::from_head(&head).expect("a valid response");
        download.handle_response(&response, *now).expect("awaiting");
        let body = body(&plan);
        let broken = self.broken.filter(|(exchange, _)| *exchange == number);
        let arrived = broken.map_or(body.len(), |(_, length)| length.min(body.len()));
        receive(download, &body[..arrived], broken.is_some(), *now);
        let multipart = response.multipart.filter(|_| !body.is_empty());
        if let Some(content_type) = multipart {
            let pieces = body[..arrived].chunks(self.piece_length.max(1));
            pass_parts(content_type, pieces, number, observer, violations);
        }
        if broken.is_some() {
            observer.handle_disconnected(number);
        } else if multipart.is_some() {
            observer.handle_body_end(number, |violation| violations.push(violation));
        }
    }
}

fn body(plan: &Plan<'_>) -> Vec<u8> {
    let bytes = |piece| match piece {
        Piece::Framing(head) => head.to_vec(),
        Piece::Entity(range) => vec![0; usize::try_from(range.len()).expect("a small range")],
        other => panic!("{other:?}"),
    };
    plan.pieces().flat_map(bytes).collect()
}

/// Passes the bytes of a body that arrived to the client.
fn receive(download: &mut Download<Vec<ByteRange>>, body: &[u8], is_broken: bool, now: Duration) {
    let mut rest = body;
    while download.exchange() == Exchange::Receiving && !rest.is_empty() {
        let data = download.handle_data(rest, now).expect("receiving");
        rest = &rest[data.consumed..];
        if data.is_done {
            return;
        }
    }
    if download.exchange() == Exchange::Receiving {
        let ended = match is_broken {
            true => download.handle_transport_failure(now),
            false => download.handle_body_end(now),
        };
        ended.expect("receiving");
    }
}

fn pass_parts<'b>(
    content_type: MultipartType<'_>,
    pieces: impl Iterator<Item = &'b [u8]>,
    connection: u32,
    observer: &mut DownloadObserver,
    violations: &mut Vec<Violation>,
) {
    let mut reader = MultipartReader::new(content_type);
    for mut rest in pieces {
        while !rest.is_empty() {
            let read = reader.read(rest).expect("a valid body");
            if let Some(MultipartEvent::Part(part)) = read.event {
                observer.handle_part(connection, part, |violation| violations.push(violation));
            }
            rest = &rest[read.consumed..];
        }
    }
}
