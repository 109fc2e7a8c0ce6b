//! Where bytes go when a message is written: every output is one small [`Sink`].

use core::fmt;

use uuid::Uuid;

/// Takes bytes in order. Infallible: what can fail is known before the first byte, or remembered.
pub(crate) trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

/// Counts.
#[derive(Default)]
pub(crate) struct Count(pub(crate) usize);

impl Sink for Count {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.0 = self.0.saturating_add(bytes.len());
    }
}

/// Fills a buffer from its start. What does not fit is dropped: the caller has counted before.
pub(crate) struct Fill<'a>(pub(crate) &'a mut [u8]);

impl Sink for Fill<'_> {
    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if let Some((here, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(bytes.len()) {
            here.copy_from_slice(bytes);
            self.0 = rest;
        }
    }
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Any `BufMut`.
#[cfg(feature = "bytes")]
pub(crate) struct Buf<'a, B>(pub(crate) &'a mut B);

#[cfg(feature = "bytes")]
impl<B: bytes::BufMut> Sink for Buf<'_, B> {
    fn put(&mut self, bytes: &[u8]) {
        self.0.put_slice(bytes);
    }
}

/// Any `io::Write`; the first error is kept and ends the writing.
#[cfg(feature = "std")]
pub(crate) struct Stream<'a, W> {
    pub(crate) writer: &'a mut W,
    pub(crate) result: std::io::Result<()>,
}

#[cfg(feature = "std")]
impl<W: std::io::Write> Sink for Stream<'_, W> {
    fn put(&mut self, bytes: &[u8]) {
        if self.result.is_ok() {
            self.result = self.writer.write_all(bytes);
        }
    }
}

/// A formatter; bytes that are not UTF-8 become U+FFFD.
pub(crate) struct Text<'a, 'f> {
    pub(crate) formatter: &'a mut fmt::Formatter<'f>,
    pub(crate) result: fmt::Result,
}

impl Sink for Text<'_, '_> {
    fn put(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            if self.result.is_ok() {
                self.result = self.formatter.write_str(chunk.valid());
            }
            if self.result.is_ok() && !chunk.invalid().is_empty() {
                self.result = self.formatter.write_str("\u{FFFD}");
            }
        }
    }
}

/// A value that knows its wire form. Each has a `Display` made from it by [`wire_display!`].
pub(crate) trait Wire {
    fn put_into(&self, sink: &mut impl Sink);
}

/// Implements `Display` with the wire form.
macro_rules! wire_display {
    ($($type:ty),+) => { $(
        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let mut text = $crate::sink::Text { formatter: f, result: Ok(()) };
                $crate::sink::Wire::put_into(self, &mut text);
                text.result
            }
        }
    )+ };
}
pub(crate) use wire_display;

/// `1*DIGIT`
#[inline]
pub(crate) fn put_decimal(sink: &mut impl Sink, mut value: u64) {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    for (index, slot) in digits.iter_mut().enumerate().rev() {
        // The remainder is below ten, so the sum stays below 58.
        *slot = b'0'.wrapping_add((value % 10) as u8);
        value /= 10;
        start = index;
        if value == 0 {
            break;
        }
    }
    sink.put(digits.get(start..).unwrap_or_default());
}

/// One hexadecimal digit, in upper case; only the low four bits of `nibble` count.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    match nibble & 0xF {
        digit @ 0..=9 => b'0'.wrapping_add(digit),
        letter => b'A'.wrapping_add(letter).wrapping_sub(10),
    }
}

/// `"0x" 1*8HEXDIG` in upper case, with at least `width` digits.
pub(crate) fn put_hexadecimal(sink: &mut impl Sink, value: u32, width: u32) {
    sink.put(b"0x");
    let significant = 8_u32.saturating_sub(value.leading_zeros() / 4);
    for place in (0..significant.max(width)).rev() {
        sink.put(&[hex_digit((value >> place.saturating_mul(4)) as u8)]);
    }
}

/// `"{" 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG "}"` in lower case.
#[inline]
pub(crate) fn put_guid(sink: &mut impl Sink, guid: Uuid) {
    let mut text = [0_u8; uuid::fmt::Braced::LENGTH];
    sink.put(guid.braced().encode_lower(&mut text).as_bytes());
}
