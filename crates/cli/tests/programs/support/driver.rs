//! A client with simulated faults: cut connections, lost responses, and a server that is killed.

use std::io::Write as _;
use std::time::Duration;

use bits_proto::client::{FragmentSizing, Options, Poll, Transmit, Upload};
use bits_proto::message::{Ack, HeaderSlots, Request, ResponseHead};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

use crate::http_client::{Answer, Connection, head};
use crate::server::Server;

/// The fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// The connection is cut after this number of bytes of the request.
    CutAt(usize),
    /// The whole request is sent, and the response is not read.
    ResponseLost,
    /// The server is killed after this number of bytes of the request.
    KillAt(usize),
    /// The server is killed after its response, which is lost.
    KillAfterResponse,
}

/// Counters of the faults.
#[derive(Debug, Default)]
pub struct Journal {
    pub cuts: u32,
    pub kills: u32,
    /// Number of times that the client continued at an offset other than 0.
    pub resumptions: u32,
    /// Maximum number of sessions whose id did not reach the client.
    pub orphans: usize,
}

/// A client with faults that depend only on the seed.
pub struct Driver {
    upload: Upload,
    random: ChaCha8Rng,
    now: Duration,
    /// Number of faults that remain.
    faults: u32,
    pub journal: Journal,
}

impl Driver {
    pub fn new(seed: u64, length: usize, faults: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let fragment = 4096 + u64::from(random.next_u32() % 60_000);
        let options =
            Options::DEFAULT.with_fragments(FragmentSizing::with_bounds(fragment, 1, u64::MAX));
        let upload = Upload::new(length as u64, options, seed);
        Self { upload, random, now: Duration::ZERO, faults, journal: Journal::default() }
    }

    /// Uploads the entity despite the faults.
    pub fn run(&mut self, server: &mut Server, target: &str, entity: &[u8]) {
        loop {
            match self.upload.poll() {
                Poll::Send(outgoing) => {
                    self.exchange(&outgoing, server, target, entity);
                    self.restart();
                }
                // The clock is simulated, so no time passes.
                Poll::Wait(until) => {
                    self.now = until;
                    self.upload.handle_timeout(until);
                }
                Poll::Suspended(_) => self.upload.resume().expect("a suspended upload"),
                Poll::Finished => return,
                other => panic!("{other:?}"),
            }
        }
    }

    fn exchange(&mut self, outgoing: &Transmit, server: &mut Server, target: &str, all: &[u8]) {
        let range = outgoing.entity().start as usize..outgoing.entity().end as usize;
        self.journal.resumptions += u32::from(range.start > 0 && self.upload.failures() > 0);
        let bytes = [&*head(target, &outgoing.request()), &all[range]].concat();
        let fault = self.fault(bytes.len());
        self.upload.handle_sending(self.now).expect("a valid input");
        let mut connection = Connection::to(server.address).expect("a server that listens");
        let answer = match fault {
            Fault::None => {
                connection.raw(&bytes);
                Some(connection.answer())
            }
            Fault::CutAt(length) => {
                self.journal.cuts += 1;
                let _ = connection.stream.write_all(&bytes[..length]);
                connection.cut();
                None
            }
            Fault::ResponseLost => {
                self.journal.cuts += 1;
                let _ = connection.stream.write_all(&bytes);
                connection.cut();
                None
            }
            Fault::KillAt(length) => {
                self.journal.kills += 1;
                let _ = connection.stream.write_all(&bytes[..length]);
                server.restart();
                None
            }
            Fault::KillAfterResponse => {
                self.journal.kills += 1;
                let _ = connection.stream.write_all(&bytes);
                let _ = connection.try_answer();
                server.restart();
                None
            }
        };
        match answer {
            Some(answer) => self.take(&answer, outgoing),
            None => {
                let is_create = matches!(outgoing.request(), Request::CreateSession(_));
                self.journal.orphans += usize::from(is_create);
                self.upload.handle_transport_failure(self.now).expect("a valid input");
            }
        }
    }

    fn take(&mut self, answer: &Answer, outgoing: &Transmit) {
        self.upload.handle_sent(self.now).expect("a valid input");
        let mut slots = HeaderSlots::new();
        let head = ResponseHead::parse(answer.head(), &mut slots).expect("HTTP");
        let ack = Ack::from_head(&head.complete().expect("a head"), &outgoing.ack_context());
        let ack = ack.unwrap_or_else(|error| panic!("{error}: {answer:?}"));
        self.upload.handle_ack(&ack.message, self.now).expect("a valid input");
    }

    /// Sometimes simulates a restart of the client, which continues from its stored state.
    fn restart(&mut self) {
        if self.random.next_u32() < u32::MAX / 8 {
            let stored = serde_json::to_vec(&self.upload).expect("plain data");
            let stored: Upload = serde_json::from_slice(&stored).expect("what was written");
            self.upload = stored;
        }
    }

    fn fault(&mut self, length: usize) -> Fault {
        if self.faults == 0 {
            return Fault::None;
        }
        let at = self.random.next_u32() as usize % (length + 1);
        let fault = match self.random.next_u32() % 10 {
            0..4 => return Fault::None,
            4 | 5 => Fault::CutAt(at),
            6 => Fault::ResponseLost,
            7 => Fault::KillAt(at),
            8 => Fault::KillAt(length),
            _ => Fault::KillAfterResponse,
        };
        self.faults -= 1;
        fault
    }
}
