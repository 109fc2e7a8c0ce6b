//! The length of fragments, which adapts to the server and the connection. The clock is simulated.

use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use bits_client::{Client, Error, StateDir};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Request, Server, ack, answer, builder, content};

const MIB: usize = 1 << 20;

/// Stops the simulated clock until the returned value is dropped. Otherwise time passes when all tasks wait, also
/// for the kernel.
fn stop_clock() -> mpsc::Sender<()> {
    let (sender, receiver) = mpsc::channel();
    // The clock stops while a blocking task runs.
    tokio::task::spawn_blocking(move || receiver.recv());
    sender
}

/// Lets time pass on a stopped clock.
fn pass(time: Duration) {
    let passed = pin!(tokio::time::advance(time));
    let _ = passed.poll(&mut Context::from_waker(Waker::noop()));
}

/// Returns the lengths of all fragments in KiB, including those that were refused.
fn lengths(server: &Server) -> Vec<usize> {
    let length = |it: &Request| it.get("Content-Length").unwrap().parse::<usize>().unwrap();
    let requests = server.requests();
    let fragments = requests.iter().filter(|it| it.kind() == "fragment");
    fragments.map(|it| length(it) / 1024).collect()
}

/// Returns a server that takes fragments at this rate.
async fn slow(bytes_per_second: usize) -> Server {
    Server::start(move |request, _| {
        pass(Duration::from_secs_f64(request.body.len() as f64 / bytes_per_second as f64));
        None
    })
    .await
}

/// Returns a client that retries at once: time does not pass by itself.
fn client() -> Client {
    builder().backoff(Duration::ZERO, Duration::ZERO).build().unwrap()
}

async fn upload(server: &Server, length: usize) {
    client().upload(server.url("/x")).bytes(content(length)).send().await.unwrap();
    assert!(server.bits().data == content(length));
}

#[tokio::test(start_paused = true)]
async fn fragments_grow_while_transfers_succeed() {
    let _stopped = stop_clock();
    let server = slow(100 * MIB).await;
    upload(&server, 40 * MIB).await;
    assert_eq!(lengths(&server), [4096, 8192, 13 * 1024, 13 * 1024, 2048]);
}

#[tokio::test(start_paused = true)]
async fn a_fragment_takes_about_ten_seconds() {
    let _stopped = stop_clock();
    let server = slow(MIB / 4).await;
    upload(&server, 10 * MIB).await;
    assert_eq!(lengths(&server), [4096, 2560, 2560, 1024]);
    let server = slow(MIB).await;
    upload(&server, 30 * MIB).await;
    assert_eq!(lengths(&server), [4096, 8192, 10 * 1024, 8 * 1024]);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_length_is_not_tried_again() {
    let _stopped = stop_clock();
    let server = Server::start(|request, _| {
        let is_too_long = request.body.len() > 3 * MIB;
        is_too_long.then(|| answer("413 Payload Too Large", &[], b""))
    })
    .await;
    upload(&server, 7 * MIB).await;
    assert_eq!(lengths(&server), [4096, 2048, 2048, 2048, 1024]);
}

/// Another process knows the maximum too.
#[tokio::test(start_paused = true)]
async fn a_resumed_upload_keeps_the_maximum() {
    let _stopped = stop_clock();
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let server = Server::start(move |request, bits| {
        if bits.data.len() == 2 * MIB {
            token.cancel();
        }
        let is_too_long = request.body.len() > 3 * MIB;
        is_too_long.then(|| answer("413 Payload Too Large", &[], b""))
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let upload = || {
        let upload = client().upload(server.url("/x")).bytes(content(9 * MIB));
        upload.resume(StateDir::new(folder.path()))
    };
    let paused = upload().cancel(cancel).send().await;
    assert!(matches!(paused, Err(Error::Paused { .. })), "{paused:?}");
    upload().send().await.unwrap();
    assert!(server.bits().data == content(9 * MIB));
    assert!(lengths(&server)[1..].iter().all(|it| *it <= 2048), "{:?}", lengths(&server));
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_fragment_is_shorter_at_the_next_try() {
    let _stopped = stop_clock();
    let mut is_first = true;
    let server = Server::builder()
        .early(move |request| {
            let breaks = request.kind() == "fragment" && std::mem::take(&mut is_first);
            breaks.then(|| Answer::Close(Vec::new()))
        })
        .start(|_, _| None)
        .await;
    upload(&server, 9 * MIB).await;
    assert_eq!(lengths(&server), [4096, 2048, 4096, 3072]);
}

#[tokio::test(start_paused = true)]
async fn a_fragment_that_is_not_sent_in_time_is_shorter_at_the_next_try() {
    let _stopped = stop_clock();
    let mut fragments = 0;
    let server = Server::builder()
        .early(move |request| {
            fragments += u32::from(request.kind() == "fragment");
            // The second one is longer than the buffers of a connection.
            let stalls = request.kind() == "fragment" && fragments == 2;
            stalls.then(|| {
                pass(Duration::from_secs(1000));
                Answer::Ignore(Vec::new())
            })
        })
        .receive_buffer(64 * 1024)
        .start(|_, _| None)
        .await;
    upload(&server, 15 * MIB).await;
    assert_eq!(lengths(&server), [4096, 8192, 4096, 7168]);
}

#[tokio::test(start_paused = true)]
async fn a_length_of_the_caller_stays() {
    let _stopped = stop_clock();
    for rate in [MIB / 16, 100 * MIB] {
        let server = slow(rate).await;
        let upload = client().upload(server.url("/x")).bytes(content(5 * MIB));
        upload.fragment_size(2 << 20).send().await.unwrap();
        assert_eq!(lengths(&server), [2048, 2048, 1024]);
    }
}

#[tokio::test(start_paused = true)]
async fn fragments_do_not_outgrow_the_rate_limit() {
    let server = Server::start(|_, _| None).await;
    // 3 MiB in half of the timeout.
    let client = builder().rate_limit(1 << 20).timeout(Duration::from_secs(6)).build().unwrap();
    client.upload(server.url("/x")).bytes(content(7 * MIB)).send().await.unwrap();
    assert_eq!(lengths(&server), [3072, 3072, 1024]);
}

/// Only bytes that were sent and acknowledged say anything about the connection.
#[tokio::test(start_paused = true)]
async fn a_partial_ack_changes_nothing() {
    let _stopped = stop_clock();
    let server = Server::start(|request, bits| {
        let is_first = request.kind() == "fragment" && bits.data.is_empty();
        is_first.then(|| {
            pass(Duration::from_secs(100));
            bits.data = request.body[..MIB].into();
            let received = (1 << 20).to_string();
            ack("200 OK", &[("BITS-Received-Content-Range", &received)])
        })
    })
    .await;
    upload(&server, 9 * MIB).await;
    assert_eq!(lengths(&server), [4096, 4096, 4096]);
}
