//! Downloads with the types of the `http` crate give the same results as with bytes.

use crate::support::messages::{self, extras};
use bits_proto::download::field::{Boundary, ContentType, EntityTag};
use bits_proto::download::{
    ByteRange, Download, Entity, HeaderSlots, Method, Options, Plan, PlanLimits, Request, Response,
    ResponseHead,
};
use bits_proto::error::ErrorKind;
use bits_proto::field::HttpDate;
use bits_proto::http1::{BodyLength, RequestLine, RequestTarget, Version};
use bits_proto::message::Extras;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BOUNDARY: Boundary = Boundary::from_random(0xB0);

fn entity() -> Entity<'static> {
    Entity::new(1000)
        .with_modified(DATE.parse::<HttpDate>().ok())
        .with_tag(EntityTag::try_from("\"tag\"").ok())
        .with_content_type(ContentType::try_from("text/plain").ok())
}

fn http_request(method: &str, fields: &[(&str, &str)]) -> http::Request<()> {
    let mut request = http::Request::builder().method(method).uri("http://origin.example/file?a");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

fn plan<'p>(request: &Request<'p>) -> Plan<'p> {
    Plan::new(request, &entity(), &PlanLimits::DEFAULT, BOUNDARY)
}

/// Returns the fields of a head, sorted by name.
fn sorted(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let fields = headers.iter();
    let mut fields: Vec<_> =
        fields.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    fields.sort();
    fields
}

#[test]
fn a_request_and_its_plan_are_those_of_pairs() {
    for (fields, status) in [
        (&[][..], 200),
        (&[("range", "bytes=0-4")], 206),
        (&[("range", "bytes=5-6,0-1")], 206),
        (&[("range", "bytes=0-4"), ("range", "bytes=5-6")], 200),
        (&[("range", "bytes=1000-")], 416),
        (&[("if-match", "\"a\""), ("if-match", "\"tag\"")], 200),
        (&[("if-match", "\"a\"")], 412),
        (&[("if-none-match", "\"tag\"")], 304),
    ] {
        for method in ["GET", "HEAD"] {
            let line = RequestLine { method, target: "/file?a", version: Version::Http11 };
            let pairs = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
            let of_pairs = Request::from_fields(line, pairs).unwrap();
            let request = http_request(method, fields);
            let of_http = Request::from_http(&request).unwrap();
            assert_eq!(of_http, of_pairs, "{fields:?}");
            let (parts, ()) = request.clone().into_parts();
            assert_eq!(Request::from_http(&parts).unwrap(), of_pairs, "{fields:?}");

            let plan = plan(&of_http);
            let extras = extras([("server", "example")]);
            let response = plan.to_http(&extras).unwrap();
            assert_eq!(response.status(), status, "{fields:?}");
            assert_eq!(response.version(), http::Version::HTTP_11);
            let mut headers = HeaderMap::new();
            plan.encode(&extras).unwrap().for_each_field(|name, value| {
                let name = http::HeaderName::try_from(name).unwrap();
                headers.append(name, HeaderValue::from_bytes(value).unwrap());
            });
            assert_eq!(sorted(response.headers()), sorted(&headers), "{fields:?}");
            assert_eq!(response.headers()["server"], "example");
        }
    }
    let error = Request::from_http(&http_request("PUT", &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotDownload);
    // Names of methods are case-sensitive.
    let error = Request::from_http(&http_request("get", &[])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotDownload);
}

#[test]
fn a_response_is_read_as_from_bytes() {
    for range in ["bytes=0-4", "bytes=5-6,0-1", "bytes=1000-", "lines=1"] {
        let request = http_request("GET", &[("range", range)]);
        let request = Request::from_http(&request).unwrap();
        let plan = plan(&request);
        let extras = extras([("Date", DATE)]);
        let bytes = plan.encode(&extras).unwrap().to_vec();
        let mut slots = HeaderSlots::<16>::with_capacity();
        let head = ResponseHead::parse(&bytes, &mut slots).unwrap().complete().unwrap();
        let of_bytes = Response::from_head(&head).unwrap();
        let response = plan.to_http(&extras).unwrap();
        let of_http = Response::from_http(&response).unwrap();
        assert_eq!(of_http, of_bytes, "{range}");
        assert_eq!(of_http.status, plan.status());
        assert_eq!(of_http.body, BodyLength::Known(plan.content_length().unwrap()));
        assert_eq!(of_http.content_range, plan.content_range());
    }
}

#[test]
fn extra_fields_of_a_plan_are_checked() {
    let request = http_request("GET", &[]);
    let request = Request::from_http(&request).unwrap();
    let mut extras = HeaderMap::new();
    extras.append("set-cookie", HeaderValue::from_static("a=1"));
    extras.append("set-cookie", HeaderValue::from_static("b=2"));
    let extras = Extras::from_fields(Vec::new(), &extras).unwrap();
    let response = plan(&request).to_http(&extras).unwrap();
    assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
    let extras = messages::extras([("content-length", "1")]);
    let error = plan(&request).to_http(&extras).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReservedExtra);
}

#[test]
fn a_request_of_a_download_is_written_as_to_bytes() {
    let ranges = [ByteRange::new(125, 199).unwrap(), ByteRange::new(0, 4).unwrap()];
    for (options, method) in
        [(Options::DEFAULT, Method::Head), (Options::DEFAULT.with_head_first(false), Method::Get)]
    {
        let download = Download::new(ranges, options, 7);
        let transmit = download.transmit().unwrap();
        assert_eq!(transmit.method(), method);
        let uri: http::Uri = "http://origin.example/file?a".parse().unwrap();
        let extras = extras([("host", "origin.example"), ("authorization", "Basic YTpi")]);
        let request = transmit.to_http(uri.clone(), &extras).unwrap();
        assert_eq!((request.method().as_str(), request.uri()), (method.as_str(), &uri));
        assert!(request.headers()[AUTHORIZATION].is_sensitive());
        assert_eq!(request.headers()["accept-encoding"], "identity");

        let mut headers = HeaderMap::new();
        let target = RequestTarget::try_from("/file?a").unwrap();
        transmit.encode(target, &extras).unwrap().for_each_field(|name, value| {
            let name = http::HeaderName::try_from(name).unwrap();
            headers.append(name, HeaderValue::from_bytes(value).unwrap());
        });
        assert_eq!(sorted(request.headers()), sorted(&headers));
        assert_eq!(headers.contains_key("range"), method == Method::Get);

        let reserved = messages::extras([("range", "bytes=0-0")]);
        let error = transmit.to_http(uri.clone(), &reserved).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ReservedExtra);
        let without_path = http::Uri::from_static("origin.example:80");
        let error = transmit.to_http(without_path, &extras).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotTarget);
    }
}

#[cfg(feature = "bytes")]
#[test]
fn a_head_is_written_to_buffers_and_writers() {
    let request = http_request("GET", &[("range", "bytes=5-6,0-1")]);
    let request = Request::from_http(&request).unwrap();
    let plan = plan(&request);
    let extras = extras([("Server", "example")]);
    let encoder = plan.encode(&extras).unwrap();
    let expected = encoder.to_vec();
    let mut written = Vec::new();
    encoder.write_to(&mut written).unwrap();
    assert_eq!(written, expected);
    let mut buffer = bytes::BytesMut::new();
    assert_eq!(encoder.put(&mut buffer), Ok(expected.len()));
    assert_eq!(buffer, expected);
    let mut short = vec![0; expected.len() - 1];
    let error = encoder.put(&mut &mut short[..]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed: expected.len() });
    assert!(encoder.write_to(&mut &mut short[..]).is_err());
}
