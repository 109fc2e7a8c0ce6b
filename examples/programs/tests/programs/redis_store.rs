//! The store in Redis, compared with a map and used by several tables concurrently.
#![cfg(feature = "redis")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use bits_proto::field::{ContentRange, ReplyUrl, SessionId};
use bits_proto::message::{Ack, CancelSession, CloseSession, CreateSession, Fragment, Request};
use bits_proto::server::{
    Access, EventError, HostError, Notified, Policy, Record, Reply, RequestContext, SessionLimits,
    Sessions, SessionsError, SessionsResponse, Step, Store, WorkToken,
};
use bits_proto_programs::cluster::redis_store::RedisStore;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use crate::redis_server::RedisServer;

type Map = BTreeMap<Uuid, Record>;
type Table<S> = Sessions<'static, S>;

const PRINCIPALS: [Option<&str>; 3] = [None, Some("alice"), Some("bob: \u{e9}\0")];

/// Low enough for the limits to be reached.
const LIMITS: SessionLimits =
    SessionLimits::DEFAULT.with_max_sessions(6).with_max_sessions_per_principal(2);

const POLICY: Policy<'static> = Policy::DEFAULT
    .with_notification(true)
    .with_session_timeout(Duration::from_secs(60))
    .with_store_timeout(Duration::from_secs(5))
    .with_work_timeout(Duration::from_secs(9));

/// An input to a table.
#[derive(Clone, Debug)]
enum Call {
    Send(Request<'static>, Option<&'static str>, u8),
    Stored(WorkToken, u64),
    Working(WorkToken),
    Notified(WorkToken, bool),
    Committed(WorkToken),
    Discarded(WorkToken),
    Failed(WorkToken, HostError),
    Disconnected(WorkToken),
    Expire(u8),
    Timeout,
}

/// The result of an input.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "there are few at a time")]
enum Outcome {
    Step(Step<SessionsResponse<'static>>),
    Report(EventError),
    Discards(BTreeSet<String>, Vec<WorkToken>),
    Done,
}

fn id(random: u8) -> SessionId<'static> {
    SessionId::from_random([random; 16])
}

fn call<S: Store<Error: Debug>>(table: &mut Table<S>, call: &Call, now: Duration) -> Outcome {
    let reported = match call {
        Call::Send(request, principal, random) => {
            let access = Access::Granted;
            let context = RequestContext::new("/e", access, now).with_principal(*principal);
            let step = table.handle_request(request, &context, || [*random; 16]);
            return Outcome::Step(step.expect("a store that works"));
        }
        Call::Stored(token, bytes) => table.handle_stored(*token, *bytes, now),
        Call::Working(token) => table.renew(*token, now).map(|()| Step::Done),
        Call::Notified(token, has_reply) => {
            let url = ReplyUrl::try_from("/reply").expect("a URL");
            let reply = if *has_reply { Reply::Kept } else { Reply::None };
            let notified = Notified::new(true, reply);
            table.handle_notified(*token, notified, has_reply.then_some(url), now)
        }
        Call::Committed(token) => table.handle_committed(*token),
        Call::Discarded(token) => table.handle_discarded(*token),
        Call::Failed(token, error) => table.handle_failed(*token, *error),
        Call::Disconnected(token) => table.handle_disconnected(*token).map(|()| Step::Done),
        Call::Expire(random) => {
            let id = id(*random).guid().expect("a GUID");
            let discard = table.expire(id, now).expect("a store that works");
            return discard.map_or(Outcome::Done, |it| Outcome::Step(Step::Discard(it)));
        }
        Call::Timeout => {
            let discards = table.handle_timeout(now).expect("a store that works");
            // The order of expired sessions differs between stores.
            let mut tokens = discards.iter().map(|it| it.token).collect::<Vec<_>>();
            tokens.sort_by_key(WorkToken::session_id);
            return Outcome::Discards(
                discards.iter().map(|it| format!("{it:?}")).collect(),
                tokens,
            );
        }
    };
    match reported {
        Ok(step) => Outcome::Step(step),
        Err(SessionsError::Event(error)) => Outcome::Report(error),
        Err(error) => panic!("{error:?}"),
    }
}

/// Returns a random input, usually one that fits the previous steps.
fn any_call(random: &mut SmallRng, tokens: &[WorkToken]) -> Call {
    let principal = PRINCIPALS[random.random_range(0..3)];
    let session = random.random_range(0..8);
    let token = tokens.get(tokens.len().saturating_sub(random.random_range(1..5))).copied();
    match (random.random_range(0..24), token) {
        (0..=3, _) => Call::Send(CreateSession::default().into(), principal, session),
        (4..=8, _) | (11.., None) => {
            let first = random.random_range(0..20);
            let range = ContentRange::new(first, first + random.random_range(0..12), 32);
            let range = range.expect("a range");
            Call::Send(Fragment::new(id(session), range).into(), principal, session)
        }
        (9, _) => Call::Send(CloseSession::new(id(session)).into(), principal, session),
        (10, _) if random.random() => {
            Call::Send(CancelSession::new(id(session)).into(), principal, session)
        }
        (10, _) => Call::Expire(session),
        (11..=14, Some(token)) => Call::Stored(token, random.random_range(0..12)),
        (15..=16, Some(token)) => Call::Notified(token, random.random()),
        (17, Some(token)) => Call::Committed(token),
        (18..=19, Some(token)) => Call::Discarded(token),
        (20, Some(token)) => {
            let errors = [HostError::Other, HostError::EntityLost, HostError::DiskFull];
            Call::Failed(token, errors[random.random_range(0..3)])
        }
        (21, Some(token)) => Call::Disconnected(token),
        (22, Some(token)) => Call::Working(token),
        _ => Call::Timeout,
    }
}

/// Returns everything that can be queried from a store.
fn contents<S: Store<Error: Debug>>(store: &mut S, now: Duration) -> String {
    let mut records = Vec::new();
    for random in 0..8 {
        let id = id(random).guid().expect("a GUID");
        records.push(store.update(id, |record| record.clone()).expect("it works"));
    }
    let counts = [None, Some("alice"), Some(PRINCIPALS[2].unwrap_or_default()), Some("unknown")]
        .map(|principal| store.count(principal).expect("it works"));
    let expired: BTreeSet<_> = store.expired(now).expect("it works").into_iter().collect();
    format!("{records:?} {counts:?} {expired:?}")
}

#[test]
fn the_store_is_equivalent_to_a_map() {
    let Some(redis) = RedisServer::start() else { return };
    let (mut accepted, mut refused, mut swept) = (0, 0, 0);
    for seed in 0..4 {
        let mut random = SmallRng::seed_from_u64(seed);
        let mut store = RedisStore::new(&redis.url(), &format!("seed-{seed}:")).expect("a URL");
        let mut in_memory = Sessions::new(Map::new(), POLICY, LIMITS);
        // Inputs alternate between two nodes.
        let mut nodes = [(); 2].map(|()| Sessions::new(store.clone(), POLICY, LIMITS));
        let mut map = Map::new();
        let mut tokens: Vec<WorkToken> = Vec::new();
        let mut now = Duration::from_secs(1_700_000_000);
        for step in 0..400 {
            now += Duration::from_millis(random.random_range(0..2000));
            let made = any_call(&mut random, &tokens);
            let expected = call(&mut in_memory, &made, now);
            let outcome = call(&mut nodes[step % 2], &made, now);
            assert_eq!(outcome, expected, "seed {seed}, step {step}: {made:?}");
            match outcome {
                Outcome::Step(Step::Store(it)) => tokens.push(it.token),
                Outcome::Step(Step::Notify(token) | Step::Commit(token)) => tokens.push(token),
                Outcome::Step(Step::Discard(it)) => tokens.push(it.token),
                Outcome::Discards(_, found) => {
                    swept += found.len();
                    tokens.extend(found);
                }
                Outcome::Step(_) => accepted += 1,
                Outcome::Report(_) => refused += 1,
                Outcome::Done => {}
            }
            map.clone_from(in_memory.store());
            let stored = contents(&mut store, now);
            assert_eq!(stored, contents(&mut map, now), "seed {seed}, step {step}: {made:?}");
        }
    }
    assert!(accepted > 200 && refused > 200 && swept > 5, "{accepted}, {refused}, {swept}");
}

/// Length of the entity that is written concurrently.
const TOTAL: u64 = 1000;

/// The offsets that were accepted from one writer, and the number of its lost work tokens.
type WriterResult = (Vec<u64>, usize);

/// Writes the rest of the entity in random pieces, and sometimes abandons a fragment.
fn write_randomly(mut table: Table<RedisStore>, seed: u64, clock: &AtomicU64) -> WriterResult {
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut accepted, mut lost) = (Vec::new(), 0);
    let mut next = 0;
    while next < TOTAL {
        let now = || Duration::from_secs(1_700_000_000 + clock.fetch_add(1, SeqCst) / 16);
        let last = (next + random.random_range(1..40)).min(TOTAL) - 1;
        let range = ContentRange::new(next, last, TOTAL).expect("a range");
        let request = Fragment::new(id(7), range).into();
        let context = RequestContext::new("/e", Access::Granted, now());
        let mut step = table.handle_request(&request, &context, || [7; 16]).expect("it works");
        while let Step::Store(bytes) = step {
            let taken = random.random_range(1..=bytes.take);
            // Some reports are late, and some are never sent.
            let delay = random.random_range(0..160);
            clock.fetch_add(delay, SeqCst);
            match table.handle_stored(bytes.token, taken, now()) {
                Ok(then) => {
                    accepted.extend(bytes.offset..bytes.offset + taken);
                    step = then;
                }
                Err(SessionsError::Event(EventError::StaleToken)) => {
                    lost += 1;
                    break;
                }
                Err(error) => panic!("{error}"),
            }
        }
        if let Step::Answer(answer) = &step {
            match answer.ack() {
                Ack::Fragment(ack) => next = ack.received.0,
                Ack::Refused(refusal) => next = refusal.received().map_or(next, |it| it.0),
                other => panic!("{other:?}"),
            }
        }
    }
    (accepted, lost)
}

/// Runs four concurrent writers of the same entity with separate connections.
fn round(redis: &RedisServer, round: u64) -> Vec<WriterResult> {
    let policy = Policy::DEFAULT.with_store_timeout(Duration::from_secs(5));
    let table = || {
        let store = RedisStore::new(&redis.url(), &format!("round-{round}:")).expect("a URL");
        Sessions::new(store, policy, SessionLimits::default())
    };
    let clock = AtomicU64::new(0);
    let now = Duration::from_secs(1_700_000_000);
    let context = RequestContext::new("/e", Access::Granted, now);
    let created = table().handle_request(&CreateSession::default().into(), &context, || [7; 16]);
    assert!(matches!(created, Ok(Step::Answer(_))), "{created:?}");

    let start = Barrier::new(4);
    thread::scope(|scope| {
        let writers = [0, 1, 2, 3].map(|seed| {
            let (clock, start, table) = (&clock, &start, table());
            scope.spawn(move || {
                // Connects before the start, so that no writer comes too late because of its
                // connection.
                let connected = table.store().count(None);
                start.wait();
                assert!(connected.is_ok(), "{connected:?}");
                write_randomly(table, 4 * round + seed, clock)
            })
        });
        writers.map(|writer| writer.join().expect("a writer that ends")).into()
    })
}

#[test]
fn each_byte_is_accepted_from_one_concurrent_writer() {
    let Some(redis) = RedisServer::start() else { return };
    let is_contended = |number| {
        let done = round(&redis, number);
        let mut accepted = done.iter().flat_map(|it| it.0.iter().copied()).collect::<Vec<_>>();
        accepted.sort_unstable();
        assert!(accepted.iter().copied().eq(0..TOTAL), "{} bytes", accepted.len());
        let writers = done.iter().filter(|it| !it.0.is_empty()).count();
        writers > 1 && done.iter().any(|it| it.1 > 0)
    };
    // A round without concurrency shows nothing, so several rounds may be necessary.
    assert!((0..50).any(is_contended), "no writer took over from another one");
}

#[test]
fn the_store_recovers_after_redis_was_down() {
    let Some(mut redis) = RedisServer::persistent() else { return };
    let store = RedisStore::new(&redis.url(), "p:").expect("a URL");
    let mut table = Sessions::new(store, Policy::DEFAULT, SessionLimits::default());
    let now = Duration::from_secs(1);
    let context = RequestContext::new("/e", Access::Granted, now).with_principal(Some("a"));
    let create = CreateSession::default().into();
    assert!(table.handle_request(&create, &context, || [7; 16]).is_ok());
    redis.kill();
    let cancel = CancelSession::new(id(7)).into();
    let error = table.handle_request(&cancel, &context, || [7; 16]).expect_err("no Redis");
    assert!(error.to_string().contains("Redis"), "{error}");
    redis.restart();
    let step = table.handle_request(&cancel, &context, || [7; 16]);
    assert!(matches!(step, Ok(Step::Discard(_))), "{step:?}");
}
