//! One pass over the fields of a message: what the known ones say, and what is checked of all.

use super::Framing;
use super::window::offset_in;
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, Found, Seen};

/// The values of the fields that the protocol knows: taken down in the one pass that checks them, so
/// that nobody has to go through the fields again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index<'b> {
    found: Found,
    /// What each field says where it is first.
    values: [Option<&'b [u8]>; FieldName::ALL.len()],
}

impl<'b> Index<'b> {
    pub(crate) const EMPTY: Self =
        Self { found: Found::NOTHING, values: [None; FieldName::ALL.len()] };

    /// Which fields are there.
    #[inline(always)]
    pub(crate) const fn found(&self) -> &Found {
        &self.found
    }

    /// The value of a field that is there.
    #[inline(always)]
    pub(crate) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        self.values.get(field as usize).copied().flatten()
    }

    /// Goes through the fields of a head: every line must end in CR LF, and what the fields say
    /// about the framing must leave no doubt.
    #[inline]
    pub(super) fn fill(
        &mut self,
        head: &[u8],
        fields: &[httparse::Header<'b>],
    ) -> Result<Framing, Error> {
        let mut filling = Filling::of(self);
        for field in fields {
            // Names lie in the head, behind a line feed; one that did not would fail the check.
            let offset = offset_of(field, head);
            if head.get(offset.wrapping_sub(2)) != Some(&b'\r') {
                return Err(bare_line_feed(offset.saturating_sub(1)));
            }
            filling.see(field.name, field.value);
        }
        filling.finish();
        match head {
            [.., b'\r', b'\n', b'\r', b'\n'] => self.framing(head, fields),
            [.., b'\r', b'\n'] => Err(bare_line_feed(head.len().saturating_sub(3))),
            _ => Err(bare_line_feed(head.len().saturating_sub(1))),
        }
    }

    /// What the fields say about the body.
    #[inline(always)]
    fn framing(&self, head: &[u8], fields: &[httparse::Header<'_>]) -> Result<Framing, Error> {
        let mut framing = Framing::default();
        let is_doubtful = self.found.has(FieldName::TransferEncoding)
            || self.found.has_again(FieldName::ContentLength);
        match self.get(FieldName::ContentLength) {
            None if !is_doubtful => Ok(framing),
            Some(length) if !is_doubtful && framing.observe_length(length).is_ok() => Ok(framing),
            _ => careful_framing(head, fields),
        }
    }
}

/// The same where there is a doubt, field by field.
#[cold]
fn careful_framing(head: &[u8], fields: &[httparse::Header<'_>]) -> Result<Framing, Error> {
    let called =
        |name| fields.iter().filter(move |field| FieldName::from_name(field.name) == Some(name));
    if let Some(field) = called(FieldName::TransferEncoding).next() {
        let error = Framing::transfer_encoding_error(Some(offset_of(field, head)));
        return Err(error.with_received(field.value, 0));
    }
    let mut framing = Framing::default();
    for field in called(FieldName::ContentLength) {
        framing.observe_length(field.value).map_err(|_| {
            let value = offset_in(head, field.value);
            let empty = offset_of(field, head).saturating_add(field.name.len()).saturating_add(1);
            framing.length_error(field.value, Some(value.unwrap_or(empty)))
        })?;
    }
    Ok(framing)
}

/// An empty index while it is filled: what was found until then can stay in registers.
pub(crate) struct Filling<'i, 'b> {
    found: Found,
    index: &'i mut Index<'b>,
}

impl<'i, 'b> Filling<'i, 'b> {
    #[inline(always)]
    pub(crate) const fn of(index: &'i mut Index<'b>) -> Self {
        Self { found: Found::NOTHING, index }
    }

    /// Takes one more field into account.
    #[inline(always)]
    pub(crate) fn see(&mut self, name: &str, value: &'b [u8]) -> Option<Seen> {
        let seen = self.found.see(name, value)?;
        if let Seen::First(field) = seen {
            if let Some(slot) = self.index.values.get_mut(field as usize) {
                *slot = Some(value);
            }
        }
        Some(seen)
    }

    /// The first value of a field that is there.
    #[inline(always)]
    pub(crate) fn get(&self, field: FieldName) -> Option<&'b [u8]> {
        self.index.get(field)
    }

    #[inline(always)]
    pub(crate) const fn finish(self) {
        self.index.found = self.found;
    }
}

/// Where the line of a field begins.
#[inline]
fn offset_of(field: &httparse::Header<'_>, head: &[u8]) -> usize {
    field.name.as_ptr().addr().wrapping_sub(head.as_ptr().addr())
}

const fn bare_line_feed(offset: usize) -> Error {
    Error::http(ErrorKind::BareLineFeed, Some(offset))
}
