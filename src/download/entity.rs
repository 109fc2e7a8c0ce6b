//! The metadata of an entity that a server sends.

use super::field::{ContentType, EntityTag};
use crate::field::HttpDate;
use crate::util::setters::setters;

/// [3.5.1] The metadata of an entity: length, date, tag and media type.
///
/// All of it must describe one version of the entity, the one whose bytes are sent: open a file
/// first, and take its length and date from the open file. A file that may be changed in place needs
/// a strong tag or a copy, as a date has a resolution of one second.
///
/// # Example
///
/// ```
/// use bits_proto::download::Entity;
/// use bits_proto::download::field::EntityTag;
/// use bits_proto::field::HttpDate;
///
/// let entity = Entity::new(1_000_000)
///     .with_modified(HttpDate::from_unix_seconds(784_111_777))
///     .with_tag(Some(EntityTag::try_from("\"f4240-2ebc9661\"")?));
/// assert_eq!(entity.length, 1_000_000);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 3.5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entity<'e> {
    /// The length in bytes (`DATA_LENGTH`).
    pub length: u64,
    /// The date of the last change (`DATA_TIMESTAMP`).
    ///
    /// Pass `None` while the entity is less than one second old, so that a second change within the
    /// same second is detected. Never pass a date in the future.
    ///
    /// The specification requires it. Without a date no Last-Modified is sent, and Windows cannot
    /// detect that the entity changed between two ranges.
    pub modified: Option<HttpDate>,
    /// The entity tag.
    pub tag: Option<EntityTag<'e>>,
    /// The media type.
    pub content_type: Option<ContentType<'e>>,
}

impl Entity<'_> {
    /// Creates the metadata of an entity with this length and nothing else.
    #[must_use]
    pub const fn new(length: u64) -> Self {
        Self { length, modified: None, tag: None, content_type: None }
    }
}

setters!(Entity<'e> {
    with_modified: modified: Option<HttpDate>,
    with_tag: tag: Option<EntityTag<'e>>,
    with_content_type: content_type: Option<ContentType<'e>>,
});
