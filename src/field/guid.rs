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

/// Where the 32 digits stand in the 36 bytes: all but the hyphens at 8, 13, 18 and 23.
#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
const DIGITS: [usize; 32] = {
    let mut places = [0; 32];
    let (mut place, mut digit) = (0, 0);
    while digit < 32 {
        if place != 8 && place != 13 && place != 18 && place != 23 {
            places[digit] = place;
            digit += 1;
        }
        place += 1;
    }
    places
};

/// ```text
/// guid = 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG
/// ```
///
/// A loop of our own: every digit is converted and only at the end it is asked whether one was
/// none, so that the compiler can do many at a time.
#[inline]
pub(super) fn decode(text: &[u8; 36]) -> Option<Uuid> {
    let [.., a, _, _, _, _, b, _, _, _, _, c, _, _, _, _, d, _, _, _, _, _, _, _, _, _, _, _, _] =
        text;
    let mut bytes = [0_u8; 16];
    let mut invalid = (a ^ b'-') | (b ^ b'-') | (c ^ b'-') | (d ^ b'-');
    for (byte, places) in bytes.iter_mut().zip(DIGITS.chunks_exact(2)) {
        let &[high, low] = places else { return None };
        let high = nibble(*text.get(high)?);
        let low = nibble(*text.get(low)?);
        invalid |= (high | low) & 0xF0;
        *byte = high << 4 | low & 0xF;
    }
    (invalid == 0).then(|| Uuid::from_bytes(bytes))
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
