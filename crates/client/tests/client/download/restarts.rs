//! Downloads that start over in place of an interrupted one.

use std::fs;

use bits_client::{ByteRange, CancellationToken, Download, Error, Phase, Progress, RestartReason};
use bits_proto::download::StopReason;
use tempfile::TempDir;

use super::interruptions::{LENGTH, cancel_after_bytes, cancelling, cut, download};
use super::{VERSION_1, VERSION_2, serve};
use crate::support::{Reports, Server, answer, builder, client, content};

type Fields = &'static [(&'static str, &'static str)];

/// Interrupts a download after some bytes.
async fn interrupted() -> (TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_1).await;
    let first = download(&server, folder.path()).cancel(stop.clone());
    first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    (folder, server)
}

/// Runs a download, and returns the reason why it started over.
async fn reason(download: Download) -> String {
    let reports = Reports::default();
    assert_eq!(download.progress(reports.callback()).send().await.unwrap().restarts, 1);
    let reports = reports.all();
    assert_eq!(reports[0].restarts, 1);
    reports[0].restart_reason.clone().unwrap().to_string()
}

#[tokio::test]
async fn another_url_starts_over() {
    let (folder, server) = interrupted().await;
    let other = client().download(server.url("/other")).to(folder.path().join("f"));
    let other = other.resume(bits_client::StateDir::new(folder.path().join("states")));
    assert_eq!(reason(other).await, "interrupted transfer had another URL");
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH));
}

#[tokio::test]
async fn other_ranges_start_over() {
    let (folder, server) = interrupted().await;
    let range = ByteRange::new(0, 99).unwrap();
    let other = download(&server, folder.path()).range(range);
    assert_eq!(reason(other).await, "interrupted transfer had other ranges");
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH)[..100]);
}

/// The server may have another entity for each user, and the cookies are those of the first one.
#[tokio::test]
async fn another_user_starts_over() {
    let (folder, server) = interrupted().await;
    let client = builder().basic("bob", "2").build().unwrap();
    let other = client.download(server.url("/f")).to(folder.path().join("f"));
    let other = other.resume(bits_client::StateDir::new(folder.path().join("states")));
    assert_eq!(reason(other).await, "interrupted transfer had another user");
}

#[tokio::test]
async fn an_unreadable_state_starts_over() {
    let (folder, server) = interrupted().await;
    let states = fs::read_dir(folder.path().join("states")).unwrap();
    let mut states = states.map(|it| it.unwrap().path());
    let state = states.find(|it| it.extension().is_some_and(|it| it == "json")).unwrap();
    fs::write(state, "{").unwrap();
    let reason = reason(download(&server, folder.path())).await;
    assert!(reason.starts_with("state of the interrupted transfer is unreadable: EOF"), "{reason}");
    assert!(fs::read(folder.path().join("f")).unwrap() == content(LENGTH));
}

#[tokio::test]
async fn a_changed_entity_has_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (seen, stop) = (CancellationToken::new(), CancellationToken::new());
    let server = cancelling(&seen, content(LENGTH), &VERSION_2).await;
    let first = download(&server, folder.path()).cancel(stop.clone());
    first.progress(cancel_after_bytes(stop)).send().await.unwrap_err();
    let reports = Reports::default();
    let again = download(&server, folder.path()).progress(reports.callback());
    assert_eq!(again.send().await.unwrap().restarts, 1);
    let last = reports.all().pop().unwrap().restart_reason.unwrap();
    assert!(matches!(last, RestartReason::Download(_)), "{last:?}");
    assert_eq!(last.to_string(), "entity changed on the server");
}

/// Downloads from a server that ends the first `cuts` bodies early. Returns the first report after each restart.
async fn restarts_after_failures(cuts: u32, before: Fields, after: Fields) -> Vec<Progress> {
    let mut gets = 0;
    let server = Server::scripted(move |it| {
        let answer = serve(it, &content(LENGTH), if gets == 0 { before } else { after });
        gets += u32::from(it.method == "GET");
        if it.method == "GET" && gets <= cuts { cut(answer, 300_000) } else { answer }
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let reports = Reports::default();
    let download = client().download(server.url("/f")).to(folder.path().join("f"));
    let ended = download.progress(reports.callback()).send().await;
    assert_eq!(ended.is_err(), cuts == u32::MAX, "{ended:?}");
    let mut reports = reports.all();
    reports.dedup_by_key(|it| it.restarts);
    assert_eq!((reports[0].restarts, &reports[0].restart_reason), (0, &None));
    reports.split_off(1)
}

#[tokio::test]
async fn an_entity_that_changes_after_a_failure_is_a_reason() {
    let reports = restarts_after_failures(1, &VERSION_1, &VERSION_2).await;
    let [report] = &reports[..] else { panic!("{reports:?}") };
    let changed = RestartReason::Download(StopReason::EntityChanged);
    assert_eq!((report.restarts, &report.restart_reason), (1, &Some(changed)));
    // No retry has succeeded.
    assert_eq!(report.transferred, 0);
    assert!(matches!(report.phase, Phase::Waiting { failures: 1, .. }), "{report:?}");
}

#[tokio::test]
async fn each_restart_without_validator_has_a_reason() {
    for (cuts, restarts) in [(1, &[1][..]), (3, &[1, 2, 3]), (u32::MAX, &[1, 2, 3])] {
        let reports = restarts_after_failures(cuts, &[], &[]).await;
        assert!(reports.iter().map(|it| &it.restarts).eq(restarts), "{reports:?}");
        let missing = Some(RestartReason::Download(StopReason::MissingValidator));
        assert!(reports.iter().all(|it| it.restart_reason == missing), "{reports:?}");
    }
}

#[tokio::test]
async fn a_refused_download_never_finishes() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::scripted(|_| answer("403 Forbidden", &[], b"")).await;
    let reports = Reports::default();
    let error = download(&server, folder.path()).progress(reports.callback()).send().await;
    assert!(matches!(error, Err(Error::AccessDenied { .. })), "{error:?}");
    let mut phases = reports.all().into_iter().map(|it| it.phase).collect::<Vec<_>>();
    phases.dedup();
    assert_eq!(phases, [Phase::Connecting]);
}
