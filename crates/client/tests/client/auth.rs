//! Authentication.

use std::sync::{Arc, Mutex};

use bits_client::{Client, Error};

use crate::download::{VERSION_1, serve};
use crate::support::{Answer, Request, Server, answer, builder, client, content};

/// Returns a server that always sends this challenge.
async fn challenging(challenge: &'static str) -> Server {
    Server::scripted(move |_| answer("401 Unauthorized", &[("WWW-Authenticate", challenge)], b""))
        .await
}

#[tokio::test]
async fn basic_and_bearer_are_sent_with_each_request() {
    let server = Server::start(|_, _| None).await;
    let basic = builder().basic("Aladdin", "open sesame").build().unwrap();
    let bearer = builder().bearer("t0ken").build().unwrap();
    for (client, value) in [(basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), (bearer, "Bearer t0ken")]
    {
        let before = server.requests().len();
        client.upload(server.url("/x")).bytes("abc").send().await.unwrap();
        let requests = server.requests().split_off(before);
        assert!(requests.iter().all(|it| it.get("Authorization") == Some(value)));
    }
}

#[tokio::test]
async fn the_schemes_wanted_and_spoken_are_named() {
    let server = challenging("Negotiate, NTLM").await;
    let basic = builder().basic("u", "p").build().unwrap();
    let error = basic.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    let Error::Unauthorized { schemes, sent, .. } = &error else { panic!("{error:?}") };
    assert_eq!((schemes.join(" "), *sent), ("Negotiate NTLM".into(), Some("Basic")));
    assert_eq!(
        error.to_string(),
        "server requires the authentication scheme Negotiate or NTLM, and Basic was sent; supported \
         are Basic, Bearer and Digest"
    );
    assert!(error.advice().unwrap().contains("Negotiate or NTLM is not supported"));
    assert_eq!(server.requests().len(), 1);

    let server = challenging("Basic realm=\"r\"").await;
    let error = basic.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert_eq!(error.to_string(), "server rejects the Basic credentials (status 401)");
    assert_eq!(error.advice().unwrap(), "Check the credentials.");
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(error.to_string().starts_with("server requires credentials of the scheme Basic"));
    let error = client().download(server.url("/x")).to("/nonexistent/x").send().await.unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}

/// Returns the value of a parameter in an Authorization of the scheme Digest.
fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let parameters = value.strip_prefix("Digest ")?.split(", ");
    let found = parameters.filter_map(|it| it.split_once('=')).find(|(it, _)| *it == name);
    found.map(|(_, value)| value.trim_matches('"'))
}

/// Returns a server that accepts Digest for `user` and `secret`. Each nonce is valid for three
/// requests.
async fn digest_server(
    log: Arc<Mutex<Vec<String>>>,
    accepted: fn(&Request) -> Option<Answer>,
) -> Server {
    let mut uses = 0;
    let mut nonce = 0;
    Server::start(move |request, _| {
        let mut is_stale = false;
        if let Some(value) = request.get("Authorization").filter(|it| it.starts_with("Digest")) {
            log.lock().unwrap().push(value.into());
            let mut expected = digest_auth::AuthorizationHeader::parse(value).unwrap();
            let response = std::mem::take(&mut expected.response);
            let context = digest_auth::AuthContext::new_with_method(
                "user",
                "secret",
                request.target.clone(),
                None::<&[u8]>,
                digest_auth::HttpMethod::from(&*request.method),
            );
            expected.digest(&context);
            let is_valid = response == expected.response && expected.uri == request.target;
            is_stale = is_valid && (uses >= 3 || expected.nonce != format!("n{nonce}"));
            if is_valid && !is_stale {
                uses += 1;
                return accepted(request);
            }
        }
        (nonce, uses) = (nonce + 1, 0);
        let stale = if is_stale { ", stale=true" } else { "" };
        let challenge = format!(
            "Negotiate, Digest realm=\"r\", nonce=\"n{nonce}\", qop=\"auth\", algorithm=SHA-256{stale}"
        );
        Some(answer("401 Unauthorized", &[("WWW-Authenticate", &challenge)], b""))
    })
    .await
}

#[tokio::test]
async fn digest_challenges_are_answered() {
    let log = Arc::default();
    let server = digest_server(Arc::clone(&log), |_| None).await;
    for client in [builder().digest("user", "secret"), builder().basic("user", "secret")] {
        let client = client.build().unwrap();
        let upload = client.upload(server.url("/x?y=1")).bytes(content(500_000));
        upload.fragment_size(100_000).send().await.unwrap();
        assert!(server.bits().data == content(500_000));
        let counts = log
            .lock()
            .unwrap()
            .iter()
            .take(3)
            .map(|it| parameter(it, "nc").unwrap().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(counts, ["00000001", "00000002", "00000003"]);
        log.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_download_answers_digest_challenges() {
    let log = Arc::default();
    let entity = |request: &Request| Some(serve(request, b"secret entity", &VERSION_1));
    let server = digest_server(Arc::clone(&log), entity).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let client = builder().digest("user", "secret").build().unwrap();
    client.download(server.url("/x")).to(&path).send().await.unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"secret entity");
    assert_eq!(log.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again() {
    let log = Arc::default();
    let server = digest_server(Arc::clone(&log), |_| None).await;
    let client = builder().digest("user", "wrong").build().unwrap();
    let error = client.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { sent: Some("Digest"), .. }), "{error:?}");
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn digest_credentials_never_leave_in_the_clear() {
    let server = challenging("Basic realm=\"r\"").await;
    let client = builder().digest("user", "secret").build().unwrap();
    client.upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(server.requests().iter().all(|it| it.get("Authorization").is_none()));
}

#[tokio::test]
async fn cookies_of_the_origin_come_back_unless_disabled() {
    for keep in [true, false] {
        let server = Server::start(|request, bits| {
            let cookie = "Set-Cookie: node=1\r\nContent-Length";
            let is_first = request.kind() == "create-session";
            is_first.then(|| bits.answer(request).replace("Content-Length", cookie))
        })
        .await;
        let client = builder().cookies(keep).build().unwrap();
        client.upload(server.url("/x")).bytes("abc").send().await.unwrap();
        let expected = keep.then_some("node=1");
        assert!(server.requests()[1..].iter().all(|it| it.get("Cookie") == expected));
    }
}

#[tokio::test]
async fn invalid_options_are_reported_when_the_client_is_built() {
    let invalid: [Change; 7] = [
        |it| it.bearer("a b"),
        |it| it.basic("a:b", "p"),
        |it| it.header("Host", "x"),
        |it| it.header("BITS-Packet-Type", "x"),
        |it| it.header("bad name", "x"),
        |it| it.basic("u", "p").header("Authorization", "x"),
        |it| it.proxy("nonsense://["),
    ];
    for change in invalid {
        let built = change(Client::builder()).build();
        assert!(matches!(built, Err(Error::Option(_))), "{built:?}");
    }
    let debug = format!("{:?}", builder().basic("u", "s3cret").header("X-Key", "s3cret"));
    assert!(!debug.contains("s3cret"), "{debug}");
    let built = builder().bearer("s3cret").header("X-Key", "v").build().unwrap();
    assert!(!format!("{built:?}").contains("s3cret"));
}

type Change = fn(bits_client::ClientBuilder) -> bits_client::ClientBuilder;

#[tokio::test]
async fn header_fields_are_sent() {
    let server = Server::start(|_, _| None).await;
    let client = builder().header("X-Key", "v").user_agent("agent/1").build().unwrap();
    client.upload(server.url("/x")).bytes("abc").send().await.unwrap();
    let requests = server.requests();
    assert!(requests.iter().all(|it| it.get("X-Key") == Some("v")));
    assert!(requests.iter().all(|it| it.get("User-Agent") == Some("agent/1")));
}
