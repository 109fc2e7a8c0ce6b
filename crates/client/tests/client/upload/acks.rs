//! Unusual but valid Acks.

use std::time::Duration;

use bits_client::Error;
use tokio::time::Instant;

use crate::support::bits::SESSION_NOT_FOUND;
use crate::support::{Answer, Server, answer, builder, client, content};

#[tokio::test]
async fn chunked_acks_are_acks() {
    let server = Server::start(|request, bits| Some(bits.answer(request).chunked())).await;
    client().upload(server.url("/x")).bytes(content(3_000_000)).send().await.unwrap();
    assert!(server.bits().closed && server.bits().data == content(3_000_000));
}

#[tokio::test]
async fn a_chunked_session_not_found_starts_over() {
    let mut fragments = 0;
    let mut is_lost = false;
    let server = Server::start(move |request, _| {
        match request.kind().as_str() {
            "create-session" => is_lost = false,
            "fragment" => {
                fragments += 1;
                is_lost |= fragments == 1;
            }
            _ => {}
        }
        let lost = answer("500 Internal Server Error", &SESSION_NOT_FOUND, b"");
        is_lost.then(|| lost.chunked())
    })
    .await;
    let upload = client().upload(server.url("/x")).bytes(content(3_000_000));
    assert_eq!(upload.send().await.unwrap().restarts, 1);
    assert_eq!(server.bits().created, 2);
}

#[tokio::test]
async fn a_204_ack_of_close_session_is_success() {
    let server = Server::start(|request, _| {
        let ack = b"HTTP/1.1 204 No Content\r\nBITS-Packet-Type: Ack\r\n\r\n";
        (request.kind() == "close-session").then(|| Answer::Send(ack.to_vec()))
    })
    .await;
    client().upload(server.url("/x")).bytes("abc").send().await.unwrap();
    assert!(!server.bits().cancelled);
}

/// The server never closes the connection. The clock of the runtime advances only if the client waits.
#[tokio::test(start_paused = true)]
async fn an_ack_without_length_on_an_open_connection_is_decided_by_its_head() {
    let server = Server::start(|request, bits| {
        let ack = bits.answer(request).replace("Content-Length: 0\r\n", "");
        Some(Answer::Hold(ack.into_bytes()))
    })
    .await;
    let client = builder().timeout(Duration::from_secs(100_000)).build().unwrap();
    let start = Instant::now();
    client.upload(server.url("/x")).bytes(content(300_000)).send().await.unwrap();
    assert!(server.bits().data == content(300_000));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_invalid_ack_is_retried_and_then_reported() {
    let server = Server::scripted(|_| answer("200 OK", &[], b"<html>")).await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Suspended { failures: 4, .. }), "{error:?}");
    assert!(error.report().contains("not a valid Ack"), "{}", error.report());
    assert!(error.advice().unwrap().contains("BITS server"));
}

#[tokio::test]
async fn a_response_that_is_not_http_is_not_a_bits_server() {
    let server = Server::scripted(|_| Answer::Close(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())).await;
    let client = builder().retries(0).build().unwrap();
    let error = client.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(error.to_string().contains("invalid responses"), "{error}");
    assert!(error.advice().unwrap().contains("BITS server"));
}
