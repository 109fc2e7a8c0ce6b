//! What is not as usual about the fields of a message: some are there again, contradict themselves,
//! or are too long. Most messages have nothing of it.

use super::message_error::MessageError;
use crate::error::{CheckStage, ErrorKind, ValueError};
use crate::field::{FieldName, Seen, bit};
use crate::http1::{Filling, Index};
use crate::util::digits::decimal;

/// A value that exceeds the limit.
#[derive(Clone, Copy, Debug)]
struct LongValue<'b> {
    field: Option<FieldName>,
    value: &'b [u8],
    /// In 32 bits, to keep [`Anomalies`] small.
    limit: u32,
}

/// What is not as usual about the fields of one message.
#[derive(Debug)]
pub(super) struct Anomalies<'b> {
    /// Further BITS-Supported-Protocols fields; the list may be spread over several.
    pub(super) more_protocols: [&'b [u8]; 3],
    protocol_fields: usize,
    /// The fields that are there again with the same value, or with more of a list.
    pub(super) repeated: u32,
    /// The fields that contradict themselves, and the first contradiction.
    pub(super) contradicted: u32,
    conflict: Option<(FieldName, &'b [u8])>,
    /// The first list of protocols that is too many.
    excess: Option<&'b [u8]>,
    long: Option<LongValue<'b>>,
}

impl<'b> Anomalies<'b> {
    const NONE: Self = Self {
        more_protocols: [&[]; 3],
        protocol_fields: 0,
        repeated: 0,
        contradicted: 0,
        conflict: None,
        excess: None,
        long: None,
    };

    /// Takes one more field into account, which is told if it was there before.
    #[inline(always)]
    pub(super) fn observe(
        anomalies: &mut Option<Self>,
        filling: &mut Filling<'_, 'b>,
        (name, value): (&str, &'b [u8]),
        max_value: usize,
    ) -> Option<FieldName> {
        if value.len() > max_value {
            anomalies.get_or_insert(Self::NONE).observe_long(name, value, max_value);
        }
        let Seen::Again(field) = filling.see(name, value)? else { return None };
        let first = filling.get(field);
        anomalies.get_or_insert(Self::NONE).observe_again(field, value, first);
        Some(field)
    }

    #[cold]
    fn observe_long(&mut self, name: &str, value: &'b [u8], limit: usize) {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let long = || LongValue { field: FieldName::from_name(name), value, limit };
        self.long = self.long.or_else(|| Some(long()));
    }

    /// A field that was there before.
    #[cold]
    fn observe_again(&mut self, field: FieldName, value: &'b [u8], first: Option<&'b [u8]>) {
        match field {
            FieldName::SupportedProtocols => {
                self.repeated |= bit(field);
                match self.more_protocols.get_mut(self.protocol_fields) {
                    Some(slot) => *slot = value,
                    None => {
                        self.excess = self.excess.or(Some(value));
                        self.contradict(field, value);
                    }
                }
                self.protocol_fields = self.protocol_fields.saturating_add(1);
            }
            // A list, which may be spread over several fields; only its first item matters.
            FieldName::AcceptEncoding => {}
            // What contradicts is refused with the framing.
            FieldName::ContentLength if !is_same_length(first, value) => {}
            FieldName::ContentLength => self.repeated |= bit(field),
            _ if first == Some(value) => self.repeated |= bit(field),
            _ => self.contradict(field, value),
        }
    }

    /// Remembers the first contradiction.
    fn contradict(&mut self, field: FieldName, value: &'b [u8]) {
        self.contradicted |= bit(field);
        self.conflict = self.conflict.or(Some((field, value)));
    }

    /// The first contradiction of these fields, which contradict themselves; another than the first
    /// of all is told with its first value.
    #[cold]
    pub(super) fn contradiction(&self, contradicted: u32, index: &Index<'b>) -> MessageError<'b> {
        let is_meant = |field: FieldName| contradicted & bit(field) != 0;
        let first = self.conflict.filter(|(field, _)| is_meant(*field));
        let (field, value) = first.unwrap_or_else(|| {
            let field = FieldName::ALL.iter().copied().find(|field| is_meant(*field));
            let field = field.unwrap_or(FieldName::PacketType);
            (field, index.get(field).unwrap_or_default())
        });
        let error = match self.excess {
            Some(excess) if field == FieldName::SupportedProtocols => {
                let error = ValueError::new(ErrorKind::ProtocolCount, 0);
                MessageError::in_value(field, excess, error)
            }
            _ => MessageError::conflict(field, index.get(field).unwrap_or_default(), value),
        };
        error.at_stage(CheckStage::Limits)
    }

    /// The first value that is longer than the limit.
    pub(super) fn long_value(&self) -> Option<MessageError<'b>> {
        let LongValue { field, value, limit } = self.long?;
        Some(MessageError::in_long_value(field, value, limit))
    }

    /// The same, and forgets it: what follows is read whatever its length.
    pub(super) fn take_long_value(&mut self) -> Option<MessageError<'b>> {
        let trouble = self.long_value();
        self.long = None;
        trouble
    }
}

fn is_same_length(first: Option<&[u8]>, value: &[u8]) -> bool {
    let number = |text: &[u8]| decimal(text).ok();
    first == Some(value)
        || number(value).is_some_and(|length| first.and_then(number) == Some(length))
}
