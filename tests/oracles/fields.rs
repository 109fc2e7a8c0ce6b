//! Compares the grammar of each field with the reference grammar.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, CopyFileToDestination, ErrorContext, FieldName,
    HResult, Host, HostId, HostIdFallbackTimeout, OriginalRequestUrl, PacketType, Protocol,
    ReceivedContentRange, ReplyUrl, RequestDataFileName, ResponseDataFileName, SessionId,
    StaticResponseUrl, SupportedProtocols,
};
use bits_proto::http1::{Framing, RequestLine, RequestTarget, StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, NotificationRequest, NotificationResponse, ParseOptions, Refusal, Request,
};
use bits_proto::server::{PolicyBuf, SessionHostBuf};

use super::reference_grammar;
use crate::support::serialize::check_refusal;
use crate::support::texts::check_as_every_value;

/// Uses the input as the value of every field, and as a field name.
pub fn fields(data: &[u8]) {
    numbers(data);
    guids(data);
    range(data);
    texts(data);
    urls(data);
    host(data);
    names(data);
    deviations(data);
    if let Ok(text) = std::str::from_utf8(data) {
        check_as_every_value(text);
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn show(data: &[u8]) -> String {
    data.escape_ascii().to_string()
}

fn numbers(data: &[u8]) {
    let received = ReceivedContentRange::try_from(data).ok().map(|it| it.0);
    assert_eq!(received, reference_grammar::decimal(data), "{}", show(data));
    let timeout = HostIdFallbackTimeout::try_from(data).ok().map(|it| u64::from(it.0));
    let expected = reference_grammar::decimal(data).filter(|seconds| *seconds < 1 << 32);
    assert_eq!(timeout, expected, "{}", show(data));
    let length =
        Framing::from_fields([("content-LENGTH", data)]).ok().and_then(|it| it.content_length);
    let trimmed = trim(data);
    assert_eq!(length, reference_grammar::content_length(trimmed), "{}", show(data));

    let number = (!data.is_empty()).then(|| reference_grammar::hexadecimal(data));
    if let Ok(Some(code)) = HResult::parse(data) {
        let refusal = Refusal::access_denied().with_error(code, ErrorContext::SERVER);
        check_refusal(&refusal);
    }
    let code = HResult::parse(data).map(|code| code.map(HResult::get)).ok();
    let expected =
        number.map_or(Some(None), |number| number.map(|it| Some(it).filter(|it| *it > 0)));
    assert_eq!(code, expected, "{}", show(data));
    let context = ErrorContext::parse(data).map(|context| context.map(|it| it.0)).ok();
    let expected = number.map_or(Some(None), |number| number.map(Some));
    assert_eq!(context, expected, "{}", show(data));
}

fn trim(data: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = data.iter().position(|byte| !is_blank(byte)).unwrap_or(data.len());
    let end = data.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    &data[start..end]
}

fn guids(data: &[u8]) {
    let guid = reference_grammar::guid(data).map(|(guid, _)| guid);
    let protocol = Protocol::try_from(data).ok().map(|it| it.0.as_u128());
    assert_eq!(protocol, guid, "{}", show(data));
    if let Ok(protocol) = Protocol::try_from(data) {
        let text = serde_json::to_string(&protocol).expect("a text");
        assert_eq!(serde_json::from_str::<Protocol>(&text).ok(), Some(protocol), "{text}");
        let error = serde_json::from_str::<Protocol>("7").expect_err("a number");
        assert!(error.to_string().contains("a GUID in braces"), "{error}");
    }
    let list = SupportedProtocols::try_from(data).ok();
    let list = list.map(|list| list.iter().map(|it| it.0.as_u128()).collect::<Vec<_>>());
    let expected = reference_grammar::protocols(data).map(|list| list.guids);
    assert_eq!(list, expected, "{}", show(data));

    let session = SessionId::try_from(data).ok();
    assert_eq!(session.is_some(), reference_grammar::is_session_id(data), "{}", show(data));
    let Some(session) = session else { return };
    assert_eq!(session.as_bytes(), data);
    assert_eq!(session.guid().map(|guid| guid.as_u128()), guid, "{}", show(data));
    // Another spelling is the same session if and only if both are GUIDs.
    let other = data.to_ascii_uppercase();
    let other = SessionId::try_from(&other[..]).expect("as visible as before");
    assert_eq!(session == other, guid.is_some() || session.as_bytes() == other.as_bytes());
    assert!(session != other || hash(&session) == hash(&other), "{}", show(data));
}

fn range(data: &[u8]) {
    let range = ContentRange::try_from(data).ok();
    let numbers = range.map(|range| (range.first(), range.last(), range.total()));
    let expected = reference_grammar::content_range(data).map(|(numbers, _)| numbers);
    assert_eq!(numbers, expected, "{}", show(data));
}

fn texts(data: &[u8]) {
    let is_content = reference_grammar::is_content(data);
    let name = ContentName::try_from(data);
    assert_eq!(name.is_ok(), is_content && data.len() <= 4096, "{}", show(data));
    if let Ok(name) = name {
        assert_eq!(name.as_bytes(), data);
        assert_eq!(name.is_safe(), reference_grammar::is_safe_name(data), "{}", show(data));
    }
    let copy = CopyFileToDestination::try_from(data);
    assert_eq!(copy.is_ok(), is_content, "{}", show(data));
    let is_present = is_content && !data.is_empty();
    let accepted = [
        RequestDataFileName::try_from(data).map(|it| it.as_bytes()),
        ResponseDataFileName::try_from(data).map(|it| it.as_bytes()),
    ];
    for value in accepted {
        assert_eq!(value.ok(), is_present.then_some(data), "{}", show(data));
    }
}

/// Uses the input as the host and as the target of a request.
fn compose(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let target = RequestTarget::try_from(text).ok();
    let composed = [
        target.map(|target| OriginalRequestUrl::compose("https", "h:1", target)),
        Some(OriginalRequestUrl::compose(
            "http",
            text,
            RequestTarget::try_from("/e").expect("a path"),
        )),
    ];
    for url in composed.into_iter().flatten().filter_map(std::result::Result::ok) {
        assert!(reference_grammar::is_sendable_url(url.as_bytes()), "{url}");
        assert_eq!(OriginalRequestUrl::try_from(&*url).map(|it| it.to_string()), Ok(url.clone()));
    }
}

fn urls(data: &[u8]) {
    let url = OriginalRequestUrl::try_from(data).ok().map(|it| it.as_bytes());
    let expected = reference_grammar::is_sendable_url(data).then_some(data);
    assert_eq!(url, expected, "{}", show(data));
    compose(data);
    let is_reference = reference_grammar::is_reference(data);
    let url = StaticResponseUrl::try_from(data);
    assert_eq!(url.is_ok(), is_reference, "{}", show(data));
    let url = ReplyUrl::try_from(data);
    assert_eq!(url.is_ok(), is_reference, "{}", show(data));
    let Ok(url) = url else { return };
    for destination in ["http://origin.example:8080/a/b?c#d", "https://h"] {
        let Ok(resolved) = url.resolve(destination) else { continue };
        let text = resolved.as_str();
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
        assert_eq!(reference_grammar::http_url(text.as_bytes()), Ok(()), "{text}");
        // A resolved URL is absolute, so that resolving it again changes nothing.
        let again = ReplyUrl::try_from(text).expect("a reference");
        assert_eq!(again.resolve(destination), Ok(resolved.clone()), "{}", show(data));
    }
}

fn host(data: &[u8]) {
    let host = HostId::try_from(data).ok();
    let found = host.map(|it| (it.host(), it.port()));
    let found = found.map(|(host, port)| match host {
        Host::Name(name) => (reference_grammar::Host::Name(name.into()), port),
        Host::V4(address) => (reference_grammar::Host::V4(address), port),
        Host::V6(address) => (reference_grammar::Host::V6(address), port),
    });
    assert_eq!(found, reference_grammar::host(data), "{}", show(data));
    if let Ok(text) = std::str::from_utf8(data) {
        configured_host(text, host.is_some());
    }
    let Some(host) = host else { return };
    let url = host.rewrite("http://u@origin.example/dir?q").expect("a destination").to_string();
    assert_eq!(reference_grammar::http_url(url.as_bytes()), Ok(()), "{url}");
    assert!(url.starts_with("http://u@") && url.ends_with("/dir?q"), "{url}");
}

/// A host in a configuration is valid if and only if it can be sent, and is restored unchanged.
fn configured_host(text: &str, is_host: bool) {
    let host = SessionHostBuf::new(text, Some(HostIdFallbackTimeout(7))).ok();
    assert_eq!(host.is_some(), is_host, "{text:?}");
    let written = serde_json::json!({ "host": { "host_id": text, "fallback_timeout": 7 } });
    let read = serde_json::from_value::<PolicyBuf>(written.clone()).ok();
    assert_eq!(read.as_ref().and_then(|it| it.host.clone()), host, "{text:?}");
    let Some(policy) = read else { return };
    let sent = policy.as_policy().host.expect("a host");
    assert_eq!(
        (sent.host_id.as_str(), PolicyBuf::from(policy.as_policy())),
        (text, policy.clone())
    );
    assert_eq!(serde_json::to_value(&policy).expect("written")["host"], written["host"]);
}

fn names(data: &[u8]) {
    let packet_types = PacketType::ALL.iter();
    let expected =
        packet_types.copied().find(|it| data.eq_ignore_ascii_case(it.as_str().as_bytes()));
    assert_eq!(PacketType::try_from(data).ok(), expected, "{}", show(data));
    let is_identity = data.eq_ignore_ascii_case(b"identity");
    assert_eq!(ContentEncoding::try_from(data).is_ok(), is_identity, "{}", show(data));
    let Ok(name) = std::str::from_utf8(data) else { return };
    let spellings = [
        ("bits-recieved-content-range", FieldName::ReceivedContentRange),
        ("bits-request-dataentity-name", FieldName::RequestDataFileName),
        ("bits-response-dataentity-name", FieldName::ResponseDataFileName),
    ];
    let documented = FieldName::ALL.iter().map(|field| (field.as_str(), *field));
    let expected = documented.chain(spellings).find(|(known, _)| name.eq_ignore_ascii_case(known));
    assert_eq!(FieldName::from_name(name), expected.map(|(_, field)| field), "{name}");
}

/// Compares the deviations of a message that is valid except for this value.
fn deviations(data: &[u8]) {
    let is_sendable = !data.is_empty() && data.len() <= 4096 && trim(data) == data;
    if !is_sendable {
        return;
    }
    let list = reference_grammar::protocols(data);
    let found = request_deviations("Create-Session", "0", FieldName::SupportedProtocols, data);
    let expected = list.as_ref().map(|list| list.unbraced);
    assert_eq!(has(found, Deviation::UnbracedGuid), expected, "{}", show(data));
    let expected = list.as_ref().map(|list| list.excess);
    assert_eq!(has(found, Deviation::ExcessProtocols), expected, "{}", show(data));

    let range = reference_grammar::content_range(data);
    let length = range.map_or(1, |((first, last, _), _)| last - first + 1).to_string();
    let found = request_deviations("Fragment", &length, FieldName::ContentRange, data);
    let expected = range.map(|(_, has_more_space)| has_more_space);
    assert_eq!(has(found, Deviation::RangeWhiteSpace), expected, "{}", show(data));

    let found = request_deviations("Ping", "0", FieldName::ContentName, data);
    let expected = reference_grammar::is_content(data).then_some(data.len() > 260);
    assert_eq!(has(found, Deviation::LongContentName), expected, "{}", show(data));

    let found = of_create_ack(FieldName::Protocol, data);
    let expected = reference_grammar::guid(data).map(|(_, braced)| !braced);
    assert_eq!(has(found, Deviation::UnbracedGuid), expected, "{}", show(data));
    let found = of_create_ack(FieldName::HostId, data);
    let expected = reference_grammar::host(data).map(|(_, port)| port.is_some());
    assert_eq!(has(found, Deviation::HostIdPort), expected, "{}", show(data));
    let_urls_deviate(data);
}

fn has(deviations: Option<Deviations>, deviation: Deviation) -> Option<bool> {
    deviations.map(|all| all.contains(deviation))
}

fn let_urls_deviate(data: &[u8]) {
    let is_relative = reference_grammar::http_url(data).is_err();
    let fields = [
        ("BITS-Packet-Type", &b"Ack"[..]),
        ("BITS-Received-Content-Range", b"1"),
        ("BITS-Reply-URL", data),
    ];
    let ack_context =
        AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    let found = Ack::from_fields(status_line(), fields, &ack_context).ok().map(|it| it.deviations);
    let expected = reference_grammar::is_reference(data).then_some(data.len() > 2200);
    assert_eq!(has(found, Deviation::LongReplyUrl), expected, "{}", show(data));

    let fields = [("BITS-Static-Response-URL", data)];
    let found = NotificationResponse::from_fields(status_line(), fields);
    let found = found.ok().map(|it| it.deviations);
    let expected = reference_grammar::is_reference(data).then_some(is_relative);
    assert_eq!(has(found, Deviation::RelativeStaticUrl), expected, "{}", show(data));

    let fields = [("BITS-Original-Request-URL", data), ("Content-Length", b"0")];
    let line = RequestLine { method: "POST", ..request_line() };
    let found = NotificationRequest::from_fields(line, fields).ok().map(|it| it.deviations);
    let expected = reference_grammar::is_content(data).then_some(is_relative);
    assert_eq!(has(found, Deviation::RelativeOriginalUrl), expected, "{}", show(data));
}

fn request_line() -> RequestLine<'static> {
    RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 }
}

fn status_line() -> StatusLine<'static> {
    StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "OK" }
}

fn request_deviations(
    kind: &str,
    length: &str,
    field: FieldName,
    value: &[u8],
) -> Option<Deviations> {
    let fields = [
        ("BITS-Packet-Type", kind.as_bytes()),
        ("BITS-Session-Id", b"1"),
        ("Content-Length", length.as_bytes()),
        (field.as_str(), value),
    ];
    let read = Request::from_fields(request_line(), fields, &ParseOptions::DEFAULT);
    read.ok().map(|decoded| decoded.deviations)
}

fn of_create_ack(field: FieldName, value: &[u8]) -> Option<Deviations> {
    let chosen = [("BITS-Protocol", &b"{7df0354d-249b-430f-820d-3d2a9bef4931}"[..])];
    let fixed = [("BITS-Packet-Type", &b"Ack"[..]), ("BITS-Session-Id", b"1")];
    let chosen = chosen.into_iter().filter(|_| field != FieldName::Protocol);
    let fields = fixed.into_iter().chain(chosen).chain([(field.as_str(), value)]);
    let ack_context = AckContext::CreateSession { offered: None };
    Ack::from_fields(status_line(), fields, &ack_context).ok().map(|decoded| decoded.deviations)
}
