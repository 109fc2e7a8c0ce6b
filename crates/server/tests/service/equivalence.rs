//! Random requests have equal answers from several nodes and from the sessions of the core in a map.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{
    CancelSession, CloseSession, CreateSession, Fragment, NO_EXTRAS, Request,
};
use bits_proto::server::{
    Access, HostError, Policy, Record, RequestContext, SessionLimits, Sessions, Step,
};
use bits_server::sessions::SessionStore;
use bits_server::storage::MemoryStorage;
use bits_server::{BitsService, Builder, Limits, Parts, Principal, Server};
use bytes::Bytes;
use http_body_util::Full;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::{World, answer, create, fragment, packet};

const TOTAL: usize = 32;
const PATHS: [&str; 2] = ["/e", "/f"];
const PRINCIPALS: [&str; 2] = ["alice", "bob"];

/// Low enough to be reached.
const MAX_SESSIONS: (usize, usize) = (4, 3);

/// Status, next offset and error code.
type Outcome = (u16, Option<String>, Option<String>);

fn outcome(status: http::StatusCode, headers: &http::HeaderMap) -> Outcome {
    let field = |name| headers.get(name).map(|value| value.to_str().expect("text").to_owned());
    (status.as_u16(), field("bits-received-content-range"), field("bits-error"))
}

/// The sessions of the core, and the entities that they published.
struct Core {
    sessions: Sessions<'static, BTreeMap<Uuid, Record>>,
    published: BTreeSet<&'static str>,
}

impl Core {
    fn answer(
        &mut self,
        request: &Request<'_>,
        path: &'static str,
        principal: &str,
        random: u8,
    ) -> Outcome {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let is_published = self.published.contains(path);
        let access = if is_published { Access::GrantedOverExisting } else { Access::Granted };
        let context = RequestContext::new(path, access, now).with_principal(Some(principal));
        let sessions = &mut self.sessions;
        let Ok(mut step) = sessions.handle_request(request, &context, || [random; 16]);
        loop {
            let next = match step {
                Step::Store(bytes) => sessions.handle_stored(bytes.token, bytes.take, now),
                Step::Commit(token) if is_published => {
                    sessions.handle_failed(token, HostError::DestinationExists)
                }
                Step::Commit(token) => {
                    self.published.insert(path);
                    sessions.handle_committed(token)
                }
                Step::Discard(discard) => sessions.handle_discarded(discard.token),
                Step::Answer(answer) => {
                    let head = Policy::DEFAULT.to_http(&answer.ack(), &NO_EXTRAS).expect("a head");
                    return outcome(head.status(), head.headers());
                }
                step => panic!("{step:?}"),
            };
            step = next.expect("a valid report");
        }
    }
}

fn change(builder: Builder) -> Builder {
    let (max_sessions, max_sessions_per_principal) = MAX_SESSIONS;
    let limits = Limits { max_sessions, max_sessions_per_principal, ..Limits::default() };
    builder.limits(limits).authorize(async |request: &Parts| {
        let name = request.headers["x-machine"].to_str().expect("text");
        Ok::<_, bits_server::Deny>(Principal::new(name))
    })
}

#[tokio::test]
async fn nodes_answer_like_sessions_in_a_map() {
    assert_equivalence(20, async |_| {
        let first = World::new(change).await;
        let store: Arc<dyn SessionStore> = first.sessions.store.clone();
        ([first.node(change).await.service(), first.service()], store)
    })
    .await;
}

#[cfg(all(feature = "file", feature = "redis"))]
#[tokio::test]
async fn nodes_with_redis_answer_like_sessions_in_a_map() {
    use bits_server::sessions::RedisSessions;
    let Some(redis) = bits_proto_test_servers::redis::RedisServer::start() else { return };
    assert_equivalence(6, async |seed| {
        let connect = async || {
            let sessions = RedisSessions::connect(&redis.url()).await.expect("a Redis");
            sessions.prefix(&format!("{seed}:"))
        };
        let storage = MemoryStorage::new();
        let node = async || {
            let server = Server::builder().storage(storage.clone()).sessions(connect().await);
            change(server).build().await.expect("a server").service()
        };
        let store: Arc<dyn SessionStore> = Arc::new(connect().await);
        ([node().await, node().await], store)
    })
    .await;
}

/// Sends random requests to two nodes in turn. `start` starts them for a seed, and returns them with their sessions.
async fn assert_equivalence(
    seeds: u64,
    start: impl AsyncFn(u64) -> ([BitsService; 2], Arc<dyn SessionStore>),
) {
    let mut statuses = BTreeMap::<u16, usize>::new();
    for seed in 0..seeds {
        let mut random = SmallRng::seed_from_u64(seed);
        let (nodes, store) = start(seed).await;
        let limits = SessionLimits::DEFAULT
            .with_max_sessions(MAX_SESSIONS.0)
            .with_max_sessions_per_principal(MAX_SESSIONS.1);
        let sessions = Sessions::new(BTreeMap::new(), Policy::DEFAULT, limits);
        let mut core = Core { sessions, published: BTreeSet::new() };
        // The ids of each session in the map and on the nodes. No node knows the first one.
        let mut ids = vec![(SessionId::from_random([255; 16]), format!("{{{}}}", Uuid::max()))];
        for step in 0..100_u8 {
            let (path, principal) =
                (PATHS[random.random_range(0..2)], PRINCIPALS[random.random_range(0..2)]);
            let (known, id) = ids[random.random_range(0..ids.len())].clone();
            let begin = random.random_range(0..TOTAL);
            let end = (begin + random.random_range(1..20)).min(TOTAL);
            let (request, mut sent): (Request<'_>, http::Request<Full<Bytes>>) =
                match random.random_range(0..10) {
                    0..=2 => (CreateSession::default().into(), create(path)),
                    3 => (CloseSession::new(known).into(), packet("Close-Session", path, &id)),
                    4 => (CancelSession::new(known).into(), packet("Cancel-Session", path, &id)),
                    _ => {
                        let begin = if random.random() { 0 } else { begin };
                        let (first, last) = (begin as u64, end.max(begin + 1) as u64 - 1);
                        let range = ContentRange::new(first, last, TOTAL as u64).expect("a range");
                        let bytes = vec![step; end.max(begin + 1) - begin];
                        let sent = fragment(path, &id, begin, &bytes, TOTAL);
                        (Fragment::new(known, range).into(), sent)
                    }
                };
            sent.headers_mut().insert("x-machine", principal.parse().expect("a value"));
            let expected = core.answer(&request, path, principal, step);
            let node = nodes[usize::from(step) % 2].clone();
            let answer = answer(node.oneshot(sent).await.expect("infallible")).await;
            let actual = outcome(answer.status, &answer.headers);
            assert_eq!(actual, expected, "seed {seed}, step {step}: {request:?} for {path}");
            if matches!(request, Request::CreateSession(_)) && actual.0 == 200 {
                let id = answer.header("bits-session-id").to_owned();
                ids.push((SessionId::from_random([step; 16]), id));
            }
            *statuses.entry(actual.0).or_default() += 1;
            let count = store.count(None).await.expect("a count");
            assert_eq!(count, core.sessions.store().len(), "seed {seed}, step {step}");
        }
    }
    for status in [200, 403, 416, 500, 503] {
        assert!(statuses.get(&status).is_some_and(|times| *times > 10), "{statuses:?}");
    }
}
