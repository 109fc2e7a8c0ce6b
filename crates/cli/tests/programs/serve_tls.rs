//! `serve`: notification of a server application over https.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::http_client::reply_target;
use crate::server::Server;
use crate::text_client::{create, fetch, packet, start, talk};

/// The head and the body of a request.
type Notification = Option<(String, Vec<u8>)>;

/// Starts an application that accepts one connection over https and returns its request, if there
/// is one. Writes the certificate to the file `ca`.
fn application(ca: &Path) -> (String, JoinHandle<Notification>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["localhost".into()]).expect("a certificate");
    fs::write(ca, cert.pem()).expect("the file");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![cert.der().clone()], key).expect("the key");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its port").port();
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().ok()?;
        let connection = ServerConnection::new(Arc::new(config)).expect("a connection");
        let mut stream = BufReader::new(StreamOwned::new(connection, stream));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let length = head.split("Content-Length: ").nth(1)?.split("\r\n").next()?;
        let mut entity = vec![0; length.parse().ok()?];
        stream.read_exact(&mut entity).ok()?;
        let response = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreply";
        stream.get_mut().write_all(response).ok()?;
        stream.get_mut().flush().ok()?;
        Some((head, entity))
    });
    (format!("https://localhost:{port}/notification"), serving)
}

fn upload(server: &Server) -> (String, String) {
    let session = create(server);
    let fields = format!("{session}Content-Range: bytes 0-5/6\r\nConnection: close\r\n");
    (talk(server, &[packet("Fragment", &fields, "entity")]), session)
}

#[test]
fn an_application_is_notified_over_https() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    let (url, application) = application(&ca);
    let server = start(&["--notify", &url, "--ca", ca.to_str().expect("a path")]);
    let (answer, session) = upload(&server);
    let (head, entity) = application.join().expect("the application").expect("a request");
    assert!(head.starts_with("POST /notification HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("http://origin.example/dir/e\r\n"), "{head}");
    assert_eq!(entity, b"entity");
    let url = answer.split("Bits-Reply-Url: ").nth(1).and_then(|rest| rest.split("\r\n").next());
    let url = url.unwrap_or_else(|| panic!("no reply: {answer}"));
    let reply = talk(&server, &[fetch(&reply_target(url.as_bytes(), "/dir/e"))]);
    assert!(reply.ends_with("\r\n\r\nreply"), "{reply}");
    let closed =
        talk(&server, &[packet("Close-Session", &format!("{session}Connection: close\r\n"), "")]);
    assert!(closed.starts_with("HTTP/1.1 200 OK\r\n"), "{closed}");
    // The application did not request publication.
    assert!(!server.path("dir/e").exists());
    server.assert_clean();
}

#[test]
fn an_untrusted_application_is_not_notified() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    let (url, application) = application(&ca);
    let server = start(&["--notify", &url]);
    let (answer, _) = upload(&server);
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
    assert!(answer.contains("Bits-Error-Context: 0x7\r\n"), "{answer}");
    assert_eq!(application.join().expect("the application"), None);
}
