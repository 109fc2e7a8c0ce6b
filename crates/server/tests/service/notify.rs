//! Notification of a server application.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use bits_server::sessions::MemorySessions;
use bits_server::storage::{FileStorage, StorageError};
use bits_server::{BuildError, Builder, Limits, Notify, Server};
use http::HeaderMap;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

use crate::support::bodies::sent;
use crate::support::hooked::Operation;
use crate::support::{World, answer, create, fragment, packet};

/// An application that answers all requests alike.
struct Application {
    url: String,
    requests: Arc<Mutex<Vec<Received>>>,
}

/// The fields and the body of a request.
type Received = (HeaderMap, Vec<u8>);

impl Application {
    async fn new(
        respond: impl Fn(usize, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
    ) -> Self {
        let requests: Arc<Mutex<Vec<Received>>> = Arc::default();
        let seen = Arc::clone(&requests);
        let app = Router::new().fallback(move |request: Request| async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let mut seen = seen.lock().unwrap();
            seen.push((parts.headers.clone(), body.to_vec()));
            respond(seen.len(), &parts.headers)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, requests }
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn respond(status: u16, fields: &[(&str, &str)], body: &'static str) -> Response {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body)).unwrap()
}

fn notifies(application: &Application) -> impl Fn(Builder) -> Builder {
    let url = application.url.clone();
    move |builder| builder.notify(Notify::new(&url)).public_url("https://public.example/up")
}

#[tokio::test]
async fn the_application_receives_the_entity_and_its_reply_is_kept() {
    let application = Application::new(|_, _| respond(200, &[], "the reply")).await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/dir/f").await;
    let answer = world.fragment("/dir/f", &id, 0, b"hello", 5).await;
    let url = answer.header("bits-reply-url").strip_prefix("https://public.example/up").unwrap();
    assert_eq!(world.get(url).await.body, "the reply");
    {
        let requests = application.requests.lock().unwrap();
        let (headers, body) = &requests[0];
        assert_eq!(body, b"hello");
        assert_eq!(headers["content-length"], "5");
        assert_eq!(headers["bits-original-request-url"], "https://public.example/up/dir/f");
    }
    // The application did not request a copy.
    assert_eq!(world.close("/dir/f", &id).await.status, 200);
    assert_eq!(world.published("dir/f"), None);
    assert_eq!((application.count(), world.staged().await), (1, 0));
}

#[tokio::test]
async fn the_application_receives_the_url_that_a_trusted_proxy_reports() {
    let application = Application::new(|_, _| respond(200, &[], "")).await;
    let world =
        World::new(|builder| builder.notify(Notify::new(&application.url)).trust_forwarded(1))
            .await;
    let id = world.create("/f%20(1)").await;
    let mut request = fragment("/f%20(1)", &id, 0, b"hello", 5);
    for (name, value) in [
        ("host", "internal:8080"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "public.example"),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    assert_eq!(world.send(request).await.status, 200);
    let requests = application.requests.lock().unwrap();
    let url = &requests[0].0["bits-original-request-url"];
    assert_eq!(url, "https://public.example/f%20(1)");
}

/// Each step of the exchange is short, and all of them together take longer than the timeout.
#[tokio::test]
async fn the_token_is_renewed_while_a_long_reply_arrives() {
    let step = Duration::from_millis(10);
    let application = Application::new(move |_, _| {
        let (pieces, body) = sent();
        tokio::spawn(async move {
            for _ in 0..30 {
                tokio::time::sleep(step).await;
                pieces.send("piece ".into()).unwrap();
            }
        });
        Response::new(Body::new(body))
    })
    .await;
    let mut changes = Vec::new();
    for work_timeout in [step * 1000, step * 20] {
        let limits = Limits { work_timeout, ..Limits::default() };
        let world = World::new(|builder| notifies(&application)(builder).limits(limits)).await;
        let id = world.create("/f").await;
        let answer = world.fragment("/f", &id, 0, b"hello", 5).await;
        assert_eq!(answer.header("bits-received-content-range"), "5");
        changes.push(world.sessions.changes());
    }
    assert!(changes[1] >= changes[0] + 3, "{changes:?}");
}

#[tokio::test]
async fn the_application_decides_about_publication() {
    let fields = [("BITS-Copy-File-To-Destination", "1")];
    let application = Application::new(move |_, _| respond(200, &fields, "")).await;
    let world = World::new(notifies(&application)).await;
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
    assert_eq!(world.published("f").unwrap(), "hello");
}

#[tokio::test]
async fn any_success_accepts_the_entity_unless_200_is_required() {
    let application = Application::new(|_, _| respond(204, &[], "")).await;
    let world = World::new(notifies(&application)).await;
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
    assert_eq!(application.count(), 1);
    let url = application.url.clone();
    let world = World::new(|builder| builder.notify(Notify::new(url).require_200(true))).await;
    let id = world.create("/f").await;
    let mut request = fragment("/f", &id, 0, b"hello", 5);
    request.headers_mut().insert("host", "h".parse().unwrap());
    assert_eq!(world.send(request).await.status, 500);
}

#[tokio::test]
async fn a_refusal_of_the_application_is_passed_on_in_its_context() {
    let application = Application::new(|_, _| respond(413, &[], "")).await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/f").await;
    let answer = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert_eq!((answer.status.as_u16(), answer.header("bits-error-context")), (413, "0x7"));
    assert_eq!(application.count(), 1);
}

#[tokio::test]
async fn an_entity_is_notified_again_until_it_is_accepted_and_never_after() {
    let application =
        Application::new(|count, _| respond(if count < 3 { 503 } else { 200 }, &[], "")).await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/f").await;
    for _ in 0..2 {
        assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 503);
    }
    for _ in 0..2 {
        assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 200);
    }
    assert_eq!(application.count(), 3);
}

#[tokio::test]
async fn a_reply_that_cannot_be_stored_does_not_notify_again() {
    let application = Application::new(|_, _| respond(200, &[], "the reply")).await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/f").await;
    world.hooks.fail(Operation::WriteReply, StorageError::Full(None));
    let answer = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("bits-reply-url"));
    assert_eq!(world.close("/f", &id).await.status, 200);
    assert_eq!(application.count(), 1);
}

#[tokio::test]
async fn the_acceptance_is_recorded_before_the_reply_is_received() {
    let (sender, reply) = sent();
    let reply = Arc::new(Mutex::new(Some(reply)));
    let application = Application::new(move |_, _| {
        let reply = reply.lock().unwrap().take().expect("one notification");
        Response::builder().header("Content-Length", 9).body(Body::new(reply)).unwrap()
    })
    .await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/f").await;
    let request = fragment("/f", &id, 0, b"hello", 5);
    let pending = tokio::spawn(world.service().oneshot(request));
    let recorded = async {
        while world.sessions.only().await.record.session.notified().is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), recorded).await.expect("recorded");
    sender.send("the reply".into()).unwrap();
    let answer = answer(pending.await.unwrap().unwrap()).await;
    assert!(answer.headers.contains_key("bits-reply-url"), "{answer:?}");
}

#[tokio::test]
async fn a_static_reply_is_passed_on() {
    let fields = [("BITS-Static-Response-URL", "https://app.example/replies/1")];
    let application = Application::new(move |_, _| respond(200, &fields, "")).await;
    let world = World::new(notifies(&application)).await;
    let id = world.create("/f").await;
    let answer = world.fragment("/f", &id, 0, b"hello", 5).await;
    assert_eq!(answer.header("bits-reply-url"), "https://app.example/replies/1");
}

#[tokio::test]
async fn an_application_on_the_same_machine_receives_paths() {
    let application = Application::new(|_, headers: &HeaderMap| {
        let path = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(std::fs::read(path("bits-request-datafile-name")).unwrap(), b"hello");
        std::fs::write(path("bits-response-datafile-name"), "the reply").unwrap();
        respond(200, &[], "")
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let server = Server::builder()
        .storage(FileStorage::open(folder.path()).unwrap())
        .sessions(MemorySessions::new())
        .notify(Notify::new(&application.url).by_reference(true))
        .public_url("https://public.example")
        .build()
        .await
        .unwrap();
    let send = async |request| answer(server.service().oneshot(request).await.unwrap()).await;
    let id = send(create("/f")).await.header("bits-session-id").to_owned();
    let acked = send(fragment("/f", &id, 0, b"hello", 5)).await;
    let url = acked.header("bits-reply-url").strip_prefix("https://public.example").unwrap();
    let reply = http::Request::get(url).body(http_body_util::Full::default()).unwrap();
    assert_eq!(send(reply).await.body, "the reply");
    assert_eq!(send(packet("Close-Session", "/f", &id)).await.status, 200);
}

#[tokio::test]
async fn an_application_that_is_unreachable_is_a_bad_gateway() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let world = World::new(|builder| builder.notify(Notify::new(url)).public_url("http://h")).await;
    let id = world.create("/f").await;
    assert_eq!(world.fragment("/f", &id, 0, b"hello", 5).await.status, 502);
}

#[tokio::test]
async fn invalid_settings_fail_early() {
    for notify in [
        Notify::new("app.example/hook"),
        Notify::new("ftp://app.example/"),
        Notify::new("http://user:secret@app.example/"),
        Notify::new("https://app.example/").ca_certificate("no certificate"),
    ] {
        let builder = Server::builder()
            .storage(bits_server::storage::MemoryStorage::new())
            .sessions(MemorySessions::new());
        let built = builder.notify(notify.clone()).build().await;
        assert!(matches!(built, Err(BuildError::Notify { .. })), "{notify:?}");
    }
}
