//! If-None-Match.

use super::entity_tags::EntityTags;
use super::{EntityTag, FieldName, value_type};
use crate::error::ValueError;

/// If-None-Match: the request is executed only if the entity has none of these tags.
///
/// Tags are compared weakly. `*` matches every entity that exists. Empty items of the list are
/// ignored.
///
/// ```text
/// If-None-Match = "*" / ( ETag *( OWS "," OWS ETag ) )
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotEntityTag`](crate::error::ErrorKind::NotEntityTag).
///
/// # Example
///
/// ```
/// use bits_proto::download::field::{EntityTag, IfNoneMatch};
///
/// let condition = IfNoneMatch::try_from("W/\"a\"")?;
/// assert!(condition.matches(Some(&EntityTag::try_from("\"a\"")?)));
/// assert!(!condition.matches(None));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 13.1.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IfNoneMatch<'b>(EntityTags<'b>);

impl<'b> IfNoneMatch<'b> {
    /// Returns the value as it was received.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0.as_bytes()
    }

    /// Returns true if the list contains the tag of an entity, so that the request is not executed.
    #[must_use]
    pub fn matches(&self, tag: Option<&EntityTag<'_>>) -> bool {
        self.0.is_any()
            || tag.is_some_and(|tag| self.0.iter().any(|listed| listed.matches_weakly(tag)))
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        EntityTags::decode(value).map(Self)
    }
}

value_type!(IfNoneMatch<'b>: FieldName::IfNoneMatch);
