//! Sources of a message's fields, and the two ways of reading them.

use super::Decoded;
use super::fields::Fields;
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Collect, Collecting, FailFast, Outcome, Report};
use crate::deviation::Deviations;
use crate::error::Error;
use crate::http1::{Head, StartLine};

/// A message to read: a start line, its known fields, and a way to locate errors.
pub(crate) trait Source<'b> {
    type Line: Copy;

    /// Returns the start line, possibly with an empty request target or reason phrase.
    fn line(&self) -> Self::Line;

    /// Returns a reader of the fields that sends its errors to `report`.
    fn reader<R: Report<'b>>(&self, report: R) -> Reader<'_, 'b, R>;

    /// Turns a message error into an error of the caller's input.
    fn error(&self, error: MessageError<'b>) -> Error;
}

/// A head that was parsed from bytes, and the limit on the length of its values.
pub(crate) struct HeadSource<'a, 'h, 'b, L> {
    pub(crate) head: &'a Head<'h, 'b, L, Fields<'b>>,
    pub(crate) max_value: usize,
}

impl<'b, L: StartLine<'b>> Source<'b> for HeadSource<'_, '_, 'b, L> {
    type Line = L;

    #[inline(always)]
    fn line(&self) -> L {
        self.head.line_without_text()
    }

    #[inline(always)]
    fn reader<R: Report<'b>>(&self, report: R) -> Reader<'_, 'b, R> {
        let head = self.head;
        Reader::of_checked_head(
            head.visitor(),
            head.framing(),
            head.bytes(),
            self.max_value,
            report,
        )
    }

    fn error(&self, error: MessageError<'b>) -> Error {
        error.in_head(self.head)
    }
}

/// A start line and fields that another HTTP stack has parsed.
pub(crate) struct ParsedFields<'h, 'b, L> {
    line: L,
    fields: &'h Fields<'b>,
    /// True if the stack has checked the bytes of every value.
    is_content: bool,
}

impl<'h, 'b, L> ParsedFields<'h, 'b, L> {
    /// Collects the known fields in `slot`, with a limit on the length of values.
    #[inline(always)]
    pub(crate) fn collect(
        slot: &'h mut Fields<'b>,
        line: L,
        pairs: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        max_value: usize,
    ) -> Self {
        slot.insert_pairs(pairs, max_value);
        Self { line, fields: slot, is_content: false }
    }

    /// Declares that the stack has checked the bytes of every value, as the `http` crate does.
    #[cfg(feature = "http")]
    #[inline(always)]
    pub(crate) fn with_checked_values(self) -> Self {
        Self { is_content: true, ..self }
    }
}

impl<'b, L: Copy> Source<'b> for ParsedFields<'_, 'b, L> {
    type Line = L;

    #[inline(always)]
    fn line(&self) -> L {
        self.line
    }

    #[inline(always)]
    fn reader<R: Report<'b>>(&self, report: R) -> Reader<'_, 'b, R> {
        Reader::of_parsed_fields(self.fields, self.is_content, report)
    }

    fn error(&self, error: MessageError<'b>) -> Error {
        error.in_pairs()
    }
}

/// Reads a message and stops at the first error.
#[inline(always)]
pub(super) fn parse<'b, S: Source<'b>, M>(
    source: &S,
    read: impl FnOnce(S::Line, &mut Reader<'_, 'b, FailFast>) -> Outcome<'b, M, FailFast>,
) -> Result<Decoded<M>, Error> {
    let mut reader = source.reader(FailFast);
    match read(source.line(), &mut reader) {
        Ok(Ok(message)) => Ok(Decoded { message, deviations: reader.deviations }),
        Ok(Err(never)) => match never {},
        Err(error) => Err(source.error(error)),
    }
}

/// The result of validating a message. The errors went to the caller's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validated<M> {
    /// The message, if it has no error.
    pub message: Option<M>,
    /// The departures from the specification that are not errors.
    pub deviations: Deviations,
}

/// Reads a message to its end and hands every error to `each`.
pub(super) fn validate<'b, S: Source<'b>, M>(
    source: &S,
    each: &mut impl FnMut(Error),
    read: impl FnOnce(S::Line, &mut Reader<'_, 'b, Collect<'_, 'b>>) -> Collecting<M>,
) -> Validated<M> {
    let mut is_valid = true;
    let mut collect = |error| {
        is_valid = false;
        each(source.error(error));
    };
    let mut reader = source.reader(Collect(&mut collect));
    let Ok(message) = read(source.line(), &mut reader);
    let deviations = reader.deviations;
    Validated { message: message.ok().filter(|_| is_valid), deviations }
}
