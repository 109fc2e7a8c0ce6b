//! Strategies for any message that can be built.

use bits_proto::field::{
    ContentEncoding, ErrorContext, HResult, HttpDate, ReceivedContentRange, RetryAfter,
};
use bits_proto::http1::StatusCode;
use bits_proto::message::{ErrorFields, MessageKind, Refusal};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::refusals::named_refusals;
use super::specs::{
    AckSpec, NotificationRequestSpec, NotificationResponseSpec, RefusalSpec, RequestSpec, Spec,
};
use super::values::{content, host, protocols, range, reference, session};

pub fn request() -> impl Strategy<Value = RequestSpec> {
    let kinds = MessageKind::ALL.iter().copied().filter(|kind| kind.is_request());
    let name = prop_oneof![5 => content(0..40), 1 => content(250..300)];
    (
        select(kinds.collect::<Vec<_>>()),
        session(),
        range(),
        protocols(),
        of(name),
        of(Just(ContentEncoding::Identity)),
    )
        .prop_map(|(kind, session, range, protocols, content_name, content_encoding)| {
            RequestSpec { kind, session, range, protocols, content_name, content_encoding }
        })
}

fn status() -> impl Strategy<Value = StatusCode> {
    let usual = select(vec![204, 302, 304, 400, 401, 403, 404, 413, 416, 500, 501, 503]);
    prop_oneof![usual, 202..=999_u16]
        .prop_map(|code| StatusCode::try_from(code).expect("three digits"))
}

fn refusal_base() -> impl Strategy<Value = Refusal<'static>> {
    let named = select(named_refusals().to_vec());
    let out_of_sync = |_| Refusal::out_of_sync(ReceivedContentRange(0));
    let by_status =
        status().prop_map(move |status| Refusal::new(status).unwrap_or_else(out_of_sync));
    prop_oneof![1 => named, 3 => by_status]
}

fn refusal() -> impl Strategy<Value = RefusalSpec> {
    let context = prop_oneof![Just(5), Just(7), any::<u32>()].prop_map(ErrorContext);
    let code =
        prop_oneof![select(HResult::KNOWN), (1..=u32::MAX).prop_filter_map("zero", HResult::new),];
    let retry_after = prop_oneof![
        any::<u64>().prop_map(RetryAfter::Seconds),
        any::<i64>().prop_filter_map("no date", |seconds| {
            HttpDate::from_unix_seconds(seconds % 1_000_000_000_000).map(RetryAfter::Date)
        }),
    ];
    let parts =
        (refusal_base(), of((code, context)), of(any::<u64>()), any::<bool>(), of(retry_after));
    parts.prop_map(|(base, error, received, names_session, retry_after)| RefusalSpec {
        base,
        error,
        received,
        names_session,
        retry_after,
    })
}

pub fn ack() -> impl Strategy<Value = AckSpec> {
    (
        (request(), of(refusal()), any::<bool>(), any::<usize>(), any::<usize>()),
        (of(reference()), of(host()), of(any::<u32>()), of(Just(ContentEncoding::Identity))),
    )
        .prop_map(|(first, second)| {
            let (request, refusal, names_session, chosen, received) = first;
            let (reply_url, host, timeout, accept_encoding) = second;
            AckSpec {
                request,
                refusal,
                names_session,
                chosen,
                received,
                reply_url,
                host,
                timeout,
                accept_encoding,
            }
        })
}

pub fn notification_request() -> impl Strategy<Value = NotificationRequestSpec> {
    let paths = of((content(1..60), content(1..60)));
    let url = r"https?://[a-z]{1,9}(:[0-9]{0,4})?(/[!$&-;=?-\[\]_a-z~]{0,20}(%[0-9A-Fa-f]{2})?)?"
        .prop_map(String::into_bytes);
    (url, paths, any::<u64>()).prop_map(|(url, paths, content_length)| NotificationRequestSpec {
        url,
        paths,
        content_length,
    })
}

pub fn notification_response() -> impl Strategy<Value = NotificationResponseSpec> {
    let status = prop_oneof![Just(StatusCode::OK), status()];
    let length = weighted(0.8, prop_oneof![Just(0), any::<u64>()]);
    (status, of(reference()), of(content(0..10)), length).prop_map(
        |(status, url, copy, content_length)| NotificationResponseSpec {
            status,
            url,
            copy,
            // The type does not show it, but 204 and 205 have no body.
            content_length: if matches!(status.get(), 204 | 205) {
                Some(0)
            } else {
                content_length
            },
        },
    )
}

pub fn message() -> impl Strategy<Value = Spec> {
    prop_oneof![
        3 => request().prop_map(Spec::Request),
        4 => ack().prop_map(Spec::Ack),
        1 => notification_request().prop_map(Spec::NotificationRequest),
        1 => notification_response().prop_map(Spec::NotificationResponse),
    ]
}

pub fn target() -> impl Strategy<Value = String> {
    prop_oneof!["/[!-~]{0,40}", "[!-~]{1,40}", "https?://[a-z]{1,9}/[!-~]{0,20}"]
}

pub fn error_fields() -> impl Strategy<Value = ErrorFields> {
    select(vec![ErrorFields::Both, ErrorFields::Error, ErrorFields::ErrorCode])
}
