//! Where bytes go when a message is written: every output is one small [`Sink`].

use core::fmt;

use uuid::Uuid;

/// Takes bytes in order. Infallible: what can fail is known before the first byte, or remembered.
///
/// Handed on by value, so that what it consists of can stay in registers.
pub(crate) trait Sink: Sized {
    #[must_use]
    fn put(self, bytes: &[u8]) -> Self;

    /// `1*DIGIT`
    #[must_use]
    #[inline]
    fn put_decimal(self, value: u64) -> Self {
        if value < EIGHT_DIGITS {
            let digits = eight_digits(value);
            let zeros = digits.trailing_zeros() / 8;
            // Zero has a digit too.
            return self.put(text(digits).get(zeros.min(7) as usize..).unwrap_or_default());
        }
        put_long_decimal(self, value)
    }
}

/// The first number that has more than eight digits.
const EIGHT_DIGITS: u64 = 100_000_000;

/// Not a part of `put_decimal`, since most numbers are small.
fn put_long_decimal<S: Sink>(sink: S, value: u64) -> S {
    let sink = sink.put_decimal(value / EIGHT_DIGITS);
    sink.put(&text(eight_digits(value % EIGHT_DIGITS)))
}

/// No number has more digits.
const MAX_DIGITS: usize = 20;

/// Counts.
#[derive(Default)]
pub(crate) struct LenSink(pub(crate) usize);

impl Sink for LenSink {
    #[inline]
    fn put(self, bytes: &[u8]) -> Self {
        Self(self.0.saturating_add(bytes.len()))
    }
}

/// Counts no less than there is, and quicker: a number has as many digits as it can have.
pub(crate) struct MaxLenSink(pub(crate) usize);

impl Sink for MaxLenSink {
    #[inline]
    fn put(self, bytes: &[u8]) -> Self {
        Self(self.0.saturating_add(bytes.len()))
    }

    #[inline]
    fn put_decimal(self, _: u64) -> Self {
        Self(self.0.saturating_add(MAX_DIGITS))
    }
}

/// Fills a buffer from its start. What does not fit is dropped: the caller has counted before.
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
}

/// As `copy_from_slice`, quicker for the few bytes of a field: they are two chunks that mostly
/// overlap, so nothing is called and nothing loops.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    let is_copied = match from.len() {
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

/// Copies the first and the last `N` bytes, if there are as many.
#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) -> bool {
    if let (Some(first), Some(last)) = (from.first_chunk::<N>(), from.last_chunk::<N>()) {
        if let Some(to) = to.first_chunk_mut() {
            *to = *first;
        }
        if let Some(to) = to.last_chunk_mut() {
            *to = *last;
        }
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

/// Any `BufMut`.
#[cfg(feature = "bytes")]
pub(crate) struct BufMutSink<'a, B>(pub(crate) &'a mut B);

#[cfg(feature = "bytes")]
impl<B: bytes::BufMut> Sink for BufMutSink<'_, B> {
    fn put(self, bytes: &[u8]) -> Self {
        self.0.put_slice(bytes);
        self
    }
}

/// Any `io::Write`; the first error is kept and ends the writing.
#[cfg(feature = "std")]
pub(crate) struct IoSink<'a, W> {
    pub(crate) writer: &'a mut W,
    pub(crate) result: std::io::Result<()>,
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

/// A formatter; bytes that are not UTF-8 become U+FFFD.
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

/// A value that knows its wire form. Each has a `Display` made from it by [`wire_display!`].
pub(crate) trait Wire {
    fn put_into<S: Sink>(&self, sink: S) -> S;
}

/// Implements `Display` with the wire form.
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

/// The digits of a number below [`EIGHT_DIGITS`], one a byte, the first in the lowest.
///
/// The number is divided into two of four digits, these into two of two digits and these into
/// digits. What is side by side in the word is divided at once, by a multiplication that is exact
/// for so few digits.
const fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = (fours.wrapping_mul(10_486) >> 20) & 0x7F_0000_007F;
    let twos = hundreds | (fours.wrapping_sub(hundreds.wrapping_mul(100)) << 16);
    let tens = (twos.wrapping_mul(103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos.wrapping_sub(tens.wrapping_mul(10)) << 8)
}

/// The digits as text.
const fn text(digits: u64) -> [u8; 8] {
    (digits | 0x3030_3030_3030_3030).to_le_bytes()
}

/// One hexadecimal digit, in upper case; only the low four bits of `nibble` count.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    match nibble & 0xF {
        digit @ 0..=9 => b'0'.wrapping_add(digit),
        letter => b'A'.wrapping_add(letter).wrapping_sub(10),
    }
}

/// `"0x" 1*8HEXDIG` in upper case, with at least `width` digits.
pub(crate) fn put_hexadecimal<S: Sink>(sink: S, value: u32, width: u32) -> S {
    let significant = 8_u32.saturating_sub(value.leading_zeros() / 4);
    let places = (0..significant.max(width)).rev();
    places.fold(sink.put(b"0x"), |sink, place| {
        sink.put(&[hex_digit((value >> place.saturating_mul(4)) as u8)])
    })
}

/// `"{" 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG "}"` in lower case.
#[inline]
pub(crate) fn put_guid<S: Sink>(sink: S, guid: Uuid) -> S {
    let mut text = [0_u8; uuid::fmt::Braced::LENGTH];
    sink.put(guid.braced().encode_lower(&mut text).as_bytes())
}
