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

    /// Appends the input up to the end of a line. Returns the number of bytes up to there or up to an
    /// error, and the range of the part if the head is complete; then the buffer is empty again.
    pub(super) fn push(&mut self, input: &[u8]) -> (usize, Result<Option<ContentRange>, Error>) {
        if self.length == 0 && input.first().is_some_and(|byte| *byte != b'\n') {
            return (1, Err(Error::peer(ErrorKind::NotDelimiter)));
        }
        let line = input.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
        // The buffer begins after a CR.
        let before = self.as_bytes().last().copied().unwrap_or(b'\r');
        let is_bare = match line {
            [.., byte, b'\n'] => *byte != b'\r',
            [b'\n'] => before != b'\r',
            _ => false,
        };
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        if line.len() > room.len().saturating_add(is_bare.into()) {
            let too_large = Error::peer(ErrorKind::HeadTooLarge).with_number(MAX_HEAD as u64);
            return (room.len().saturating_add(1), Err(too_large));
        }
        if is_bare {
            return (line.len(), Err(Error::peer(ErrorKind::BareLineFeed)));
        }
        if let Some(place) = room.get_mut(..line.len()) {
            place.copy_from_slice(line);
        }
        self.length = self.length.saturating_add(line.len());
        if !self.as_bytes().ends_with(b"\n\r\n") {
            return (line.len(), Ok(None));
        }
        let content_range = read(self.as_bytes().get(1..).unwrap_or_default());
        self.length = 0;
        (line.len(), content_range.map(Some))
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
