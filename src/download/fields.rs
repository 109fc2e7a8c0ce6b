//! The known fields of a download, collected in one pass.

use super::field::FieldName;
use crate::field::ContentEncoding;
use crate::http1::framing::is_same_length;
use crate::http1::{FramingFields, HeadVisitor, trim_white_space};

/// The fields of one message that downloads use: the first value of each, and the values of repeated
/// fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields<'b> {
    /// The first value of each field.
    values: [Option<&'b [u8]>; FieldName::ALL.len()],
    /// Further values of repeated fields, in order.
    repeats: [Option<(FieldName, &'b [u8])>; MAX_REPEATS],
    /// True if there are more repeated fields than space: then every field may be repeated.
    has_more_repeats: bool,
    /// The first Content-Length that is another number than the first one.
    other_length: Option<&'b [u8]>,
    /// The second Transfer-Encoding.
    other_coding: Option<&'b [u8]>,
}

/// The number of further values of repeated fields that are kept.
const MAX_REPEATS: usize = 4;

/// A field that may have one value only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Single<'b> {
    Absent,
    Value(&'b [u8]),
    /// The field is repeated with another value.
    Conflicting,
}

impl<'b> Single<'b> {
    /// Returns the value; `None` if the field is absent or has conflicting values.
    pub(super) const fn value(self) -> Option<&'b [u8]> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Conflicting => None,
        }
    }
}

impl<'b> HeadVisitor<'b> for Fields<'b> {
    const METHODS: &'static [&'static str] = &["GET", "HEAD"];

    #[inline(always)]
    fn new() -> Self {
        Self {
            values: [None; FieldName::ALL.len()],
            repeats: [None; MAX_REPEATS],
            has_more_repeats: false,
            other_length: None,
            other_coding: None,
        }
    }

    #[inline(always)]
    fn visit(&mut self, name: &'b [u8], value: &'b [u8]) -> bool {
        let Some(field) = FieldName::from_bytes(name) else { return false };
        self.insert(field, value);
        true
    }

    fn framing_fields(&self) -> FramingFields<'b> {
        FramingFields {
            content_length: self.first(FieldName::ContentLength),
            other_length: self.other_length,
            transfer_encoding: self.first(FieldName::TransferEncoding),
            other_coding: self.other_coding,
        }
    }

    /// Downloads have no deviations.
    fn record_length_list(&mut self) {}
}

impl<'b> Fields<'b> {
    /// Collects fields that another HTTP stack has parsed.
    pub(super) fn from_pairs(pairs: impl IntoIterator<Item = (&'b str, &'b [u8])>) -> Self {
        let mut fields = Self::new();
        for (name, value) in pairs {
            fields.visit(name.as_bytes(), trim_white_space(value));
        }
        fields
    }

    #[inline(always)]
    fn insert(&mut self, field: FieldName, value: &'b [u8]) {
        let Some(slot) = self.values.get_mut(field as usize) else { return };
        let Some(first) = *slot else {
            *slot = Some(value);
            return;
        };
        self.insert_repeated(field, value, first);
    }

    #[cold]
    fn insert_repeated(&mut self, field: FieldName, value: &'b [u8], first: &'b [u8]) {
        match field {
            FieldName::ContentLength => {
                let is_other = self.other_length.is_none() && !is_same_length(first, value);
                self.other_length = self.other_length.or(is_other.then_some(value));
                return;
            }
            FieldName::TransferEncoding => {
                self.other_coding = self.other_coding.or(Some(value));
                return;
            }
            // Only the first value of these counts.
            FieldName::AcceptEncoding | FieldName::AcceptRanges | FieldName::RetryAfter => return,
            _ => {}
        }
        match self.repeats.iter_mut().find(|repeat| repeat.is_none()) {
            Some(repeat) => *repeat = Some((field, value)),
            None => self.has_more_repeats = true,
        }
    }

    /// Returns the first value of a field.
    pub(super) fn first(&self, field: FieldName) -> Option<&'b [u8]> {
        self.values.get(field as usize).copied().flatten()
    }

    /// Returns all values of a field that may be spread over several lines. `None` if there are more
    /// repeated fields than are kept.
    pub(super) fn lines(&self, field: FieldName) -> Option<impl Iterator<Item = &'b [u8]>> {
        let repeats = self.repeats.into_iter().flatten();
        let repeats = repeats.filter_map(move |(name, value)| (name == field).then_some(value));
        let lines = self.first(field).into_iter().chain(repeats);
        (!self.has_more_repeats).then_some(lines)
    }

    /// Returns the value of a field if it is valid and not repeated with another value.
    pub(super) fn valid<T: TryFrom<&'b [u8]>>(&self, field: FieldName) -> Option<T> {
        self.single(field).value().and_then(|value| T::try_from(value).ok())
    }

    /// Returns true if a content coding other than identity is applied.
    pub(super) fn is_encoded(&self) -> bool {
        self.lines(FieldName::ContentEncoding)
            .is_none_or(|mut lines| lines.any(|line| ContentEncoding::try_from(line).is_err()))
    }

    /// Returns the value of a field that may have one value only.
    pub(super) fn single(&self, field: FieldName) -> Single<'b> {
        let Some(first) = self.first(field) else { return Single::Absent };
        if let [None, ..] = self.repeats {
            return Single::Value(first);
        }
        let mut lines = self.lines(field);
        let is_unique = lines.as_mut().is_some_and(|lines| lines.all(|value| value == first));
        if is_unique { Single::Value(first) } else { Single::Conflicting }
    }
}
