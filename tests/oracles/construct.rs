//! Any message that can be built can be written, is parsed as the same value, and no value leaves its field.

use arbitrary::{Result, Unstructured};
use bits_proto::error::ErrorKind;
use bits_proto::field::{
    ContentEncoding, ErrorContext, FieldName, HResult, HostId, HttpDate, Protocol,
    ReceivedContentRange, ReplyUrl, RetryAfter, SessionId, SupportedProtocols,
};
use bits_proto::http1::{RequestTarget, StatusCode};
use bits_proto::message::{ErrorFields, MessageKind, Refusal};
use uuid::Uuid;

use super::{generators, reference_grammar};
use crate::support::built::{check_line_ends, check_read_back, read_back};
use crate::support::specs::{
    AckSpec, NotificationRequestSpec, NotificationResponseSpec, RefusalSpec, RequestSpec, Spec,
};
use crate::support::values::{ProtocolsSpec, SessionSpec};

type Input<'a, 'b> = &'a mut Unstructured<'b>;

pub fn construct(data: &[u8]) {
    let mut input = Unstructured::new(data);
    // Inputs that describe no valid value are skipped.
    if let Ok(spec) = spec(&mut input) {
        let _ = check(&spec, &mut input);
    }
}

fn check(spec: &Spec, input: Input<'_, '_>) -> Result<()> {
    let target = text(input, 40)?;
    let target = match RequestTarget::try_from(target.as_str()) {
        Ok(target) => target.to_string(),
        Err(_) => "/".into(),
    };
    let error_fields =
        *input.choose(&[ErrorFields::Both, ErrorFields::Error, ErrorFields::ErrorCode])?;
    let mut extras = Vec::new();
    for _ in 0..input.int_in_range(0..=4)? {
        extras.push((name(input)?, bytes(input, 40)?));
    }
    let (dirty, clean): (Vec<_>, Vec<_>) =
        extras.into_iter().partition(|(name, value)| !is_extra(name, value));
    check_read_back(spec, &target, &clean, error_fields);
    dirty.iter().for_each(|(name, value)| check_dirty(spec, name, value));
    Ok(())
}

fn is_extra(name: &str, value: &[u8]) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_valid) && reference_grammar::is_content(value)
}

/// Checks that an invalid extra is rejected. An extra that is accepted must be parsed as it was.
fn check_dirty(spec: &Spec, name: &str, value: &[u8]) {
    let message = spec.view();
    match message.encode("/", &[(name, value)]) {
        Ok(bytes) => {
            let found = read_back(spec, &bytes);
            check_line_ends(&bytes, found.fields.len());
            assert!(found.fields.contains(&(name, value)), "{}", bytes.escape_ascii());
        }
        Err(error) => {
            let kinds = [ErrorKind::ExtraName, ErrorKind::ExtraValue, ErrorKind::ReservedExtra];
            assert!(kinds.contains(&error.kind()), "{error}");
        }
    }
}

fn spec(input: Input<'_, '_>) -> Result<Spec> {
    Ok(match input.int_in_range(0..=7_u8)? {
        0..3 => Spec::Request(request(input)?),
        3..6 => Spec::Ack(ack(input)?),
        6 => Spec::NotificationRequest(notification_request(input)?),
        _ => Spec::NotificationResponse(notification_response(input)?),
    })
}

/// Returns arbitrary bytes.
fn bytes(input: Input<'_, '_>, most: usize) -> Result<Vec<u8>> {
    let length = input.int_in_range(0..=most)?.min(input.len());
    input.bytes(length).map(<[u8]>::to_vec)
}

/// Returns an arbitrary field name, or one of a known field.
fn name(input: Input<'_, '_>) -> Result<String> {
    match input.arbitrary()? {
        true => input.choose(FieldName::ALL).map(|field| field.as_str().into()),
        false => text(input, 20),
    }
}

fn text(input: Input<'_, '_>, most: usize) -> Result<String> {
    Ok(String::from_utf8_lossy(&bytes(input, most)?).into_owned())
}

/// Returns bytes that are a valid value, or `None`.
fn accepted(
    input: Input<'_, '_>,
    most: usize,
    accept: impl Fn(&[u8]) -> bool,
) -> Result<Option<Vec<u8>>> {
    let bytes = bytes(input, most)?;
    let is_accepted = accept(&bytes);
    Ok(is_accepted.then_some(bytes))
}

fn guid(input: Input<'_, '_>) -> Result<String> {
    let guid = Uuid::from_u128(input.arbitrary()?);
    Ok(match input.int_in_range(0..=2_u8)? {
        0 => guid.braced().to_string(),
        1 => guid.braced().to_string().to_uppercase(),
        _ => guid.to_string(),
    })
}

fn session(input: Input<'_, '_>) -> Result<SessionSpec> {
    Ok(match input.int_in_range(0..=3_u8)? {
        0 => SessionSpec::Random(input.arbitrary()?),
        1 => SessionSpec::Guid(input.arbitrary()?),
        2 => SessionSpec::Text(guid(input)?),
        _ => {
            let text = text(input, 110)?;
            let is_id = SessionId::try_from(text.as_str()).is_ok();
            SessionSpec::Text(if is_id { text } else { "1".into() })
        }
    })
}

fn protocols(input: Input<'_, '_>) -> Result<ProtocolsSpec> {
    if input.arbitrary()? {
        let text = text(input, 200)?;
        if SupportedProtocols::try_from(text.as_str()).is_ok() {
            return Ok(ProtocolsSpec::Text(text));
        }
    }
    let length = input.int_in_range(1..=100)?;
    let guid = |input: Input<'_, '_>| input.arbitrary().map(|it| Protocol(Uuid::from_u128(it)));
    (0..length).map(|_| guid(input)).collect::<Result<_>>().map(ProtocolsSpec::Given)
}

fn coding(input: Input<'_, '_>) -> Result<Option<ContentEncoding>> {
    Ok(input.arbitrary::<bool>()?.then_some(ContentEncoding::Identity))
}

fn request(input: Input<'_, '_>) -> Result<RequestSpec> {
    let kinds = MessageKind::ALL.iter().copied().filter(|kind| kind.is_request());
    let kind = *input.choose(&kinds.collect::<Vec<_>>())?;
    Ok(RequestSpec {
        kind,
        session: session(input)?,
        range: generators::range(input)?,
        protocols: protocols(input)?,
        content_name: accepted(input, 300, reference_grammar::is_content)?,
        content_encoding: coding(input)?,
    })
}

fn status(input: Input<'_, '_>) -> Result<StatusCode> {
    let code = input.int_in_range(100..=999)?;
    Ok(StatusCode::try_from(code).expect("three digits"))
}

fn refusal(input: Input<'_, '_>) -> Result<RefusalSpec> {
    let base = match input.int_in_range(0..=7_u8)? {
        0 => Refusal::invalid_argument(),
        1 => Refusal::length_required(),
        2 => Refusal::access_denied(),
        3 => Refusal::session_not_found(),
        4 => Refusal::too_large(),
        5 => Refusal::disk_full(HResult::DISK_FULL),
        _ => {
            let out_of_sync = |_| Refusal::out_of_sync(ReceivedContentRange(0));
            Refusal::new(status(input)?).unwrap_or_else(out_of_sync)
        }
    };
    let error: Option<(u32, u32)> = input.arbitrary()?;
    let error = error
        .and_then(|(code, context)| HResult::new(code).map(|code| (code, ErrorContext(context))));
    let (received, names_session) = input.arbitrary()?;
    let retry_after = match input.arbitrary::<Option<(bool, u64)>>()? {
        Some((true, seconds)) => Some(RetryAfter::Seconds(seconds)),
        Some((false, seconds)) => {
            let seconds = i64::try_from(seconds >> 26).ok();
            seconds.and_then(HttpDate::from_unix_seconds).map(RetryAfter::Date)
        }
        None => None,
    };
    Ok(RefusalSpec { base, error, received, names_session, retry_after })
}

fn ack(input: Input<'_, '_>) -> Result<AckSpec> {
    let request = request(input)?;
    let refusal = if input.arbitrary()? { Some(refusal(input)?) } else { None };
    let host = accepted(input, 60, |text| HostId::try_from(text).is_ok())?;
    Ok(AckSpec {
        request,
        refusal,
        names_session: input.arbitrary()?,
        chosen: input.arbitrary()?,
        received: input.arbitrary()?,
        reply_url: accepted(input, 2300, |text| ReplyUrl::try_from(text).is_ok())?,
        host: host.map(|host| String::from_utf8(host).expect("ASCII")),
        timeout: input.arbitrary()?,
        accept_encoding: coding(input)?,
    })
}

fn is_present(value: &[u8]) -> bool {
    !value.is_empty() && reference_grammar::is_content(value)
}

fn notification_request(input: Input<'_, '_>) -> Result<NotificationRequestSpec> {
    let url = accepted(input, 80, reference_grammar::is_sendable_url)?;
    let url = url.unwrap_or_else(|| b"http://h/e".to_vec());
    let paths = (accepted(input, 60, is_present)?, accepted(input, 60, is_present)?);
    let paths = paths.0.zip(paths.1);
    Ok(NotificationRequestSpec { url, paths, content_length: input.arbitrary()? })
}

fn notification_response(input: Input<'_, '_>) -> Result<NotificationResponseSpec> {
    let status = status(input)?;
    // 204 and 205 have no body, and an interim response is not an answer.
    let status = if status.is_interim() { StatusCode::OK } else { status };
    let content_length = input.arbitrary::<Option<u64>>()?;
    Ok(NotificationResponseSpec {
        status,
        url: accepted(input, 80, |text| ReplyUrl::try_from(text).is_ok())?,
        copy: accepted(input, 20, reference_grammar::is_content)?,
        content_length: if matches!(status.get(), 204 | 205) { Some(0) } else { content_length },
    })
}
