//! Which of the fields that the protocol knows are there.

use super::FieldName;

/// The fields that were seen so far. A pass over a head fills it, once; all that follows asks it
/// instead of going through the fields again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// One bit for each field that is there.
    pub(crate) present: u32,
    /// One bit for each that is there again.
    again: u32,
    /// Whether BITS-Received-Content-Range is there under its misspelt name.
    pub(crate) is_misspelt: bool,
}

/// A field that the protocol knows.
#[derive(Clone, Copy)]
pub(crate) enum Seen {
    /// There for the first time.
    First(FieldName),
    /// There before.
    Again(FieldName),
}

const _: () = assert!(FieldName::ALL.len() <= 32, "one bit each");

/// The bit of a field in a set.
pub(crate) const fn bit(field: FieldName) -> u32 {
    1 << field as u32
}

/// Whether an empty value of the field is as good as none.
#[cold]
const fn is_absent_when_empty(field: FieldName) -> bool {
    matches!(
        field,
        FieldName::Error
            | FieldName::ErrorCode
            | FieldName::ErrorContext
            | FieldName::ReplyUrl
            | FieldName::StaticResponseUrl
    )
}

impl Found {
    pub(crate) const NOTHING: Self = Self { present: 0, again: 0, is_misspelt: false };

    /// Takes one more field into account, which may be none that the protocol knows, or as good as
    /// not there.
    #[inline(always)]
    pub(crate) fn see(&mut self, name: &str, value: &[u8]) -> Option<Seen> {
        let (field, is_spelt) = FieldName::from_name_and_spelling(name)?;
        if !is_spelt {
            self.see_other_spelling(field);
        }
        if value.is_empty() && is_absent_when_empty(field) {
            return None;
        }
        if self.has(field) {
            self.again |= bit(field);
            return Some(Seen::Again(field));
        }
        self.present |= bit(field);
        Some(Seen::First(field))
    }

    #[cold]
    fn see_other_spelling(&mut self, field: FieldName) {
        self.is_misspelt |= field == FieldName::ReceivedContentRange && !self.has(field);
    }

    /// Whether the field is there.
    #[inline]
    pub(crate) const fn has(&self, field: FieldName) -> bool {
        self.present & bit(field) != 0
    }

    /// Whether any field is there again.
    #[inline]
    pub(crate) const fn has_any_again(&self) -> bool {
        self.again != 0
    }

    /// Whether the field is there again.
    #[inline]
    pub(crate) const fn has_again(&self, field: FieldName) -> bool {
        self.again & bit(field) != 0
    }
}
