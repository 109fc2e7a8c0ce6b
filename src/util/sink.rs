//! Outputs for encoded values and messages: every kind of output is a [`Sink`].

use core::fmt;

use uuid::Uuid;

use super::digits::{
    EIGHT_DIGITS, MAX_DIGITS, ascii, decimal_len, eight_digits, hex_digits, two_digits,
};
use crate::error::{Error, ErrorKind};

/// An output that bytes are appended to. Appending is infallible: sizes are checked before, and
/// the first I/O error is stored.
///
/// Sinks are passed by value, so that their fields can stay in registers.
pub(crate) trait Sink: Sized {
    #[must_use]
    fn put(self, bytes: &[u8]) -> Self;

    /// `1*DIGIT`
    #[must_use]
    #[inline]
    fn put_decimal(self, value: u64) -> Self {
        if value < EIGHT_DIGITS {
            let digits = eight_digits(value);
            // The bits of the leading zeros. Zero is written with one digit.
            let leading = (digits | LAST_DIGIT).trailing_zeros() & !7;
            let length = 8_usize.wrapping_sub(leading as usize / 8);
            return self.put_word(ascii(digits) >> leading, length);
        }
        put_long_decimal(self, value)
    }

    /// Appends the lowest `length` bytes of a word, from 1 to 8, the lowest first.
    #[must_use]
    #[inline]
    fn put_word(self, word: u64, length: usize) -> Self {
        self.put(word.to_le_bytes().get(..length).unwrap_or_default())
    }

    /// Appends a text of fixed length. Sinks that only count do not compute it.
    #[must_use]
    #[inline(always)]
    fn put_with<const N: usize>(self, text: impl FnOnce() -> [u8; N]) -> Self {
        self.put(&text())
    }
}

/// A bit in the last of eight digits.
const LAST_DIGIT: u64 = 1 << 56;

/// Writes a number of nine digits or more. A separate function keeps `put_decimal` small.
fn put_long_decimal<S: Sink>(sink: S, value: u64) -> S {
    let (high, low) = (value / EIGHT_DIGITS, value % EIGHT_DIGITS);
    let sink = match high {
        // Most long numbers have nine or ten digits.
        0..10 => sink.put_word(high | u64::from(b'0'), 1),
        10..100 => sink.put_word(u16::from_le_bytes(two_digits(high)).into(), 2),
        _ => sink.put_decimal(high),
    };
    sink.put_word(ascii(eight_digits(low)), 8)
}

/// Counts bytes.
#[derive(Default)]
pub(crate) struct LenSink(pub(crate) usize);

impl Sink for LenSink {
    #[inline]
    fn put(self, bytes: &[u8]) -> Self {
        Self(self.0.saturating_add(bytes.len()))
    }

    #[inline]
    fn put_decimal(self, value: u64) -> Self {
        Self(self.0.saturating_add(decimal_len(value)))
    }

    #[inline(always)]
    fn put_with<const N: usize>(self, _: impl FnOnce() -> [u8; N]) -> Self {
        Self(self.0.saturating_add(N))
    }
}

/// Computes an upper bound of the length, faster than [`LenSink`]: numbers count as if they had
/// [`MAX_DIGITS`] digits.
pub(crate) struct MaxLenSink(pub(crate) usize);

impl Sink for MaxLenSink {
    #[inline]
    fn put(self, bytes: &[u8]) -> Self {
        Self(self.0.wrapping_add(bytes.len()))
    }

    #[inline]
    fn put_decimal(self, _: u64) -> Self {
        Self(self.0.wrapping_add(MAX_DIGITS))
    }

    #[inline(always)]
    fn put_with<const N: usize>(self, _: impl FnOnce() -> [u8; N]) -> Self {
        Self(self.0.wrapping_add(N))
    }
}

/// Writes to a buffer. Bytes that do not fit are dropped; callers check the length before.
pub(crate) struct SliceSink<'a>(pub(crate) &'a mut [u8]);

impl Sink for SliceSink<'_> {
    #[inline]
    fn put(self, bytes: &[u8]) -> Self {
        match self.0.split_at_mut_checked(bytes.len()) {
            Some((here, rest)) => {
                copy(here, bytes);
                Self(rest)
            }
            None => Self(&mut []),
        }
    }

    #[inline]
    fn put_word(self, word: u64, length: usize) -> Self {
        match self.0.split_at_mut_checked(length) {
            Some((here, rest)) => {
                copy_word(here, word);
                Self(rest)
            }
            None => Self(&mut []),
        }
    }
}

/// Like `copy_from_slice`, but faster for the few bytes of a field: it copies two chunks that may
/// overlap, without a loop or a call.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    let is_copied = match from.len() {
        0 => true,
        33.. => false,
        16.. => copy_ends::<16>(to, from),
        8.. => copy_ends::<8>(to, from),
        4.. => copy_ends::<4>(to, from),
        2.. => copy_ends::<2>(to, from),
        _ => copy_ends::<1>(to, from),
    };
    if !is_copied {
        to.copy_from_slice(from);
    }
}

/// Fills 1 to 8 bytes with the lowest bytes of a word: with two parts that may overlap, like
/// [`copy`]. The word stays in a register.
#[inline(always)]
fn copy_word(to: &mut [u8], word: u64) {
    // The bytes from `to.len() - size` on.
    let end = |size: usize| word >> to.len().saturating_sub(size).wrapping_mul(8);
    match to.len() {
        4.. => {
            let last = (end(4) as u32).to_le_bytes();
            fill_ends(to, (word as u32).to_le_bytes(), last);
        }
        2.. => {
            let last = (end(2) as u16).to_le_bytes();
            fill_ends(to, (word as u16).to_le_bytes(), last);
        }
        _ => fill_ends(to, [word as u8], [word as u8]),
    }
}

/// Sets the first and the last `N` bytes.
#[inline(always)]
fn fill_ends<const N: usize>(to: &mut [u8], first: [u8; N], last: [u8; N]) {
    if let Some(to) = to.first_chunk_mut() {
        *to = first;
    }
    if let Some(to) = to.last_chunk_mut() {
        *to = last;
    }
}

/// Copies the first and the last `N` bytes. Returns false if there are fewer.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        fill_ends(to, *first, *last);
        return true;
    }
    false
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    fn put(mut self, bytes: &[u8]) -> Self {
        self.extend_from_slice(bytes);
        self
    }
}

/// Writes to a `BufMut`.
#[cfg(feature = "bytes")]
struct BufMutSink<'a, B>(&'a mut B);

#[cfg(feature = "bytes")]
impl<B: bytes::BufMut> Sink for BufMutSink<'_, B> {
    fn put(self, bytes: &[u8]) -> Self {
        self.0.put_slice(bytes);
        self
    }
}

/// Writes to an `io::Write`, until the first error.
#[cfg(feature = "std")]
struct IoSink<'a, W> {
    writer: &'a mut W,
    result: std::io::Result<()>,
}

#[cfg(feature = "std")]
impl<W: std::io::Write> Sink for IoSink<'_, W> {
    fn put(mut self, bytes: &[u8]) -> Self {
        if self.result.is_ok() {
            self.result = self.writer.write_all(bytes);
        }
        self
    }
}

/// Writes to a formatter. Bytes that are not UTF-8 are replaced by U+FFFD.
pub(crate) struct FmtSink<'a, 'f> {
    pub(crate) formatter: &'a mut fmt::Formatter<'f>,
    pub(crate) result: fmt::Result,
}

impl Sink for FmtSink<'_, '_> {
    fn put(mut self, bytes: &[u8]) -> Self {
        for chunk in bytes.utf8_chunks() {
            if self.result.is_ok() {
                self.result = self.formatter.write_str(chunk.valid());
            }
            if self.result.is_ok() && !chunk.invalid().is_empty() {
                self.result = self.formatter.write_str("\u{FFFD}");
            }
        }
        self
    }
}

/// A value that can be written in its wire form. [`wire_display!`] derives `Display` from it.
pub(crate) trait Wire {
    fn put_into<S: Sink>(&self, sink: S) -> S;
}

/// Writes a value to the start of `buffer` and returns its length. A buffer that is too small is
/// unchanged.
#[inline]
pub(crate) fn write_to_slice(value: &impl Wire, buffer: &mut [u8]) -> Result<usize, Error> {
    // The upper bound is cheaper than the exact length, which only a small buffer requires.
    let MaxLenSink(max_length) = value.put_into(MaxLenSink(0));
    if buffer.len() < max_length {
        let LenSink(needed) = value.put_into(LenSink(0));
        if buffer.len() < needed {
            return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
        }
    }
    let capacity = buffer.len();
    let SliceSink(rest) = value.put_into(SliceSink(buffer));
    Ok(capacity.saturating_sub(rest.len()))
}

/// Formats a value of at most `N` bytes, and calls `each` with its bytes.
pub(crate) fn format_value<const N: usize>(value: &impl Wire, each: impl FnOnce(&[u8])) {
    let mut buffer = [0; N];
    let SliceSink(rest) = value.put_into(SliceSink(&mut buffer));
    let length = N.saturating_sub(rest.len());
    each(buffer.get(..length).unwrap_or_default());
}

/// Writes a value of this length to a new vector.
#[cfg(feature = "alloc")]
pub(crate) fn write_to_vec(value: &impl Wire, length: usize) -> alloc::vec::Vec<u8> {
    value.put_into(alloc::vec::Vec::with_capacity(length))
}

/// Appends a value of this length to a `BufMut`. One with too little space is unchanged.
#[cfg(feature = "bytes")]
pub(crate) fn write_to_buf(
    value: &impl Wire,
    needed: usize,
    buffer: &mut impl bytes::BufMut,
) -> Result<usize, Error> {
    if buffer.remaining_mut() < needed {
        return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
    }
    value.put_into(BufMutSink(buffer));
    Ok(needed)
}

/// Writes a value to an `io::Write`.
#[cfg(feature = "std")]
pub(crate) fn write_to_io(
    value: &impl Wire,
    writer: &mut impl std::io::Write,
) -> std::io::Result<()> {
    value.put_into(IoSink { writer, result: Ok(()) }).result
}

/// Implements `Display` with the wire form of a value.
macro_rules! wire_display {
    ($($type:ty),+) => { $(
        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let text = $crate::util::sink::FmtSink { formatter: f, result: Ok(()) };
                $crate::util::sink::Wire::put_into(self, text).result
            }
        }
    )+ };
}
pub(crate) use wire_display;

/// Writes `"0x" 1*8HEXDIG` in upper case, with at least `width` digits.
pub(crate) fn put_hexadecimal<S: Sink>(sink: S, value: u32, width: u32) -> S {
    let significant = 8_u32.saturating_sub(value.leading_zeros() / 4);
    let length = significant.max(width).clamp(1, 8);
    let leading = 8_u32.wrapping_sub(length).wrapping_mul(8);
    sink.put(b"0x").put_word(hex_digits(value) >> leading, length as usize)
}

/// Writes `"{" 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG "}"` in lower case.
#[inline]
pub(crate) fn put_guid<S: Sink>(sink: S, guid: Uuid) -> S {
    let mut text = [0_u8; uuid::fmt::Braced::LENGTH];
    sink.put(guid.braced().encode_lower(&mut text).as_bytes())
}
