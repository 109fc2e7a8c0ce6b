//! Parses and formats numbers that consist of digits only.
//!
//! The integer parsers of `core` accept a leading `+`, which other implementations may reject.

use crate::error::{ErrorKind, ValueError};

/// The number of digits that always fit a `u64`.
const SAFE: usize = 19;

/// The value of a decimal digit; 10 or more for any other byte.
#[inline(always)]
const fn digit(byte: u8) -> u8 {
    byte.wrapping_sub(b'0')
}

/// `1*DIGIT` at the start of `text`. Returns the number and the rest of the text.
#[inline(always)]
pub(crate) fn split_decimal(text: &[u8]) -> Result<(u64, &[u8]), ValueError> {
    let (mut value, mut count) = (0_u64, 0_usize);
    for digit in text.iter().take(SAFE).map(|byte| digit(*byte)).take_while(|digit| *digit < 10) {
        // Neither wraps with so few digits.
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        count = count.wrapping_add(1);
    }
    let rest = text.get(count..).unwrap_or_default();
    match count {
        0 => Err(ValueError::new(ErrorKind::NotDecimal, 0)),
        SAFE => further_digits(value, rest),
        _ => Ok((value, rest)),
    }
}

/// Parses a number at the start of `text`. `None` if there is no digit, or more than [`SAFE`].
#[inline(always)]
pub(crate) fn short_decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut value, mut rest) = (0_u64, text);
    while let [byte, tail @ ..] = rest {
        let digit = digit(*byte);
        if digit > 9 {
            break;
        }
        // Wraps only if there are too many digits.
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        rest = tail;
    }
    matches!(text.len().wrapping_sub(rest.len()), 1..=SAFE).then_some((value, rest))
}

/// Parses a number at the start of `text` as [`split_decimal`] does, eight digits at a time. Faster for five
/// digits or more.
#[inline(always)]
pub(crate) fn split_long_decimal(text: &[u8]) -> Result<(u64, &[u8]), ValueError> {
    let eight = text.first_chunk().map(|eight| up_to_eight_digits(*eight));
    match eight.filter(|(_, count)| matches!(count, 1..8)) {
        Some((value, count)) => Ok((value, text.get(count..).unwrap_or_default())),
        None => split_decimal(text),
    }
}

/// Returns the number at the start of eight bytes, and the number of its digits.
///
/// The digits move to the end of the word, after zeros. They are added in pairs, the pairs in fours,
/// and those in eight.
#[inline(always)]
const fn up_to_eight_digits(bytes: [u8; 8]) -> (u64, usize) {
    let word = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // The high bit of the first byte that is no digit; a carry changes only the bytes after it.
    let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
    let count = others.trailing_zeros() / 8;
    let Some(digits) = word.checked_shl(64_u32.wrapping_sub(count.wrapping_mul(8))) else {
        return (0, 0);
    };
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let first = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(100 | (1_000_000 << 32));
    let second = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(1 | (10_000 << 32));
    (first.wrapping_add(second) >> 32, count as usize)
}

/// Digits at fixed places of eight bytes.
pub(crate) struct DigitPattern {
    /// The pattern, with 0 for bytes that are ignored.
    pattern: u64,
    /// 0xFF for bytes that are not ignored.
    checked: u64,
    /// Added to a difference from the pattern, sets the high bit if it is too large.
    excess: u64,
}

impl DigitPattern {
    /// Creates a pattern: `0` is any digit, `?` is any byte, and any other byte is itself.
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "evaluated at compile time"
    )]
    pub(crate) const fn new(pattern: &[u8; 8]) -> Self {
        let mut bytes = (*pattern, [0xFF; 8], [0; 8]);
        let mut at = 0;
        while at < 8 {
            match pattern[at] {
                b'0' => bytes.2[at] = 0x7F - 9,
                b'?' => (bytes.0[at], bytes.1[at]) = (0, 0),
                _ => bytes.2[at] = 0x7F,
            }
            at += 1;
        }
        let [pattern, checked, excess] =
            [u64::from_le_bytes(bytes.0), u64::from_le_bytes(bytes.1), u64::from_le_bytes(bytes.2)];
        Self { pattern, checked, excess }
    }

    /// Returns the numbers of two digits at every place: the one at byte `n` is byte `n` of the result.
    /// `None` if the bytes do not match the pattern.
    #[inline(always)]
    pub(crate) const fn pairs(&self, bytes: [u8; 8]) -> Option<Pairs> {
        let digits = (u64::from_le_bytes(bytes) & self.checked) ^ self.pattern;
        // A carry comes only from a byte whose own high bit is set.
        let invalid = (digits.wrapping_add(self.excess) | digits) & 0x8080_8080_8080_8080;
        if invalid != 0 {
            return None;
        }
        Some(Pairs(digits.wrapping_mul(10).wrapping_add(digits >> 8)))
    }
}

/// Numbers of two digits, one for each byte.
#[derive(Clone, Copy)]
pub(crate) struct Pairs(u64);

impl Pairs {
    /// Returns the number of the digits at byte `at` and the byte after it.
    #[inline(always)]
    pub(crate) const fn at(self, at: u32) -> u64 {
        (self.0 >> at.wrapping_mul(8)) & 0x7F
    }
}

/// Continues after the digits that always fit, with overflow checks.
#[cold]
fn further_digits(mut value: u64, mut rest: &[u8]) -> Result<(u64, &[u8]), ValueError> {
    while let Some((byte, tail)) = rest.split_first() {
        let digit = digit(*byte);
        if digit > 9 {
            break;
        }
        let tens = value.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit)));
        value = tens.ok_or(ValueError::new(ErrorKind::NumberTooLarge, 0))?;
        rest = tail;
    }
    Ok((value, rest))
}

/// `1*DIGIT`
#[inline(always)]
pub(crate) fn decimal(text: &[u8]) -> Result<u64, ValueError> {
    match split_decimal(text)? {
        (value, []) => Ok(value),
        (_, rest) => {
            Err(ValueError::new(ErrorKind::NotDecimal, text.len().saturating_sub(rest.len())))
        }
    }
}

/// `[ "0x" / "0X" / "x" / "X" ] 1*8HEXDIG`
pub(crate) fn hexadecimal(text: &[u8]) -> Result<u32, ValueError> {
    let digits = match text {
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => digits,
        digits => digits,
    };
    let prefix = text.len().saturating_sub(digits.len());
    if !(1..=8).contains(&digits.len()) {
        return Err(ValueError::new(ErrorKind::NotHexadecimal, prefix));
    }
    let mut value = 0_u32;
    for (index, byte) in digits.iter().enumerate() {
        let nibble = char::from(*byte)
            .to_digit(16)
            .ok_or(ValueError::new(ErrorKind::NotHexadecimal, prefix.saturating_add(index)))?;
        value = value << 4 | nibble;
    }
    Ok(value)
}

/// The number of digits of `u64::MAX`.
pub(crate) const MAX_DIGITS: usize = 20;

/// Returns the number of decimal digits.
#[inline]
pub(crate) const fn decimal_len(number: u64) -> usize {
    match number.checked_ilog10() {
        Some(log) => (log as usize).wrapping_add(1),
        None => 1,
    }
}

/// The smallest number with more than eight digits.
pub(crate) const EIGHT_DIGITS: u64 = 100_000_000;

/// Returns the digits of a number below [`EIGHT_DIGITS`], one per byte, the first in the lowest.
///
/// The number is split into two numbers of four digits, those into two digits each, and those into
/// single digits. The numbers in one word are divided together, with a multiplication that is
/// exact for so few digits.
pub(crate) const fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = (fours.wrapping_mul(10_486) >> 20) & 0x7F_0000_007F;
    let twos = hundreds | (fours.wrapping_sub(hundreds.wrapping_mul(100)) << 16);
    let tens = (twos.wrapping_mul(103) >> 10) & 0x000F_000F_000F_000F;
    tens | (twos.wrapping_sub(tens.wrapping_mul(10)) << 8)
}

/// Converts digits to ASCII.
pub(crate) const fn ascii(digits: u64) -> u64 {
    digits | ZEROS
}

/// Returns the digits of a number below 100.
#[inline(always)]
pub(crate) fn two_digits(number: u64) -> [u8; 2] {
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    const TEXTS: [[u8; 2]; 100] = {
        let (mut texts, mut number) = ([[0; 2]; 100], 0_u8);
        while number < 100 {
            texts[number as usize] = [b'0' + number / 10, b'0' + number % 10];
            number += 1;
        }
        texts
    };
    usize::try_from(number).ok().and_then(|number| TEXTS.get(number)).copied().unwrap_or_default()
}

/// `"00000000"`
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Returns the low four bits of `nibble` as an upper case hexadecimal digit.
pub(crate) const fn hex_digit(nibble: u8) -> u8 {
    match nibble & 0xF {
        digit @ 0..=9 => b'0'.wrapping_add(digit),
        letter => b'A'.wrapping_add(letter).wrapping_sub(10),
    }
}

/// Returns the eight hexadecimal digits of a number in ASCII, in upper case, the first in the lowest
/// byte.
///
/// The bytes move apart, the most significant to the lowest place; then each is split into two
/// nibbles. A nibble of ten or more becomes a letter: the sum with six has the bit of 16.
#[inline(always)]
pub(crate) const fn hex_digits(number: u32) -> u64 {
    let bytes = number.swap_bytes() as u64;
    let pairs = (bytes | (bytes << 16)) & 0x0000_FFFF_0000_FFFF;
    let singles = (pairs | (pairs << 8)) & 0x00FF_00FF_00FF_00FF;
    let nibbles = ((singles >> 4) | (singles << 8)) & 0x0F0F_0F0F_0F0F_0F0F;
    let letters = (nibbles.wrapping_add(0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    let to_letter = (b'A' - b'0' - 10) as u64;
    (nibbles | ZEROS).wrapping_add(letters.wrapping_mul(to_letter))
}

/// Returns the hexadecimal digits of sixteen bytes in ASCII, in upper case.
///
/// The compiler converts eight bytes at once. Inlined, it would convert the pieces that the caller uses
/// one after the other.
#[inline(never)]
pub(crate) fn hex_digits_of(bytes: [u8; 16]) -> [u8; 32] {
    let mut digits = [0; 32];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        let nibbles = (u16::from(byte) << 8 | u16::from(byte) >> 4) & 0x0F0F;
        // A nibble of ten or more plus six sets bit 4.
        let letters = (nibbles.wrapping_add(0x0606) >> 4) & 0x0101;
        let to_letter = u16::from(b'A' - b'0' - 10);
        let text = (nibbles | 0x3030).wrapping_add(letters.wrapping_mul(to_letter));
        pair.copy_from_slice(&text.to_le_bytes());
    }
    digits
}
