//! Reading of the head of a part.

use core::hash::{Hash, Hasher};

use super::field::{ContentRange, FieldName};
use super::fields::{Fields, Single};
use crate::error::{Error, ErrorKind, Fault};
use crate::http1::parse_field_section;

/// The bytes of a part head that is not complete, from the LF of its delimiter on.
#[derive(Clone, Copy)]
pub(super) struct PartHeadBuffer {
    bytes: [u8; MAX_HEAD],
    length: usize,
}

impl PartialEq for PartHeadBuffer {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PartHeadBuffer {}

impl Hash for PartHeadBuffer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// The maximum length of a part head in bytes.
///
/// In a part for Windows, the fields beside Content-Range and Content-Type take at most 180 bytes.
const MAX_HEAD: usize = 512;

impl PartHeadBuffer {
    pub(super) const EMPTY: Self = Self { bytes: [0; MAX_HEAD], length: 0 };

    /// Appends a byte. Returns the range of the part if the head is complete; then the buffer is
    /// empty again.
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<ContentRange>, Error> {
        let error = |kind| Err(Error::peer(kind));
        let is_after_cr = self.length == 0 || self.as_bytes().last() == Some(&b'\r');
        if byte == b'\n' && !is_after_cr {
            return error(ErrorKind::BareLineFeed);
        }
        if self.length == 0 && byte != b'\n' {
            return error(ErrorKind::NotDelimiter);
        }
        let Some(slot) = self.bytes.get_mut(self.length) else {
            return Err(Error::peer(ErrorKind::HeadTooLarge).with_number(MAX_HEAD as u64));
        };
        *slot = byte;
        self.length = self.length.saturating_add(1);
        if !self.as_bytes().ends_with(b"\n\r\n") {
            return Ok(None);
        }
        let content_range = read(self.as_bytes().get(1..).unwrap_or_default())?;
        self.length = 0;
        Ok(Some(content_range))
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Reads a part head, and returns the range of the part.
fn read(head: &[u8]) -> Result<ContentRange, Error> {
    let fields: Fields<'_> = parse_field_section(head)?;
    let field = FieldName::ContentRange;
    let error = |kind| Error::peer(kind).in_download_field(field);
    let content_range = match fields.single(field) {
        Single::Absent => return Err(error(ErrorKind::MissingField)),
        Single::Conflicting => return Err(error(ErrorKind::ConflictingField)),
        Single::Value(value) => {
            ContentRange::try_from(value).map_err(|it| it.with_fault(Fault::PeerBytes).at(None))?
        }
    };
    if fields.is_encoded() {
        let field = FieldName::ContentEncoding;
        return Err(Error::peer(ErrorKind::UnsupportedEncoding).in_download_field(field));
    }
    match content_range.range() {
        Some(_) => Ok(content_range),
        None => Err(error(ErrorKind::NotContentRange)),
    }
}
