//! Numbers on the wire: digits only.
//!
//! The integer parsers of `core` accept a leading `+`; wire numbers do not, so that `+5` and `5`
//! cannot be one number to us and two to somebody else.

use crate::error::{ErrorKind, Flaw};

/// `1*DIGIT` at the start of `text`, and what follows it.
#[inline]
pub(crate) fn split_decimal(text: &[u8]) -> Result<(u64, &[u8]), Flaw> {
    let mut value = 0_u64;
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value
            .checked_mul(10)
            .and_then(|tens| tens.checked_add(u64::from(digit)))
            .ok_or(Flaw::new(ErrorKind::NumberTooLarge, 0))?;
        rest = tail;
    }
    if rest.len() == text.len() {
        return Err(Flaw::new(ErrorKind::NotDecimal, 0));
    }
    Ok((value, rest))
}

/// `1*DIGIT` and nothing else.
#[inline]
pub(crate) fn decimal(text: &[u8]) -> Result<u64, Flaw> {
    match split_decimal(text)? {
        (value, []) => Ok(value),
        (_, rest) => Err(Flaw::new(ErrorKind::NotDecimal, text.len().saturating_sub(rest.len()))),
    }
}

/// `[ "0x" / "0X" / "x" / "X" ] 1*8HEXDIG`
pub(crate) fn hexadecimal(text: &[u8]) -> Result<u32, Flaw> {
    let digits = match text {
        [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => digits,
        digits => digits,
    };
    let prefix = text.len().saturating_sub(digits.len());
    if !(1..=8).contains(&digits.len()) {
        return Err(Flaw::new(ErrorKind::NotHexadecimal, prefix));
    }
    let mut value = 0_u32;
    for (index, byte) in digits.iter().enumerate() {
        let nibble = char::from(*byte)
            .to_digit(16)
            .ok_or(Flaw::new(ErrorKind::NotHexadecimal, prefix.saturating_add(index)))?;
        value = value << 4 | nibble;
    }
    Ok(value)
}
