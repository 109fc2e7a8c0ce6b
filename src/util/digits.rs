//! Numbers on the wire: digits only.
//!
//! The integer parsers of `core` accept a leading `+`; wire numbers do not, so that `+5` and `5`
//! cannot be one number to us and two to somebody else.

use crate::error::{ErrorKind, ValueError};

/// As many digits as always fit a `u64`.
const SAFE: usize = 19;

/// The value of a digit; ten or more for anything else.
#[inline(always)]
const fn digit(byte: u8) -> u8 {
    byte.wrapping_sub(b'0')
}

/// `1*DIGIT` at the start of `text`, and what follows it.
#[inline(always)]
pub(crate) fn split_decimal(text: &[u8]) -> Result<(u64, &[u8]), ValueError> {
    let (mut value, mut count) = (0_u64, 0_usize);
    for digit in text.iter().take(SAFE).map(|byte| digit(*byte)).take_while(|digit| *digit < 10) {
        // Neither can wrap: so few digits are safe.
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

/// The digits behind those that always fit.
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

/// `1*DIGIT` and nothing else.
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
