//! The list of entity tags in If-Match and If-None-Match.

use super::EntityTag;
use super::entity_tag::split_tag;
use crate::error::{ErrorKind, ValueError};
use crate::util::list::{end_item, skip_separators};

/// A list of entity tags, or `*` for any entity.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EntityTags<'b>(&'b [u8]);

impl<'b> EntityTags<'b> {
    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        if value == b"*" {
            return Ok(Self(value));
        }
        let (mut rest, mut is_empty) = (value, true);
        loop {
            match next_tag(rest) {
                Ok(Some((_, tail))) => (rest, is_empty) = (tail, false),
                Ok(None) if is_empty => {
                    return Err(ValueError::new(ErrorKind::NotEntityTag, value.len()));
                }
                Ok(None) => return Ok(Self(value)),
                Err(rest_at_error) => {
                    let at = value.len().saturating_sub(rest_at_error.len());
                    return Err(ValueError::new(ErrorKind::NotEntityTag, at));
                }
            }
        }
    }

    pub(super) const fn as_bytes(self) -> &'b [u8] {
        self.0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = EntityTag<'b>> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (tag, tail) = next_tag(rest).ok().flatten()?;
            rest = tail;
            Some(tag)
        })
    }

    pub(super) fn is_any(self) -> bool {
        self.0 == b"*"
    }
}

/// A tag of a list and the text after it.
type TagAndRest<'b> = (EntityTag<'b>, &'b [u8]);

/// Parses the next tag of a list; `None` at its end. An error is the text from the error on.
fn next_tag(text: &[u8]) -> Result<Option<TagAndRest<'_>>, &[u8]> {
    let text = skip_separators(text);
    if text.is_empty() {
        return Ok(None);
    }
    let (tag, rest) = split_tag(text).map_err(|error| text.get(error.at..).unwrap_or_default())?;
    end_item(rest).map(|rest| Some((tag, rest)))
}
