//! Metrics: every documented one is recorded, and no other.

use std::collections::BTreeSet;
use std::time::Duration;

use bits_server::Limits;
use bytes::Bytes;
use metrics_util::debugging::DebuggingRecorder;

use crate::support::bodies::sent;
use crate::support::{World, create, fragment_head, packet};

/// Returns the names in the first column of the table in the docs of the crate.
fn documented() -> BTreeSet<String> {
    let docs = include_str!("../../src/lib.rs");
    let rows = docs.lines().filter_map(|line| line.strip_prefix("//! | `bits_"));
    rows.map(|row| format!("bits_{}", row.split('`').next().unwrap())).collect()
}

#[tokio::test]
async fn the_documented_metrics_are_recorded() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let limits = Limits {
        session_timeout: Duration::from_millis(50),
        sweep_interval: Duration::from_millis(10),
        ..Limits::default()
    };
    let world = World::with_limits(limits).await;
    world.upload("/f", b"hello").await;
    world.get("/f").await;
    assert_eq!(world.send(create("/f")).await.status, 403);
    let id = world.create("/g").await;
    world.send(packet("Cancel-Session", "/g", &id)).await;
    let id = world.create("/h").await;
    let (sender, body) = sent();
    sender.send(Bytes::from_static(b"x")).unwrap();
    drop(sender);
    world.send(fragment_head("/h", &id, 0, 5, 5).body(body).unwrap()).await;
    let expired = async {
        while world.staged().await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), expired).await.expect("expired");
    world.server.shutdown().await;
    let recorded = snapshotter.snapshot().into_vec();
    let names = recorded.iter().map(|(key, ..)| key.key().name().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), documented());
    let counter = |name: &str| {
        let found = recorded.iter().filter(|(key, ..)| key.key().name() == name);
        let count = found.map(|(.., value)| match value {
            metrics_util::debugging::DebugValue::Counter(count) => *count,
            _ => panic!("{name} is not a counter"),
        });
        count.sum::<u64>()
    };
    assert_eq!(counter("bits_uploads_started_total"), 3);
    assert_eq!(counter("bits_uploads_finished_total"), 1);
    assert_eq!(counter("bits_uploads_failed_total"), 2);
    assert_eq!(counter("bits_sessions_expired_total"), 1);
    assert_eq!(counter("bits_bytes_received_total"), 6);
    assert_eq!(counter("bits_bytes_sent_total"), 5);
}
