//! The lines of extra fields, as messages write them.

use core::fmt;

use super::Layout;
use crate::error::{Error, ErrorKind};
use crate::field::FieldName;
use crate::field_name::download;
use crate::message::{MessageKind, presence};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::sink::Sink;

/// The position of an extra field in a head, as in Microsoft's captures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::message) enum Placement {
    /// Before the fields of the message.
    First,
    /// Directly before Content-Length.
    BeforeLength,
    /// After the fields of the message.
    Last,
}

impl Placement {
    /// Returns the placement of an extra field in a request. In a response all are
    /// [`First`](Self::First).
    pub(super) fn in_request(name: &str) -> Self {
        if eq_ignore_case!(name.as_bytes(), b"accept") {
            Self::First
        } else if eq_ignore_case!(name.as_bytes(), b"connection") {
            Self::Last
        } else {
            Self::BeforeLength
        }
    }
}

/// The lines of checked extra fields.
#[derive(Clone, Copy)]
pub(crate) struct ExtraLines<'e> {
    /// The lines, each preceded by CR LF.
    pub(super) lines: &'e [u8],
    pub(super) layout: &'e Layout,
}

impl<'e> ExtraLines<'e> {
    /// Returns all lines in the order of the caller, which is that in a response.
    #[inline(always)]
    pub(crate) const fn as_bytes(self) -> &'e [u8] {
        self.lines
    }

    /// Rejects fields that messages of this kind reserve.
    #[inline(always)]
    pub(in crate::message) fn check(self, kind: impl FnOnce() -> MessageKind) -> Result<(), Error> {
        if self.layout.known.is_empty() { Ok(()) } else { self.check_known(kind()) }
    }

    #[cold]
    #[inline(never)]
    fn check_known(self, kind: MessageKind) -> Result<(), Error> {
        let reserved = presence::fields(kind).reserved();
        let fields = self.fields().filter_map(|(name, _)| FieldName::from_name(name));
        match fields.into_iter().find(|field| reserved.contains(*field)) {
            Some(field) => Err(Error::caller(ErrorKind::ReservedExtra).in_field(field)),
            None => Ok(()),
        }
    }

    /// Checks that no field is one that downloads know and that is `reserved`.
    pub(crate) fn check_for_download(
        self,
        reserved: impl Fn(download::FieldName) -> bool,
    ) -> Result<(), Error> {
        if !self.layout.is_known_to_downloads {
            return Ok(());
        }
        let mut fields = self.fields().filter_map(|(name, _)| download::FieldName::from_name(name));
        match fields.find(|field| reserved(*field)) {
            Some(field) => Err(Error::caller(ErrorKind::ReservedExtra).in_download_field(field)),
            None => Ok(()),
        }
    }

    /// Returns the names and values of all fields.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'e str, &'e [u8])> {
        fields(self.lines)
    }

    /// Returns the fields of a request with this placement.
    pub(in crate::message) fn fields_at(
        self,
        placement: Placement,
    ) -> impl Iterator<Item = (&'e str, &'e [u8])> {
        self.fields().filter(move |(name, _)| Placement::in_request(name) == placement)
    }

    /// Writes the lines of a request with this placement.
    #[inline(always)]
    pub(in crate::message) fn put_at<S: Sink>(self, placement: Placement, sink: S) -> S {
        let [first, before_length, last] = self.layout.lengths;
        let (start, length) = match placement {
            Placement::First => (0, first),
            Placement::BeforeLength => (first, before_length),
            Placement::Last => (first.wrapping_add(before_length), last),
        };
        if length == 0 {
            return sink;
        }
        if !self.layout.is_sorted {
            return put_unsorted(self.lines, placement, sink);
        }
        let lines = self.lines.get(start..).and_then(|lines| lines.get(..length));
        sink.put(lines.unwrap_or_default())
    }
}

/// Returns the names and values of these lines.
fn fields(mut lines: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    core::iter::from_fn(move || {
        let line = lines.strip_prefix(b"\r\n")?;
        let end = line.iter().position(|byte| *byte == b'\r').unwrap_or(line.len());
        let (line, others) = line.split_at_checked(end)?;
        lines = others;
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at_checked(colon)?;
        Some((core::str::from_utf8(name).ok()?, value.strip_prefix(b": ")?))
    })
}

/// Writes the lines with this placement, which are not in one piece. Takes no structure, whose parts
/// then stay in registers.
#[cold]
#[inline(never)]
fn put_unsorted<S: Sink>(lines: &[u8], placement: Placement, sink: S) -> S {
    fields(lines)
        .filter(|(name, _)| Placement::in_request(name) == placement)
        .fold(sink, |sink, (name, value)| {
            sink.put(b"\r\n").put(name.as_bytes()).put(b": ").put(value)
        })
}

/// Prints the names only, because a value may be a secret.
impl fmt::Debug for ExtraLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fields().map(|(name, _)| name)).finish()
    }
}
