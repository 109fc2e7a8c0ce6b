//! Sets of known fields.

use super::FieldName;

const _: () = assert!(FieldName::ALL.len() <= 32, "one bit each");

/// A set of known fields, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FieldSet(u32);

impl FieldSet {
    pub(crate) const EMPTY: Self = Self(0);

    pub(crate) const fn of(field: FieldName) -> Self {
        Self(1 << field as u32)
    }

    pub(crate) const fn with(self, field: FieldName) -> Self {
        self.union(Self::of(field))
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    #[inline(always)]
    pub(crate) const fn contains(self, field: FieldName) -> bool {
        self.0 & Self::of(field).0 != 0
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[inline(always)]
    pub(crate) const fn insert(&mut self, field: FieldName) {
        *self = self.with(field);
    }

    /// The members, in the order of the enumeration.
    pub(crate) fn iter(self) -> impl Iterator<Item = FieldName> {
        FieldName::ALL.iter().copied().filter(move |field| self.contains(*field))
    }
}
