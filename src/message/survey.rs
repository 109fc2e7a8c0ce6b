//! The fields of a message are gone through once, before any value is read.

use super::anomalies::Anomalies;
use super::message_error::MessageError;
use super::scan::Scan;
use crate::error::Error;
use crate::field::FieldName;
use crate::http1::{Filling, Framing, Head, Index, StartLine, trim_white_space};

/// What is known of the fields of a message when they were gone through.
pub(crate) struct Survey<'h, 'b> {
    index: &'h Index<'b>,
    /// Most messages have nothing of it.
    anomalies: Option<Anomalies<'b>>,
}

impl<'h, 'b> Survey<'h, 'b> {
    /// Of a head that was read from bytes. Its fields were looked at when it was read; only where some
    /// are there again, or could be too long, they are gone through once more.
    #[inline(always)]
    pub(super) fn of_head<L: StartLine<'b>>(head: &Head<'h, 'b, L>, max_value: usize) -> Self {
        let index = head.index();
        let is_usual = !index.found().has_any_again() && head.len() <= max_value;
        if is_usual {
            return Self { index, anomalies: None };
        }
        Self { index, anomalies: look_again(head, max_value) }
    }

    /// Of fields that another HTTP stack has read, which fill the index; with what could be read of
    /// the framing, and what is wrong with it.
    #[inline(always)]
    pub(super) fn of_pairs(
        index: &'h mut Index<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
        max_value: usize,
    ) -> (Self, Framing, Option<&'b [u8]>) {
        let (mut anomalies, mut framing, mut invalid) = (None, Framing::default(), None);
        let mut filling = Filling::of(index);
        for (name, value) in fields {
            let value = trim_white_space(value);
            let again = Anomalies::observe(&mut anomalies, &mut filling, (name, value), max_value);
            if again == Some(FieldName::ContentLength) {
                let first = filling.get(FieldName::ContentLength).unwrap_or_default();
                invalid = invalid.or(framing.observe_lengths(first, value));
            }
        }
        filling.finish();
        framing.transfer_encoding = index.found().has(FieldName::TransferEncoding);
        if let Some(length) = index.get(FieldName::ContentLength) {
            let is_valid = framing.observe_length(length).is_ok();
            invalid = invalid.or((!is_valid).then_some(length));
        }
        (Self { index, anomalies }, framing, invalid)
    }

    /// The first value that is too long; what follows is read whatever its length.
    pub(super) fn take_long_value(&mut self) -> Option<MessageError<'b>> {
        self.anomalies.as_mut().and_then(Anomalies::take_long_value)
    }

    /// The fields, to be read.
    #[inline(always)]
    pub(super) const fn scan(&self) -> Scan<'_, 'b> {
        Scan::new(self.index, self.anomalies.as_ref())
    }
}

/// What is wrong with the lengths of pairs is an error; where a Transfer-Encoding is one too it is told
/// before, as in a head.
#[inline(always)]
pub(super) fn check_lengths(
    framing: Framing,
    invalid: Option<&[u8]>,
    has_wrong_coding: bool,
) -> Result<(), Error> {
    match invalid {
        None => Ok(()),
        Some(_) if has_wrong_coding => Err(Framing::transfer_encoding_error(None)),
        Some(length) => Err(framing.length_error(length, None)),
    }
}

#[cold]
fn look_again<'b, L: StartLine<'b>>(
    head: &Head<'_, 'b, L>,
    max_value: usize,
) -> Option<Anomalies<'b>> {
    let (mut anomalies, mut index) = (None, Index::EMPTY);
    let mut filling = Filling::of(&mut index);
    for field in head.fields() {
        Anomalies::observe(&mut anomalies, &mut filling, field, max_value);
    }
    anomalies
}
