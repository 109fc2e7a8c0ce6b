//! One pass over the fields of a head: what is checked, and where the known ones are.

use super::Framing;
use super::window::offset_in;
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, Found, Seen};

/// Where in a head the fields are that the protocol knows: taken down in the one pass that checks
/// the head, so that nobody has to go through the fields again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    pub(crate) found: Found,
    /// The place of each field's first occurrence; meaningless for those that are not there.
    places: [u16; FieldName::ALL.len()],
}

impl Index {
    pub(super) const EMPTY: Self =
        Self { found: Found::NOTHING, places: [0; FieldName::ALL.len()] };

    /// For how many fields there are places.
    pub(super) const ROOM: usize = u16::MAX as usize;

    /// Where a field that is there is first.
    #[inline]
    pub(crate) fn place(&self, field: FieldName) -> usize {
        self.places.get(field as usize).copied().map_or(0, usize::from)
    }

    /// Goes through the fields of a head: every line must end in CR LF, and what the fields say
    /// about the framing must leave no doubt.
    #[inline]
    pub(super) fn fill(
        &mut self,
        head: &[u8],
        fields: &[httparse::Header<'_>],
    ) -> Result<Framing, Error> {
        let mut found = Found::NOTHING;
        // The fields are asked first: behind the last place there is no other.
        for (field, place) in fields.iter().zip(0_u16..) {
            // Names lie in the head, behind a line feed; one that did not would fail the check.
            let offset = offset_of(field, head);
            if head.get(offset.wrapping_sub(2)) != Some(&b'\r') {
                return Err(bare_line_feed(offset.saturating_sub(1)));
            }
            if let Some(Seen::First(known)) = found.see(field.name, field.value) {
                if let Some(slot) = self.places.get_mut(known as usize) {
                    *slot = place;
                }
            }
        }
        self.found = found;
        match head {
            [.., b'\r', b'\n', b'\r', b'\n'] => self.framing(head, fields),
            [.., b'\r', b'\n'] => Err(bare_line_feed(head.len().saturating_sub(3))),
            _ => Err(bare_line_feed(head.len().saturating_sub(1))),
        }
    }

    /// What the fields say about the body.
    #[inline(always)]
    fn framing(&self, head: &[u8], fields: &[httparse::Header<'_>]) -> Result<Framing, Error> {
        const LENGTH: FieldName = FieldName::ContentLength;
        let mut framing = Framing::default();
        let field = |known| fields.get(self.place(known));
        if self.found.has(FieldName::TransferEncoding) {
            let field = field(FieldName::TransferEncoding);
            let offset = field.map_or(0, |field| offset_of(field, head));
            return Err(Framing::transfer_encoding_error(offset));
        }
        if self.found.has_again(LENGTH) {
            let is_one =
                |field: &&httparse::Header<'_>| FieldName::recognise(field.name) == Some(LENGTH);
            let mut lengths = fields.iter().filter(is_one);
            lengths.try_for_each(|field| observe_length(&mut framing, field, head))?;
        } else if let (true, Some(field)) = (self.found.has(LENGTH), field(LENGTH)) {
            observe_length(&mut framing, field, head)?;
        }
        Ok(framing)
    }
}

#[inline]
fn observe_length(
    framing: &mut Framing,
    field: &httparse::Header<'_>,
    head: &[u8],
) -> Result<(), Error> {
    framing.observe(FieldName::ContentLength, field.value).map_err(|flaw| {
        let value = offset_in(head, field.value);
        let empty = offset_of(field, head).saturating_add(field.name.len()).saturating_add(1);
        Framing::error(flaw, Some(value.unwrap_or(empty).saturating_add(flaw.at)))
    })
}

/// Where the line of a field begins.
#[inline]
fn offset_of(field: &httparse::Header<'_>, head: &[u8]) -> usize {
    field.name.as_ptr().addr().wrapping_sub(head.as_ptr().addr())
}

const fn bare_line_feed(offset: usize) -> Error {
    Error::http(ErrorKind::BareLineFeed, Some(offset))
}
