//! The input of the head parser, and the offsets of errors in it.

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// The input, cut off at the maximum size of a head.
pub(super) struct HeadInput<'b> {
    pub(super) bytes: &'b [u8],
    limit: usize,
}

impl<'b> HeadInput<'b> {
    /// Cuts the input off at the limit and checks the empty lines before the start line.
    ///
    /// Some clients send an empty line after a body. It counts as part of the next head, and must
    /// end in CR LF like every other line.
    pub(super) fn new(input: &'b [u8], limits: &Limits) -> Result<Self, Error> {
        let bytes = input.get(..limits.head_bytes).unwrap_or(input);
        let mut rest = bytes;
        while let Some(tail) = rest.strip_prefix(b"\r\n") {
            rest = tail;
        }
        if rest.first() == Some(&b'\n') {
            let offset = bytes.len().saturating_sub(rest.len());
            return Err(Error::http(ErrorKind::BareLineFeed, Some(offset)));
        }
        Ok(Self { bytes, limit: limits.head_bytes })
    }

    /// Returns an error if the incomplete head has reached the limit, so that more bytes cannot
    /// complete it.
    pub(super) fn check_partial(&self) -> Result<(), Error> {
        if self.bytes.len() < self.limit {
            return Ok(());
        }
        let error = Error::http(ErrorKind::HeadTooLarge, Some(self.limit));
        Err(error.with_number(self.limit as u64))
    }

    /// Converts an error of httparse, which has no offset.
    ///
    /// A binary search finds the shortest prefix that httparse rejects; it rejects every longer one
    /// as well. The error of that prefix is returned, as for a reader that parses the head while it
    /// arrives. `parse_error` returns the error of httparse for a prefix, if any.
    pub(super) fn syntax_error(
        &self,
        mut error: httparse::Error,
        max_fields: usize,
        mut parse_error: impl FnMut(&'b [u8]) -> Option<httparse::Error>,
    ) -> Error {
        let (mut accepted, mut rejected) = (0_usize, self.bytes.len());
        while rejected.saturating_sub(accepted) > 1 {
            let middle = accepted.midpoint(rejected);
            match self.bytes.get(..middle).and_then(&mut parse_error) {
                Some(earlier) => (error, rejected) = (earlier, middle),
                None => accepted = middle,
            }
        }
        let kind = match error {
            httparse::Error::TooManyHeaders => ErrorKind::TooManyFields,
            httparse::Error::Version => ErrorKind::HttpVersion,
            _ => ErrorKind::Syntax,
        };
        let last = rejected.saturating_sub(1);
        let offset = match kind {
            // httparse fails at the end of the excess line; the error refers to its start.
            ErrorKind::TooManyFields => {
                let before = self.bytes.get(..last).unwrap_or_default();
                before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at.saturating_add(1))
            }
            _ => last,
        };
        let error = Error::http(kind, Some(offset));
        if kind == ErrorKind::TooManyFields { error.with_number(max_fields as u64) } else { error }
    }
}

/// Returns the offset of `part` in `whole`; `None` if `part` is empty or not a slice of `whole`.
pub(super) fn offset_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (offset < whole.len() && !part.is_empty()).then_some(offset)
}
