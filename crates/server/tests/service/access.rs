//! Authorization and destinations.

use bits_server::{Builder, Deny, Parts, Principal};
use http::Request;
use http_body_util::Full;

use crate::support::{World, create, fragment, packet};

fn machine_of(request: &Parts) -> Result<Principal, Deny> {
    match request.headers.get("x-machine").map(|name| name.to_str().unwrap()) {
        None => Err(Deny::unauthenticated("Basic realm=\"uploads\"")),
        Some("guest") => Err(Deny::Forbidden),
        Some(name) => Ok(Principal::new(name)),
    }
}

fn authorized(builder: Builder) -> Builder {
    builder
        .authorize(async |request: &Parts| machine_of(request))
        .destination(|principal, path| format!("{principal}/{path}"))
}

fn from<B>(mut request: Request<B>, machine: &str) -> Request<B> {
    request.headers_mut().insert("x-machine", machine.parse().unwrap());
    request
}

#[tokio::test]
async fn a_client_without_credentials_is_challenged() {
    let world = World::new(authorized).await;
    for request in [create("/f"), packet("Ping", "/f", "{x}")] {
        let answer = world.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("www-authenticate")),
            (401, "Basic realm=\"uploads\"")
        );
    }
    let answer = world.get("/f").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("www-authenticate")),
        (401, "Basic realm=\"uploads\"")
    );
}

#[tokio::test]
async fn a_client_without_access_is_refused() {
    let world = World::new(authorized).await;
    assert_eq!(world.send(from(create("/f"), "guest")).await.header("bits-error"), "0x80070005");
    let get = Request::get("/f").body(Full::default()).unwrap();
    assert_eq!(world.send(from(get, "guest")).await.status, 403);
}

#[tokio::test]
async fn parse_errors_reveal_nothing_to_a_client_without_access() {
    let world = World::new(authorized).await;
    let invalid = || {
        let mut request = fragment("/f", "{11111111-2222-3333-4444-555555555555}", 0, b"x", 1);
        request.headers_mut().insert("content-range", "bytes 5-1/0".parse().unwrap());
        request
    };
    assert_eq!(world.send(invalid()).await.status, 401);
    assert_eq!(world.send(from(invalid(), "guest")).await.status, 403);
    assert_eq!(world.send(from(invalid(), "m1")).await.status, 400);
}

#[tokio::test]
async fn a_session_does_not_exist_for_another_principal_or_path() {
    let world = World::new(authorized).await;
    let created = world.send(from(create("/f"), "m1")).await;
    let id = created.header("bits-session-id").to_owned();
    for (path, machine) in [("/f", "m2"), ("/g", "m1")] {
        let answer = world.send(from(packet("Cancel-Session", path, &id), machine)).await;
        assert_eq!(answer.header("bits-error"), "0x8020001F", "{path} {machine}");
    }
    // All spellings of a path are equal.
    let answer = world.send(from(fragment("/%66", &id, 0, b"hello", 5), "m1")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(world.send(from(packet("Close-Session", "/f", &id), "m1")).await.status, 200);
    assert_eq!(world.published("m1/f").unwrap(), "hello");
}

#[tokio::test]
async fn a_reply_is_readable_only_by_the_principal_that_uploaded() {
    let world = World::new(|builder| {
        authorized(builder).reply(|_| async { Some("reply") }).downloads(false)
    })
    .await;
    let created = world.send(from(create("/f"), "m1")).await;
    let id = created.header("bits-session-id").to_owned();
    let acked = world.send(from(fragment("/f", &id, 0, b"hello", 5), "m1")).await;
    let path = format!("/{}", acked.header("bits-reply-url"));
    for (machine, status) in [("m1", 200), ("m2", 404), ("guest", 403)] {
        let get = Request::get(&path).body(Full::default()).unwrap();
        assert_eq!(world.send(from(get, machine)).await.status, status, "{machine}");
    }
}

#[tokio::test]
async fn a_destination_never_leads_out_of_the_storage() {
    let world = World::new(authorized).await;
    let long = format!("/{}", "n".repeat(256));
    for path in [
        "/../m2/f",
        "/%2e%2e/m2/f",
        "/a%2fb",
        "/a%5Cb",
        "/a:b",
        "/a//b",
        "//a",
        "/",
        "/a/",
        "/a%",
        "/a%ff",
        "/a%C0%AE%C0%AE",
        "/a%00",
        "/CON",
        "/e.",
        "/BITS-Sessions/f",
        "/%42ITS-sessions/Replies/f",
        &long,
    ] {
        let answer = world.send(from(create(path), "m1")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("bits-error")),
            (403, "0x8007007B"),
            "{path}"
        );
        let get = Request::get(path).body(Full::default()).unwrap();
        assert_eq!(world.send(from(get, "m1")).await.status, 404, "{path}");
    }
    // The name of a principal is checked too.
    assert_eq!(world.send(from(create("/f"), "..")).await.header("bits-error"), "0x8007007B");
    // Escapes are decoded once, and a query is no part of the name.
    for path in ["/A-1_b.tar.gz", "/a..b", "/%2565", "/100%25", "/q?dir=..", &long[..256]] {
        assert_eq!(world.send(from(create(path), "m1")).await.status, 200, "{path}");
    }
}

/// A client reads what it has uploaded, at the URL of the upload, and nothing else.
#[tokio::test]
async fn the_destination_of_a_client_is_that_of_its_downloads() {
    let world = World::new(authorized).await;
    let created = world.send(from(create("/f"), "m1")).await;
    let id = created.header("bits-session-id").to_owned();
    world.send(from(fragment("/f", &id, 0, b"hello", 5), "m1")).await;
    world.send(from(packet("Close-Session", "/f", &id), "m1")).await;
    for (machine, path, status) in
        [("m1", "/f", 200), ("m2", "/f", 404), ("m1", "/m1/f", 404), ("m2", "/m1/f", 404)]
    {
        let get = Request::get(path).body(Full::default()).unwrap();
        assert_eq!(world.send(from(get, machine)).await.status, status, "{machine} {path}");
    }
}

/// A client can distinguish an existing entity from missing access.
#[tokio::test]
async fn an_existing_entity_has_a_code_of_its_own() {
    let world = World::new(|builder| builder).await;
    let late = world.create("/f").await;
    world.fragment("/f", &late, 0, b"late", 4).await;
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
    for answer in [world.send(create("/f")).await, world.close("/f", &late).await] {
        assert_eq!((answer.status.as_u16(), answer.header("bits-error")), (403, "0x80070050"));
    }
    assert_eq!(world.published("f").unwrap(), "hello");
}

#[tokio::test]
async fn a_check_can_decide_at_once() {
    let world = World::new(|builder| builder.authorize_sync(machine_of)).await;
    assert_eq!(world.send(create("/f")).await.status, 401);
    assert_eq!(world.send(from(create("/f"), "guest")).await.status, 403);
    assert_eq!(world.send(from(create("/f"), "m1")).await.status, 200);
}

#[tokio::test]
async fn other_methods_are_refused_with_the_allowed_ones() {
    let world = World::new(|builder| builder).await;
    for method in ["OPTIONS", "PUT", "DELETE", "POST"] {
        let request = Request::builder().method(method).uri("/f").body(Full::default()).unwrap();
        let answer = world.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD, BITS_POST"));
    }
    let world = World::new(|builder| builder.downloads(false)).await;
    assert_eq!(world.upload("/f", b"hello").await.status, 200);
    let answer = world.get("/f").await;
    assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "BITS_POST"));
}

#[tokio::test]
async fn post_is_accepted_only_if_the_server_is_lenient() {
    let post = || {
        let mut request = create("/f");
        *request.method_mut() = http::Method::POST;
        request
    };
    let world = World::new(|builder| builder).await;
    assert_ne!(world.send(post()).await.status, 200);
    let world = World::new(|builder| builder.lenient(true)).await;
    assert_eq!(world.send(post()).await.status, 200);
}
