//! The version of an entity that a response shows.

use super::DownloadRule;
use crate::download::{Method, Response};
use crate::observer::session::Fingerprint;
use crate::observer::{Numbers, Violation};

/// The validators and the length of an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntityVersion {
    strong_tag: Option<Fingerprint>,
    has_tag: bool,
    modified: Option<Fingerprint>,
    /// `None` if the length is unknown.
    pub(super) length: Option<u64>,
}

impl EntityVersion {
    pub(super) fn new(response: &Response<'_>) -> Self {
        let strong = response.tag.filter(|tag| !tag.is_weak());
        Self {
            strong_tag: strong.map(|tag| Fingerprint::of(tag.as_bytes())),
            has_tag: response.tag.is_some(),
            modified: response.last_modified.map(|date| Fingerprint::of(date.as_bytes())),
            length: response.entity_length(),
        }
    }

    /// Returns true if the validators say that the entity is the same.
    fn is_same(&self, other: &Self) -> bool {
        match (self.strong_tag, other.strong_tag) {
            (Some(tag), Some(other)) => tag == other,
            _ => self.modified.is_some() && self.modified == other.modified,
        }
    }

    /// Returns the violation of a rule by a difference from an earlier version that has the same
    /// validators.
    fn difference(&self, earlier: &Self, rule: DownloadRule) -> Option<Violation> {
        if !self.is_same(earlier) {
            return None;
        }
        if let (Some(received), Some(expected)) = (self.length, earlier.length) {
            if received != expected {
                return Some(rule.with(Numbers::Mismatch { received, expected }));
            }
        }
        let has_other_date = self.modified.is_some()
            && earlier.modified.is_some()
            && self.modified != earlier.modified;
        let has_other_tag = rule == DownloadRule::HeadDiffers && self.has_tag != earlier.has_tag;
        (has_other_date || has_other_tag).then(|| rule.into())
    }
}

/// The versions in the latest responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    get: Option<EntityVersion>,
    head: Option<EntityVersion>,
}

impl Versions {
    pub(super) const UNKNOWN: Self = Self { get: None, head: None };

    /// Compares a version with those in earlier responses, and records it.
    pub(super) fn observe(
        &mut self,
        method: Method,
        version: EntityVersion,
        report: &mut impl FnMut(Violation),
    ) {
        let (same_method, other_method) = match method {
            Method::Get => (&mut self.get, &self.head),
            Method::Head => (&mut self.head, &self.get),
        };
        let between = |earlier: &Option<EntityVersion>, rule| {
            earlier.as_ref().and_then(|earlier| version.difference(earlier, rule))
        };
        between(other_method, DownloadRule::HeadDiffers)
            .or_else(|| between(same_method, DownloadRule::UnchangedValidators))
            .into_iter()
            .for_each(report);
        *same_method = Some(version);
    }
}
