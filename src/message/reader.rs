//! Reads the values of one message from its fields, as the presence table defines.

use super::MessageKind;
use super::fields::{Fields, LongValue};
use super::message_error::MessageError;
use super::presence;
use super::report::{Checked, Outcome, Report};
use crate::deviation::{Deviation, Deviations};
use crate::error::{CheckStage, ValueError};
use crate::field::{Decode, FieldName, FieldSet, SessionId, SupportedProtocols};
use crate::http1::framing::AllowedCoding;
use crate::http1::{FieldLines, Framing, HeadVisitor as _};

/// The fields of one message, the deviations found so far, and the receiver of errors.
pub(crate) struct Reader<'h, 'b, R> {
    fields: &'h Fields<'b>,
    pub(super) framing: Framing,
    /// True if [`check_framing`](Self::check_framing) sets `framing`. False for simple framing, and
    /// where the head was parsed from bytes.
    needs_framing_check: bool,
    /// The bytes of the head; empty if the fields were parsed by another HTTP stack.
    head: &'b [u8],
    /// The maximum length of a value in `head`.
    max_value: usize,
    /// True if every value is known to consist of bytes that a field can transport.
    is_content: bool,
    pub(super) deviations: Deviations,
    report: R,
}

impl<'h, 'b, R: Report<'b>> Reader<'h, 'b, R> {
    /// Reads the fields of a head that was parsed from bytes.
    #[inline(always)]
    pub(super) const fn of_checked_head(
        fields: &'h Fields<'b>,
        framing: Framing,
        head: &'b [u8],
        max_value: usize,
        report: R,
    ) -> Self {
        Self {
            fields,
            framing,
            needs_framing_check: false,
            head,
            max_value,
            is_content: true,
            deviations: Deviations::EMPTY,
            report,
        }
    }

    /// Reads fields that another HTTP stack has parsed. `is_content` is true if their values are known
    /// to consist of bytes that a field can transport.
    #[inline(always)]
    pub(super) fn of_parsed_fields(fields: &'h Fields<'b>, is_content: bool, report: R) -> Self {
        let simple = fields.framing_fields().parse_simple();
        Self {
            fields,
            framing: simple.unwrap_or_default(),
            needs_framing_check: simple.is_none(),
            head: &[],
            max_value: 0,
            is_content,
            deviations: Deviations::EMPTY,
            report,
        }
    }

    /// Returns the first value of a field, if it is present.
    #[inline(always)]
    pub(super) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        self.fields.get(field)
    }

    /// Reports an error.
    #[inline(always)]
    pub(super) fn report(&mut self, error: MessageError<'b>) -> Result<R::Invalid, R::Stop> {
        self.report.report(error)
    }

    /// Checks the framing of a message that another HTTP stack has parsed.
    #[inline(always)]
    pub(super) fn check_framing(&mut self, allowed: AllowedCoding) -> Checked<'b, R> {
        if self.needs_framing_check { self.report_framing(allowed) } else { Ok(()) }
    }

    #[cold]
    fn report_framing(&mut self, allowed: AllowedCoding) -> Checked<'b, R> {
        let fields = self.fields.framing_fields();
        self.framing = fields.parse();
        for error in fields.errors(allowed) {
            self.report(MessageError::in_framing(error))?;
        }
        if fields.is_length_list() {
            self.deviations.insert(Deviation::DuplicateField);
        }
        Ok(())
    }

    /// Returns the first value that is longer than the limit.
    #[inline(always)]
    fn long_value(&self) -> Option<LongValue<'b>> {
        // Only a head that is longer than the limit can hold such a value.
        if self.head.len() > self.max_value {
            self.find_long_value()
        } else {
            self.fields.long_value()
        }
    }

    #[cold]
    fn find_long_value(&self) -> Option<LongValue<'b>> {
        if !self.has_long_line() {
            return None;
        }
        let is_long = |(_, value): &(&str, &[u8])| value.len() > self.max_value;
        let (name, value) = FieldLines::of_head(self.head).find(is_long)?;
        Some(LongValue { field: FieldName::from_name(name), value, limit: self.max_value })
    }

    /// Returns true if a line of the head is longer than the limit.
    fn has_long_line(&self) -> bool {
        let mut rest = self.head;
        // A line that is not too long ends within the window. The last of such ends skips most lines.
        while let Some(window) = rest.get(..=self.max_value) {
            let Some(end) = window.iter().rposition(|byte| *byte == b'\n') else { return true };
            rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
        }
        false
    }

    /// Rejects a value that is longer than the limit.
    #[inline(always)]
    pub(super) fn check_value_lengths(&mut self) -> Checked<'b, R> {
        match self.long_value() {
            None => Ok(()),
            Some(LongValue { field, value, limit }) => {
                self.report(MessageError::in_long_value(field, value, limit)).map(drop)
            }
        }
    }

    /// Records a value that is longer than the limit, where that is not an error.
    #[inline(always)]
    pub(super) fn record_long_value(&mut self) {
        if self.long_value().is_some() {
            self.deviations.insert(Deviation::LongValue);
        }
    }

    /// Rejects fields that the message carries and that are repeated with another value.
    #[inline(always)]
    pub(super) fn check_conflicts(
        &mut self,
        fields: FieldSet,
        stage: CheckStage,
    ) -> Checked<'b, R> {
        let conflicting = self.fields.conflicting().intersection(fields);
        if conflicting.is_empty() { Ok(()) } else { self.report_conflicts(conflicting, stage) }
    }

    #[cold]
    fn report_conflicts(&mut self, mut conflicting: FieldSet, stage: CheckStage) -> Checked<'b, R> {
        while let Some((field, error)) = self.fields.conflict_among(conflicting) {
            self.report(error.at_stage(stage))?;
            conflicting = conflicting.difference(FieldSet::of(field));
        }
        Ok(())
    }

    /// Returns true if the message carries fields that only the Acks for other requests carry.
    pub(super) fn has_fields_of_other_ack(&self, kind: MessageKind) -> bool {
        let unexpected = self.fields.present().intersection(presence::fields(kind).unexpected);
        !unexpected.intersection(presence::SUCCESS_FIELDS).is_empty()
    }

    /// Returns true if the message has a field that only servers of this protocol send, besides the
    /// packet type.
    pub(super) fn has_fields_of_server(&self) -> bool {
        const FIELDS: FieldSet = FieldSet::of(FieldName::Protocol)
            .with(FieldName::SessionId)
            .with(FieldName::HostId)
            .with(FieldName::HostIdFallbackTimeout)
            .with(FieldName::ReceivedContentRange)
            .with(FieldName::ReplyUrl)
            .with(FieldName::Error)
            .with(FieldName::ErrorCode)
            .with(FieldName::ErrorContext);
        !self.fields.present().intersection(FIELDS).is_empty()
    }

    /// Records fields that the message does not carry, and those it carries that are repeated or
    /// misspelt.
    #[inline(always)]
    pub(super) fn record_fields(&mut self, kind: MessageKind) {
        let sets = presence::fields(kind);
        let unexpected = self.fields.present().intersection(sets.unexpected);
        if !unexpected.is_empty() {
            self.record_unexpected(kind, unexpected);
        }
        self.record_form(sets.carried());
    }

    /// Records which of these fields are repeated or misspelt.
    #[inline(always)]
    pub(super) fn record_form(&mut self, fields: FieldSet) {
        let repeated = self.fields.repeated().intersection(fields);
        if !repeated.is_empty() {
            self.record_repeated(repeated);
        }
        if self.fields.is_misspelt() && fields.contains(FieldName::ReceivedContentRange) {
            self.deviations.insert(Deviation::MisspeltReceived);
        }
    }

    #[cold]
    fn record_repeated(&mut self, repeated: FieldSet) {
        const LISTS: FieldSet = FieldSet::of(FieldName::SupportedProtocols);
        if !repeated.intersection(LISTS).is_empty() {
            self.deviations.insert(Deviation::JoinedProtocols);
        }
        if !repeated.difference(LISTS).is_empty() {
            self.deviations.insert(Deviation::DuplicateField);
        }
    }

    #[cold]
    fn record_unexpected(&mut self, kind: MessageKind, unexpected: FieldSet) {
        const ERRORS: FieldSet =
            FieldSet::of(FieldName::Error).with(FieldName::ErrorCode).with(FieldName::ErrorContext);
        const PROTOCOL: FieldSet = FieldSet::of(FieldName::Protocol);
        let (misplaced, deviation) = match kind {
            MessageKind::Refusal => (PROTOCOL, Deviation::ProtocolOnRefusal),
            _ if kind.is_success() => (ERRORS, Deviation::ErrorOnSuccess),
            _ => (FieldSet::EMPTY, Deviation::UnexpectedField),
        };
        let misplaced = unexpected.intersection(misplaced);
        if !misplaced.is_empty() {
            self.deviations.insert(deviation);
        }
        if unexpected != misplaced {
            self.deviations.insert(Deviation::UnexpectedField);
        }
    }

    /// Returns the value of a field that the message carries. The absence of a field is an error, a
    /// deviation or neither, as the presence table defines.
    #[inline(always)]
    pub(super) fn carried(
        &mut self,
        kind: MessageKind,
        field: FieldName,
    ) -> Result<Option<&'b [u8]>, MessageError<'b>> {
        let sets = presence::fields(kind);
        if self.fields.present().intersection(sets.carried()).contains(field) {
            return Ok(self.get(field));
        }
        if sets.required.contains(field) {
            return Err(MessageError::missing(field));
        }
        self.record_absence(kind, field);
        Ok(None)
    }

    /// Records the absence of a field that the message should carry.
    #[inline(always)]
    pub(super) fn record_absence(&mut self, kind: MessageKind, field: FieldName) {
        if presence::fields(kind).expected.contains(field) && self.get(field).is_none() {
            self.deviations.insert(presence::absence(field));
        }
    }

    /// Records a response without Content-Length: it is missing, or a transfer coding replaces it.
    #[inline(always)]
    pub(super) fn record_length(&mut self, kind: MessageKind) {
        match self.framing.transfer_encoding {
            None => self.record_absence(kind, FieldName::ContentLength),
            Some(_) => self.deviations.insert(Deviation::ChunkedResponse),
        }
    }

    /// Decodes the value of a field.
    #[inline(always)]
    fn decode<T: Decode<'b>>(&mut self, value: &'b [u8]) -> Outcome<'b, T, R> {
        let decoded = if self.is_content {
            T::decode_content(value, &mut self.deviations)
        } else {
            T::decode(value, &mut self.deviations)
        };
        match decoded {
            Ok(value) => Ok(Ok(value)),
            Err(error) => self.report(MessageError::in_value(T::NAME, value, error)).map(Err),
        }
    }

    /// Reads a field that may be absent.
    #[inline(always)]
    pub(super) fn optional<T: Decode<'b>>(
        &mut self,
        kind: MessageKind,
    ) -> Outcome<'b, Option<T>, R> {
        match self.carried(kind, T::NAME) {
            Ok(None) => Ok(Ok(None)),
            Ok(Some(value)) => Ok(self.decode(value)?.map(Some)),
            Err(missing) => self.report(missing).map(Err),
        }
    }

    /// Reads a detail of a refusal. Its absence is not an error. A value that is invalid or
    /// conflicting counts as absent and is the deviation `unreadable`.
    pub(super) fn detail<T: Decode<'b>>(&mut self, unreadable: Deviation) -> Option<T> {
        self.detail_value(T::NAME, T::decode, unreadable)
    }

    /// Reads an error code or a context, whose `decode` records no deviations.
    pub(super) fn detail_code<T>(
        &mut self,
        field: FieldName,
        decode: impl FnOnce(&'b [u8]) -> Result<T, ValueError>,
        unreadable: Deviation,
    ) -> Option<T> {
        self.detail_value(field, |value, _| decode(value), unreadable)
    }

    fn detail_value<T>(
        &mut self,
        field: FieldName,
        decode: impl FnOnce(&'b [u8], &mut Deviations) -> Result<T, ValueError>,
        unreadable: Deviation,
    ) -> Option<T> {
        let value = self.get(field)?;
        let is_conflicting = self.fields.conflicting().contains(field);
        match decode(value, &mut self.deviations) {
            Ok(value) if !is_conflicting => Some(value),
            _ => {
                self.deviations.insert(unreadable);
                None
            }
        }
    }

    /// Reads a field that the message must carry.
    #[inline(always)]
    pub(super) fn required<T: Decode<'b>>(&mut self, kind: MessageKind) -> Outcome<'b, T, R> {
        match self.optional(kind)? {
            Ok(Some(value)) => Ok(Ok(value)),
            Ok(None) => self.report(MessageError::missing(T::NAME)).map(Err),
            Err(invalid) => Ok(Err(invalid)),
        }
    }

    /// Reads a field that the message should carry. Its absence is a deviation if its value can be
    /// `inferred`, and an error if not.
    #[inline(always)]
    pub(super) fn expected<T: Decode<'b>>(
        &mut self,
        inferred: impl FnOnce() -> Option<T>,
    ) -> Outcome<'b, T, R> {
        if let Some(value) = self.get(T::NAME) {
            return self.decode(value);
        }
        match inferred() {
            Some(inferred) => {
                self.deviations.insert(presence::absence(T::NAME));
                Ok(Ok(inferred))
            }
            None => self.report(MessageError::missing(T::NAME)).map(Err),
        }
    }

    /// Reads the session id of a request.
    #[inline(always)]
    pub(super) fn session_id(&mut self, kind: MessageKind) -> Outcome<'b, SessionId<'b>, R> {
        let field = FieldName::SessionId;
        let result = match self.carried(kind, field) {
            Ok(value) => {
                let value = value.unwrap_or_default();
                SessionId::decode(value, &mut self.deviations)
                    .map_err(|error| MessageError::in_value(field, value, error))
            }
            Err(missing) => Err(missing),
        };
        match result {
            Ok(session_id) => Ok(Ok(session_id)),
            Err(error) => self.report(error.at_stage(CheckStage::Session)).map(Err),
        }
    }

    /// Reads the list of protocols from all the fields that it is spread over.
    pub(super) fn protocols(
        &mut self,
        kind: MessageKind,
    ) -> Outcome<'b, SupportedProtocols<'b>, R> {
        let field = FieldName::SupportedProtocols;
        let error = match self.carried(kind, field) {
            Ok(value) => {
                let first = value.unwrap_or_default();
                match self.fields.join_protocols(first, &mut self.deviations) {
                    Ok(protocols) => return Ok(Ok(protocols)),
                    Err((error, value)) => MessageError::in_value(field, value, error),
                }
            }
            Err(missing) => missing,
        };
        self.report(error).map(Err)
    }

    /// Returns the value of a field if it is valid and unambiguous, even if other fields are not.
    /// Records nothing.
    pub(super) fn valid<T: Decode<'b>>(&self, kind: MessageKind) -> Option<T> {
        let mut ignored = Deviations::EMPTY;
        self.valid_value(kind, T::NAME).and_then(|value| T::decode(value, &mut ignored).ok())
    }

    /// Returns the list of protocols if it is valid and unambiguous.
    pub(super) fn valid_protocols(&self, kind: MessageKind) -> Option<SupportedProtocols<'b>> {
        let first = self.valid_value(kind, FieldName::SupportedProtocols)?;
        let mut ignored = Deviations::EMPTY;
        self.fields.join_protocols(first, &mut ignored).ok()
    }

    fn valid_value(&self, kind: MessageKind, field: FieldName) -> Option<&'b [u8]> {
        let is_carried = presence::fields(kind).carried().contains(field);
        let is_conflicting = self.fields.conflicting().contains(field);
        self.get(field).filter(|_| is_carried && !is_conflicting)
    }
}
