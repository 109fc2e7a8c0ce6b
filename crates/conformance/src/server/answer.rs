//! Responses, and judgements of them.

use bits_proto::field::{ErrorContext, HResult};
use bits_proto::message::{Ack, AckContext, ResponseHead};

use super::entry::{Outcome, Stop};

/// The error code of a session that does not exist.
pub(super) const SESSION_NOT_FOUND: u32 = 0x8020_001F;
/// The error code of an invalid request.
pub(super) const INVALID_ARGUMENT: u32 = 0x8007_0057;
/// The error code of an entity that exceeds the limit of the server.
const TOO_LARGE: u32 = 0x8020_0020;

/// A complete response.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    fields: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    pub(super) code: Option<u32>,
    pub(super) context: Option<ErrorContext>,
    /// The offset in BITS-Received-Content-Range.
    pub(super) received: Option<u64>,
    /// True if the server closes the connection after the response.
    pub(super) closes: bool,
}

impl Answer {
    pub(super) fn new(head: &ResponseHead<'_, '_>, body: Vec<u8>) -> Self {
        let any = AckContext::Fragment {
            session_id: None,
            content_range: None,
            sent_up_to: Some(u64::MAX),
        };
        let (code, context, received) = match Ack::from_head(head, &any).map(|it| it.message) {
            Ok(Ack::Refused(refusal)) => (
                refusal.code().map(HResult::get),
                refusal.context(),
                refusal.received().map(|it| it.0),
            ),
            Ok(Ack::Fragment(ack)) => (None, None, Some(ack.received.0)),
            _ => (None, None, None),
        };
        let fields = head.fields().map(|(name, value)| (name.to_owned(), value.to_vec()));
        let mut answer = Self {
            status: head.line().status.get(),
            fields: fields.collect(),
            body,
            code,
            context,
            received,
            closes: false,
        };
        answer.closes = answer.has_token("Connection", "close");
        answer
    }

    /// Returns the value of the first field with this name.
    pub(super) fn field(&self, name: &str) -> Option<String> {
        let mut fields = self.fields.iter();
        let value = fields.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        value
            .map(|value| String::from_utf8_lossy(value).trim().to_owned())
            .filter(|it| !it.is_empty())
    }

    pub(super) fn has_token(&self, name: &str, token: &str) -> bool {
        let value = self.field(name).unwrap_or_default();
        value.split(',').any(|it| it.trim().eq_ignore_ascii_case(token))
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns true if the client should repeat the request later.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.status, 408 | 409 | 423 | 429 | 503)
    }

    /// Returns the status and the fields that matter, for reports.
    pub(super) fn summary(&self) -> String {
        let mut text = self.status.to_string();
        if let Some(code) = self.code {
            text.push_str(&format!(" with the error code 0x{code:08X}"));
        }
        if let Some(received) = self.field("BITS-Received-Content-Range") {
            text.push_str(&format!(" with BITS-Received-Content-Range: {received}"));
        }
        text
    }

    pub(super) fn fail<T>(&self, expected: &str) -> Result<T, Stop> {
        Err(Stop::Fail(format!("expected {expected}; received {}", self.summary())))
    }

    /// Ends a case whose entity exceeds the limit of the server.
    pub(super) fn unless_limited(&self) -> Result<&Self, Stop> {
        if self.status == 413 || self.code == Some(TOO_LARGE) {
            return Err(Stop::NotApplicable("server limits the length of entities".into()));
        }
        Ok(self)
    }

    /// Requires a success.
    pub(super) fn success(&self) -> Outcome {
        if self.is_success() { Ok(()) } else { self.fail("200") }
    }

    /// Requires the success of a Fragment with this next offset.
    pub(super) fn accepted(&self, next: u64) -> Outcome {
        if self.is_success() && self.received == Some(next) {
            return Ok(());
        }
        self.fail(&format!("200 with BITS-Received-Content-Range: {next}"))
    }

    /// Requires that the server asks for the fragment at this offset.
    pub(super) fn out_of_step(&self, next: u64) -> Outcome {
        if self.status == 416 && self.received == Some(next) {
            return Ok(());
        }
        self.fail_at_gap(&format!("416 with BITS-Received-Content-Range: {next}"), next)
    }

    /// Fails after a fragment beyond the last offset that the server may expect. If it acknowledges the
    /// fragment, bytes are lost.
    pub(super) fn fail_at_gap(&self, expected: &str, last: u64) -> Outcome {
        let is_acknowledged = self.is_success() && self.received.is_some_and(|it| it > last);
        let reason = format!("expected {expected}; received {}", self.summary());
        Err(if is_acknowledged { Stop::Loss(reason) } else { Stop::Fail(reason) })
    }

    /// Requires either that a fragment is accepted up to `accepted`, or that the server asks for `asked`.
    pub(super) fn accepted_or_out_of_step(&self, accepted: u64, asked: u64) -> Outcome {
        if self.status == 416 { self.out_of_step(asked) } else { self.accepted(accepted) }
    }

    /// Requires a refusal of any kind.
    pub(super) fn refused(&self) -> Outcome {
        if self.status >= 400 { Ok(()) } else { self.fail("a refusal (4xx or 5xx)") }
    }

    /// Requires a refusal with an error code.
    pub(super) fn refused_with(&self, code: u32) -> Outcome {
        if self.status >= 400 && self.code == Some(code) {
            return Ok(());
        }
        self.fail(&format!("a refusal with BITS-Error-Code 0x{code:08X}"))
    }
}
