//! Values of labels: a run of refusals and failures records the documented ones, and no other.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_server::storage::StorageError;
use bits_server::{Builder, Deny, Limits};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use metrics_util::debugging::DebuggingRecorder;
use tower::Service as _;

use crate::support::bodies::sent;
use crate::support::hooked::Operation;
use crate::support::{World, create, fragment, fragment_head, packet, until_free};

/// Returns the names of metrics with the values of their labels, from the table in the docs of the crate.
fn documented() -> BTreeSet<(String, String)> {
    let docs = include_str!("../../src/lib.rs");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("//! | `bits_"));
    let labels = rows.filter_map(|row| {
        let (name, _) = row.split_once('`')?;
        let (_, values) = row.split_once("by `reason`: ")?;
        let values = values.split('`').skip(1).step_by(2);
        Some(values.map(move |value| (format!("bits_{name}"), value.to_owned())))
    });
    labels.flatten().collect()
}

const SHORT: Duration = Duration::from_millis(30);

fn short() -> Limits {
    Limits {
        idle_timeout: SHORT,
        store_timeout: SHORT * 2,
        work_timeout: SHORT * 2,
        ..Limits::default()
    }
}

async fn refusals() {
    let world = World::new(|builder| {
        let limits = Limits { max_upload: Some(10), max_sessions: 1, ..Limits::default() };
        builder.limits(limits).authorize_sync(|request| match request.uri.path() {
            "/unauthenticated" => Err(Deny::unauthenticated("Basic")),
            "/denied" => Err(Deny::Forbidden),
            _ => Ok(bits_server::Principal::ANONYMOUS),
        })
    })
    .await;
    assert_eq!(world.send(create("/unauthenticated")).await.status, 401);
    assert_eq!(world.send(create("/denied")).await.header("bits-error"), "0x80070005");
    assert_eq!(world.send(create("/CON")).await.header("bits-error"), "0x8007007B");
    world.upload("/f", b"hello").await;
    assert_eq!(world.send(create("/f")).await.header("bits-error"), "0x80070050");
    assert_eq!(world.send(packet("Unknown", "/g", "{x}")).await.header("bits-error"), "0x80070057");
    let id = world.create("/g").await;
    assert_eq!(world.send(create("/h")).await.status, 503);
    assert_eq!(world.fragment("/g", &id, 0, b"x", 11).await.header("bits-error"), "0x80200020");
}

async fn ends() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/cancelled").await;
    world.send(packet("Cancel-Session", "/cancelled", &id)).await;
    let id = world.create("/incomplete").await;
    world.fragment("/incomplete", &id, 0, b"hello", 11).await;
    world.close("/incomplete", &id).await;
    let id = world.create("/lost").await;
    world.hooks.fail(Operation::Flush, StorageError::Lost(None));
    world.fragment("/lost", &id, 0, b"hello", 11).await;
    let limits = Limits { session_timeout: SHORT, sweep_interval: SHORT / 10, ..Limits::default() };
    let world = World::with_limits(limits).await;
    world.create("/expired").await;
    let expired = async {
        while world.staged().await > 0 {
            tokio::time::sleep(SHORT / 10).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), expired).await.expect("expired");
}

/// Sends a part of a body, and nothing after it.
async fn interrupted(world: &World, path: &str) -> tokio::sync::mpsc::UnboundedSender<Bytes> {
    let id = world.create(path).await;
    let (sender, body) = sent();
    let request = fragment_head(path, &id, 0, 11, 11).body(body).unwrap();
    sender.send(Bytes::from_static(b"hello")).unwrap();
    tokio::spawn(world.service().call(request));
    while world.sessions.only().await.record.session.received().0 < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sender
}

async fn interruptions() {
    let world = World::new(|builder| builder).await;
    drop(interrupted(&world, "/disconnected").await);
    let world = World::with_limits(short()).await;
    let sender = interrupted(&world, "/idle").await;
    sender.closed().await;
    let limits = Limits { body_timeout: SHORT, ..Limits::default() };
    let world = World::with_limits(limits).await;
    let sender = interrupted(&world, "/slow").await;
    sender.closed().await;
    let limits = Limits { shutdown_timeout: SHORT, ..Limits::default() };
    let world = World::with_limits(limits).await;
    let _sender = interrupted(&world, "/shutdown").await;
    world.server.shutdown().await;
}

async fn overtaken() {
    let stalled = World::with_limits(short()).await;
    let other = stalled.node(|builder| builder.limits(short())).await;
    let id = stalled.create("/f").await;
    let write = stalled.hooks.stall(Operation::Write);
    let late = tokio::spawn(stalled.service().call(fragment("/f", &id, 0, b"XXXXX", 11)));
    write.reached().await;
    stalled.sessions.freeze();
    until_free(&other, || fragment("/f", &id, 0, b"hello ", 11)).await;
    write.resume();
    stalled.sessions.thaw();
    assert_eq!(late.await.unwrap().unwrap().status(), 503);
}

async fn failures() {
    let fails = |builder: Builder| builder.on_complete(|_| async { Err::<(), _>("queue is full") });
    let world = World::new(fails).await;
    assert_eq!(world.upload("/hook", b"hello").await.status, 500);
    world.hooks.fail(Operation::Publish, StorageError::other("bucket is unreachable"));
    assert_eq!(world.upload("/storage", b"hello").await.status, 500);
    world.sessions.set_unreachable(true);
    let id = "{11111111-2222-3333-4444-555555555555}";
    assert_eq!(world.close("/session-store", id).await.status, 503);
    let fails =
        |builder: Builder| builder.reply(|_| async { Err::<Option<&str>, _>("out of order") });
    let world = World::new(fails).await;
    let id = world.create("/application").await;
    assert_eq!(world.fragment("/application", &id, 0, b"x", 1).await.status, 500);
}

#[tokio::test]
async fn the_documented_values_of_labels_are_recorded() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    refusals().await;
    ends().await;
    interruptions().await;
    overtaken().await;
    failures().await;
    let mut recorded = BTreeSet::new();
    // The requests that were interrupted may still be running.
    let missing = async {
        loop {
            for (key, ..) in snapshotter.snapshot().into_vec() {
                let name = key.key().name();
                recorded.extend(key.key().labels().map(|it| (name.to_owned(), it.value().into())));
            }
            let mut missing = documented();
            missing.retain(|it| !recorded.contains(it) && it.1 != "other");
            if missing.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let is_complete = tokio::time::timeout(Duration::from_secs(10), missing).await.is_ok();
    let mut documented = documented();
    // For an end that does not exist in this version.
    assert!(documented.remove(&("bits_uploads_failed_total".into(), "other".into())));
    assert!(is_complete && recorded == documented, "{recorded:#?}\n{documented:#?}");
}

/// A download without access is counted as an upload is.
#[tokio::test]
async fn a_refused_download_is_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let world = World::new(|builder| builder.authorize_sync(|_| Err(Deny::Forbidden))).await;
    let get = Request::get("/f").body(Full::<Bytes>::default()).unwrap();
    assert_eq!(world.send(get).await.status, 403);
    let recorded = snapshotter.snapshot().into_vec();
    let refused =
        recorded.iter().find(|(key, ..)| key.key().name() == "bits_requests_refused_total");
    let (key, ..) = refused.expect("counted");
    assert_eq!(key.key().labels().next().map(|it| it.value()), Some("denied"));
}
