//! The memory of an observer about a download request, of fixed size.

use crate::download::field::{
    EntityTag, FieldName, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince,
    RangeItem,
};
use crate::download::{ByteRange, Entity, Method, Precondition, Request, Response};
use crate::field::HttpDate;
use crate::http1::{RequestLine, Version};

/// A GET or HEAD request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Requested {
    pub(super) method: Method,
    pub(super) accepts_only_identity: bool,
    pub(super) ranges: RequestedRanges,
    pub(super) conditions: Conditions,
}

impl Requested {
    pub(super) fn new(request: &Request<'_>) -> Self {
        Self {
            method: request.method(),
            accepts_only_identity: request.accepts_only_identity(),
            ranges: RequestedRanges::new(request),
            conditions: Conditions::new(request),
        }
    }
}

/// The number of ranges of a request that are kept. At most 8, the bits of [`RangeSet`].
const MAX_RANGES: usize = 8;

/// The requested ranges. Ranges beyond the first ones are only counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestedRanges {
    kept: [Option<RangeItem>; MAX_RANGES],
    /// The number of ranges; 0 without a valid Range.
    pub(super) count: usize,
}

impl RequestedRanges {
    fn new(request: &Request<'_>) -> Self {
        let items = || request.range().into_iter().flat_map(|range| range.iter());
        let mut first = items();
        Self { kept: core::array::from_fn(|_| first.next()), count: items().count() }
    }

    /// Returns true if all ranges are kept.
    pub(super) const fn are_all_kept(&self) -> bool {
        self.count <= MAX_RANGES
    }

    /// Returns the kept ranges that an entity with this length has.
    pub(super) fn resolve(&self, length: u64) -> impl Iterator<Item = Resolved> {
        let items = self.kept.into_iter().flatten().enumerate();
        items.filter_map(move |(index, item)| {
            item.resolve(length).map(|range| Resolved { index: RangeSet(1 << index), range })
        })
    }
}

/// A requested range of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resolved {
    /// The set of this range alone.
    pub(super) index: RangeSet,
    pub(super) range: ByteRange,
}

/// A set of kept ranges: a bit for each, the first range in the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RangeSet(u8);

impl RangeSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns true if there are several ranges in the set.
    pub(super) const fn has_several(self) -> bool {
        self.0.count_ones() > 1
    }
}

/// The number of bytes that are kept of all conditions. Windows sends a date, in 31 bytes.
const MAX_CONDITIONS: usize = 184;

/// The conditions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conditions {
    /// The position in [`FieldName::ALL`], the length and the bytes of each value, then zeros.
    bytes: [u8; MAX_CONDITIONS],
    length: usize,
    /// True if a condition is invalid, repeated with another value, or too long.
    are_unknown: bool,
}

impl Conditions {
    fn new(request: &Request<'_>) -> Self {
        let mut conditions = Self { bytes: [0; MAX_CONDITIONS], length: 0, are_unknown: false };
        match request.conditions() {
            Some(lines) => lines.for_each(|(field, value)| {
                if conditions.is_known(field, value) && conditions.push(field, value).is_some() {
                    return;
                }
                conditions.are_unknown = true;
            }),
            None => conditions.are_unknown = true,
        }
        conditions
    }

    /// Returns true if every server evaluates the condition alike.
    fn is_known(&self, field: FieldName, value: &[u8]) -> bool {
        let is_unique = !self.has(field);
        match field {
            FieldName::IfMatch => IfMatch::try_from(value).is_ok(),
            FieldName::IfNoneMatch => IfNoneMatch::try_from(value).is_ok(),
            FieldName::IfModifiedSince => is_unique && IfModifiedSince::try_from(value).is_ok(),
            FieldName::IfUnmodifiedSince => is_unique && IfUnmodifiedSince::try_from(value).is_ok(),
            _ => is_unique && IfRange::try_from(value).is_ok(),
        }
    }

    fn push(&mut self, field: FieldName, value: &[u8]) -> Option<()> {
        let rest = self.bytes.get_mut(self.length..)?;
        let [name, length, rest @ ..] = rest else { return None };
        rest.get_mut(..value.len())?.copy_from_slice(value);
        (*name, *length) = (u8::try_from(field as usize).ok()?, u8::try_from(value.len()).ok()?);
        self.length = self.length.checked_add(value.len())?.checked_add(2)?;
        Some(())
    }

    fn iter(&self) -> impl Iterator<Item = (FieldName, &[u8])> + Clone {
        let mut rest = self.bytes.get(..self.length).unwrap_or_default();
        core::iter::from_fn(move || {
            let [name, length, tail @ ..] = rest else { return None };
            let (value, tail) = tail.split_at_checked(usize::from(*length))?;
            rest = tail;
            Some((*FieldName::ALL.get(usize::from(*name))?, value))
        })
    }

    /// Returns true if the request has a condition in this field.
    pub(super) fn has(&self, field: FieldName) -> bool {
        self.iter().any(|(name, _)| name == field)
    }

    /// Returns the result of the conditions for the entity in a response. `None` if it is unknown.
    pub(super) fn evaluate(&self, response: &Response<'_>) -> Option<Precondition> {
        let needs_tag = self.has(FieldName::IfMatch) || self.has(FieldName::IfNoneMatch);
        if self.are_unknown || (needs_tag && response.tag.is_none()) {
            return None;
        }
        let line = RequestLine { method: "GET", target: "/", version: Version::Http11 };
        let fields = self.iter().map(|(name, value)| (name.as_str(), value));
        let request = Request::from_fields(line, fields).ok()?;
        let entity = Entity::new(0).with_modified(date(response)).with_tag(response.tag);
        Some(request.precondition(&entity))
    }

    /// Returns true if the entity in a response certainly fails If-Range.
    pub(super) fn forbid_ranges(&self, response: &Response<'_>) -> bool {
        let condition = self.iter().find(|(name, _)| *name == FieldName::IfRange);
        let condition = condition.and_then(|(_, value)| IfRange::try_from(value).ok());
        let (tag, modified): (Option<EntityTag<'_>>, _) = (response.tag, date(response));
        condition.is_some_and(|condition| {
            let is_comparable = match condition {
                IfRange::Tag(_) => tag.is_some(),
                IfRange::Date(_) => modified.is_some(),
            };
            !self.are_unknown && is_comparable && !condition.matches(tag.as_ref(), modified)
        })
    }

    /// Returns true if the ranges of the request are certainly unconditional.
    pub(super) fn allow_ranges(&self) -> bool {
        !self.are_unknown && !self.has(FieldName::IfRange)
    }
}

fn date(response: &Response<'_>) -> Option<HttpDate> {
    response.last_modified.and_then(|modified| modified.date())
}
