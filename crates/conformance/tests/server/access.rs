//! Access to servers: TLS, credentials, and servers that cannot be examined.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bits_conformance::server::{Suite, SuiteError};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::double::{Double, Place};

/// Listens with TLS before a server. Returns the address and the certificate.
async fn listen_with_tls(server: SocketAddr) -> (SocketAddr, String) {
    let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let certificate = CertificateDer::from(key.cert.der().to_vec());
    let private = PrivateKeyDer::try_from(key.signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(stream).await?;
                copy_bidirectional(&mut client, &mut TcpStream::connect(server).await?).await
            });
        }
    });
    (address, key.cert.pem())
}

/// Responds to each connection with these bytes.
async fn respond(bytes: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // Everything that the client has sent is in one segment.
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(bytes.as_bytes()).await;
        }
    });
    url
}

async fn error(url: &str) -> SuiteError {
    let suite = Suite::new(url).timeout(Duration::from_secs(3));
    suite.run(|_| {}).await.expect_err("a server that cannot be examined")
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_are_examined_through_tls() {
    // It notifies no application.
    let double = Double::start_with(Place::Bucket).await;
    let (address, certificate) = listen_with_tls(double.address()).await;
    let url = format!("https://localhost:{}/", address.port());
    let suite = Suite::new(&url).only("upload").ca_certificates(certificate);
    let report = suite.run(|_| {}).await.expect("a BITS server");
    assert!(report.is_success() && report.cases.len() > 10, "{}", report.to_json());

    let unknown = error(&url).await.to_string();
    assert!(unknown.contains("cannot be reached") && unknown.contains("certificate"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_be_examined_is_one_error() {
    let url = respond("HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n").await;
    assert!(matches!(error(&url).await, SuiteError::NotBits { .. }));
    let url = respond("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK").await;
    let found = error(&url).await;
    assert!(found.to_string().ends_with(
        "is not a BITS server: its response has no BITS-Session-Id: Create-Session receives 200"
    ));
    let url = respond("SSH-2.0-OpenSSH_9.2\r\n\r\n").await;
    assert!(matches!(error(&url).await, SuiteError::NotBits { .. }));
    let url = respond("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    let found = error(&url).await;
    assert!(matches!(&found, SuiteError::Refused { reason, .. } if reason.contains("--header")));
    let head =
        "HTTP/1.1 400 Bad Request\r\nBITS-Packet-Type: Ack\r\nBITS-Error-Code: 0x80070057\r\n";
    let url = respond(Box::leak(format!("{head}Content-Length: 0\r\n\r\n").into_boxed_str())).await;
    assert!(matches!(error(&url).await, SuiteError::Refused { .. }));
    assert!(matches!(error("http://127.0.0.1:9/").await, SuiteError::Unreachable { .. }));
    assert!(matches!(error("ftp://127.0.0.1/").await, SuiteError::Url { .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_connection_has_a_time_limit() {
    // It accepts connections, and begins no TLS.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let suite = Suite::new(&url).timeout(Duration::from_millis(100));
    let error = suite.run(|_| {}).await.expect_err("no connection").to_string();
    assert_eq!(error, format!("{url} cannot be reached: no connection within 0.1 s"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_failure_ends_a_run_with_bail() {
    let fault = crate::faults::faults().find(|(id, _)| *id == "ping.unknown_session");
    let double = Double::start(fault.map(|(_, fault)| fault)).await;
    let report = double.suite().jobs(1).bail(true).run(|_| {}).await.expect("a BITS server");
    let ids = report.cases.iter().map(|it| it.case.id).collect::<Vec<_>>();
    assert_eq!(ids, ["ping.answered", "ping.unknown_session"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_added_to_every_request() {
    let double = Double::start(None).await;
    let suite = double.suite().only("ping.answered").header("Authorization", "Bearer token");
    let report = suite.run(|_| {}).await.expect("a BITS server");
    let [case] = &report.cases[..] else { panic!("{} cases", report.cases.len()) };
    let sent = String::from_utf8_lossy(&case.evidence[0].bytes);
    assert!(sent.contains("\r\nAuthorization: Bearer token\r\n"), "{sent}");
}
