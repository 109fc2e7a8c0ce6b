//! The fields of one message, as its reading asks for them: one by one, in the light of its kind.

use super::MessageKind;
use super::anomalies::Anomalies;
use super::message_error::MessageError;
use super::presence::{self, FieldSets};
use crate::deviation::{Deviation, Deviations};
use crate::error::{CheckStage, ErrorKind, ValueError};
use crate::field::{Decode, FieldName, SessionId, SupportedProtocols, bit};
use crate::http1::{Framing, Index};

/// The fields of one message that the protocol knows.
pub(super) struct Scan<'h, 'b> {
    index: &'h Index<'b>,
    anomalies: Option<&'h Anomalies<'b>>,
    pub(super) deviations: Deviations,
}

impl<'h, 'b> Scan<'h, 'b> {
    #[inline(always)]
    pub(super) const fn new(index: &'h Index<'b>, anomalies: Option<&'h Anomalies<'b>>) -> Self {
        Self { index, anomalies, deviations: Deviations::EMPTY }
    }

    /// The value of a field that is there.
    #[inline(always)]
    pub(super) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        self.index.get(field)
    }

    /// A Transfer-Encoding that another HTTP stack has dealt with.
    #[inline(always)]
    pub(super) fn check_coding(&self, framing: Framing) -> Result<(), MessageError<'b>> {
        if !framing.transfer_encoding {
            return Ok(());
        }
        let value = self.get(FieldName::TransferEncoding).unwrap_or_default();
        let flaw = ValueError::new(ErrorKind::TransferEncoding, 0);
        let trouble = MessageError::in_value(FieldName::TransferEncoding, value, flaw);
        Err(trouble.at_stage(CheckStage::Http))
    }

    /// The first value that is longer than the limit.
    #[inline(always)]
    pub(super) fn long_value(&self) -> Option<MessageError<'b>> {
        self.anomalies.and_then(Anomalies::long_value)
    }

    /// Fields that the message carries must not contradict themselves.
    #[inline(always)]
    pub(super) fn check_conflicts(&self, kind: MessageKind) -> Result<(), MessageError<'b>> {
        self.check_conflicts_among(FieldSets::of(kind).carried())
    }

    /// One field must not contradict itself, whatever the message carries.
    #[inline(always)]
    pub(super) fn check_conflict(&self, field: FieldName) -> Result<(), MessageError<'b>> {
        self.check_conflicts_among(bit(field))
    }

    #[inline(always)]
    fn check_conflicts_among(&self, fields: u32) -> Result<(), MessageError<'b>> {
        let Some(anomalies) = self.anomalies else { return Ok(()) };
        match anomalies.contradicted & fields {
            0 => Ok(()),
            contradicted => Err(anomalies.contradiction(contradicted, self.index)),
        }
    }

    /// Every contradiction of [`check_conflicts`](Self::check_conflicts), not only the first.
    pub(super) fn each_conflict(&self, kind: MessageKind, each: &mut impl FnMut(MessageError<'b>)) {
        let Some(anomalies) = self.anomalies else { return };
        let contradicted = anomalies.contradicted & FieldSets::of(kind).carried();
        for field in FieldName::ALL.iter().filter(|field| contradicted & bit(**field) != 0) {
            each(anomalies.contradiction(bit(*field), self.index));
        }
    }

    /// Everything that is wrong with the fields the message carries, one by one: those that are
    /// missing, and those whose values cannot be read. Fields that are looked at in another light
    /// are `left_out`.
    pub(super) fn each_flaw(
        &mut self,
        kind: MessageKind,
        left_out: &[FieldName],
        each: &mut impl FnMut(MessageError<'b>),
    ) {
        for field in FieldName::ALL.iter().filter(|field| !left_out.contains(field)) {
            let trouble = match self.carried(kind, *field) {
                Err(missing) => Some(missing),
                Ok(None) => None,
                Ok(Some(_)) if *field == FieldName::SupportedProtocols => {
                    self.protocols(kind).err()
                }
                Ok(Some(value)) => field
                    .flaw_in(value, &mut self.deviations)
                    .map(|flaw| MessageError::in_value(*field, value, flaw)),
            };
            trouble.into_iter().for_each(&mut *each);
        }
    }

    /// Whether it carries what only the Acks for other requests carry.
    pub(super) const fn is_of_another(&self, kind: MessageKind) -> bool {
        self.index.found().present & FieldSets::of(kind).unexpected & presence::GRANTS != 0
    }

    /// Remarks on fields that the message does not carry, and on those it carries more than once
    /// or under a misspelt name.
    #[inline(always)]
    pub(super) fn record_fields(&mut self, kind: MessageKind) {
        let sets = FieldSets::of(kind);
        let unexpected = self.index.found().present & sets.unexpected;
        if unexpected != 0 {
            self.record_unexpected(kind, unexpected);
        }
        self.record_form(sets.carried());
    }

    /// Remarks on those of these fields that are there more than once or under a misspelt name.
    #[inline(always)]
    pub(super) fn record_form(&mut self, fields: u32) {
        if let Some(anomalies) = self.anomalies {
            self.record_repeated(anomalies.repeated & fields);
        }
        if self.index.found().is_misspelt && fields & bit(FieldName::ReceivedContentRange) != 0 {
            self.deviations.insert(Deviation::MisspeltReceived);
        }
    }

    #[cold]
    fn record_repeated(&mut self, repeated: u32) {
        if repeated & bit(FieldName::SupportedProtocols) != 0 {
            self.deviations.insert(Deviation::JoinedProtocols);
        }
        if repeated & !bit(FieldName::SupportedProtocols) != 0 {
            self.deviations.insert(Deviation::DuplicateField);
        }
    }

    #[cold]
    fn record_unexpected(&mut self, kind: MessageKind, unexpected: u32) {
        const ERRORS: u32 =
            bit(FieldName::Error) | bit(FieldName::ErrorCode) | bit(FieldName::ErrorContext);
        let errors = if kind.is_success() { unexpected & ERRORS } else { 0 };
        if errors != 0 {
            self.deviations.insert(Deviation::ErrorOnSuccess);
        }
        if unexpected != errors {
            self.deviations.insert(Deviation::UnexpectedField);
        }
    }

    /// Whether the message carries the field and it is there. Its absence is an error, a
    /// deviation or nothing, as the presence table has it.
    #[inline(always)]
    pub(super) fn carried(
        &mut self,
        kind: MessageKind,
        field: FieldName,
    ) -> Result<Option<&'b [u8]>, MessageError<'b>> {
        let sets = FieldSets::of(kind);
        if self.index.found().present & sets.carried() & bit(field) != 0 {
            return Ok(self.get(field));
        }
        if sets.required & bit(field) != 0 {
            return Err(MessageError::missing(field));
        }
        if sets.expected & bit(field) != 0 {
            self.deviations.insert(presence::absence(field));
        }
        Ok(None)
    }

    /// Takes back the remark that the field is not there.
    pub(super) fn forget_absence(&mut self, field: FieldName) {
        let absence = presence::absence(field);
        self.deviations = self.deviations.iter().filter(|it| *it != absence).collect();
    }

    /// The value of a field that the message may carry.
    #[inline(always)]
    pub(super) fn optional<T: Decode<'b>>(
        &mut self,
        kind: MessageKind,
    ) -> Result<Option<T>, MessageError<'b>> {
        let Some(value) = self.carried(kind, T::NAME)? else { return Ok(None) };
        T::decode(value, &mut self.deviations)
            .map(Some)
            .map_err(|flaw| MessageError::in_value(T::NAME, value, flaw))
    }

    /// The value of a field that the message must carry.
    #[inline(always)]
    pub(super) fn required<T: Decode<'b>>(
        &mut self,
        kind: MessageKind,
    ) -> Result<T, MessageError<'b>> {
        self.optional(kind)?.ok_or(MessageError::missing(T::NAME))
    }

    /// The value of a field, if it can be read and does not contradict itself.
    pub(super) fn certain<T: Decode<'b>>(&mut self, kind: MessageKind) -> Option<T> {
        self.check_conflict(T::NAME).and_then(|()| self.optional(kind)).ok().flatten()
    }

    /// The list of protocols, if it can be read and is not too long.
    pub(super) fn certain_protocols(
        &mut self,
        kind: MessageKind,
    ) -> Option<SupportedProtocols<'b>> {
        let field = FieldName::SupportedProtocols;
        self.check_conflict(field).and_then(|()| self.protocols(kind)).ok()
    }

    /// The session that a request names.
    #[inline(always)]
    pub(super) fn session_id(
        &mut self,
        kind: MessageKind,
    ) -> Result<SessionId<'b>, MessageError<'b>> {
        self.required(kind).map_err(|trouble| trouble.at_stage(CheckStage::Session))
    }

    /// The list of protocols, from all the fields it is spread over.
    pub(super) fn protocols(
        &mut self,
        kind: MessageKind,
    ) -> Result<SupportedProtocols<'b>, MessageError<'b>> {
        let field = FieldName::SupportedProtocols;
        let value = self.carried(kind, field)?.ok_or(MessageError::missing(field))?;
        let more = self.anomalies.map_or([&[][..]; 3], |anomalies| anomalies.more_protocols);
        let [second, third, fourth] = more;
        SupportedProtocols::decode_joined([value, second, third, fourth], &mut self.deviations)
            .map_err(|(flaw, value)| MessageError::in_value(field, value, flaw))
    }
}
