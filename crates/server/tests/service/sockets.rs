//! The service behind hyper and axum, on sockets.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::hooked::Operation;
use crate::support::{PROTOCOL, World, packet, until_free};

const UNKNOWN: &str = "{11111111-2222-3333-4444-555555555555}";

async fn listen(world: &World) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = world.service();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = TowerToHyperService::new(service.clone());
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    address
}

/// Reads one response without content.
async fn response(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let reading = async {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        Ok::<_, io::Error>(())
    };
    timeout(Duration::from_secs(10), reading)
        .await
        .expect("a response in time")
        .expect("a response");
    String::from_utf8(head).unwrap()
}

fn fragment(id: &str, length: usize, fields: &str) -> String {
    format!(
        "BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {id}\r\n\
         Content-Range: bytes 0-{}/{length}\r\nContent-Length: {length}\r\n{fields}\r\n",
        length - 1
    )
}

const PING: &str =
    "BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_request_without_content_length_is_a_request_without_content() {
    let world = World::new(|builder| builder).await;
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    let request = format!(
        "BITS_POST /c2 HTTP/1.1\r\nHost: h\r\nUser-Agent: Microsoft BITS/7.8\r\n\
         Bits-Packet-Type: Create-Session\r\nBits-Supported-Protocols: {PROTOCOL}\r\n\
         X-Forwarded-For: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_client_reads_the_refusal_of_a_large_fragment_after_sending_it() {
    let world = World::new(|builder| builder).await;
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    let length = 40 << 20;
    stream.write_all(fragment(UNKNOWN, length, "").as_bytes()).await.unwrap();
    let block = vec![7; 1 << 20];
    for _ in 0..length / block.len() {
        if stream.write_all(&block).await.is_err() {
            break;
        }
    }
    let head = response(&mut stream).await.to_lowercase();
    assert!(
        head.contains("bits-error: 0x8020001f") && head.contains("connection: close"),
        "{head}"
    );
}

/// These bytes exceed all buffers, so they are sent only if the server reads on. If it closed the connection at
/// once, the response would be lost.
#[tokio::test]
async fn a_server_reads_on_after_it_has_refused_a_large_fragment() {
    let world = World::new(|builder| builder).await;
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    stream.write_all(fragment(UNKNOWN, 17 << 20, "").as_bytes()).await.unwrap();
    let block = vec![0; 1 << 20];
    for _ in 0..12 {
        stream.write_all(&block).await.expect("a server that reads");
    }
    let head = response(&mut stream).await.to_lowercase();
    assert!(
        head.contains("bits-error: 0x8020001f") && head.contains("connection: close"),
        "{head}"
    );
}

#[tokio::test]
async fn the_connection_is_used_again_after_a_small_fragment_was_refused() {
    let world = World::new(|builder| builder).await;
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    stream.write_all(fragment(UNKNOWN, 100_000, "").as_bytes()).await.unwrap();
    let head = response(&mut stream).await.to_lowercase();
    assert!(head.contains("bits-error: 0x8020001f"), "{head}");
    stream.write_all(&[7; 100_000]).await.unwrap();
    stream.write_all(PING.as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn the_body_is_requested_only_if_the_fragment_is_accepted() {
    let world = World::new(|builder| builder).await;
    let address = listen(&world).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let expect = "Expect: 100-continue\r\n";
    stream.write_all(fragment(UNKNOWN, 5, expect).as_bytes()).await.unwrap();
    let head = response(&mut stream).await;
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "the connection is closed");

    let id = world.create("/f").await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(fragment(&id, 5, expect).as_bytes()).await.unwrap();
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 100 "));
    stream.write_all(b"hello").await.unwrap();
    assert!(response(&mut stream).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_connection_that_breaks_keeps_what_was_received() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    stream.write_all(fragment(&id, 11, "").as_bytes()).await.unwrap();
    stream.write_all(b"hello ").await.unwrap();
    drop(stream);
    let received = async {
        while world.sessions.only().await.record.session.received().0 < 6 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), received).await.expect("received");
    let next = until_free(&world, || crate::support::fragment("/f", &id, 6, b"world", 11)).await;
    assert_eq!(next.header("bits-received-content-range"), "11");
}

#[tokio::test]
async fn publication_is_completed_after_the_client_has_disconnected() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id, 0, b"hello", 5).await;
    let publish = world.hooks.stall(Operation::Publish);
    let mut stream = TcpStream::connect(listen(&world).await).await.unwrap();
    let close = format!(
        "BITS_POST /f HTTP/1.1\r\nHost: h\r\nBITS-Packet-Type: Close-Session\r\n\
         BITS-Session-Id: {id}\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(close.as_bytes()).await.unwrap();
    publish.reached().await;
    drop(stream);
    assert_eq!(world.close("/f", &id).await.status, 503);
    publish.resume();
    // Abandoned work would keep the session busy for 15 minutes.
    let again = until_free(&world, || packet("Close-Session", "/f", &id)).await;
    assert_eq!(again.header("bits-error"), "0x8020001F");
    assert_eq!(world.published("f").unwrap(), "hello");
    assert_eq!(world.staged().await, 0);
}

#[tokio::test]
async fn a_session_handles_one_request_at_a_time() {
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let write = world.hooks.stall(Operation::Write);
    let mut slow = TcpStream::connect(listen(&world).await).await.unwrap();
    slow.write_all(fragment(&id, 11, "").as_bytes()).await.unwrap();
    slow.write_all(b"hello ").await.unwrap();
    write.reached().await;
    write.resume();
    for kind in ["Close-Session", "Cancel-Session"] {
        assert_eq!(world.send(packet(kind, "/f", &id)).await.status, 503, "{kind}");
    }
    assert_eq!(world.fragment("/f", &id, 6, b"XXXXX", 11).await.status, 503);
    slow.write_all(b"world").await.unwrap();
    let head = response(&mut slow).await.to_lowercase();
    assert!(head.contains("bits-received-content-range: 11\r\n"), "{head}");
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello world");
}

#[tokio::test]
async fn invalid_requests_are_answered_with_an_ack() {
    let world = World::new(|builder| builder).await;
    let address = listen(&world).await;
    let post = "BITS_POST /f HTTP/1.1\r\nHost: h\r\n";
    for (fields, status) in [
        ("Content-Length: 0\r\n", 400),
        ("BITS-Packet-Type: Ping\r\nTransfer-Encoding: chunked\r\n", 400),
        ("BITS-Packet-Type: Fragment\r\n", 411),
        ("BITS-Packet-Type: Resume-Session\r\nContent-Length: 0\r\n", 400),
        // A packet without content needs no length.
        ("BITS-Packet-Type: Ping\r\n", 200),
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(format!("{post}{fields}\r\n").as_bytes()).await.unwrap();
        let head = response(&mut stream).await.to_lowercase();
        assert!(head.starts_with(&format!("http/1.1 {status} ")), "{fields}: {head}");
        assert!(head.contains("bits-packet-type: ack\r\n"), "{fields}: {head}");
    }
}

#[tokio::test]
async fn axum_serves_the_service_below_a_path() {
    let world = World::new(|builder| builder).await;
    let app = Router::new()
        .nest_service("/upload", world.service())
        .route("/", axum::routing::get(async || "front page"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    world.upload("/dir/f", b"hello").await;
    // The other routes of the program are not affected.
    for (target, content) in [("/upload/dir/f", "hello"), ("/", "front page")] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, found) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 ") && found == content, "{text}");
    }
}
