//! Checks the bytes of values.

use crate::error::{ErrorKind, ValueError};
use crate::util::ascii::is_ascii_from;

/// Checks that every byte is `allowed`, which must accept all ASCII from `LOW` to `~`.
#[inline]
pub(crate) fn check_bytes<const LOW: u8>(
    value: &[u8],
    allowed: impl Fn(u8) -> bool,
) -> Result<(), ValueError> {
    if is_ascii_from::<LOW>(value) {
        return Ok(());
    }
    match value.iter().position(|byte| !allowed(*byte)) {
        Some(at) => Err(ValueError::new(ErrorKind::InvalidByte, at)),
        None => Ok(()),
    }
}

/// `*( HTAB / SP / VCHAR / obs-text )` without white space at either end: the values that a header
/// field can transport unchanged.
#[inline]
pub(crate) fn check_content(value: &[u8]) -> Result<(), ValueError> {
    check_bytes::<b' '>(value, |byte| (byte >= b' ' && byte != 0x7F) || byte == b'\t')?;
    let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if is_blank(value.first()) {
        return Err(ValueError::new(ErrorKind::InvalidByte, 0));
    }
    if is_blank(value.last()) {
        return Err(ValueError::new(ErrorKind::InvalidByte, value.len().saturating_sub(1)));
    }
    Ok(())
}

/// Calls [`check_content`] for a value that must not be empty.
pub(crate) fn check_present(value: &[u8]) -> Result<(), ValueError> {
    check_not_empty(value)?;
    check_content(value)
}

/// Checks that a value is not empty.
#[inline(always)]
pub(super) fn check_not_empty(value: &[u8]) -> Result<(), ValueError> {
    if value.is_empty() { Err(ValueError::new(ErrorKind::Empty, 0)) } else { Ok(()) }
}
