//! `bits upload` and `bits download` over https.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::bits_server::{Reaction, Server};
use crate::download_server::{DATE, Entity};
use crate::uploader::{Folder, download, upload};

/// Starts a TLS proxy before a server. Returns its port, and its certificate in PEM format.
pub(super) fn before(server: SocketAddr) -> (u16, String) {
    before_with(server, IsCa::NoCa)
}

/// Starts a TLS proxy with such a certificate.
fn before_with(server: SocketAddr, is_ca: IsCa) -> (u16, String) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let mut params = CertificateParams::new(names).expect("names");
    params.is_ca = is_ca;
    let signing_key = KeyPair::generate().expect("a key");
    let cert = params.self_signed(&signing_key).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let port = listener.local_addr().expect("the address").port();
    listener.set_nonblocking(true).expect("no blocking");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Fails if the client does not trust the certificate.
                    let Ok(mut client) = acceptor.accept(stream).await else { return };
                    let mut server = TcpStream::connect(server).await.expect("the server");
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
    });
    (port, cert.pem())
}

#[test]
fn the_entity_arrives() {
    let (folder, server) = (Folder::new(3_000_000), Server::start(|_| Reaction::Correct));
    let (port, pem) = before(server.address);
    let ca = folder.path("ca.pem");
    fs::write(&ca, pem).expect("a file");
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{port}/dir/entity");
        upload(&folder.file(), &url, &[&"--ca", &ca]).expect(0, &[&url]);
        assert_eq!(server.entity().as_ref(), Some(&folder.bytes));
    }
    assert!(server.seen().iter().all(|seen| seen.connection < 2));
}

#[test]
fn an_entity_is_downloaded_from_a_trusted_server() {
    let entity = Entity::new('a', DATE);
    let respond = entity.clone();
    let server = Server::start(move |seen| Reaction::Respond(respond.respond(seen)));
    let (folder, (port, pem)) = (Folder::new(10), before(server.address));
    let (ca, file) = (folder.path("ca.pem"), folder.path("file"));
    fs::write(&ca, pem).expect("a file");
    let url = format!("https://localhost:{port}/entity");
    download(&url, &file, &[]).expect(1, &["certificate of the server is not trusted", "--ca"]);
    download(&url, &file, &[&"--ca", &ca]).expect(0, &[&url]);
    assert_eq!(fs::read_to_string(file).expect("the file"), entity.bytes);
    assert!(!folder.path("file.state").exists());
}

#[test]
fn an_untrusted_certificate_is_not_retried() {
    let (folder, server) = (Folder::new(10), Server::start(|_| Reaction::Correct));
    let (port, _) = before(server.address);
    let url = format!("https://127.0.0.1:{port}/");
    let ended = upload(&folder.file(), &url, &[]);
    ended.expect(1, &["certificate of the server is not trusted", "--ca"]);
    assert_eq!(ended.output.lines().count(), 1, "{}", ended.output);
    assert_eq!(server.seen().len(), 0);
    let (_, other) = before(server.address);
    let ca = folder.path("ca.pem");
    fs::write(&ca, other).expect("a file");
    upload(&folder.file(), &url, &[&"--ca", &ca]).expect(1, &["not trusted"]);
}

/// A usual mistake: the operator installs the certificate that should have signed that of the server.
#[test]
fn a_ca_certificate_that_is_used_as_that_of_the_server_is_named() {
    let (folder, server) = (Folder::new(10), Server::start(|_| Reaction::Correct));
    let (port, pem) = before_with(server.address, IsCa::Ca(BasicConstraints::Unconstrained));
    let ca = folder.path("ca.pem");
    fs::write(&ca, pem).expect("a file");
    let ended = upload(&folder.file(), &format!("https://127.0.0.1:{port}/"), &[&"--ca", &ca]);
    let cause = "server uses the certificate of a certificate authority (CA) as its own";
    ended.expect(1, &[cause, "ask its operator to issue a certificate for the server"]);
    assert_eq!(server.seen().len(), 0);
}

#[test]
fn an_invalid_certificate_file_is_a_usage_error() {
    let folder = Folder::new(10);
    let url = "https://127.0.0.1:9/";
    upload(&folder.file(), url, &[&"--ca", &folder.file()]).expect(2, &["no certificate"]);
    upload(&folder.file(), url, &[&"--ca", &folder.path("none")]).expect(2, &["none"]);
}

#[test]
fn a_server_without_tls_is_an_error() {
    let folder = Folder::new(10);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address");
    let plain = listener.local_addr().expect("the address");
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 100]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            // If unread bytes remained, the connection would be reset and the response lost.
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        }
    });
    let url = format!("https://{plain}/");
    upload(&folder.file(), &url, &[]).expect(1, &["TLS handshake failed"]);
}
