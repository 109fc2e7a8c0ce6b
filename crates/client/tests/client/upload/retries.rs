//! Retries, Retry-After and the rate limit.

use std::time::Duration;

use bits_client::Error;
use tokio::time::Instant;

use crate::support::{Answer, Reports, Server, ack, answer, builder, client, content};

#[tokio::test(start_paused = true)]
async fn a_429_waits_for_retry_after_and_continues_in_the_same_session() {
    let mut fragments = 0;
    let server = Server::start(move |request, _| {
        fragments += u32::from(request.kind() == "fragment");
        (request.kind() == "fragment" && fragments == 1)
            .then(|| answer("429 Too Many Requests", &[("Retry-After", "100")], b""))
    })
    .await;
    let reports = Reports::default();
    let start = Instant::now();
    let upload = client().upload(server.url("/x")).bytes(content(3_000_000));
    upload.progress(reports.callback()).send().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(100));
    assert_eq!(server.bits().created, 1);
    assert_eq!(reports.waits(), ["status 429 Too Many Requests"]);
}

#[tokio::test(start_paused = true)]
async fn a_date_in_retry_after_is_heeded() {
    let mut requests = 0;
    let server = Server::start(move |_, _| {
        requests += 1;
        let date = [("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT")];
        (requests == 1).then(|| answer("503 Service Unavailable", &date, b""))
    })
    .await;
    let client = builder().max_retry_after(Duration::from_secs(50)).build().unwrap();
    let start = Instant::now();
    client.upload(server.url("/x")).bytes("abc").send().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(50));
}

#[tokio::test]
async fn a_broken_connection_is_retried() {
    let mut fragments = 0;
    let server = Server::start(move |request, _| {
        fragments += u32::from(request.kind() == "fragment");
        (request.kind() == "fragment" && fragments == 1).then(|| Answer::Close(Vec::new()))
    })
    .await;
    let reports = Reports::default();
    let upload = client().upload(server.url("/x")).bytes(content(2_000_000));
    upload.progress(reports.callback()).send().await.unwrap();
    assert!(server.bits().data == content(2_000_000));
    assert_eq!(reports.waits().len(), 1);
}

#[tokio::test]
async fn an_unreachable_server_suspends_with_the_cause() {
    let server = Server::start(|_, _| None).await;
    let url = server.url("/x");
    drop(server);
    let error = client().upload(url).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Suspended { failures: 4, is_resumable: false, .. }));
    assert!(error.report().contains("refused"), "{}", error.report());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_late() {
    let server = Server::scripted(|_| Answer::Hold(Vec::new())).await;
    let client = builder().timeout(Duration::from_millis(20)).retries(1).build().unwrap();
    let error = client.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(error.report().contains("no response within 0.02 s"), "{}", error.report());
    assert!(error.advice().unwrap().contains("more time"));
}

/// The clock of the runtime advances only while all tasks wait, so the time is that of the limit.
#[tokio::test(start_paused = true)]
async fn the_rate_limit_holds_for_all_transfers_of_a_client() {
    let server = Server::start(|_, _| None).await;
    let other = Server::start(|_, _| None).await;
    let client = builder().rate_limit(100_000).build().unwrap();
    let start = Instant::now();
    let reports = Reports::default();
    let first = client.upload(server.url("/x")).bytes(content(1_000_000));
    let first = first.progress(reports.callback()).send();
    let second = client.upload(other.url("/x")).bytes(content(500_000)).send();
    let (first, second) = tokio::join!(first, second);
    first.unwrap();
    second.unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert!((14.0..20.0).contains(&seconds), "{seconds}");
    // The other transfer takes an equal share of the limit, while it runs.
    let last = reports.all().pop().unwrap();
    assert!((40_000.0..110_000.0).contains(&last.rate), "{last:?}");
}

#[tokio::test]
async fn a_host_that_the_server_names_gets_the_packets_and_the_credentials() {
    let other = Server::start(|_, _| None).await;
    let host = other.address.to_string();
    let server = Server::start(move |request, bits| {
        let host = format!("BITS-Host-Id: {host}\r\nContent-Length");
        let answer = bits.answer(request);
        (request.kind() == "create-session").then(|| answer.replace("Content-Length", &host))
    })
    .await;
    let client = builder().bearer("secret").build().unwrap();
    client.upload(server.url("/x")).bytes(content(100_000)).send().await.unwrap();
    assert_eq!(server.kinds(), ["create-session"]);
    assert!(other.bits().closed && other.bits().data == content(100_000));
    let address = other.address.to_string();
    assert!(other.requests().iter().all(|it| it.get("Host") == Some(&*address)));
    assert!(other.requests().iter().all(|it| it.get("Authorization") == Some("Bearer secret")));
}

#[tokio::test]
async fn a_connection_that_a_refusal_leaves_half_sent_is_not_used_again() {
    let mut is_first = true;
    let server = Server::builder()
        .early(move |request| {
            let refuses = request.kind() == "fragment" && std::mem::take(&mut is_first);
            let refusal = answer("503 Service Unavailable", &[], b"").into_bytes();
            refuses.then_some(Answer::Ignore(refusal))
        })
        .start(|_, _| None)
        .await;
    // More than the buffers of the connection.
    let upload = client().upload(server.url("/x")).bytes(content(13_000_000));
    upload.fragment_size(13_000_000).send().await.unwrap();
    assert!(server.bits().data == content(13_000_000));
    let connections = server.requests().iter().map(|it| it.connection).max();
    assert!(connections >= Some(2), "{connections:?}");
}

#[tokio::test]
async fn an_offset_beyond_the_sent_bytes_is_a_failure() {
    let server = Server::start(|request, _| {
        let received = [("BITS-Received-Content-Range", "999999999")];
        (request.kind() == "fragment").then(|| ack("200 OK", &received))
    })
    .await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Suspended { .. }), "{error:?}");
    assert!(server.bits().cancelled);
}
