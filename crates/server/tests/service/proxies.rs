//! Public URLs behind reverse proxies.

use bits_server::sessions::MemorySessions;
use bits_server::storage::MemoryStorage;
use bits_server::{BuildError, Builder, Server};

use crate::support::{World, fragment};

/// Uploads an entity with a reply, and returns the URL of the reply without the part that is always equal.
async fn reply_url(
    change: impl FnOnce(Builder) -> Builder,
    fields: &[(&'static str, &str)],
) -> String {
    let world = World::new(|builder| change(builder.reply(|_| async { Some("reply") }))).await;
    let id = world.create("/dir/f").await;
    let mut request = fragment("/dir/f", &id, 0, b"hello", 5);
    request.headers_mut().insert("host", "internal:8080".parse().unwrap());
    for (name, value) in fields {
        request.headers_mut().append(*name, value.parse().unwrap());
    }
    let answer = world.send(request).await;
    let url = answer.header("bits-reply-url");
    url.split_once("BITS-Sessions/Replies/").expect("path of replies").0.to_owned()
}

#[tokio::test]
async fn forwarded_fields_count_only_if_they_are_trusted() {
    let fields = [("x-forwarded-proto", "https"), ("x-forwarded-host", "public.example")];
    assert_eq!(reply_url(|builder| builder, &fields).await, "");
    let url = reply_url(|builder| builder.trust_forwarded(1), &fields).await;
    assert_eq!(url, "https://public.example/");
}

#[tokio::test]
async fn the_prefix_that_a_proxy_removed_is_added() {
    let fields = [("x-forwarded-proto", "https"), ("x-forwarded-prefix", "/upload/")];
    let url = reply_url(|builder| builder.trust_forwarded(1), &fields).await;
    assert_eq!(url, "https://internal:8080/upload/");
}

#[tokio::test]
async fn values_that_a_client_added_are_ignored() {
    let lists = [
        ("forwarded", "for=1.2.3.4;proto=http;host=evil.example"),
        ("forwarded", "for=\"[2001:db8::1]\";Proto=https;host=\"public.example:8443\""),
        ("x-forwarded-host", "other.example"),
    ];
    let url = reply_url(|builder| builder.trust_forwarded(1), &lists).await;
    assert_eq!(url, "https://public.example:8443/");
    let hops = [
        ("x-forwarded-host", "evil.example, public.example, inner.example"),
        ("x-forwarded-proto", "https"),
    ];
    let url = reply_url(|builder| builder.trust_forwarded(2), &hops).await;
    assert_eq!(url, "https://public.example/");
}

#[tokio::test]
async fn separators_in_quotes_are_part_of_the_value() {
    for value in [
        r#"for="_a;host=evil.example;b=";host=public.example"#,
        r#"for="_a, host=evil.example";host=public.example"#,
        r#"host=public.example;for="_a, host=evil.example""#,
        r#"for="_a\";host=evil.example;b=";host=public.example"#,
        r#"for="_a\\";host=public.example;by="b;host=evil.example""#,
    ] {
        let url = reply_url(|builder| builder.trust_forwarded(1), &[("forwarded", value)]).await;
        assert_eq!(url, "http://public.example/", "{value}");
    }
}

#[tokio::test]
async fn invalid_values_are_ignored() {
    for (name, value) in [
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-host", "user@evil.example"),
        ("x-forwarded-host", "a b"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-prefix", "/a?b"),
        ("x-forwarded-prefix", "a"),
        ("forwarded", "proto"),
    ] {
        let url = reply_url(|builder| builder.trust_forwarded(1), &[(name, value)]).await;
        assert_eq!(url, "http://internal:8080/", "{name}: {value}");
    }
}

#[tokio::test]
async fn the_public_url_takes_precedence() {
    let fields = [("x-forwarded-host", "other.example")];
    let url =
        reply_url(|builder| builder.public_url("https://public.example/upload/"), &fields).await;
    assert_eq!(url, "https://public.example/upload/");
}

#[tokio::test]
async fn an_invalid_public_url_is_an_error() {
    for url in [
        "public.example",
        "ftp://public.example",
        "https://user@public.example",
        "https://public.example/?a",
    ] {
        let builder =
            Server::builder().storage(MemoryStorage::new()).sessions(MemorySessions::new());
        let built = builder.public_url(url).build().await;
        assert!(matches!(built, Err(BuildError::PublicUrl { .. })), "{url}");
    }
    assert!(matches!(Server::builder().build().await, Err(BuildError::MissingStorage)));
    let builder = Server::builder().storage(MemoryStorage::new());
    assert!(matches!(builder.build().await, Err(BuildError::MissingSessions)));
}
