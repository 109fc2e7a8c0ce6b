//! Messages that are malformed or incomplete.

use bits_proto::Error;
use bits_proto::observer::Violation;

use super::{Extent, Pending, Reader};
use crate::inspect::decode::reject;
use crate::inspect::malformed::{is_bits, kind_of_malformed, pending_of_malformed};
use crate::inspect::pending::PendingRequest;
use crate::inspect::report::{Report, Verdict};
use crate::inspect::sniff::malformed_head_end;
use crate::inspect::source::{Body, ConnectionId, Message, Source};

impl<'b, S: Source<'b>> Reader<'_, 'b, S> {
    /// Handles a request whose sender closed its side of the connection before the end of the body.
    pub(super) fn incomplete_request(
        &mut self,
        connection: ConnectionId,
        body: Body,
        report: &mut Report,
    ) {
        let pending = self.conversation(connection).pending.back().copied();
        let observed = pending.and_then(|pending| pending.observed);
        if let (Some(observed), Body::Length(length)) = (observed, body) {
            let arrived = length.saturating_sub(report.unsent);
            self.observers.incomplete_request(&observed, arrived, &mut report.violations);
        }
    }

    /// Handles a request whose head is malformed, or does not determine the end of the message.
    pub(super) fn invalid_request(
        &mut self,
        message: &Message<'b>,
        report: &mut Report,
        error: Error,
    ) -> Extent {
        let pending = pending_of_malformed(message.bytes);
        let is_bits = pending.is_bits();
        let pending = Pending { request: pending, index: report.index, observed: None };
        self.conversation(message.connection).pending.push_back(pending);
        self.invalid_head(message, report, error, is_bits)
    }

    /// Handles a response whose head is malformed, or does not determine the end of the message.
    pub(super) fn invalid_response(
        &mut self,
        message: &Message<'b>,
        report: &mut Report,
        error: Error,
    ) -> Extent {
        let has_bits_field = is_bits(message.bytes);
        let answered = self.take_pending(message.connection, has_bits_field);
        if let Some(observed) = answered.and_then(|answered| answered.observed) {
            self.observers.malformed_response(&observed);
        }
        let pending = answered.map(|answered| answered.request).or(self.ack_for);
        let is_bits = has_bits_field || pending.as_ref().is_some_and(PendingRequest::is_bits);
        self.invalid_head(message, report, error, is_bits)
    }

    fn invalid_head(
        &mut self,
        message: &Message<'b>,
        report: &mut Report,
        error: Error,
        is_bits: bool,
    ) -> Extent {
        report.kind = kind_of_malformed(&error, message.bytes).unwrap_or("other");
        self.malformed(message, report, error, is_bits);
        let is_mixed = self.source.ends(message.connection).is_none();
        let direction = Some(message.direction).filter(|_| !is_mixed);
        (malformed_head_end(message.bytes, direction), Body::Unknown)
    }

    /// Reports that a message is malformed. It violates a rule only if it `is_bits`.
    pub(super) fn malformed(
        &mut self,
        message: &Message<'b>,
        report: &mut Report,
        error: Error,
        is_bits: bool,
    ) {
        if is_bits {
            self.observers.reset(message.connection);
            report.violations.push(Violation::from(error));
            reject(report, error);
        } else {
            report.verdict = Verdict::Foreign;
            report.error = Some(error);
        }
    }
}

/// Handles a head that the input does not contain completely.
pub(super) fn incomplete_head(message: &Message<'_>, report: &mut Report) -> Extent {
    report.verdict = Verdict::Partial;
    (message.bytes.len(), Body::Cut)
}
