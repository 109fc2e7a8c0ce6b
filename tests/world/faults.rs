//! Faults that can occur during an upload, and their frequency.

use bits_proto::http1::StatusCode;
use rand::Rng as _;

use super::Size;
use super::rng::ScriptedRng;

/// A fault of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server cannot be reached.
    NoConnection,
    /// The connection breaks within the head.
    HeadLost,
    /// The connection breaks within the body, after this many thousandths of it.
    BodyCut(u64),
    /// Like `BodyCut`, but the server does not notice and keeps waiting for the rest.
    BodyStalls(u64),
    /// The server handles the request, and its response is lost.
    AckLost,
    /// An intermediary delivers the request twice and returns the second response.
    Duplicated,
    /// An intermediary answers with this status.
    ErrorStatus(StatusCode),
    /// The server handles the request, and an intermediary replaces the response by a web page.
    NotAnAck,
    /// The server requires credentials.
    Unauthenticated,
    /// The server's disk is full, after this many thousandths of the body.
    DiskFull(u64),
    /// The server's work fails with another error.
    WorkFails,
    /// The stored bytes are lost.
    EntityLost,
    /// The server crashes at this step of its work and restarts from its stored state.
    ServerCrash(u64),
    /// The server cannot write its sessions after this step of its work, and restarts.
    StoreFails(u64),
    /// The server reports its last work a second time.
    ReportedTwice,
    /// The session no longer exists, as after a timeout.
    Expired,
    /// The client crashes and restarts from its stored state.
    ClientCrash,
}

/// The faults of one upload. Their number is limited, and without them an upload must finish.
pub struct Plan {
    chance: f64,
    budget: u64,
    /// Number of faults so far.
    pub spent: u64,
    /// Number of client crashes so far.
    pub client_crashes: u64,
}

impl Plan {
    pub fn new(random: &mut ScriptedRng, size: Size) -> Self {
        let chance = [0.0, 0.02, 0.1, 0.3, 0.6][random.random_range(0..5)];
        Self { chance, budget: random.random_range(0..size.faults), spent: 0, client_crashes: 0 }
    }

    /// Returns true with the given probability, as long as faults are left.
    pub fn occurs(&mut self, random: &mut ScriptedRng, chance: f64) -> bool {
        let occurs = self.budget > 0 && self.chance > 0.0 && random.random_bool(chance);
        if occurs {
            self.budget -= 1;
            self.spent += 1;
        }
        occurs
    }

    /// Chooses the fault of the next request.
    pub fn next(&mut self, random: &mut ScriptedRng) -> Option<Fault> {
        if !self.occurs(random, self.chance) {
            return None;
        }
        let part = random.random_range(0..=1000);
        let status = [408, 409, 500, 502, 503, 504, 413][random.random_range(0..7)];
        let fault = match random.random_range(0..32) {
            0..3 => Fault::NoConnection,
            3 => Fault::HeadLost,
            4..8 => Fault::BodyCut(part),
            8..10 => Fault::BodyStalls(part),
            10..15 => Fault::AckLost,
            15..17 => Fault::Duplicated,
            17..20 => Fault::ErrorStatus(StatusCode::try_from(status).unwrap()),
            20 => Fault::NotAnAck,
            21 => Fault::Unauthenticated,
            22 => Fault::DiskFull(part),
            23 => Fault::WorkFails,
            24 => Fault::EntityLost,
            25..28 => Fault::ServerCrash(random.random_range(0..4)),
            28 => Fault::Expired,
            29 => Fault::StoreFails(random.random_range(0..4)),
            30 => Fault::ReportedTwice,
            _ => Fault::ClientCrash,
        };
        self.client_crashes += u64::from(fault == Fault::ClientCrash);
        Some(fault)
    }
}
