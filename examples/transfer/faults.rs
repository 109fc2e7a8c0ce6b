//! Simulated faults, which depend only on the seed and the number of a message.
//!
//! They do not depend on time or threads, so runs with the same seed are identical.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bits_proto::http1::StatusCode;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// The fault of one message.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub effect: Effect,
    /// The process that is killed when its connection breaks.
    pub victim: Option<Victim>,
    /// Time for which the network delays the message.
    pub delay: Duration,
}

#[derive(Clone, Copy, Debug)]
pub enum Effect {
    /// The request and the response arrive.
    Pass,
    /// Both arrive, and an intermediary sends the response in chunks.
    Chunk,
    /// The connection is cut inside the head of the request.
    CutHead(Share),
    /// The connection is cut inside the body of the request.
    CutBody(Share),
    /// The request arrives, and the connection is cut inside the response.
    CutResponse(Share),
    /// An intermediary responds with this status. The request may arrive nevertheless.
    Forged { status: StatusCode, arrives: bool },
    /// An intermediary responds to a fragment with 416 and an offset inside the fragment.
    OutOfSync(Share),
}

/// A process that is killed.
#[derive(Clone, Copy, Debug)]
pub enum Victim {
    Client,
    /// Killed after this number of operations. The last one is done but not recorded.
    Server {
        after: u32,
    },
}

/// A fraction of a length that is not yet known.
#[derive(Clone, Copy, Debug)]
pub struct Share(u64);

impl Share {
    /// Returns a number less than `length`.
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

    /// Returns the fault of message `number`. More than half of the messages have none.
    pub fn fault(&self, number: u64) -> Fault {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(number);
        let share = Share(random.next_u64());
        let effect = match random.next_u32() % 24 {
            0 => Effect::CutHead(share),
            1..=3 => Effect::CutBody(share),
            4..=5 => Effect::CutResponse(share),
            6 => Effect::OutOfSync(share),
            7 => Effect::Forged {
                status: status(random.next_u32()),
                arrives: random.next_u32() % 2 == 0,
            },
            8 => Effect::Chunk,
            _ => Effect::Pass,
        };
        let breaks =
            matches!(effect, Effect::CutHead(_) | Effect::CutBody(_) | Effect::CutResponse(_));
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

/// Returns a status with which proxies respond if they cannot reach a server, or 200, as in a
/// captive portal.
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

/// The fault of the current message, shared between the network, the client and the server.
///
/// There is one message at a time. The network announces its fault before it forwards the message,
/// and the others read it after they have noticed the effect.
#[derive(Default)]
pub struct CurrentFault {
    remark: Mutex<String>,
    is_response_forged: AtomicBool,
    kills_client: AtomicBool,
    /// Number of operations until the server is killed; 0 means never.
    server_operations: AtomicU32,
}

impl CurrentFault {
    pub fn announce(&self, fault: Fault, remark: String) {
        *self.remark.lock().unwrap_or_else(PoisonError::into_inner) = remark;
        let is_forged =
            matches!(fault.effect, Effect::Forged { .. } | Effect::OutOfSync(_) | Effect::Chunk);
        self.is_response_forged.store(is_forged, SeqCst);
        match fault.victim {
            Some(Victim::Client) => self.kills_client.store(true, SeqCst),
            Some(Victim::Server { after }) => self.server_operations.store(after, SeqCst),
            None => {}
        }
    }

    /// Returns the description of the fault, and clears it.
    pub fn take_remark(&self) -> String {
        std::mem::take(&mut self.remark.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns whether the response comes from the network or was changed by it.
    pub fn is_response_forged(&self) -> bool {
        self.is_response_forged.load(SeqCst)
    }

    /// Returns whether the client is killed now.
    pub fn take_client_kill(&self) -> bool {
        self.kills_client.swap(false, SeqCst)
    }

    /// Counts one operation of the server. Returns whether the server is killed now.
    pub fn count_server_operation(&self) -> bool {
        let decrement = |left: u32| left.checked_sub(1);
        self.server_operations.fetch_update(SeqCst, SeqCst, decrement) == Ok(1)
    }

    /// Returns whether the server is killed at the end of its connection.
    pub fn take_server_kill(&self) -> bool {
        self.server_operations.swap(0, SeqCst) > 0
    }
}
