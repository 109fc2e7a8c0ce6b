//! What goes wrong, decided in one place: the seed and the number of a message say it all.
//!
//! Neither time nor threads have a say in it, so that the same seed does the same again.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bits_proto::http1::StatusCode;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// What becomes of one message.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub effect: Effect,
    /// Who is no more when its connection breaks.
    pub victim: Option<Victim>,
    /// How long the network keeps it.
    pub delay: Duration,
}

#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// It arrives, and so does its answer.
    Pass,
    /// The connection is cut inside the head of the request.
    CutHead(Share),
    /// The connection is cut inside the body of the request.
    CutBody(Share),
    /// The request arrives; the connection is cut before the whole answer is there.
    CutAnswer(Share),
    /// Something between the two answers. The request may have arrived nevertheless.
    Instead { status: StatusCode, arrives: bool },
    /// Something between the two answers a fragment with 416 and an offset inside it.
    OutOfSync(Share),
}

/// A process that is killed.
#[derive(Clone, Copy, Debug)]
pub enum Victim {
    Client,
    /// After so many pieces of work, the last of which it has done and not written down.
    Server {
        after: u32,
    },
}

/// A part of a length that is not known yet.
#[derive(Clone, Copy, Debug)]
pub struct Share(u64);

impl Share {
    /// From 0 to one less than `length`.
    pub fn of(self, length: u64) -> u64 {
        ((u128::from(self.0) * u128::from(length)) >> 64) as u64
    }
}

/// All faults of a run.
pub struct Plan {
    seed: u64,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        Self { seed }
    }

    /// What becomes of message `number`. Two of three have no bad luck.
    pub fn fault(&self, number: u64) -> Fault {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number);
        let share = Share(random.next_u64());
        let effect = match random.next_u32() % 24 {
            0 => Effect::CutHead(share),
            1..=3 => Effect::CutBody(share),
            4..=5 => Effect::CutAnswer(share),
            6 => Effect::OutOfSync(share),
            7 => Effect::Instead {
                status: status(random.next_u32()),
                arrives: random.next_u32() % 2 == 0,
            },
            _ => Effect::Pass,
        };
        let breaks =
            matches!(effect, Effect::CutHead(_) | Effect::CutBody(_) | Effect::CutAnswer(_));
        let victim = match random.next_u32() % 6 {
            0 if breaks => Some(Victim::Client),
            1 | 2 if breaks => Some(Victim::Server { after: 1 + random.next_u32() % 3 }),
            _ => None,
        };
        let delays = random.next_u32() % 8 == 0;
        let delay = if delays { 1 + random.next_u64() % 4 } else { 0 };
        Fault { effect, victim, delay: Duration::from_millis(delay) }
    }
}

/// What proxies say of servers that they cannot reach; and 200, with which a network that wants
/// its users to log in answers everything.
fn status(number: u32) -> StatusCode {
    let statuses = [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::BAD_GATEWAY,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
        StatusCode::OK,
    ];
    statuses[number as usize % statuses.len()]
}

/// What the network has in mind for the message that is under way, for those whom it concerns.
///
/// There is one message at a time: the network writes it down before it lets go of the message,
/// and the others look after they have noticed.
#[derive(Default)]
pub struct Fates {
    remark: Mutex<String>,
    forges_answer: AtomicBool,
    kills_client: AtomicBool,
    /// How many pieces of work the server has to live for; 0 for ever.
    server_lives_for: AtomicU32,
}

impl Fates {
    pub fn announce(&self, fault: Fault, remark: String) {
        *self.remark.lock().unwrap_or_else(PoisonError::into_inner) = remark;
        let forges = matches!(fault.effect, Effect::Instead { .. } | Effect::OutOfSync(_));
        self.forges_answer.store(forges, SeqCst);
        match fault.victim {
            Some(Victim::Client) => self.kills_client.store(true, SeqCst),
            Some(Victim::Server { after }) => self.server_lives_for.store(after, SeqCst),
            None => {}
        }
    }

    /// What the network did to the message.
    pub fn take_remark(&self) -> String {
        std::mem::take(&mut self.remark.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is the network that answers.
    pub fn forges_answer(&self) -> bool {
        self.forges_answer.load(SeqCst)
    }

    /// Whether the client is no more.
    pub fn takes_client(&self) -> bool {
        self.kills_client.swap(false, SeqCst)
    }

    /// Whether the server is no more, now that it has done one more piece of work.
    pub fn takes_server_at_work(&self) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.server_lives_for.fetch_update(SeqCst, SeqCst, one_less) == Ok(1)
    }

    /// Whether the server is no more, now that its connection has ended.
    pub fn takes_idle_server(&self) -> bool {
        self.server_lives_for.swap(0, SeqCst) > 0
    }
}
