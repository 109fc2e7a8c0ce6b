//! `ETag`.

use super::{FieldName, value_type};
use crate::error::{ErrorKind, ValueError};
use crate::util::sink::{Sink, Wire, wire_display};

/// An entity tag: an opaque text that changes with the entity.
///
/// A strong tag changes with every byte of the entity. A weak one may stay the same, so that ranges
/// of two versions could be mixed: only strong tags validate ranges.
///
/// ```text
/// ETag  = [ "W/" ] DQUOTE *etagc DQUOTE
/// etagc = %x21 / %x23-7E / %x80-FF
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotEntityTag`].
///
/// # Example
///
/// ```
/// use bits_proto::download::field::EntityTag;
///
/// let tag = EntityTag::try_from("\"1af-5\"")?;
/// let weak = EntityTag::try_from("W/\"1af-5\"")?;
/// assert!(tag.matches_strongly(&tag) && !tag.matches_strongly(&weak));
/// assert!(tag.matches_weakly(&weak));
/// assert!(EntityTag::try_from("1af-5").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 8.8.3.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EntityTag<'b>(&'b [u8]);

impl<'b> EntityTag<'b> {
    /// Returns the value as it was received, with quotes.
    #[must_use]
    pub const fn as_bytes(&self) -> &'b [u8] {
        self.0
    }

    /// Returns true for a weak tag.
    #[must_use]
    pub const fn is_weak(&self) -> bool {
        matches!(self.0, [b'W', ..])
    }

    /// Returns the tag with its quotes, without the mark of a weak tag.
    fn opaque(&self) -> &'b [u8] {
        self.0.strip_prefix(WEAK).unwrap_or(self.0)
    }

    /// Compares strongly: both tags are strong and equal.
    #[must_use]
    pub fn matches_strongly(&self, other: &EntityTag<'_>) -> bool {
        !self.is_weak() && self.0 == other.0
    }

    /// Compares weakly: the texts are equal, whether or not the tags are weak.
    #[must_use]
    pub fn matches_weakly(&self, other: &EntityTag<'_>) -> bool {
        self.opaque() == other.opaque()
    }

    pub(super) fn decode(value: &'b [u8]) -> Result<Self, ValueError> {
        match split_tag(value) {
            Ok((tag, [])) => Ok(tag),
            Ok((tag, _)) => Err(ValueError::new(ErrorKind::NotEntityTag, tag.0.len())),
            Err(error) => Err(error),
        }
    }
}

const WEAK: &[u8] = b"W/";

value_type!(EntityTag<'b>: FieldName::ETag);

impl Wire for EntityTag<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.0)
    }
}

wire_display!(EntityTag<'_>);

/// Splits an entity tag from the start of `text`.
pub(super) fn split_tag(text: &[u8]) -> Result<(EntityTag<'_>, &[u8]), ValueError> {
    let invalid = |at| ValueError::new(ErrorKind::NotEntityTag, at);
    let mark = if text.starts_with(WEAK) { WEAK.len() } else { 0 };
    let open = mark.saturating_add(1);
    let Some((b"\"", _)) = text.get(mark..).and_then(|rest| rest.split_at_checked(1)) else {
        return Err(invalid(mark));
    };
    let content = text.get(open..).unwrap_or_default();
    let is_content = |byte: &u8| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..);
    let length = content.iter().take_while(|byte| is_content(byte)).count();
    let close = open.saturating_add(length);
    if text.get(close) != Some(&b'"') {
        return Err(invalid(close));
    }
    match text.split_at_checked(close.saturating_add(1)) {
        Some((tag, rest)) => Ok((EntityTag(tag), rest)),
        None => Err(invalid(close)),
    }
}
