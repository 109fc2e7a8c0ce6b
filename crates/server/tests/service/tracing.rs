//! Lines of the log.

use std::io;
use std::sync::{Arc, Mutex};

use bits_server::storage::StorageError;
use bits_server::{Deny, Limits, Parts, Principal};
use http::Request;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::hooked::Operation;
use crate::support::{World, create, fragment, packet};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// Collects the lines of this thread.
    fn collect(&self, level: LevelFilter) -> ::tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_writer(self.clone()).with_ansi(false);
        ::tracing::subscriber::set_default(subscriber.with_max_level(level).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Returns the lines that contain a text.
    fn with(&self, text: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn lines_about_failures_name_the_cause() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::INFO);
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    let cause = || Some("disk 7 is gone".into());
    for (error, text) in [
        (StorageError::Denied(cause()), "access denied: disk 7 is gone"),
        (StorageError::Full(cause()), "storage is full: disk 7 is gone"),
        (StorageError::Lost(cause()), "stored bytes are missing: disk 7 is gone"),
    ] {
        world.hooks.fail(Operation::Flush, error);
        world.fragment("/f", &id, 0, b"hello", 5).await;
        assert!(lines.text().contains(text), "{}", lines.text());
    }
}

/// Returns the spelling of a session id in the log, in hooks and in file names.
fn spelling(id: &str) -> String {
    id.trim_matches(['{', '}']).to_lowercase()
}

#[tokio::test]
async fn lines_about_failures_identify_the_upload() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::INFO);
    let world = World::new(|builder| {
        builder.authorize(|_: &Parts| std::future::ready(Ok(Principal::new("m1"))))
    })
    .await;
    let id = world.create("/f").await;
    world.hooks.fail(Operation::Flush, StorageError::other("bucket is unreachable"));
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.fragment("/f", &id, 0, b"hello", 5).await;
    world.close("/f", &id).await;
    let text = lines.text();
    let (warnings, infos) = (lines.with(" WARN "), lines.with(" INFO "));
    assert!(warnings.len() == 1 && infos.len() == 1, "{text}");
    for line in warnings.iter().chain(&infos) {
        for part in ["path=\"/f\"", "principal=m1", &format!("session={}", spelling(&id)), "bytes="]
        {
            assert!(line.contains(part), "no {part}: {line}");
        }
    }
    assert!(warnings[0].contains("bucket is unreachable"), "{text}");
    assert!(infos[0].contains("upload published"), "{text}");
}

#[tokio::test]
async fn a_session_has_one_spelling() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::DEBUG);
    let world = World::new(|builder| builder).await;
    let id = world.create("/f").await;
    world.fragment("/f", &id.to_lowercase(), 0, b"hello", 5).await;
    world.close("/f", &id).await;
    let text = lines.text();
    let mut sessions = text.split("session=").skip(1).map(|rest| {
        rest.split(|it: char| !it.is_ascii_hexdigit() && it != '-').next().unwrap().to_owned()
    });
    assert!(sessions.all(|session| session == spelling(&id)), "{text}");
    assert_eq!(lines.with("session ended").len(), 1, "{text}");
    assert!(lines.with("session ended")[0].ends_with("session ended reason=\"closed\""), "{text}");
}

/// Refuses clients, and has low limits.
fn refusing(builder: bits_server::Builder) -> bits_server::Builder {
    let limits = Limits { max_upload: Some(10), max_sessions: 1, ..Limits::default() };
    builder.limits(limits).authorize_sync(|request: &Parts| {
        match request.headers.get("authorization").map(|it| it.to_str().unwrap()) {
            Some("guest") => Err(Deny::Forbidden),
            Some("m1") => Ok(Principal::new("m1")),
            _ => Err(Deny::unauthenticated("Basic")),
        }
    })
}

fn from<B>(mut request: Request<B>, machine: &'static str) -> Request<B> {
    request.headers_mut().insert("authorization", machine.parse().unwrap());
    request
}

#[tokio::test]
async fn each_refusal_is_one_line() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::INFO);
    let world = World::new(refusing).await;
    world.send(create("/challenged")).await;
    world.send(from(create("/wrong"), "stranger")).await;
    world.send(from(create("/denied"), "guest")).await;
    world.send(from(create("/a%2fb"), "m1")).await;
    world.send(from(create("/CON"), "m1")).await;
    let id = world.send(from(create("/f"), "m1")).await.header("bits-session-id").to_owned();
    world.send(from(create("/limit"), "m1")).await;
    world.send(from(fragment("/f", &id, 0, b"x", 11), "m1")).await;
    world.send(from(fragment("/f", &id, 0, b"x", 1), "m1")).await;
    world.send(from(packet("Close-Session", "/f", &id), "m1")).await;
    world.send(from(create("/f"), "m1")).await;
    world.send(from(packet("Unknown", "/g", "{x}"), "m1")).await;
    let mut invalid = fragment("/g", &id, 0, b"x", 1);
    invalid.headers_mut().insert("content-range", "bytes 5-1/0".parse().unwrap());
    world.send(from(invalid, "guest")).await;
    let refused = lines.with("request refused");
    let expected = [
        ("/wrong", "anonymous", 401, "unauthenticated"),
        ("/denied", "anonymous", 403, "denied"),
        ("/a%2fb", "m1", 403, "invalid-name"),
        ("/CON", "m1", 403, "invalid-name"),
        ("/limit", "m1", 503, "session-limit"),
        ("/f", "m1", 500, "too-large"),
        ("/f", "m1", 403, "exists"),
        ("/g", "m1", 400, "invalid"),
        ("/g", "anonymous", 403, "denied"),
    ];
    assert_eq!(refused.len(), expected.len(), "{refused:#?}");
    for (line, (path, principal, status, reason)) in refused.iter().zip(expected) {
        assert!(line.contains(" INFO "), "{line}");
        let principal = Some(principal).filter(|it| *it != "anonymous");
        let principal = principal.map(|it| format!("principal={it}")).unwrap_or_default();
        for part in [
            &format!("path=\"{path}\""),
            &principal,
            &format!("status={status} reason=\"{reason}\""),
        ] {
            assert!(line.contains(part), "no {part}: {line}");
        }
    }
    // The reasons of the service, and the session that reaches a limit.
    for (index, part) in [
        (2, "detail=path contains an escaped '/'"),
        (3, "detail=path contains an empty, reserved or invalid file name"),
        (5, &*format!("session={}", spelling(&id))),
    ] {
        assert!(refused[index].contains(part), "no {part}: {}", refused[index]);
    }
    let others = lines.text().lines().filter(|it| !it.contains("request refused")).count();
    assert_eq!(others, 1, "the published upload: {}", lines.text());
}

/// The storage names its reason, and a refusal is no failure of it.
#[tokio::test]
async fn a_refusal_of_the_storage_is_one_line_with_its_reason() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::INFO);
    let world = World::new(|builder| builder).await;
    let denied = || StorageError::Denied(Some("no folder a".into()));
    world.hooks.fail(Operation::Begin, denied());
    assert_eq!(world.send(create("/a/f")).await.status, 403);
    let id = world.create("/a/f").await;
    world.fragment("/a/f", &id, 0, b"x", 1).await;
    world.hooks.fail(Operation::Publish, denied());
    assert_eq!(world.close("/a/f", &id).await.status, 403);
    let text = lines.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert_eq!(lines.with("detail=access denied: no folder a").len(), 2, "{text}");
}

#[tokio::test]
async fn refusals_do_not_flood_the_log() {
    let lines = Lines::default();
    let _guard = lines.collect(LevelFilter::INFO);
    let world = World::new(refusing).await;
    for _ in 0..1000 {
        world.send(from(create("/denied"), "guest")).await;
    }
    let refused = lines.with("request refused").len();
    assert!((100..1000).contains(&refused), "{refused} lines");
}
