//! The crate's own client over sockets, with a plan of what goes wrong: connections that are cut,
//! answers that nobody reads, and a server that is killed at any byte.

use std::io::Write as _;
use std::time::Duration;

use bits_proto::client::{FragmentSizing, Options, Poll, Transmit, Upload};
use bits_proto::message::{Ack, HeaderSlots, Request, ResponseHead};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use crate::server::Server;
use crate::talk::{Answer, Connection, head};

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    /// The connection is cut when so many bytes of the request are sent.
    CutAt(usize),
    /// The whole request is sent, and the answer is not read.
    Unheard,
    /// The server is killed when so many bytes are sent, or as soon as the whole request is.
    KilledAt(usize),
    /// The server is killed when it has answered, and the answer is lost.
    KilledBehind,
}

/// What went wrong in all.
#[derive(Debug, Default)]
pub struct Journal {
    pub cuts: u32,
    pub kills: u32,
    /// How many times the client went on in the middle, and not at the beginning.
    pub resumptions: u32,
    /// How many sessions there may be whose id never reached the client.
    pub orphans: usize,
}

/// A client with bad luck, the same each time for the same seed.
pub struct Driver {
    upload: Upload,
    random: ChaCha8Rng,
    now: Duration,
    /// How many more requests something happens to.
    mishaps: u32,
    pub journal: Journal,
}

impl Driver {
    pub fn new(seed: u64, length: usize, mishaps: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let fragment = 4096 + u64::from(random.next_u32() % 60_000);
        let options =
            Options::DEFAULT.with_fragments(FragmentSizing::with_bounds(fragment, 1, u64::MAX));
        let upload = Upload::new(length as u64, options, seed);
        Self { upload, random, now: Duration::ZERO, mishaps, journal: Journal::default() }
    }

    /// Uploads the entity, whatever happens.
    pub fn run(&mut self, server: &mut Server, target: &str, entity: &[u8]) {
        loop {
            match self.upload.poll() {
                Poll::Send(outgoing) => {
                    self.exchange(&outgoing, server, target, entity);
                    self.restart();
                }
                // The time is the client's own: it waits for nobody.
                Poll::Wait(until) => {
                    self.now = until;
                    self.upload.handle_timeout(until);
                }
                Poll::Suspended(_) => self.upload.resume().expect("it is suspended"),
                Poll::Finished => return,
                other => panic!("{other:?}"),
            }
        }
    }

    fn exchange(&mut self, outgoing: &Transmit, server: &mut Server, target: &str, all: &[u8]) {
        let range = outgoing.entity().start as usize..outgoing.entity().end as usize;
        self.journal.resumptions += u32::from(range.start > 0 && self.upload.failures() > 0);
        let bytes = [&*head(target, &outgoing.request()), &all[range]].concat();
        let fate = self.fate(bytes.len());
        self.upload.handle_sending(self.now).expect("it was asked for");
        let mut connection = Connection::to(server.address).expect("a server that listens");
        let answer = match fate {
            Fate::Good => {
                connection.raw(&bytes);
                Some(connection.answer())
            }
            Fate::CutAt(length) => {
                self.journal.cuts += 1;
                let _ = connection.stream.write_all(&bytes[..length]);
                connection.cut();
                None
            }
            Fate::Unheard => {
                self.journal.cuts += 1;
                let _ = connection.stream.write_all(&bytes);
                connection.cut();
                None
            }
            Fate::KilledAt(length) => {
                self.journal.kills += 1;
                let _ = connection.stream.write_all(&bytes[..length]);
                server.start_again();
                None
            }
            Fate::KilledBehind => {
                self.journal.kills += 1;
                let _ = connection.stream.write_all(&bytes);
                let _ = connection.try_answer();
                server.start_again();
                None
            }
        };
        match answer {
            Some(answer) => self.take(&answer, outgoing),
            None => {
                let is_create = matches!(outgoing.request(), Request::CreateSession(_));
                self.journal.orphans += usize::from(is_create);
                self.upload.handle_transport_failure(self.now).expect("it was sent");
            }
        }
    }

    fn take(&mut self, answer: &Answer, outgoing: &Transmit) {
        self.upload.handle_sent(self.now).expect("it was sent");
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(answer.head(), &mut slots).expect("HTTP");
        let ack = Ack::from_head(&head.complete().expect("a head"), &outgoing.ack_context());
        let ack = ack.unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        self.upload.handle_ack(&ack.message, self.now).expect("it was sent");
    }

    /// What a new process of the client does, now and then: it takes up what was written down.
    fn restart(&mut self) {
        if self.random.next_u32() < u32::MAX / 8 {
            let stored = serde_json::to_vec(&self.upload).expect("plain data");
            let stored: Upload = serde_json::from_slice(&stored).expect("what was written");
            self.upload = stored;
        }
    }

    fn fate(&mut self, length: usize) -> Fate {
        if self.mishaps == 0 {
            return Fate::Good;
        }
        let at = self.random.next_u32() as usize % (length + 1);
        let fate = match self.random.next_u32() % 10 {
            0..4 => return Fate::Good,
            4 | 5 => Fate::CutAt(at),
            6 => Fate::Unheard,
            7 => Fate::KilledAt(at),
            8 => Fate::KilledAt(length),
            _ => Fate::KilledBehind,
        };
        self.mishaps -= 1;
        fate
    }
}
