//! One million sessions.

use std::hint::black_box;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{Ack, CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, MemoryStore, Policy, Record, RequestContext, SessionLimits, Sessions, Step,
};

use super::steps::NOW;
use super::{Group, MaxRatios, Pair, UNLIMITED};

pub const SESSIONS: usize = 1_000_000;
/// Maximum number of bytes per session: its slot, which contains the record with the URL, and its share of unused
/// slots. A million is a little less than 2^20, where the next block of slots begins.
pub const MAX_BYTES: f64 = 220.0;

pub const THOUSAND: usize = 1_000;
const ARRIVAL: RequestContext<'static> =
    RequestContext::new("/inbox/report.bin", Access::Granted, NOW);

type Table = Sessions<'static, MemoryStore>;

/// Returns a table of a million sessions.
pub fn table() -> impl Sized {
    filled(SESSIONS).0
}

/// Returns a table with this number of sessions, and their ids.
fn filled(sessions: usize) -> (Table, Vec<SessionId<'static>>) {
    let limits = SessionLimits::default().with_max_sessions(sessions);
    let mut table = Sessions::new(MemoryStore::new(), Policy::DEFAULT, limits);
    let request = Request::from(CreateSession::default());
    let ids = (0..sessions as u128).map(|index| {
        let random = || index.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_le_bytes();
        let step = table.handle_request(&request, &ARRIVAL, random).expect("memory does not fail");
        let Step::Answer(answer) = step else { panic!("{step:?}") };
        let Ack::CreateSession(ack) = answer.ack() else { panic!("{answer:?}") };
        SessionId::from(ack.session_id.guid().expect("a GUID"))
    });
    let ids = ids.collect();
    (table, ids)
}

/// Returns work that sends one-byte fragments, each to another session.
pub fn steps(sessions: usize) -> impl FnMut() {
    let (mut table, ids) = filled(sessions);
    // In the order of their use. A request contains its id, so finding the next id is not part of a step.
    let ids: Vec<_> = shuffled(sessions).iter().map(|at| ids[*at]).collect();
    let mut count = 0;
    move || {
        let id = ids[count % sessions];
        let next = (count / sessions) as u64;
        count += 1;
        let range = ContentRange::new(next, next, u64::MAX).expect("a range");
        let request = Request::from(Fragment::new(id, range));
        let step = table.handle_request(black_box(&request), &ARRIVAL, || unreachable!());
        let Ok(Step::Store(store)) = step else { panic!("{step:?}") };
        match table.handle_stored(store.token, store.take, NOW) {
            Ok(Step::Answer(answer)) => drop(black_box(answer.ack())),
            other => panic!("{other:?}"),
        }
    }
}

/// Returns work that reads one word of a random record. The record before contains its address, so a load cannot
/// start before the last one has finished. This is the lower bound of the time that a step takes longer with more
/// sessions.
pub fn loads(records: usize) -> impl FnMut() {
    const WORDS: usize = size_of::<Record>() / size_of::<usize>();
    let mut memory = vec![0; records * WORDS];
    let order = shuffled(records);
    for (from, to) in order.iter().zip(order.iter().cycle().skip(1)) {
        memory[from * WORDS] = to * WORDS;
    }
    let mut at = 0;
    move || at = black_box(memory[at])
}

/// Returns the numbers below `count` in an order without a constant distance, which a processor would predict.
fn shuffled(count: usize) -> Vec<usize> {
    let mut numbers: Vec<_> = (0..count).collect();
    numbers.sort_by_cached_key(|number| {
        let mixed = (*number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
    });
    numbers
}

/// Compares steps in a table of a million sessions with steps in a table of a thousand. Only cache misses should
/// make a difference.
pub fn group() -> Group {
    let pair = Pair::new("step-beside-one-of-a-thousand", steps(SESSIONS), steps(THOUSAND));
    Group {
        name: "million",
        pairs: vec![pair],
        each: MaxRatios { instructions: f64::INFINITY, time: 2.5 },
        mean: None,
    }
}

/// Compares steps in smaller tables with steps in a table of a thousand.
pub fn sessions() -> Group {
    let pair = |sessions: usize| {
        Pair::new(format!("{sessions}-sessions"), steps(sessions), steps(THOUSAND))
    };
    let pairs = [THOUSAND, 10_000, 100_000, SESSIONS].map(pair).into();
    Group { name: "sessions", pairs, each: UNLIMITED, mean: None }
}
