//! URLs.

use bits_client::Error;

use crate::support::{Server, client};

async fn reason(url: &str) -> (String, Option<String>) {
    let error = client().upload(url).bytes("abc").send().await.unwrap_err();
    assert!(matches!(error, Error::Url { .. }), "{error:?}");
    (error.to_string(), error.advice().map(Into::into))
}

#[tokio::test]
async fn a_url_without_scheme_is_explained() {
    let (text, advice) = reason("127.0.0.1:8097/x").await;
    assert_eq!(text, "invalid URL \"127.0.0.1:8097/x\": no scheme");
    assert_eq!(advice.unwrap(), "Did you mean http://127.0.0.1:8097/x ?");
    let (_, advice) = reason("localhost:8097/x").await;
    assert_eq!(advice.unwrap(), "Did you mean http://localhost:8097/x ?");
}

#[tokio::test]
async fn invalid_urls_are_explained() {
    assert!(reason("ftp://server.example/x").await.0.contains("neither http nor https"));
    let (text, _) = reason("http://user:s3cret@server.example/x").await;
    assert!(text.contains("credentials in the URL") && !text.contains("s3cret"), "{text}");
    reason("http://").await;
    reason("http://[::1/x").await;
    reason("http://server.example:99999/x").await;
    assert!(reason("http://127.0.0.1%25lo/x").await.0.contains("URL"));
    assert!(reason("https://[::1%25lo]/x").await.0.contains("with http only"));
}

#[tokio::test]
async fn the_zone_of_an_address_is_used_and_not_sent() {
    let server = Server::builder().address("[::1]:0").start(|_, _| None).await;
    let port = server.address.port();
    for zone in ["%25lo", "%lo"] {
        let url = format!("http://[::1{zone}]:{port}/x");
        client().upload(url).bytes("abc").send().await.unwrap();
    }
    assert!(server.bits().closed);
    let host = format!("[::1]:{port}");
    assert!(server.requests().iter().all(|it| it.get("Host") == Some(&host)));
    let (text, _) = reason(&format!("http://[fe80::1%25no-such-zone]:{port}/x")).await;
    assert!(text.contains("cannot resolve the zone"), "{text}");
}

#[tokio::test]
async fn names_are_escaped_as_browsers_do() {
    let server = Server::start(|_, _| None).await;
    client().upload(server.url("/a b/ü(1).bin?q=a b#f")).bytes("abc").send().await.unwrap();
    assert!(server.requests().iter().all(|it| it.target == "/a%20b/%C3%BC(1).bin?q=a%20b"));
}
