//! The ranges in the body of a response, compared with those of the request.

use super::DownloadRule;
use super::request::{RangeSet, RequestedRanges, Resolved};
use super::version::EntityVersion;
use crate::download::field::ContentRange;
use crate::download::{ByteRange, Method};
use crate::observer::{Numbers, Violation};

/// The ranges that were received so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) method: Method,
    /// The version in the head of the response.
    pub(super) version: EntityVersion,
    requested: RequestedRanges,
    received: RangeSet,
    /// The last requested range that was received.
    latest: RangeSet,
    /// The length of the entity in the first part.
    total: Option<u64>,
    /// False if a part cannot be compared.
    are_known: bool,
    /// True if parts in another order were reported.
    is_reordered: bool,
    /// True if another length in a part was reported.
    are_mixed: bool,
}

/// The result of comparing a range with those of the request.
enum Comparison {
    Equal(RangeSet),
    Merged(RangeSet),
    Short(RangeSet),
    Other,
    Unknown,
}

impl Parts {
    pub(super) const fn new(
        method: Method,
        version: EntityVersion,
        requested: RequestedRanges,
    ) -> Self {
        Self {
            method,
            version,
            requested,
            received: RangeSet::EMPTY,
            latest: RangeSet::EMPTY,
            total: None,
            are_known: true,
            is_reordered: false,
            are_mixed: false,
        }
    }

    /// Checks a range. Returns the length of the entity if this is the first range that has it.
    pub(super) fn observe(
        &mut self,
        part: ContentRange,
        report: &mut impl FnMut(Violation),
    ) -> Option<u64> {
        let (Some(range), Some(total)) = (part.range(), part.total()) else {
            self.are_known = false;
            return None;
        };
        let is_first = self.total.is_none();
        match *self.total.get_or_insert(total) {
            expected if expected != total => {
                if !self.are_mixed {
                    let numbers = Numbers::Mismatch { received: total, expected };
                    report(DownloadRule::MixedLengths.with(numbers));
                }
                (self.are_mixed, self.are_known) = (true, false);
            }
            _ => self.compare_with_request(range, total, report),
        }
        is_first.then_some(total)
    }

    fn compare_with_request(
        &mut self,
        range: ByteRange,
        total: u64,
        report: &mut impl FnMut(Violation),
    ) {
        let found = match self.compare(range, total) {
            Comparison::Equal(found) => found,
            Comparison::Merged(found) => {
                report(DownloadRule::MergedRanges.into());
                found
            }
            Comparison::Short(found) => {
                report(DownloadRule::ShortRange.into());
                found
            }
            Comparison::Other => {
                report(DownloadRule::UnrequestedRange.into());
                self.are_known = false;
                return;
            }
            Comparison::Unknown => return,
        };
        if found < self.latest && !self.is_reordered {
            report(DownloadRule::ReorderedRanges.into());
            self.is_reordered = true;
        }
        self.latest = self.latest.max(found);
        self.received = self.received.with(found);
    }

    /// Compares a range with those of the request that were not received yet.
    fn compare(&self, range: ByteRange, total: u64) -> Comparison {
        let open = || self.missing(total);
        let equal = || open().filter(|it| it.range == range);
        let next = equal().find(|it| it.index > self.latest).or_else(|| equal().next());
        if let Some(equal) = next {
            return Comparison::Equal(equal.index);
        }
        let is_inside =
            |it: &Resolved| it.range.first() >= range.first() && it.range.end() <= range.end();
        let inside = || open().filter(is_inside);
        let indices = inside().fold(RangeSet::EMPTY, |set, it| set.with(it.index));
        let first = inside().map(|it| it.range.first()).min();
        let end = inside().map(|it| it.range.end()).max();
        let is_bounded = first == Some(range.first()) && end == Some(range.end());
        if indices.has_several() && is_bounded {
            return Comparison::Merged(indices);
        }
        if !self.requested.are_all_kept() {
            return Comparison::Unknown;
        }
        let mut starts =
            open().filter(|it| it.range.first() == range.first() && it.range.end() > range.end());
        starts.next().map_or(Comparison::Other, |it| Comparison::Short(it.index))
    }

    /// Returns the requested ranges that the entity has and that were not received yet.
    fn missing(&self, total: u64) -> impl Iterator<Item = Resolved> {
        let received = self.received;
        self.requested.resolve(total).filter(move |it| !received.contains(it.index))
    }

    /// Checks that all ranges were received, at the end of the body.
    pub(super) fn check_end(&self, report: &mut impl FnMut(Violation)) {
        let Some(total) = self.total.filter(|_| self.are_known) else { return };
        let sum = |ranges: &mut dyn Iterator<Item = Resolved>| {
            ranges.fold(0_u64, |sum, it| sum.saturating_add(it.range.len()))
        };
        let missing = sum(&mut self.missing(total));
        if missing == 0 {
            return;
        }
        let length = sum(&mut self.requested.resolve(total));
        let numbers = Numbers::Missing { missing, length };
        report(match self.requested.are_all_kept() {
            true => DownloadRule::MissingParts.with(numbers),
            false => DownloadRule::MissingParts.into(),
        });
    }
}
