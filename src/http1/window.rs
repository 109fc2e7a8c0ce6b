//! The part of the input that is looked at, and where in it things went wrong.

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// The input up to the limit.
pub(super) struct Window<'b> {
    pub(super) bytes: &'b [u8],
    limit: usize,
}

impl<'b> Window<'b> {
    /// Cuts the input at the limit. Empty lines before the start line, which some clients send
    /// after a body, belong to the head; they end in CR LF like every other line.
    pub(super) fn open(input: &'b [u8], limits: &Limits) -> Result<Self, Error> {
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

    /// An incomplete head: more bytes may complete it, unless they would pass the limit.
    pub(super) fn partial(&self) -> Result<(), Error> {
        if self.bytes.len() < self.limit {
            return Ok(());
        }
        let error = Error::http(ErrorKind::HeadTooLarge, Some(self.limit));
        Err(error.with_number(self.limit as u64))
    }

    /// What httparse refused. It does not say where, so the shortest prefix that it refuses is
    /// searched for by halving: once it refuses a prefix it refuses every longer one. What is wrong
    /// with that prefix counts, as for who reads the head as it arrives.
    pub(super) fn refused(
        &self,
        mut error: httparse::Error,
        max_fields: usize,
        refusal: impl Fn(&'b [u8]) -> Option<httparse::Error>,
    ) -> Error {
        let (mut fine, mut refused) = (0_usize, self.bytes.len());
        while refused.saturating_sub(fine) > 1 {
            let middle = fine.midpoint(refused);
            match self.bytes.get(..middle).and_then(&refusal) {
                Some(earlier) => (error, refused) = (earlier, middle),
                None => fine = middle,
            }
        }
        let kind = match error {
            httparse::Error::TooManyHeaders => ErrorKind::TooManyFields,
            httparse::Error::Version => ErrorKind::HttpVersion,
            _ => ErrorKind::Syntax,
        };
        let last = refused.saturating_sub(1);
        let offset = match kind {
            // Seen at the end of the line that is too many; its start is what to look at.
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

/// Where `part` begins in `whole`, if it lies in it. An empty part lies nowhere.
pub(super) fn offset_in(whole: &[u8], part: &[u8]) -> Option<usize> {
    let offset = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    (offset < whole.len() && !part.is_empty()).then_some(offset)
}
