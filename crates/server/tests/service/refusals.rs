//! The table of refusals in the docs of the crate: each row is provoked, and each response is that of its row.

use std::time::Duration;

use bits_server::storage::StorageError;
use bits_server::{Builder, Deny, Limits, Principal};
use http::Request;
use http::request::Parts;

use crate::support::bodies::sent;
use crate::support::hooked::Operation;
use crate::support::{Answer, World, create, fragment, fragment_head, packet};

/// A row of the table.
struct Row {
    cause: String,
    /// Status codes; empty for those of a server application.
    statuses: Vec<u16>,
    code: Option<String>,
    /// The only status that has the code, if others have none.
    with: Option<u16>,
    context: &'static str,
}

fn documented() -> Vec<Row> {
    let docs = include_str!("../../src/lib.rs");
    let (_, section) = docs.split_once("//! # Refusals and failures").expect("the section");
    let (table, _) = section.split_once("//! # ").expect("another section");
    table.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1).map(row).collect()
}

fn row(line: &str) -> Row {
    let cells: Vec<_> = line.split('|').map(str::trim).collect();
    let numbers = |cell: &str| {
        let words = cell.split(|it: char| !it.is_ascii_digit());
        words.filter(|word| word.len() == 3).map(|word| word.parse().expect("a status")).collect()
    };
    let code = cells[2].split('`').nth(1).map(str::to_owned);
    let with = cells[2].split_once("with ").map(|(_, status)| status.parse().expect("a status"));
    let context = if cells[2].contains("context 7") { "0x7" } else { "0x5" };
    Row { cause: cells[0].to_owned(), statuses: numbers(cells[1]), code, with, context }
}

/// The responses, each with words of the cause in its row.
#[derive(Default)]
struct Provoked(Vec<(&'static str, Answer)>);

impl Provoked {
    fn add(&mut self, cause: &'static str, answer: Answer) {
        self.0.push((cause, answer));
    }

    /// Returns the response to a fragment with a whole entity, after an operation of the storage has failed.
    async fn fail(&mut self, cause: &'static str, operation: Operation, error: StorageError) {
        let world = World::new(|builder| builder).await;
        let id = world.create("/f").await;
        world.hooks.fail(operation, error);
        let mut answer = world.fragment("/f", &id, 0, b"hello", 5).await;
        if answer.status == 200 {
            answer = world.close("/f", &id).await;
        }
        self.add(cause, answer);
    }
}

/// Limit of entities, and twice that of fragments. A client can send fragments that are smaller.
const MAX: u64 = 1 << 20;

const MACHINE: &str = "x-machine";

fn from<B>(mut request: Request<B>, machine: &'static str) -> Request<B> {
    request.headers_mut().insert(MACHINE, machine.parse().expect("a name"));
    request
}

fn authorized(builder: Builder) -> Builder {
    builder
        .authorize_sync(|request: &Parts| {
            match request.headers.get(MACHINE).map(|it| it.to_str().expect("text")) {
                None => Err(Deny::unauthenticated("Basic")),
                Some("guest") => Err(Deny::Forbidden),
                Some(name) => Ok(Principal::new(name)),
            }
        })
        .destination(
            |_, path| if path == "refused" { Err("no such place") } else { Ok(path.to_owned()) },
        )
}

async fn access(provoked: &mut Provoked) {
    let world = World::new(authorized).await;
    provoked.add("credentials are missing", world.send(create("/f")).await);
    provoked.add("no access", world.send(from(create("/f"), "guest")).await);
    for path in ["/CON", "/a%2fb", "/refused"] {
        provoked.add("no valid [`Key`]", world.send(from(create(path), "m1")).await);
    }
    let answer = world.send(from(create("/f"), "m1")).await;
    let id = answer.header("bits-session-id");
    let gone = "session has expired";
    provoked.add(gone, world.send(from(packet("Close-Session", "/f", id), "m2")).await);
    provoked.add(gone, world.send(from(packet("Close-Session", "/g", id), "m1")).await);
    let unknown = "{11111111-2222-3333-4444-555555555555}";
    provoked.add(gone, world.send(from(fragment("/f", unknown, 0, b"x", 1), "m1")).await);
}

async fn storage(provoked: &mut Provoked) {
    let world = World::new(|builder| builder).await;
    world.upload("/f", b"hello").await;
    provoked.add("the entity exists", world.send(create("/f")).await);
    world.hooks.fail(Operation::Begin, StorageError::Denied(None));
    provoked.add("no access", world.send(create("/g")).await);
    world.hooks.fail(Operation::Begin, StorageError::IsFolder);
    provoked.add("request is invalid", world.send(create("/g")).await);
    world.hooks.fail(Operation::Begin, StorageError::Full(None));
    provoked.add("store is full", world.send(create("/g")).await);
    let other = || StorageError::other("bucket is unreachable");
    let lost = "staged bytes are lost";
    provoked.fail("no access", Operation::Publish, StorageError::Denied(None)).await;
    provoked.fail("request is invalid", Operation::Publish, StorageError::IsFolder).await;
    provoked.fail("the entity exists", Operation::Publish, StorageError::Exists).await;
    provoked.fail("store is full", Operation::Flush, StorageError::Full(None)).await;
    provoked.fail("the storage or the hook", Operation::Flush, other()).await;
    provoked.fail("the storage or the hook", Operation::Publish, other()).await;
    provoked.fail(lost, Operation::Flush, StorageError::Lost(None)).await;
    provoked.fail(lost, Operation::Publish, StorageError::Lost(None)).await;
}

async fn requests(provoked: &mut Provoked) {
    let limits = Limits { max_upload: Some(MAX), max_fragment: Some(MAX / 2), ..Limits::default() };
    let world = World::with_limits(limits).await;
    let id = world.create("/f").await;
    let (id, most) = (&*id, vec![7; MAX as usize]);
    provoked.add("entity exceeds", world.fragment("/f", id, 0, b"x", most.len() + 1).await);
    provoked.add("fragment exceeds", world.fragment("/f", id, 0, &most, most.len()).await);
    provoked.add("bytes before the fragment", world.fragment("/f", id, 3, b"x", 10).await);
    let invalid = "request is invalid";
    provoked.add(invalid, world.send(packet("Unknown", "/f", id)).await);
    let mut request = fragment("/f", id, 0, b"x", 10);
    request.headers_mut().insert("content-range", "bytes 5-1/10".parse().expect("a value"));
    provoked.add(invalid, world.send(request).await);
    let mut request = fragment("/f", id, 0, b"x", 10);
    request.headers_mut().remove("content-length");
    provoked.add(invalid, world.send(request).await);
    assert_eq!(world.fragment("/f", id, 0, b"x", 10).await.status, 200);
    provoked.add(invalid, world.fragment("/f", id, 1, b"x", 9).await);
    let put = Request::put("/f").body(http_body_util::Full::default()).expect("a request");
    provoked.add("another method", world.send(put).await);
}

async fn busy(provoked: &mut Provoked) {
    let cause = "a limit of sessions";
    let world = World::with_limits(Limits { max_sessions: 1, ..Limits::default() }).await;
    let id = world.create("/f").await;
    provoked.add(cause, world.send(create("/g")).await);
    let write = world.hooks.stall(Operation::Write);
    let service = world.service();
    let request = fragment("/f", &id, 0, b"hello", 10);
    let first = tokio::spawn(tower::ServiceExt::oneshot(service, request));
    write.reached().await;
    provoked.add(cause, world.fragment("/f", &id, 0, b"hello", 10).await);
    write.resume();
    assert_eq!(first.await.expect("a task").expect("infallible").status(), 200);
    world.sessions.set_unreachable(true);
    provoked.add(cause, world.close("/f", &id).await);
    provoked.add(cause, world.send(create("/h")).await);
    world.sessions.set_unreachable(false);
    world.server.shutdown().await;
    provoked.add(cause, world.close("/f", &id).await);
}

async fn stalls(provoked: &mut Provoked) {
    let short = Duration::from_millis(30);
    for limits in [
        Limits { idle_timeout: short, ..Limits::default() },
        Limits { body_timeout: short, ..Limits::default() },
    ] {
        let world = World::with_limits(limits).await;
        let id = world.create("/f").await;
        let (_sender, body) = sent();
        let request = fragment_head("/f", &id, 0, 5, 5).body(body).expect("a request");
        provoked.add("the body stalls", world.send(request).await);
    }
}

async fn hooks(provoked: &mut Provoked) {
    let fails = |builder: Builder| builder.on_complete(|_| async { Err::<(), _>("queue is full") });
    let world = World::new(fails).await;
    provoked.add("the storage or the hook", world.upload("/f", b"hello").await);
    let fails =
        |builder: Builder| builder.reply(|_| async { Err::<Option<&str>, _>("out of order") });
    let world = World::new(fails).await;
    let id = world.create("/f").await;
    provoked.add("closure of [`Builder::reply`]", world.fragment("/f", &id, 0, b"x", 1).await);
}

#[tokio::test]
async fn the_table_of_refusals_is_correct() {
    let mut provoked = Provoked::default();
    access(&mut provoked).await;
    storage(&mut provoked).await;
    requests(&mut provoked).await;
    busy(&mut provoked).await;
    stalls(&mut provoked).await;
    hooks(&mut provoked).await;
    let mut rows = documented();
    // The tests of notification have this row.
    rows.retain(|row| !row.cause.starts_with("a server application"));
    assert_eq!(rows.len(), 16);
    for row in &rows {
        let (own, others): (Vec<_>, _) =
            provoked.0.into_iter().partition(|(cause, _)| row.cause.contains(cause));
        provoked.0 = others;
        check(row, own.into_iter().map(|(_, answer)| answer).collect());
    }
    let rest: Vec<_> = provoked.0.iter().map(|(cause, _)| cause).collect();
    assert!(rest.is_empty(), "no row: {rest:?}");
}

fn check(row: &Row, answers: Vec<Answer>) {
    for answer in &answers {
        let status = answer.status.as_u16();
        assert!(row.statuses.contains(&status), "{}: {answer:?}", row.cause);
        let code = row.code.as_deref().filter(|_| row.with.is_none_or(|with| with == status));
        for (name, expected) in
            [("bits-error", code), ("bits-error-context", code.map(|_| row.context))]
        {
            let found = answer.headers.get(name).map(|value| value.to_str().expect("text"));
            assert_eq!(found, expected, "{}: {answer:?}", row.cause);
        }
    }
    for status in &row.statuses {
        let is_provoked = answers.iter().any(|answer| answer.status == *status);
        assert!(is_provoked, "{}: no response has status {status}", row.cause);
    }
}
