//! GUIDs in their text form.

use uuid::Uuid;

use crate::error::{ErrorKind, Flaw};

/// The value of one hexadecimal digit; 16 or more for anything else.
#[inline(always)]
const fn nibble(byte: u8) -> u8 {
    let digit = byte.wrapping_sub(b'0');
    let letter = (byte | 0x20).wrapping_sub(b'a');
    let of_letter = letter.wrapping_add(10);
    if digit < 10 {
        digit
    } else if letter < 6 {
        of_letter
    } else {
        0xFF
    }
}

/// ```text
/// guid = 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG
/// ```
///
/// Loops of our own: every digit is converted and only at the end it is asked whether one was
/// none, so that the compiler does sixteen at a time.
#[inline]
pub(super) fn decode(text: &[u8; 36]) -> Option<Uuid> {
    let (time_low, rest) = text.split_first_chunk::<8>()?;
    let (time_mid, rest) = rest.split_first_chunk::<5>()?;
    let (time_high, rest) = rest.split_first_chunk::<5>()?;
    let (clock, node) = rest.split_first_chunk::<5>()?;
    let &[a, b, c, d, e, f, g, h] = time_low;
    let &[hyphen_1, i, j, k, l] = time_mid;
    let &[hyphen_2, m, n, o, p] = time_high;
    let &[hyphen_3, q, r, s, t] = clock;
    let &[hyphen_4, u, v, w, x, y, z, aa, bb, cc, dd, ee, ff] = node.first_chunk::<13>()?;
    let high = [a, c, e, g, i, k, m, o, q, s, u, w, y, aa, cc, ee].map(nibble);
    let low = [b, d, f, h, j, l, n, p, r, t, v, x, z, bb, dd, ff].map(nibble);
    let mut bytes = [0_u8; 16];
    let mut invalid = 0;
    for ((byte, high), low) in bytes.iter_mut().zip(high).zip(low) {
        invalid |= high | low;
        *byte = high << 4 | low & 0xF;
    }
    let hyphens = [hyphen_1, hyphen_2, hyphen_3, hyphen_4] == *b"----";
    (hyphens && invalid < 0x10).then(|| Uuid::from_bytes(bytes))
}

/// A GUID in braces, or without (`false`).
#[inline]
pub(super) fn decode_item(text: &[u8]) -> Result<(Uuid, bool), Flaw> {
    let (inner, braced) = match text {
        [b'{', inner @ .., b'}'] => (inner, true),
        inner => (inner, false),
    };
    let guid = <&[u8; 36]>::try_from(inner).ok().and_then(decode);
    guid.map(|guid| (guid, braced)).ok_or(Flaw::new(ErrorKind::NotGuid, 0))
}
