//! Proxies and TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bits_client::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{Server, answer, builder, child, client, content};

#[tokio::test]
async fn an_http_proxy_gets_requests_in_absolute_form() {
    let proxy = Server::start(|_, _| None).await;
    let client = bits_client::Client::builder().proxy(proxy.url("")).build().unwrap();
    client.upload("http://origin.invalid/x").bytes("abc").send().await.unwrap();
    assert!(proxy.bits().closed);
    let requests = proxy.requests();
    assert!(requests.iter().all(|it| it.target == "http://origin.invalid/x"));
    assert!(requests.iter().all(|it| it.get("Host") == Some("origin.invalid")));
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used() {
    if child::argument().is_some() {
        let client = bits_client::Client::builder().build().unwrap();
        client.upload("http://origin.invalid/x").bytes("abc").send().await.unwrap();
        return;
    }
    let proxy = Server::start(|_, _| None).await;
    let mut command = child::command("transport::the_proxy_of_the_environment_is_used", "");
    command.env("http_proxy", proxy.url("")).env_remove("no_proxy").env_remove("NO_PROXY");
    child::output(command.spawn().unwrap()).await;
    assert!(proxy.bits().closed);
}

#[tokio::test]
async fn a_proxy_that_wants_credentials_is_named() {
    let challenge = [("Proxy-Authenticate", "Basic realm=\"p\"")];
    let proxy =
        Server::scripted(move |_| answer("407 Proxy Authentication Required", &challenge, b""))
            .await;
    let client = bits_client::Client::builder().proxy(proxy.url("")).build().unwrap();
    for url in ["http://origin.invalid/x", "https://origin.invalid/x"] {
        let error = client.upload(url).bytes("abc").send().await.unwrap_err();
        assert!(error.to_string().starts_with("proxy requires credentials"), "{error}");
        assert!(error.advice().unwrap().contains("URL of the proxy"));
    }
}

/// Accepts SOCKS5 connections to `origin.invalid`, and connects them to `target`. Counts them.
async fn socks(target: SocketAddr, count: Arc<AtomicU32>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut greeting = [0; 2];
                client.read_exact(&mut greeting).await.unwrap();
                let mut methods = vec![0; usize::from(greeting[1])];
                client.read_exact(&mut methods).await.unwrap();
                client.write_all(&[5, 0]).await.unwrap();
                let mut head = [0; 5];
                client.read_exact(&mut head).await.unwrap();
                assert_eq!(head[..4], [5, 1, 0, 3], "a connection to a host name");
                let mut name = vec![0; usize::from(head[4]) + 2];
                client.read_exact(&mut name).await.unwrap();
                assert_eq!(&name[..name.len() - 2], b"origin.invalid");
                client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
                let mut server = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn a_socks_proxy_is_used() {
    let server = Server::start(|_, _| None).await;
    let count = Arc::default();
    let proxy = socks(server.address, Arc::clone(&count)).await;
    let client =
        bits_client::Client::builder().proxy(format!("socks5h://{proxy}")).build().unwrap();
    client.upload("http://origin.invalid/x").bytes(content(1000)).send().await.unwrap();
    assert!(server.bits().closed);
    assert!(count.load(Ordering::Relaxed) >= 1);
}

/// A certificate authority.
pub struct Authority(rcgen::CertifiedIssuer<'static, rcgen::KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().unwrap();
        Self(rcgen::CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    pub fn issue(&self, name: &str) -> TlsAcceptor {
        let params = rcgen::CertificateParams::new(vec![name.into()]).unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        acceptor(certificate.der().clone(), key.serialize_der())
    }

    /// Uses the certificate of the authority itself.
    fn as_server(&self) -> TlsAcceptor {
        acceptor(self.0.der().clone(), self.0.key().serialize_der())
    }
}

fn acceptor(
    certificate: tokio_rustls::rustls::pki_types::CertificateDer<'static>,
    key: Vec<u8>,
) -> TlsAcceptor {
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.into()))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn certificates_of_the_ca_are_trusted() {
    let authority = Authority::new("ours");
    let tls = authority.issue("127.0.0.1");
    let server = Server::builder().tls(tls).start(|_, _| None).await;
    let client = builder().ca_certificate(authority.pem()).build().unwrap();
    client.upload(server.url("/x")).bytes(content(3_000_000)).send().await.unwrap();
    assert!(server.bits().closed && server.bits().data == content(3_000_000));
}

#[tokio::test]
async fn untrusted_certificates_are_explained_and_not_retried() {
    let authority = Authority::new("ours");
    let other = Authority::new("other");
    let cases = [
        (authority.issue("127.0.0.1"), other.pem(), "authority that issued"),
        (authority.issue("server.example"), authority.pem(), "host name"),
        (authority.as_server(), authority.pem(), "certificate of an authority"),
    ];
    for (tls, pem, advice) in cases {
        let server = Server::builder().tls(tls).start(|_, _| None).await;
        let client = builder().ca_certificate(pem).build().unwrap();
        let error = client.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error:?}");
        assert!(
            error.advice().unwrap().contains(advice),
            "{} {:?}",
            error.report(),
            error.advice()
        );
        assert!(error.report().contains("certificate"), "{}", error.report());
    }
}

#[tokio::test]
async fn the_system_does_not_trust_our_authority() {
    let server =
        Server::builder().tls(Authority::new("ours").issue("127.0.0.1")).start(|_, _| None).await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_port_without_tls_is_explained() {
    let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tls.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tls.accept().await {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let client = client();
    let error =
        client.upload(format!("https://{address}/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("serves https"), "{:?}", error.advice());
}

#[test]
fn an_invalid_ca_file_is_reported() {
    for pem in
        ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        let built = builder().ca_certificate(pem).build();
        assert!(matches!(built, Err(Error::Option(_))), "{built:?}");
    }
}
