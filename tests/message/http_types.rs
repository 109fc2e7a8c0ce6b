//! Parsing from and writing to the types of the `http` crate gives the same results as parsing and writing
//! bytes.

use crate::support;
use bits_proto::deviation::Deviation;
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{HResult, ReceivedContentRange, ReplyUrl, SessionId};
use bits_proto::http1::{
    self, HttpFields, HttpRequest as _, HttpResponse as _, RequestLine, StatusLine,
};
use bits_proto::message::{
    Ack, AckContext, ErrorFields, Extras, Fragment, FragmentAck, METHOD, NO_EXTRAS,
    NotificationRequest, NotificationResponse, ParseOptions, Ping, PingAck, Refusal, Request,
};
use bits_proto::observer::{Observer, Violation};
use bits_proto::server;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use proptest::prelude::*;
use support::cases::config;
use support::inputs::{extras, valid_extras};
use support::messages;
use support::read::{Answer, Line, ack_context, answer};
use support::strategies::{message, target};
use support::to_http::check_http;
use support::vectors;

/// Returns the number of vectors of one direction that the `http` crate can represent. They are parsed with the
/// same results as bytes.
fn count_read<'b, L: Line<'b>>(messages: &'b [vectors::Message]) -> usize {
    let read = |message: &&'b vectors::Message| {
        let light = ack_context(&message.ack_context);
        match answer::<L>(&message.bytes, &light) {
            Answer::Whole(whole) => whole.line.check_http(&whole.fields, &light, &whole.decoded),
            Answer::Partial | Answer::Refused(_) => false,
        }
    };
    messages.iter().filter(read).count()
}

#[test]
fn every_vector_is_read_as_from_bytes() {
    let (responses, requests): (Vec<_>, Vec<_>) =
        vectors::all().into_iter().partition(vectors::Message::is_response);
    assert!(count_read::<RequestLine<'_>>(&requests) > 80);
    assert!(count_read::<StatusLine<'_>>(&responses) > 80);
}

/// The bytes of a value are checked where fields are passed, and before that in a head and in a `HeaderMap`.
fn check_changed<'b, L: Line<'b>>(bytes: &'b [u8], context: &AckContext<'_>) -> bool {
    let Answer::Whole(whole) = answer::<L>(bytes, context) else { return false };
    let from_fields = whole.line.decode_fields(&whole.fields, context);
    for (from_fields, from_head) in from_fields.iter().zip(&whole.decoded) {
        let (fields, head) = (from_fields.as_ref(), from_head.as_ref());
        let kind = |error: &bits_proto::Error| (error.kind(), error.field());
        assert_eq!(fields.map_err(kind), head.map_err(kind), "{}", bytes.escape_ascii());
    }
    whole.line.check_http(&whole.fields, context, &whole.decoded)
}

#[test]
fn a_value_with_any_byte_is_read_the_same_from_bytes_fields_and_maps() {
    let is_captured = |message: &vectors::Message| !message.name.contains('/');
    let mut read = 0;
    for message in vectors::all().into_iter().filter(is_captured) {
        let context = ack_context(&message.ack_context);
        let values = message.bytes.windows(2).position(|line| line == b"\r\n").expect("a line") + 2;
        for at in values..message.bytes.len() - 4 {
            for byte in [b'\t', b' ', b'"', b'/', b'A', 0x7F, 0x80, 0xFF] {
                let mut bytes = message.bytes.clone();
                bytes[at] = byte;
                read += usize::from(if message.is_response() {
                    check_changed::<StatusLine<'_>>(&bytes, &context)
                } else {
                    check_changed::<RequestLine<'_>>(&bytes, &context)
                });
            }
        }
    }
    assert!(read > 10_000, "{read}");
}

/// Returns all fields in an order that does not depend on the map.
fn sorted(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let fields = HttpFields::from(headers).into_iter();
    let mut fields =
        fields.map(|(name, value)| (name.to_string(), value.to_vec())).collect::<Vec<_>>();
    // The sort is stable, so fields of one name keep their order.
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// Returns targets that are valid URIs of the `http` crate.
fn target_of_uri() -> impl Strategy<Value = String> {
    let has_path = |uri: Uri| uri.path_and_query().is_some();
    target().prop_filter("a URI", move |target| target.parse().is_ok_and(has_path))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_written_is_what_is_written_as_bytes(
        spec in message(), target in target_of_uri(), extras in extras()
    ) {
        let message = spec.view();
        let extras = valid_extras(message.kind(), &extras);
        let bytes = message.encode(&target, &extras).expect("it can be written");
        prop_assert!(check_http(&message, &target, &extras, &bytes));
    }
}

#[test]
fn a_callers_header_map_is_kept() {
    let mut extras = HeaderMap::new();
    extras.append("cookie", HeaderValue::from_static("a=1"));
    extras.append("cookie", HeaderValue::from_static("b=2"));
    extras.insert("authorization", HeaderValue::from_static("Basic dTpw"));
    let uri = Uri::from_static("https://origin.example:8443/dir/entity?x=1");
    let ping = Request::from(Ping::default());
    let extras = Extras::from_fields(Vec::new(), &extras).expect("valid fields");
    assert!(!format!("{extras:?}").contains("dTpw"), "credentials do not appear in logs");
    let request = ping.to_http(uri.clone(), &extras).expect("it can be written");
    assert_eq!(request.uri(), &uri);
    let cookies = request.headers().get_all("cookie").iter().collect::<Vec<_>>();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(request.headers()["authorization"], "Basic dTpw");
    assert!(!format!("{request:?}").contains("dTpw"), "credentials do not appear in logs");
    assert_eq!(request.request_line().target, "/dir/entity?x=1");
    assert_eq!(Request::try_from(&request), Ok(ping));
    assert_eq!(Request::try_from(&request.into_parts().0), Ok(ping));
}

#[test]
fn a_field_of_the_message_is_no_extra() {
    for name in ["content-length", "transfer-encoding", "bits-packet-type", "bits-session-id"] {
        let extras = messages::extras([(name, "1")]);
        let session_id = SessionId::try_from("1").expect("an id");
        let range = bits_proto::field::ContentRange::new(0, 0, 1).expect("a range");
        let fragment = Request::from(Fragment::new(session_id, range));
        let error = fragment.to_http(Uri::from_static("/e"), &extras).expect_err(name);
        assert_eq!((error.kind(), error.fault()), (ErrorKind::ReservedExtra, Fault::Caller));
        let ack = Ack::from(FragmentAck::new(session_id, ReceivedContentRange(1)));
        let error = ack.to_http(&extras).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::ReservedExtra);
    }
}

/// The `http` crate accepts these values and URIs, but they are not valid in a head.
#[test]
fn values_that_are_invalid_in_a_head_are_refused() {
    for value in [&b" outer"[..], b"outer\t"] {
        let mut extras = HeaderMap::new();
        extras.insert("x-extra", HeaderValue::from_bytes(value).expect("a value"));
        let extras = Extras::from_fields(Vec::new(), &extras);
        let error = extras.expect_err("outer white space");
        assert_eq!(error.kind(), ErrorKind::ExtraValue);
    }
    let ping = Request::from(Ping::default());
    for uri in ["origin.example:443", "/caf\u{e9}"] {
        let written = ping.to_http(uri.parse().expect("a URI"), &NO_EXTRAS);
        assert_eq!(written.map(drop).map_err(|it| it.kind()), Err(ErrorKind::NotTarget), "{uri}");
    }
}

fn post(fields: &[(&str, &str)]) -> http::Request<()> {
    let request = http::Request::post("/entity").header("Content-Length", "0");
    let request =
        fields.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(()).expect("a request")
}

#[test]
fn other_methods_are_taken_where_the_policy_takes_them() {
    let plain = post(&[("BITS-Packet-Type", "Ping")]);
    let overridden = post(&[("BITS-Packet-Type", "Ping"), ("X-HTTP-Method-Override", "BITS_POST")]);
    let plain_policy = ParseOptions::DEFAULT.with_plain_post(true);
    let override_policy = ParseOptions::DEFAULT.with_method_override(true);
    let cases = [
        (&plain, ParseOptions::DEFAULT, Err(ErrorKind::NotBits)),
        (&plain, override_policy, Err(ErrorKind::NotBits)),
        (&plain, plain_policy, Ok(Deviation::PlainPost)),
        (&overridden, ParseOptions::DEFAULT, Err(ErrorKind::NotBits)),
        (&overridden, override_policy, Ok(Deviation::MethodOverride)),
        (&overridden, plain_policy, Ok(Deviation::PlainPost)),
    ];
    for (request, policy, expected) in cases {
        let read = Request::from_http(request, &policy);
        let deviation = read.map(|it| it.deviations.iter().next().expect("a deviation"));
        assert_eq!(deviation.map_err(|error| error.kind()), expected, "{policy:?}");
    }
}

#[test]
fn versions() {
    let later = [http::Version::HTTP_11, http::Version::HTTP_2, http::Version::HTTP_3];
    for version in [http::Version::HTTP_09, http::Version::HTTP_10].into_iter().chain(later) {
        let mut request = post(&[("BITS-Packet-Type", "Ping")]);
        *request.method_mut() = Method::from_bytes(METHOD.as_bytes()).expect("a method");
        *request.version_mut() = version;
        let read = Request::from_http(&request, &ParseOptions::DEFAULT);
        let expected = if later.contains(&version) { Ok(()) } else { Err(ErrorKind::HttpVersion) };
        assert_eq!(read.map(drop).map_err(|error| error.kind()), expected, "{version:?}");

        let mut response = http::Response::try_from(Ack::from(PingAck)).expect("a response");
        *response.version_mut() = version;
        let decoded = Ack::from_http(&response, &AckContext::Ping).expect("an Ack");
        let is_old = decoded.deviations.contains(Deviation::Http10);
        assert_eq!(is_old, !later.contains(&version), "{version:?}");
    }
}

#[test]
fn targets() {
    for (uri, target) in [
        ("/e", "/e"),
        ("/e?x=1", "/e?x=1"),
        ("http://h:1/e?x", "/e?x"),
        ("*", "*"),
        ("h:443", "h:443"),
    ] {
        let request = http::Request::builder().uri(uri).body(()).expect("a request");
        assert_eq!(request.request_line().target, target);
    }
}

#[test]
fn statuses_are_the_same_both_ways() {
    for number in 100..=999 {
        let status = http1::StatusCode::try_from(number).expect("a status");
        let code = StatusCode::try_from(status).expect("a code");
        assert_eq!((code.as_u16(), http1::StatusCode::from(code)), (number, status));
    }
}

#[test]
fn acks_and_refusals_become_responses() {
    let refusal = Refusal::out_of_sync(ReceivedContentRange(128));
    let of_refusal = http::Response::try_from(refusal).expect("a response");
    let of_ack = http::Response::try_from(Ack::from(refusal)).expect("a response");
    assert_eq!(of_refusal.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(of_refusal.headers()["bits-received-content-range"], "128");
    assert_eq!(of_refusal.headers(), of_ack.headers());
    let light = AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    assert_eq!(Ack::try_from((&of_refusal, &light)), Ok(refusal.into()));
    assert_eq!(Ack::try_from((&of_refusal.into_parts().0, &light)), Ok(refusal.into()));

    let response = NotificationResponse::default();
    let of_response = http::Response::try_from(response).expect("a response");
    assert_eq!(NotificationResponse::try_from(&of_response), Ok(response));
    assert_eq!(NotificationResponse::try_from(&of_response.into_parts().0), Ok(response));
}

#[test]
fn notifications_are_taken_from_requests() {
    let request = http::Request::post("/notify")
        .header("BITS-Original-Request-URL", "http://origin.example/e")
        .header("Content-Length", "5")
        .body(())
        .expect("a request");
    let notification = NotificationRequest::try_from(&request).expect("a notification");
    let again = notification.to_http(Uri::from_static("/notify"), &NO_EXTRAS).expect("a request");
    assert_eq!(sorted(again.headers()), sorted(request.headers()));
    let parts = request.clone().into_parts().0;
    assert_eq!(NotificationRequest::try_from(&parts), Ok(notification));
}

#[test]
fn a_servers_policy_chooses_the_error_fields() {
    let ack = Ack::from(Refusal::session_not_found());
    let code = HResult::BG_E_SESSION_NOT_FOUND.to_string();
    for (error_fields, error, error_code) in [
        (ErrorFields::Both, true, true),
        (ErrorFields::Error, true, false),
        (ErrorFields::ErrorCode, false, true),
    ] {
        let policy = server::Policy::DEFAULT.with_error_fields(error_fields);
        let response =
            policy.to_http(&ack, &messages::extras([("Server", "example")])).expect("a response");
        for (name, is_there) in [("bits-error", error), ("bits-error-code", error_code)] {
            let value = response.headers().get(name).map(HeaderValue::as_bytes);
            assert_eq!(value, is_there.then_some(code.as_bytes()), "{error_fields:?}");
        }
        assert_eq!(response.headers()["server"], "example");
    }
}

#[test]
fn framing_that_a_stack_let_through_is_refused() {
    let twice = post(&[("BITS-Packet-Type", "Ping"), ("Content-Length", "1")]);
    let chunked = post(&[("BITS-Packet-Type", "Ping"), ("Transfer-Encoding", "chunked")]);
    for (request, kind) in
        [(twice, ErrorKind::ContentLengthConflict), (chunked, ErrorKind::TransferEncoding)]
    {
        let error =
            Request::from_http(&request, &ParseOptions::LENIENT).expect_err("ambiguous framing");
        assert_eq!((error.kind(), error.offset()), (kind, None));
    }
}

#[test]
fn texts_need_not_be_utf_8() {
    let session_id = SessionId::try_from("1").expect("an id");
    let url = ReplyUrl::try_from(&b"r\xE9ply"[..]).expect("a URL");
    let ack = FragmentAck {
        reply_url: Some(url),
        ..FragmentAck::new(session_id, ReceivedContentRange(1))
    };
    let response = Ack::from(ack).to_http(&NO_EXTRAS).expect("a response");
    assert_eq!(response.headers()["bits-reply-url"].as_bytes(), b"r\xE9ply");
}

#[test]
fn an_observer_takes_them() {
    let mut observer = Observer::new();
    let mut seen = Vec::new();
    let ping = Request::from(Ping::default());
    let ping = ping.to_http(Uri::from_static("/e"), &messages::extras([("Host", "h")]));
    let ping = ping.expect("a request");
    let violation = |seen: &mut Vec<_>, violation: &Violation| seen.push(violation.rule());
    observer.handle_request_fields(1, ping.request_line(), ping.fields(), |it| {
        violation(&mut seen, &it);
    });
    let ack = Ack::from(PingAck).to_http(&NO_EXTRAS).expect("a response");
    observer.handle_response_fields(1, ack.status_line(), ack.fields(), |it| {
        violation(&mut seen, &it);
    });
    assert_eq!(seen, [""; 0]);
}
