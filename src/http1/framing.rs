//! Where a message ends: Content-Length, and nothing else.

use super::trim_white_space;
use crate::error::{Error, ErrorKind, ValueError};
use crate::field::FieldName;
use crate::util::digits;
use crate::util::sink::{LenSink, MAX_DIGITS, Sink as _, SliceSink};

/// What the fields of a head say about the body that follows.
///
/// [2.2.1.1] Content-Length is the only framing the protocol knows.
///
/// ```text
/// Content-Length = 1*DIGIT
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::http1::Framing;
///
/// let framing = Framing::of([("Host", &b"h"[..]), ("content-length", b"4892")])?;
/// assert_eq!(framing.content_length, Some(4892));
/// assert!(Framing::of([("Content-Length", "+1")]).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Framing {
    /// What Content-Length says, where there is one.
    pub content_length: Option<u64>,
    /// Whether a Transfer-Encoding field was there.
    pub transfer_encoding: bool,
}

impl Framing {
    /// Reads the framing from fields.
    ///
    /// # Errors
    ///
    /// When a Content-Length is not `1*DIGIT`, does not fit a `u64`, or contradicts another one.
    pub fn of<N, V>(fields: impl IntoIterator<Item = (N, V)>) -> Result<Self, Error>
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let mut framing = Self::default();
        for (name, value) in fields {
            match FieldName::from_name(name.as_ref()) {
                Some(FieldName::ContentLength) => {
                    let value = trim_white_space(value.as_ref());
                    framing.observe_length(value).map_err(|_| framing.length_error(value, None))?;
                }
                Some(FieldName::TransferEncoding) => framing.transfer_encoding = true,
                _ => {}
            }
        }
        Ok(framing)
    }

    /// Takes one more Content-Length into account.
    #[inline(always)]
    pub(crate) fn observe_length(&mut self, value: &[u8]) -> Result<(), ValueError> {
        let length = digits::decimal(value)?;
        if self.content_length.is_some_and(|earlier| earlier != length) {
            return Err(ValueError::new(ErrorKind::ContentLengthConflict, 0));
        }
        self.content_length = Some(length);
        Ok(())
    }

    /// Takes the first Content-Length, perhaps once more, and a further one into account. Returns
    /// the first that is invalid, or conflicts with an earlier one.
    #[cold]
    pub(crate) fn observe_lengths<'v>(
        &mut self,
        first: &'v [u8],
        further: &'v [u8],
    ) -> Option<&'v [u8]> {
        [first, further].into_iter().find(|value| self.observe_length(value).is_err())
    }

    /// The error in a Content-Length that [`observe_length`](Self::observe_length) rejected, with
    /// the offset of the value.
    #[cold]
    pub(crate) fn length_error(mut self, value: &[u8], offset: Option<usize>) -> Error {
        let earlier = self.content_length;
        let conflict = ValueError::new(ErrorKind::ContentLengthConflict, 0);
        let error = self.observe_length(value).err().unwrap_or(conflict);
        let offset = offset.map(|offset| offset.saturating_add(error.at));
        let length = Error::http(error.kind, offset).in_field(FieldName::ContentLength);
        match earlier {
            Some(earlier) if error == conflict => {
                let mut digits = [0; MAX_DIGITS];
                let _ = SliceSink(&mut digits).put_decimal(earlier);
                let LenSink(count) = LenSink::default().put_decimal(earlier);
                length.with_conflict(digits.get(..count).unwrap_or_default(), value)
            }
            _ => length.with_received(value, error.at),
        }
    }

    /// The error for a Transfer-Encoding.
    pub(crate) const fn transfer_encoding_error(offset: Option<usize>) -> Error {
        Error::http(ErrorKind::TransferEncoding, offset).in_field(FieldName::TransferEncoding)
    }
}
