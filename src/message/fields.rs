//! The known fields of a message, collected in one pass.

use super::message_error::MessageError;
use super::{METHOD, presence};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::field::{FieldName, FieldSet, SupportedProtocols};
use crate::http1::framing::is_same_length;
use crate::http1::{FramingFields, HeadVisitor, trim_white_space};

/// The fields of one message that the protocol knows: the first value of each, which are repeated,
/// which have conflicting values, and the first value that is too long.
///
/// A head collects them while its lines are checked, and
/// [`from_fields`](super::Request::from_fields) while it iterates over the caller's pairs. After that
/// nothing iterates over the fields again.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'b> {
    present: FieldSet,
    /// True if BITS-Received-Content-Range is present under its misspelt name only.
    is_misspelt: bool,
    /// The first value of each field.
    values: [Option<&'b [u8]>; FieldName::ALL.len()],
    /// Absent in most messages.
    irregular: Option<Irregular<'b>>,
}

/// Repeated, conflicting and over-long fields of one message.
#[derive(Clone, Copy, Debug)]
struct Irregular<'b> {
    /// Fields that are repeated with the same value, or with more items of a list.
    repeated: FieldSet,
    /// Fields with different values, and the first value that differs.
    conflicting: FieldSet,
    first_conflict: Option<(FieldName, &'b [u8])>,
    /// The first Content-Length that is not the number of the first one.
    other_length: Option<&'b [u8]>,
    /// The second Transfer-Encoding.
    other_coding: Option<&'b [u8]>,
    /// Further BITS-Supported-Protocols fields: the list may be spread over several.
    more_protocols: [&'b [u8]; MORE_PROTOCOLS],
    protocol_fields: usize,
    /// The first list of protocols beyond those.
    excess_protocols: Option<&'b [u8]>,
    /// The first value that exceeds the limit.
    long_value: Option<LongValue<'b>>,
}

/// A value that exceeds the limit, and its field if it is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LongValue<'b> {
    pub(super) field: Option<FieldName>,
    pub(super) value: &'b [u8],
    pub(super) limit: usize,
}

/// The number of BITS-Supported-Protocols fields that may follow the first.
const MORE_PROTOCOLS: usize = 3;

impl<'b> HeadVisitor<'b> for Fields<'b> {
    /// Notifications use POST.
    const METHODS: &'static [&'static str] = &[METHOD, "POST", "GET", "HEAD"];

    #[inline(always)]
    fn new() -> Self {
        // Built here and not copied from a constant, which would copy the unused bytes of
        // `irregular` too.
        Self {
            present: FieldSet::EMPTY,
            is_misspelt: false,
            values: [None; FieldName::ALL.len()],
            irregular: None,
        }
    }

    #[inline(always)]
    fn visit(&mut self, name: &'b [u8], value: &'b [u8]) -> bool {
        let Some((field, is_documented)) = FieldName::from_name_and_spelling(name) else {
            return false;
        };
        self.insert(field, is_documented, value);
        true
    }

    #[inline(always)]
    fn framing_fields(&self) -> FramingFields<'b> {
        let irregular = self.irregular.as_ref();
        FramingFields {
            content_length: self.get(FieldName::ContentLength),
            other_length: irregular.and_then(|irregular| irregular.other_length),
            transfer_encoding: self.get(FieldName::TransferEncoding),
            other_coding: irregular.and_then(|irregular| irregular.other_coding),
        }
    }

    #[cold]
    fn record_length_list(&mut self) {
        self.irregular.get_or_insert(Irregular::NONE).repeated.insert(FieldName::ContentLength);
    }
}

impl<'b> Fields<'b> {
    /// Collects fields that another HTTP stack has parsed.
    #[inline(always)]
    pub(super) fn insert_pairs(
        &mut self,
        pairs: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        max_value: usize,
    ) {
        for (name, value) in pairs {
            let value = trim_white_space(value);
            if value.len() > max_value {
                self.insert_long(name, value, max_value);
            }
            self.visit(name.as_bytes(), value);
        }
    }

    #[inline(always)]
    fn insert(&mut self, field: FieldName, is_documented: bool, value: &'b [u8]) {
        if !is_documented && !self.present.contains(field) {
            self.insert_other_spelling(field);
        }
        if value.is_empty() && presence::is_absent_when_empty(field) {
            return;
        }
        if self.present.contains(field) {
            self.insert_repeated(field, value);
            return;
        }
        self.present.insert(field);
        if let Some(slot) = self.values.get_mut(field as usize) {
            *slot = Some(value);
        }
    }

    #[cold]
    fn insert_other_spelling(&mut self, field: FieldName) {
        self.is_misspelt |= field == FieldName::ReceivedContentRange;
    }

    #[cold]
    fn insert_long(&mut self, name: &str, value: &'b [u8], limit: usize) {
        let irregular = self.irregular.get_or_insert(Irregular::NONE);
        let long_value = LongValue { field: FieldName::from_name(name), value, limit };
        irregular.long_value = irregular.long_value.or(Some(long_value));
    }

    #[cold]
    fn insert_repeated(&mut self, field: FieldName, value: &'b [u8]) {
        let first = self.get(field).unwrap_or_default();
        self.irregular.get_or_insert(Irregular::NONE).insert_repeated(field, value, first);
    }

    /// Returns the set of fields that are present.
    #[inline(always)]
    pub(super) const fn present(&self) -> FieldSet {
        self.present
    }

    /// Returns the first value of a field.
    #[inline(always)]
    pub(super) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        self.values.get(field as usize).copied().flatten()
    }

    /// Returns true if BITS-Received-Content-Range is present under its misspelt name only.
    #[inline(always)]
    pub(super) const fn is_misspelt(&self) -> bool {
        self.is_misspelt
    }

    /// Returns the fields that are repeated without a contradiction.
    #[inline(always)]
    pub(super) fn repeated(&self) -> FieldSet {
        self.irregular.as_ref().map_or(FieldSet::EMPTY, |irregular| irregular.repeated)
    }

    /// Returns the fields that are repeated with another value.
    #[inline(always)]
    pub(super) fn conflicting(&self) -> FieldSet {
        self.irregular.as_ref().map_or(FieldSet::EMPTY, |irregular| irregular.conflicting)
    }

    /// Decodes the list of protocols from its `first` field and all further ones. An error names the
    /// field value that is invalid.
    pub(super) fn join_protocols(
        &self,
        first: &'b [u8],
        deviations: &mut Deviations,
    ) -> Result<SupportedProtocols<'b>, (ValueError, &'b [u8])> {
        let more = self.irregular.as_ref().map(|irregular| irregular.more_protocols);
        let [second, third, fourth] = more.unwrap_or([&[]; MORE_PROTOCOLS]);
        SupportedProtocols::decode_joined([first, second, third, fourth], deviations)
    }

    /// Returns the first value that is longer than the limit that the fields were collected with.
    #[inline(always)]
    pub(super) fn long_value(&self) -> Option<LongValue<'b>> {
        self.irregular.as_ref().and_then(|irregular| irregular.long_value)
    }

    /// Returns the error of these conflicting fields that comes first in the message; if there are
    /// several and another field's conflict comes first, the error of any of them.
    #[cold]
    pub(super) fn conflict_among(&self, fields: FieldSet) -> Option<(FieldName, MessageError<'b>)> {
        let irregular = self.irregular.as_ref()?;
        let first = irregular.first_conflict.filter(|(field, _)| fields.contains(*field));
        let (field, value) = match first {
            Some(first) => first,
            None => {
                let field = fields.iter().next()?;
                (field, self.get(field).unwrap_or_default())
            }
        };
        let error = match irregular.excess_protocols {
            Some(excess) if field == FieldName::SupportedProtocols => {
                let error = ValueError::new(ErrorKind::ProtocolCount, 0);
                MessageError::in_value(field, excess, error)
            }
            _ => MessageError::conflict(field, self.get(field).unwrap_or_default(), value),
        };
        Some((field, error))
    }
}

impl<'b> Irregular<'b> {
    const NONE: Self = Self {
        repeated: FieldSet::EMPTY,
        conflicting: FieldSet::EMPTY,
        first_conflict: None,
        other_length: None,
        other_coding: None,
        more_protocols: [&[]; MORE_PROTOCOLS],
        protocol_fields: 0,
        excess_protocols: None,
        long_value: None,
    };

    fn insert_repeated(&mut self, field: FieldName, value: &'b [u8], first: &'b [u8]) {
        match field {
            FieldName::SupportedProtocols => self.insert_protocols(value),
            // A list that may be spread over several fields; only its first item matters.
            FieldName::AcceptEncoding => {}
            FieldName::ContentLength if is_same_length(first, value) => self.repeated.insert(field),
            // Reported with the framing.
            FieldName::ContentLength => self.other_length = self.other_length.or(Some(value)),
            FieldName::TransferEncoding => self.other_coding = self.other_coding.or(Some(value)),
            _ if first == value => self.repeated.insert(field),
            _ => self.insert_conflict(field, value),
        }
    }

    fn insert_protocols(&mut self, value: &'b [u8]) {
        self.repeated.insert(FieldName::SupportedProtocols);
        match self.more_protocols.get_mut(self.protocol_fields) {
            Some(slot) => *slot = value,
            None => {
                self.excess_protocols = self.excess_protocols.or(Some(value));
                self.insert_conflict(FieldName::SupportedProtocols, value);
            }
        }
        self.protocol_fields = self.protocol_fields.saturating_add(1);
    }

    fn insert_conflict(&mut self, field: FieldName, value: &'b [u8]) {
        self.conflicting.insert(field);
        self.first_conflict = self.first_conflict.or(Some((field, value)));
    }
}
