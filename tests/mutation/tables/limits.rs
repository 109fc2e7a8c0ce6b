//! The limits on input, times and retries, and the lengths of arrays that bound it.

use bits_proto::backend::Timeouts;
use bits_proto::client::{self, FragmentSizing};
use bits_proto::download::{Options, PlanLimits};
use bits_proto::field::{ContentName, ReplyUrl, SessionId, SupportedProtocols};
use bits_proto::limits::{Limits, MIN_FRAGMENT};
use bits_proto::message::ParseOptions;
use bits_proto::mutation::Limit;
use bits_proto::server::{Policy, SessionLimits};

use crate::catalogue::Cell;

/// A limit as the hooks name it, and its number.
type Named = (&'static str, u64);

fn named(name: &'static str, limit: impl Limit) -> Named {
    (name, limit.number())
}

/// Limits on the length and number of parts of messages.
fn of_messages() -> Vec<Named> {
    let limits = Limits::DEFAULT;
    vec![
        named("http1/head::head_bytes", limits.head_bytes),
        named("http1/input::head_bytes", limits.head_bytes),
        named("http1/scanner::head_bytes", limits.head_bytes),
        named("http1/head::fields", limits.fields),
        named("http1/chunked::chunk_line_bytes", limits.chunk_line_bytes),
        named("http1/chunked::trailer_bytes", limits.trailer_bytes),
        named("http1/chunked::chunked_body_bytes", limits.chunked_body_bytes),
        named("message/fields::max_value", ParseOptions::DEFAULT.max_value),
        named("message/reader::max_value", ParseOptions::DEFAULT.max_value),
        named("message/request::max_ignored_body", ParseOptions::DEFAULT.max_ignored_body),
        named("message/request::max_ignored_body", ParseOptions::LENIENT.max_ignored_body),
        named("field/supported_protocols::MAX", SupportedProtocols::MAX),
        named("field/session_id::MAX_LEN", SessionId::MAX_LEN),
        named("field/content_name::MAX_LEN", ContentName::MAX_LEN),
        named("field/content_name::LIMIT", 4096_u64),
        named("field/reply_url::MAX_LEN", ReplyUrl::MAX_LEN),
        named("MAX_BOUNDARY", 70_u64),
        named("LATEST", 3_155_759_999_u64),
        named("observer/download/request::MAX_RANGES", 8_u64),
        named("observer/request::MIN_FRAGMENT", MIN_FRAGMENT),
    ]
}

fn of_servers() -> Vec<Named> {
    let (policy, sessions) = (Policy::DEFAULT, SessionLimits::DEFAULT);
    let (plan, notification) = (PlanLimits::DEFAULT, Timeouts::DEFAULT);
    vec![
        named("server/answer::drain_limit", policy.drain_limit),
        named("server/request::max_entity", policy.max_entity),
        named("server/request::max_fragment", policy.max_fragment),
        named("server/request::MIN_FRAGMENT", MIN_FRAGMENT),
        named("server/request::work_timeout", policy.work_timeout),
        named("server/request::store_timeout", policy.store_timeout),
        named("server/acceptance::work_timeout", policy.work_timeout),
        named("server/events::session_timeout", policy.session_timeout),
        named("server/events::work_timeout", policy.work_timeout),
        named("server/events::store_timeout", policy.store_timeout),
        named("server/session::session_timeout", policy.session_timeout),
        named("server/sessions::max_sessions", sessions.max_sessions),
        named("server/sessions::max_sessions_per_principal", sessions.max_sessions_per_principal),
        named("download/plan::max_parts", plan.max_parts),
        named("download/plan::max_amplification", plan.max_amplification),
        named("send", notification.send),
        named("receive", notification.receive),
        named("receive_response", notification.receive_response),
        named("backend/inputs::send", notification.send),
    ]
}

fn of_clients() -> Vec<Named> {
    let (upload, download) = (client::Options::DEFAULT, Options::DEFAULT);
    vec![
        named("client/options::MIN", FragmentSizing::MIN),
        named("client/options::MAX", FragmentSizing::MAX),
        named("client/responses::max_stalls", upload.max_stalls),
        named("client/responses::max_restarts", upload.max_restarts),
        named("client/retry::max_retries", upload.max_retries),
        named("client/retry::max_retry_after", upload.max_retry_after),
        named("client/retry::initial_backoff", upload.initial_backoff),
        named("client/retry::max_backoff", upload.max_backoff),
        named("client/timers::request_timeout", upload.request_timeout),
        named("client/timers::response_timeout", upload.response_timeout),
        named("download/client/body::response_timeout", download.response_timeout),
        named("download/client/responses::response_timeout", download.response_timeout),
        named("download/client/timers::request_timeout", download.request_timeout),
        named("download/client/timers::response_timeout", download.response_timeout),
        named("download/client/timers::max_retries", download.max_retries),
        named("download/client/timers::max_retry_after", download.max_retry_after),
        named("download/client/timers::initial_backoff", download.initial_backoff),
        named("download/client/timers::max_backoff", download.max_backoff),
        named("download/client/timers::max_restarts", download.max_restarts),
        named("download/client/download::max_length", download.max_length),
        named("download/client/download::max_ranges", download.max_ranges),
        named("download/client/download::MAX_RANGES", Options::MAX_RANGES),
        named("download/client/commands::MAX_PEER_FAILURES", 3_u64),
    ]
}

/// Lengths of arrays: one less.
const CAPACITIES: &[Named] = &[
    ("http1/chunked::MAX_DIGITS", 16),
    ("http1/field_section::MAX_FIELDS", 16),
    ("message/fields::MORE_PROTOCOLS", 3),
    ("download/fields::MAX_REPEATS", 4),
    ("download/part_head::MAX_HEAD", 512),
    ("observer/download/request::MAX_CONDITIONS", 184),
    ("observer/session::MAX_PROTOCOLS", 16),
    ("util/excerpt::CAPACITY", 40),
    // The host id of a client, a date, a tag, the boundary of parts, a session id, and a reply URL.
    ("util/inline_str::N", 300),
    ("util/inline_str::N", 64),
    ("util/inline_str::N", 128),
    ("util/inline_str::N", 70),
    ("util/inline_str::N", 100),
    ("util/inline_str::N", 2200),
];

/// Adds one less and one more than each limit.
pub fn add(cells: &mut Vec<Cell>) {
    let mut add = |table, value: u64, others: &[Option<u64>]| {
        let values = others.iter().flatten().map(|other| (*other, other.to_string())).collect();
        cells.push(Cell { table, number: value, name: value.to_string(), values });
    };
    for (name, value) in [of_messages(), of_servers(), of_clients()].concat() {
        add(name, value, &[value.checked_sub(1), value.checked_add(1)]);
    }
    for (name, value) in CAPACITIES {
        add(name, *value, &[value.checked_sub(1)]);
    }
}
