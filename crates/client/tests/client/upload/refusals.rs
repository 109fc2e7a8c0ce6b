//! Refusals of the server, as errors that a caller can act on.

use bits_client::{Error, Phase};

use crate::support::{Answer, Reports, Server, ack, answer, client, content};

/// Uploads to a server that refuses fragments.
async fn refused(status: &'static str, fields: &'static [(&str, &str)]) -> (Error, Server) {
    let server = Server::start(move |request, _| {
        (request.kind() == "fragment").then(|| ack(status, fields))
    })
    .await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    (error, server)
}

#[tokio::test]
async fn each_refusal_has_its_variant() {
    const DENIED: &[(&str, &str)] = &[("BITS-Error-Code", "0x80070005")];
    let (error, server) = refused("403 Forbidden", DENIED).await;
    assert!(matches!(error, Error::AccessDenied { code: Some(_), .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("for access"));
    assert!(server.bits().cancelled);
    const INVALID_NAME: &[(&str, &str)] = &[("BITS-Error-Code", "0x8007007B")];
    let (error, _) = refused("403 Forbidden", INVALID_NAME).await;
    assert!(matches!(error, Error::AccessDenied { code: Some(_), .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("another name"));
    const EXISTS: [&[(&str, &str)]; 2] =
        [&[("BITS-Error-Code", "0x80070050")], &[("BITS-Error-Code", "0x800700B7")]];
    for (status, fields) in ["403 Forbidden", "409 Conflict"]
        .into_iter()
        .flat_map(|it| EXISTS.map(|fields| (it, fields)))
    {
        let (error, _) = refused(status, fields).await;
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
    const FULL: &[(&str, &str)] = &[("BITS-Error-Code", "0x80070070")];
    let (error, _) = refused("500 Internal Server Error", FULL).await;
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("free space"));
    const TOO_LARGE: &[(&str, &str)] = &[("BITS-Error-Code", "0x80200020")];
    let (error, _) = refused("400 Bad Request", TOO_LARGE).await;
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    let (error, _) = refused("405 Method Not Allowed", &[]).await;
    assert!(matches!(error, Error::NotBits { .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("BITS_POST"));
}

#[tokio::test]
async fn a_url_that_does_not_exist_is_not_found() {
    let server = Server::scripted(|_| answer("404 Not Found", &[], b"<html>")).await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert_eq!(error.to_string(), "URL does not exist on the server: status 404 Not Found");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_413_of_the_application_is_final() {
    const FIELDS: &[(&str, &str)] = &[("BITS-Error-Context", "0x7")];
    let (error, server) = refused("413 Payload Too Large", FIELDS).await;
    assert!(matches!(error, Error::Application { .. }), "{error:?}");
    assert_eq!(server.kinds().iter().filter(|it| *it == "fragment").count(), 1);
    assert!(error.advice().unwrap().contains("application"));
}

#[tokio::test]
async fn a_413_halves_the_fragments() {
    let server = Server::start(|request, _| {
        (request.body.len() > 300_000).then(|| answer("413 Payload Too Large", &[], b""))
    })
    .await;
    client().upload(server.url("/x")).bytes(content(1_000_000)).send().await.unwrap();
    assert!(server.bits().data == content(1_000_000));
    assert_eq!(server.bits().created, 1);
}

#[tokio::test]
async fn a_404_of_request_filtering_is_explained() {
    let server = Server::start(|request, _| {
        let is_filtered = request.body.len() > 300_000;
        is_filtered.then(|| answer("404 Not Found", &[("Content-Type", "text/html")], b"<html>"))
    })
    .await;
    let upload = client().upload(server.url("/x")).bytes(content(1_000_000));
    let error = upload.send().await.unwrap_err();
    // Nothing was accepted before, so the fragment may not be the reason.
    assert!(matches!(error, Error::TooLarge { .. }), "{error:?}");
    assert!(error.advice().unwrap().contains("too large"), "{:?}", error.advice());
}

#[tokio::test]
async fn an_upload_is_not_redirected() {
    let other = Server::start(|_, _| None).await;
    let location = other.url("/x");
    let server = Server::scripted(move |_| {
        answer("307 Temporary Redirect", &[("Location", &location)], b"")
    })
    .await;
    let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Redirected { .. }), "{error:?}");
    assert!(error.to_string().contains(&other.url("/x")));
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_refusal_before_the_body_is_read_is_seen() {
    let server = Server::builder()
        .early(|request| {
            let refusal = ack("403 Forbidden", &[]).into_bytes();
            (request.kind() == "fragment").then_some(Answer::Ignore(refusal))
        })
        .start(|_, _| None)
        .await;
    let upload = client().upload(server.url("/x")).bytes(content(13_000_000));
    let error = upload.fragment_size(13_000_000).send().await;
    assert!(matches!(error, Err(Error::AccessDenied { .. })), "{error:?}");
}

#[tokio::test]
async fn responses_of_proxies_and_ports_with_tls_are_explained() {
    for (status, advice) in [
        ("400 Bad Request", "https://"),
        ("502 Bad Gateway", "cannot reach the server behind it"),
        ("504 Gateway Timeout", "cannot reach the server behind it"),
        ("503 Service Unavailable", "an earlier request"),
    ] {
        let server = Server::scripted(move |_| answer(status, &[], b"")).await;
        let error = client().upload(server.url("/x")).bytes("abc").send().await.unwrap_err();
        assert!(error.advice().unwrap().contains(advice), "{status}: {:?}", error.advice());
    }
}

/// Neither is a session cancelled that does not exist, nor are bytes transferred.
#[tokio::test]
async fn an_upload_without_a_session_only_connects() {
    for (status, expected) in [("403 Forbidden", 1), ("503 Service Unavailable", 4)] {
        let server = Server::scripted(move |_| answer(status, &[], b"")).await;
        let reports = Reports::default();
        let upload = client().upload(server.url("/x")).bytes("abc").progress(reports.callback());
        upload.send().await.unwrap_err();
        assert_eq!(server.requests().len(), expected);
        for report in reports.all() {
            let is_expected = matches!(report.phase, Phase::Connecting | Phase::Waiting { .. });
            assert!(is_expected, "{report:?}");
        }
    }
}

/// Only the bytes of a request start the phase, not the request.
#[tokio::test]
async fn a_retry_that_cannot_connect_transfers_nothing() {
    let server = Server::start(|request, _| {
        (request.kind() == "fragment").then(|| Answer::Close(Vec::new()))
    })
    .await;
    let upload = client().upload(server.url("/x")).bytes("abc");
    let (reports, mut server) = (Reports::default(), Some(server));
    let mut report = reports.callback();
    let upload = upload.progress(move |progress| {
        report(progress);
        if matches!(progress.phase, Phase::Waiting { .. }) {
            // Nothing listens from now on.
            drop(server.take());
        }
    });
    upload.send().await.unwrap_err();
    let phases = reports.all().into_iter().map(|it| it.phase);
    let after = phases.skip_while(|it| !matches!(it, Phase::Waiting { .. })).collect::<Vec<_>>();
    assert!(after.iter().all(|it| matches!(it, Phase::Waiting { .. })), "{after:?}");
}
