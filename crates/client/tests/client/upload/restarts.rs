//! Uploads that start over in place of an interrupted one, or because the server lost the session.

use std::fs;

use bits_client::{CancellationToken, Change, Error, Phase, RestartReason};

use super::resume::{cancelling, files, states, upload, write};
use crate::support::bits::SESSION_NOT_FOUND;
use crate::support::{Answer, Reports, Server, ack, answer, client, content};

/// Interrupts an upload after its first fragment.
async fn interrupted() -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    upload(&server, folder.path()).cancel(token).send().await.unwrap_err();
    (folder, server)
}

/// Returns the requests after the interruption, without those for fragments.
fn later(server: &Server) -> Vec<String> {
    let kinds = server.kinds().into_iter().skip(2);
    kinds.filter(|kind| kind != "fragment").collect()
}

/// The session of the earlier version would otherwise count towards the limits of the server until it expires.
#[tokio::test]
async fn another_version_of_the_file_cancels_the_session_of_the_earlier_one() {
    let (folder, server) = interrupted().await;
    fs::write(folder.path().join("file.bin"), content(2_000_000)).unwrap();
    let reports = Reports::default();
    let upload = upload(&server, folder.path()).progress(reports.callback());
    assert_eq!(upload.send().await.unwrap().restarts, 1);
    assert_eq!(later(&server), ["cancel-session", "create-session", "close-session"]);
    assert!(server.bits().data == content(2_000_000));
    let change = Change::Length { before: 3_000_000, now: 2_000_000 };
    let reports = reports.all();
    assert_eq!((&reports[0].phase, reports[0].restarts), (&Phase::Cancelling, 1));
    for report in reports {
        assert_eq!(report.restart_reason, Some(RestartReason::SourceChanged(change)));
    }
    assert!(files(&states(folder.path())).is_empty());
}

#[tokio::test]
async fn another_mode_cancels_the_session_of_the_earlier_one() {
    let (folder, server) = interrupted().await;
    let reports = Reports::default();
    let upload = upload(&server, folder.path()).progress(reports.callback()).reply(1000);
    upload.send().await.unwrap_err();
    assert_eq!(later(&server)[..2], ["cancel-session", "create-session"]);
    let reason = reports.all()[0].restart_reason.clone().unwrap();
    assert_eq!(reason.to_string(), "interrupted transfer had no reply");
}

#[tokio::test]
async fn restart_cancels_the_session_of_the_interrupted_upload() {
    let (folder, server) = interrupted().await;
    let reports = Reports::default();
    let upload = upload(&server, folder.path()).progress(reports.callback()).restart(true);
    assert_eq!(upload.send().await.unwrap().restarts, 0);
    assert_eq!(later(&server), ["cancel-session", "create-session", "close-session"]);
    assert!(reports.all().iter().all(|it| it.restart_reason.is_none()));
}

#[tokio::test]
async fn abort_cancels_the_session_of_the_earlier_version() {
    let (folder, server) = interrupted().await;
    fs::write(folder.path().join("file.bin"), content(2_000_000)).unwrap();
    let token = CancellationToken::new();
    token.cancel();
    let error = upload(&server, folder.path()).abort(token).send().await.unwrap_err();
    assert!(matches!(error, Error::Aborted { is_confirmed: true }), "{error:?}");
    assert_eq!(later(&server), ["cancel-session"]);
    assert!(files(&states(folder.path())).is_empty());
}

#[tokio::test]
async fn other_bytes_of_equal_length_start_over() {
    let folder = tempfile::tempdir().unwrap();
    let token = CancellationToken::new();
    let server = cancelling(&token).await;
    let upload = |bytes| {
        let upload = client().upload(server.url("/x")).bytes(bytes).fragment_size(1_000_000);
        upload.resume(states(folder.path()))
    };
    upload(content(2_000_000)).cancel(token).send().await.unwrap_err();
    let reports = Reports::default();
    upload(vec![7; 2_000_000]).progress(reports.callback()).send().await.unwrap();
    let reason = reports.all()[0].restart_reason.clone();
    assert_eq!(reason, Some(RestartReason::SourceChanged(Change::Modified)));
    assert!(server.bits().cancelled);
    assert!(server.bits().data == vec![7; 2_000_000]);
}

/// A balancer needs the cookies, and a server that rejected long fragments still does.
#[tokio::test]
async fn the_cookies_and_the_fragment_size_of_the_earlier_upload_are_used() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let (cancel, mut created) = (token.clone(), 0);
    let server = Server::start(move |request, bits| match &*request.kind() {
        "create-session" => {
            created += 1;
            let cookie = format!("Set-Cookie: node={created}; Path=/\r\nContent-Length");
            Some(bits.answer(request).replace("Content-Length", &cookie))
        }
        "fragment" if request.body.len() > 300_000 => Some(answer("413 Too Large", &[], b"")),
        "fragment" if !cancel.is_cancelled() => {
            bits.answer(request);
            cancel.cancel();
            Some(Answer::Hold(Vec::new()))
        }
        _ => None,
    })
    .await;
    let client = client();
    let upload = || {
        let upload = client.upload(server.url("/x")).file(folder.path().join("file.bin"));
        upload.resume(states(folder.path()))
    };
    upload().cancel(token).send().await.unwrap_err();
    let before = server.requests().len();
    upload().restart(true).send().await.unwrap();
    let requests = server.requests().split_off(before);
    let cancelled = requests.iter().find(|it| it.kind() == "cancel-session").unwrap();
    assert_eq!(cancelled.get("Cookie"), Some("node=1"));
    assert!(requests.iter().all(|it| it.body.len() <= 300_000));
}

#[tokio::test]
async fn an_unreadable_state_starts_over() {
    let (folder, server) = interrupted().await;
    let states = files(&states(folder.path()));
    let state = states.iter().find(|it| it.extension().is_some_and(|it| it == "json")).unwrap();
    let stored = fs::read_to_string(state).unwrap();
    for damaged in ["{".to_owned(), stored.replacen("\"format\":1", "\"format\":2", 1)] {
        fs::write(state, damaged).unwrap();
        let before = server.bits().created;
        let reports = Reports::default();
        let upload = upload(&server, folder.path()).progress(reports.callback());
        assert_eq!(upload.send().await.unwrap().restarts, 1);
        assert_eq!(server.bits().created, before + 1);
        let reason = reports.all()[0].restart_reason.clone().unwrap().to_string();
        assert!(
            reason.starts_with("state of the interrupted transfer is unreadable: "),
            "{reason}"
        );
    }
}

/// The session of the earlier version is not forgotten if the next upload is interrupted too.
#[tokio::test]
async fn an_interruption_before_the_cancellation_keeps_the_earlier_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path());
    let token = CancellationToken::new();
    let (second, mut cancels) = (token.clone(), 0);
    let first = CancellationToken::new();
    let interrupt = first.clone();
    let server = Server::start(move |request, bits| match &*request.kind() {
        "fragment" if !interrupt.is_cancelled() => {
            bits.answer(request);
            interrupt.cancel();
            Some(Answer::Hold(Vec::new()))
        }
        "cancel-session" => {
            cancels += 1;
            (cancels == 1).then(|| {
                second.cancel();
                Answer::Hold(Vec::new())
            })
        }
        _ => None,
    })
    .await;
    upload(&server, folder.path()).cancel(first).send().await.unwrap_err();
    fs::write(path, content(2_000_000)).unwrap();
    let error = upload(&server, folder.path()).cancel(token).send().await.unwrap_err();
    assert!(matches!(error, Error::Paused { is_resumable: true, .. }), "{error:?}");
    assert!(!server.bits().cancelled);
    upload(&server, folder.path()).send().await.unwrap();
    assert!(server.bits().cancelled);
    assert_eq!(server.bits().created, 2);
}

/// An upload that ended is no interrupted one, although its process could not remove the state.
#[tokio::test]
async fn the_state_of_a_finished_upload_is_no_reason_to_start_over() {
    let (folder, server) = interrupted().await;
    let states = files(&states(folder.path()));
    let state = states.iter().find(|it| it.extension().is_some_and(|it| it == "json")).unwrap();
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(state).unwrap()).unwrap();
    let machine = &mut stored["machine"];
    (machine["state"], machine["exchange"]) = ("finished".into(), "ready".into());
    machine["stop_reason"] = serde_json::Value::Null;
    for offset in ["next", "max_acked", "sent_up_to"] {
        machine[offset] = 3_000_000.into();
    }
    fs::write(state, stored.to_string()).unwrap();
    fs::write(folder.path().join("file.bin"), content(2_000_000)).unwrap();
    assert_eq!(upload(&server, folder.path()).send().await.unwrap().restarts, 0);
    assert_eq!(later(&server), ["create-session", "close-session"]);
}

#[tokio::test]
async fn an_expired_session_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let token = CancellationToken::new();
    let (cancel, mut is_expired) = (token.clone(), false);
    let server = Server::start(move |request, _| {
        if request.kind() == "create-session" {
            is_expired = false;
        } else if request.kind() == "fragment" && !cancel.is_cancelled() {
            cancel.cancel();
            is_expired = true;
            return Some(Answer::Hold(Vec::new()));
        }
        let is_gone = is_expired && request.kind() == "fragment";
        is_gone.then(|| ack("500 Internal Server Error", &SESSION_NOT_FOUND))
    })
    .await;
    upload(&server, folder.path()).cancel(token).send().await.unwrap_err();
    let reports = Reports::default();
    let upload = upload(&server, folder.path()).progress(reports.callback());
    let done = upload.send().await.unwrap();
    assert_eq!((done.restarts, server.bits().created), (1, 2));
    let last = reports.all().pop().unwrap();
    assert_eq!(
        last.restart_reason.unwrap().to_string(),
        "server lost the session: status 500 Internal Server Error, \
         error code 0x8020001F BG_E_SESSION_NOT_FOUND"
    );
}

#[tokio::test]
async fn a_refused_upload_never_finishes() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let server = Server::start(|request, _| {
        let code = ("BITS-Error-Code", "0x80070005");
        (request.kind() == "fragment").then(|| ack("403 Forbidden", &[code]))
    })
    .await;
    let reports = Reports::default();
    let error = upload(&server, folder.path()).progress(reports.callback()).send().await;
    assert!(matches!(error, Err(Error::AccessDenied { .. })), "{error:?}");
    let mut phases = reports.all().into_iter().map(|it| it.phase).collect::<Vec<_>>();
    phases.dedup();
    assert_eq!(phases, [Phase::Connecting, Phase::Transferring, Phase::Cancelling]);
}
