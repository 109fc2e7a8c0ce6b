//! What goes wrong, and how often.

use bits_proto::http1::StatusCode;
use rand::Rng as _;

use super::rng::Dice;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server cannot be reached.
    NoConnection,
    /// The connection breaks within the head.
    HeadLost,
    /// The connection breaks within the body, after so many thousandths of it.
    BodyCut(u64),
    /// The same, and the server does not notice: it thinks that the client is slow.
    BodyStalls(u64),
    /// The server does what it was asked to, and the answer is lost.
    AckLost,
    /// Something on the way delivers the request twice, and the second answer.
    Twice,
    /// Something on the way answers with this status.
    Refused(StatusCode),
    /// The server does what it was asked to, and something on the way makes the answer a page.
    NotAnAck,
    /// The server wants credentials.
    Unauthenticated,
    /// The server's disk is full, after so many thousandths of the body.
    DiskFull(u64),
    /// The server's work fails in another way.
    HostFails,
    /// The stored bytes are lost.
    EntityLost,
    /// The server crashes at this step of its work, and comes back with what it had stored.
    ServerCrash(u64),
    /// The session is gone, as if it had timed out.
    Expired,
    /// The client crashes, and comes back with what it had stored.
    ClientCrash,
}

/// How much goes wrong in one upload. It stops at some point, and then all has to end well.
pub struct Plan {
    chance: f64,
    budget: u64,
    /// How many faults there were.
    pub spent: u64,
    /// How many times the client crashed.
    pub client_crashes: u64,
}

impl Plan {
    pub fn new(random: &mut Dice) -> Self {
        let chance = [0.0, 0.02, 0.1, 0.3, 0.6][random.random_range(0..5)];
        Self { chance, budget: random.random_range(0..60), spent: 0, client_crashes: 0 }
    }

    /// Whether something happens that has this chance.
    pub fn hits(&mut self, random: &mut Dice, chance: f64) -> bool {
        let hits = self.budget > 0 && self.chance > 0.0 && random.random_bool(chance);
        if hits {
            self.budget -= 1;
            self.spent += 1;
        }
        hits
    }

    /// What goes wrong with the next request.
    pub fn next(&mut self, random: &mut Dice) -> Option<Fault> {
        if !self.hits(random, self.chance) {
            return None;
        }
        let part = random.random_range(0..=1000);
        let status = [408, 409, 500, 502, 503, 504, 413][random.random_range(0..7)];
        let fault = match random.random_range(0..30) {
            0..3 => Fault::NoConnection,
            3 => Fault::HeadLost,
            4..8 => Fault::BodyCut(part),
            8..10 => Fault::BodyStalls(part),
            10..15 => Fault::AckLost,
            15..17 => Fault::Twice,
            17..20 => Fault::Refused(StatusCode::try_from(status).unwrap()),
            20 => Fault::NotAnAck,
            21 => Fault::Unauthenticated,
            22 => Fault::DiskFull(part),
            23 => Fault::HostFails,
            24 => Fault::EntityLost,
            25..28 => Fault::ServerCrash(random.random_range(0..4)),
            28 => Fault::Expired,
            _ => Fault::ClientCrash,
        };
        self.client_crashes += u64::from(fault == Fault::ClientCrash);
        Some(fault)
    }
}
