//! The functions of the library that look up a cell of a table or a mapping, or compare with a limit.

/// A change of a function, or of a text.
pub struct Edit {
    pub at: &'static str,
    pub change: Change,
}

#[derive(Clone, Copy)]
pub enum Change {
    /// Makes the function not `const`, because it calls a function that no longer is.
    Runtime,
    /// Returns an expression, in which `returned` is the value that the function returns in the library.
    Returns(&'static str),
    /// Calls the hook with the limit where the function compares with it.
    Limits(&'static [&'static str]),
    /// Shortens an array where the function accesses it.
    Capacity(&'static str, &'static str),
    /// Replaces the text.
    Replace(&'static str),
}

const fn runtime(at: &'static str) -> Edit {
    Edit { at, change: Change::Runtime }
}

const fn returns(at: &'static str, expression: &'static str) -> Edit {
    Edit { at, change: Change::Returns(expression) }
}

const fn limits(at: &'static str, limits: &'static [&'static str]) -> Edit {
    Edit { at, change: Change::Limits(limits) }
}

const fn capacity(at: &'static str, array: &'static str, limit: &'static str) -> Edit {
    Edit { at, change: Change::Capacity(array, limit) }
}

const fn replace(at: &'static str, to: &'static str) -> Edit {
    Edit { at, change: Change::Replace(to) }
}

/// The edits of each file.
pub const EDITS: &[(&str, &[Edit])] = &[
    // Transition tables.
    (
        "state_machine.rs",
        &[replace(
            "row.get(event as usize).copied().flatten()",
            "let next = row.get(event as usize).copied().flatten();
            crate::mutation::state(self as usize, event as usize, next)",
        )],
    ),
    (
        "observer/state.rs",
        &[returns(
            "try_next",
            "crate::mutation::observed(self as usize, event as usize, returned)",
        )],
    ),
    // Presence tables.
    (
        "message/presence.rs",
        &[
            returns(
                "fields",
                "let mut column = Column::EMPTY;
                for (row, (field, presences)) in TABLE.iter().enumerate() {
                    match crate::mutation::of_message(row, kind as usize, presences) {
                        Presence::Required => column.required.insert(*field),
                        Presence::Expected => column.expected.insert(*field),
                        Presence::Optional => column.optional.insert(*field),
                        Presence::Unexpected => column.unexpected.insert(*field),
                        Presence::Ignored => {}
                    }
                }
                column",
            ),
            replace(
                "pub(super) const SUCCESS_FIELDS: FieldSet = {",
                "pub(super) fn success_fields() -> FieldSet {
                    let successes = MessageKind::ALL.iter().filter(|kind| kind.is_success());
                    successes.fold(FieldSet::EMPTY, |sum, kind| sum.union(fields(*kind).carried()))
                }
                const _: FieldSet = {",
            ),
        ],
    ),
    (
        "message/reader.rs",
        &[
            replace("presence::SUCCESS_FIELDS", "presence::success_fields()"),
            limits("long_value", &["self.max_value"]),
            limits("find_long_value", &["self.max_value"]),
            limits("has_long_line", &["self.max_value"]),
        ],
    ),
    (
        "download/presence.rs",
        &[returns("of", "crate::mutation::of_download(field as usize, kind as usize, returned)")],
    ),
    // Mappings.
    (
        "backend/outcome.rs",
        &[
            runtime("NotificationError::status"),
            runtime("NotificationError::code"),
            returns("NotificationError::refusal", "crate::mutation::notification(self, returned)"),
        ],
    ),
    (
        "client/error.rs",
        &[returns("is_permanent", "crate::mutation::is_permanent(self, returned)")],
    ),
    (
        "client/responses.rs",
        &[
            returns("class_of", "crate::mutation::class_of(refusal, returned)"),
            limits("set_offset", &["self.options.max_stalls"]),
            limits("start_over", &["self.options.max_restarts"]),
        ],
    ),
    (
        "download/client/error.rs",
        &[
            returns("is_permanent", "crate::mutation::is_download_permanent(self, returned)"),
            returns("is_transient", "crate::mutation::is_transient(status, returned)"),
        ],
    ),
    ("message/ack.rs", &[runtime("failure")]),
    (
        "message/failure.rs",
        &[
            runtime("of"),
            returns(
                "of_server",
                "crate::mutation::failure(\"Failure::of_server\", status, code, returned)",
            ),
            returns(
                "of_application",
                "crate::mutation::failure(\"Failure::of_application\", status, code, returned)",
            ),
            returns(
                "of_status",
                "crate::mutation::failure(\"Failure::of_status\", status, None, returned)",
            ),
        ],
    ),
    (
        "message/refusal.rs",
        &[
            returns("of_server", "crate::mutation::of_server(returned)"),
            runtime("invalid_argument"),
            runtime("length_required"),
            runtime("access_denied"),
            runtime("destination_exists"),
            runtime("invalid_name"),
            runtime("uploads_disabled"),
            returns(
                "unavailable",
                "crate::mutation::refusal(\"Refusal::unavailable\", 0, returned)",
            ),
            runtime("session_not_found"),
            runtime("too_large"),
            runtime("disk_full"),
            returns(
                "out_of_sync",
                "crate::mutation::refusal(\"Refusal::out_of_sync\", 0, returned)",
            ),
            returns(
                "from_application",
                "crate::mutation::refusal(\"Refusal::from_application\", \
                 crate::mutation::status_and_code(status, code), returned)",
            ),
            returns("for_error", "crate::mutation::for_error(returned)"),
            runtime("failure"),
        ],
    ),
    (
        "observer/rule.rs",
        &[returns(
            "severity",
            "crate::mutation::severity(core::any::type_name::<Self>(), self as u64, returned)",
        )],
    ),
    (
        "observer/violation.rs",
        &[
            runtime("severity"),
            returns(
                "severity_of",
                "crate::mutation::severity(\"Violation::severity_of\", \
                 u64::from(kind == ErrorKind::ValueTooLong), returned)",
            ),
            returns(
                "deviation_severity",
                "crate::mutation::severity(\"deviation_severity\", deviation as u64, returned)",
            ),
            returns(
                "status_needs_error_code",
                "crate::mutation::flag(\"status_needs_error_code\", status.into(), returned)",
            ),
        ],
    ),
    (
        "server/request.rs",
        &[
            runtime("busy"),
            runtime("forbidden"),
            limits("on_fragment", &["policy.work_timeout"]),
            limits("on_bytes", &["policy.store_timeout"]),
            limits("on_close", &["policy.work_timeout"]),
            limits("discard_for", &["policy.work_timeout"]),
            limits("check_size", &["policy.max_entity", "policy.max_fragment", "MIN_FRAGMENT"]),
        ],
    ),
    (
        "server/acceptance.rs",
        &[
            limits("handle_accepted", &["policy.work_timeout"]),
            limits("handle_notified", &["policy.work_timeout"]),
            limits("handle_reply", &["policy.work_timeout"]),
        ],
    ),
    (
        "server/events.rs",
        &[
            replace(
                "Ok(Step::Answer(Answer::new(kind, self.id, unread_body)))",
                "let refused = |refusal| AnswerKind::Refused(CompactRefusal::new(&refusal));
                let cell = match (pending, self.end_reason) {
                    (Some(Pending::Close), Some(EndReason::EntityLost)) => 0,
                    (Some(Pending::Close), Some(EndReason::AcceptedEntityLost)) => 1,
                    (Some(Pending::Close), _) => 2,
                    (Some(Pending::Fragment), Some(EndReason::AcceptedEntityLost)) => 3,
                    (Some(Pending::Fragment), _) => 4,
                    _ => 5,
                };
                let kind = crate::mutation::cell(\"Session::end\", cell, kind, |value| match value {
                    0 => AnswerKind::Cancelled,
                    1 => AnswerKind::Closed,
                    2 => refused(Refusal::bare(StatusCode::NOT_FOUND)),
                    3 => refused(Refusal::bare(StatusCode::GONE)),
                    _ => refused(Refusal::session_not_found()),
                });
                Ok(Step::Answer(Answer::new(kind, self.id, unread_body)))",
            ),
            limits(
                "handle_stored",
                &["policy.session_timeout", "policy.work_timeout", "policy.store_timeout"],
            ),
            limits("renew", &["policy.work_timeout"]),
            limits("handle_timeout", &["policy.work_timeout"]),
        ],
    ),
    ("server/session.rs", &[limits("create", &["policy.session_timeout"])]),
    (
        "server/step.rs",
        &[
            returns("Access::refusal", "crate::mutation::access(self, returned)"),
            returns("HostError::refusal", "crate::mutation::host_error(self, returned)"),
        ],
    ),
    // Limits.
    (
        "backend/notification.rs",
        &[replace(
            "let Timeouts { send, receive, receive_response } = self.timeouts;",
            "let timeouts = self.timeouts;
                let send = crate::mutation::limit(\"send\", timeouts.send);
                let receive = crate::mutation::limit(\"receive\", timeouts.receive);
                let receive_response =
                    crate::mutation::limit(\"receive_response\", timeouts.receive_response);",
        )],
    ),
    ("backend/inputs.rs", &[limits("fail", &["self.timeouts.send"])]),
    (
        "client/retry.rs",
        &[
            limits("handle_retry_after", &["self.options.max_retry_after"]),
            limits("retry_or_suspend", &["self.options.max_retries"]),
            limits("backoff", &["self.options.initial_backoff", "self.options.max_backoff"]),
        ],
    ),
    (
        "client/timers.rs",
        &[
            limits("handle_sending", &["self.options.request_timeout"]),
            limits("handle_sent", &["self.options.response_timeout"]),
        ],
    ),
    (
        "download/client/body.rs",
        &[limits("handle_data", &["self.progress.options.response_timeout"])],
    ),
    (
        "download/client/responses.rs",
        &[limits("receive", &["self.progress.options.response_timeout"])],
    ),
    (
        "download/client/timers.rs",
        &[
            limits("handle_sending", &["self.progress.options.request_timeout"]),
            limits("handle_sent", &["self.progress.options.response_timeout"]),
            limits("handle_retry_after", &["self.progress.options.max_retry_after"]),
            limits(
                "retry_or_suspend",
                &["options.max_retries", "options.initial_backoff", "options.max_backoff"],
            ),
            limits("start_over", &["self.progress.options.max_restarts"]),
        ],
    ),
    (
        "download/field/multipart_type.rs",
        &[replace(
            "matches!(boundary.len(), 1..=MAX_BOUNDARY)",
            "(1..=crate::mutation::limit(\"MAX_BOUNDARY\", MAX_BOUNDARY)).contains(&boundary.len())",
        )],
    ),
    (
        "field/http_date.rs",
        &[replace("value, LATEST)", "value, crate::mutation::limit(\"LATEST\", LATEST))")],
    ),
    ("util/excerpt.rs", &[capacity("new", "&mut excerpt.bytes", "CAPACITY")]),
    (
        "client/options.rs",
        &[
            limits("new", &["Self::MIN", "Self::MAX"]),
            replace(
                "Self = Self::new(1024 * 1024)",
                "Self = Self { length: 1024 * 1024, min: Self::MIN, max: Self::MAX }",
            ),
        ],
    ),
    ("download/client/commands.rs", &[limits("handle_peer_failed", &["MAX_PEER_FAILURES"])]),
    (
        "download/client/download.rs",
        &[
            limits("max_length", &["self.progress.options.max_length"]),
            limits(
                "ranges_of_one_request",
                &["Options::MAX_RANGES", "self.progress.options.max_ranges"],
            ),
        ],
    ),
    ("download/fields.rs", &[capacity("insert_repeated", "self.repeats", "MAX_REPEATS")]),
    ("download/part_head.rs", &[capacity("push", "self.bytes", "MAX_HEAD")]),
    ("download/plan.rs", &[limits("body", &["limits.max_amplification", "limits.max_parts"])]),
    ("field/content_name.rs", &[limits("decode_content", &["Self::MAX_LEN", "Self::LIMIT"])]),
    ("field/reply_url.rs", &[limits("decode_content", &["Self::MAX_LEN"])]),
    ("field/session_id.rs", &[limits("decode", &["Self::MAX_LEN"])]),
    (
        "field/supported_protocols.rs",
        &[
            limits("new", &["Self::MAX"]),
            limits("iter", &["Self::MAX"]),
            limits("decode_joined", &["Self::MAX"]),
        ],
    ),
    (
        "http1/chunked.rs",
        &[
            replace("let Limits { chunk_line_bytes, trailer_bytes, .. } = self.limits;", ""),
            replace("(chunk_line_bytes, ", "(self.limits.chunk_line_bytes, "),
            replace("(trailer_bytes, ", "(self.limits.trailer_bytes, "),
            limits("check_length", &["self.limits.chunk_line_bytes", "self.limits.trailer_bytes"]),
            limits("insert_digit", &["MAX_DIGITS"]),
            limits("start_chunk", &["self.limits.chunked_body_bytes"]),
        ],
    ),
    ("http1/field_section.rs", &[capacity("parse_field_section", "&mut slots", "MAX_FIELDS")]),
    (
        "http1/head.rs",
        &[
            limits("parse_with_limits", &["limits.head_bytes", "limits.fields"]),
            limits("parse_with_httparse", &["limits.fields"]),
        ],
    ),
    ("http1/input.rs", &[limits("new", &["limits.head_bytes"])]),
    ("http1/scanner.rs", &[runtime("new"), limits("with_limits", &["limits.head_bytes"])]),
    (
        "message/fields.rs",
        &[
            limits("insert_pairs", &["max_value"]),
            capacity("insert_protocols", "self.more_protocols", "MORE_PROTOCOLS"),
        ],
    ),
    ("message/request.rs", &[limits("check_length", &["options.max_ignored_body"])]),
    (
        "observer/download/request.rs",
        &[
            limits("are_all_kept", &["MAX_RANGES"]),
            capacity("push", "self.bytes", "MAX_CONDITIONS"),
        ],
    ),
    ("observer/request.rs", &[limits("check_fragment", &["MIN_FRAGMENT"])]),
    ("observer/session.rs", &[capacity("new", "this.protocols", "Self::MAX_PROTOCOLS")]),
    ("server/answer.rs", &[limits("of", &["policy.drain_limit"]), runtime("session_not_found")]),
    (
        "server/sessions.rs",
        &[limits(
            "create",
            &["self.limits.max_sessions", "self.limits.max_sessions_per_principal"],
        )],
    ),
    ("util/inline_str.rs", &[capacity("new", "bytes", "N")]),
];
