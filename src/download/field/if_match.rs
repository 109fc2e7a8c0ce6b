//! If-Match.

use super::entity_tags::EntityTags;
use super::{EntityTag, FieldName, value_type};
use crate::error::ValueError;

/// If-Match: the request is executed only if the entity has one of these tags.
///
/// Tags are compared strongly, so a weak tag never matches. `*` matches every entity that exists.
/// Empty items of the list are ignored.
///
/// ```text
/// If-Match = "*" / ( ETag *( OWS "," OWS ETag ) )
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotEntityTag`](crate::error::ErrorKind::NotEntityTag).
///
/// # Example
///
/// ```
/// use bits_proto::download::field::{EntityTag, IfMatch};
///
/// let condition = IfMatch::try_from("\"a\", \"b\"")?;
/// assert!(condition.matches(Some(&EntityTag::try_from("\"b\"")?)));
/// assert!(!condition.matches(Some(&EntityTag::try_from("\"c\"")?)));
/// assert!(IfMatch::try_from("*")?.matches(None));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 13.1.1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IfMatch<'b>(EntityTags<'b>);

impl<'b> IfMatch<'b> {
    /// Returns the value as it was received.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0.as_bytes()
    }

    /// Returns true if an entity with this tag, or without a tag, satisfies the condition.
    #[must_use]
    pub fn matches(&self, tag: Option<&EntityTag<'_>>) -> bool {
        self.0.is_any()
            || tag.is_some_and(|tag| self.0.iter().any(|listed| listed.matches_strongly(tag)))
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        EntityTags::decode(value).map(Self)
    }
}

value_type!(IfMatch<'b>: FieldName::IfMatch);
