//! Parses and writes GUIDs.

use uuid::Uuid;

use crate::error::{ErrorKind, ValueError};
use crate::util::ascii::put_at;
use crate::util::digits::hex_digits_of;

/// The value of a hexadecimal digit; 16 or more for any other byte.
#[inline(always)]
fn nibble(byte: u8) -> u8 {
    let digit = byte.wrapping_sub(b'0');
    // 16 or more unless the byte is a decimal digit: 10 to 15 plus 6 sets bit 4.
    let digit = digit | digit.wrapping_add(6) & 0x10;
    // 16 or more unless the byte is a letter from A to F.
    let letter = (byte | 0x20).wrapping_sub(b'a').saturating_add(10);
    digit.min(letter)
}

/// ```text
/// guid = 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG
/// ```
///
/// The digits are copied together, all are converted, and errors are checked at the end, so that
/// the compiler converts sixteen digits at a time. That is faster than `Uuid::try_parse_ascii`.
#[inline]
pub(super) fn decode(text: &[u8; 36]) -> Option<Uuid> {
    let (time_low, rest) = text.split_first_chunk::<8>()?;
    let ([hyphen_1, time_mid @ ..], rest) = rest.split_first_chunk::<5>()?;
    let ([hyphen_2, time_high @ ..], rest) = rest.split_first_chunk::<5>()?;
    let ([hyphen_3, clock @ ..], rest) = rest.split_first_chunk::<5>()?;
    let [hyphen_4, node @ ..] = rest.first_chunk::<13>()?;
    let mut digits = [0_u8; 32];
    let mut room = digits.as_mut_slice();
    for part in [time_low.as_slice(), time_mid, time_high, clock, node] {
        let (here, rest) = room.split_at_mut_checked(part.len())?;
        here.copy_from_slice(part);
        room = rest;
    }
    let (mut nibbles, mut invalid) = ([0_u8; 32], 0);
    for (value, digit) in nibbles.iter_mut().zip(digits) {
        *value = nibble(digit);
        invalid |= *value;
    }
    let mut bytes = [0_u8; 16];
    for (byte, pair) in bytes.iter_mut().zip(nibbles.chunks_exact(2)) {
        // As 16-bit numbers, so that the compiler joins eight pairs at a time.
        let pair = pair.try_into().map_or(0, u16::from_le_bytes);
        [*byte, _] = (pair << 4 | pair >> 8).to_le_bytes();
    }
    let hyphens = [*hyphen_1, *hyphen_2, *hyphen_3, *hyphen_4] == *b"----";
    (hyphens && invalid < 0x10).then(|| Uuid::from_bytes(bytes))
}

/// Returns a GUID in braces and capitals.
///
/// The text is put together in words, which begin where a session id, with its discriminant before the text, is
/// copied in words. A processor waits before it reads a word that was just written in parts.
#[inline]
pub(super) fn encode_upper(guid: Uuid) -> [u8; 38] {
    const HYPHEN: u64 = b'-' as u64;
    let digits = hex_digits_of(guid.into_bytes());
    let [a, b, c, d] = [0, 8, 16, 24].map(|at| u64::from_le_bytes(part(&digits, at)));
    let [start @ .., _] = (u64::from(b'{') | a << 8).to_le_bytes();
    let words = [
        (7, a >> 48 | HYPHEN << 16 | (b << 32) >> 8 | HYPHEN << 56),
        (15, b >> 32 | HYPHEN << 32 | c << 40),
        (23, (c << 32) >> 56 | HYPHEN << 8 | (c >> 32) << 16 | d << 48),
    ];
    let [end @ .., _] = (d >> 16 | u64::from(b'}') << 48).to_le_bytes();
    let mut text = [0; 38];
    put_at(&mut text, 0, start);
    for (at, word) in words {
        put_at(&mut text, at, word.to_le_bytes());
    }
    put_at(&mut text, 31, end);
    text
}

/// Returns eight digits from `at` on.
#[inline(always)]
fn part(digits: &[u8; 32], at: usize) -> [u8; 8] {
    digits.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([b'0'; 8])
}

/// `"{" guid "}" / guid`. Returns the GUID, and true if it is in braces.
#[inline]
pub(super) fn decode_item(text: &[u8]) -> Result<(Uuid, bool), ValueError> {
    let (inner, braced) = match text {
        [b'{', inner @ .., b'}'] => (inner, true),
        inner => (inner, false),
    };
    let guid = <&[u8; 36]>::try_from(inner).ok().and_then(decode);
    guid.map(|guid| (guid, braced)).ok_or(ValueError::new(ErrorKind::NotGuid, 0))
}
