//! Checks ASCII text, eight bytes at a time, and writes to fixed places of a text.

/// Returns true if every byte is ASCII from `LOW` to `~`.
///
/// In every other byte the highest bit is set, or becomes set when `LOW` is subtracted or one is
/// added.
#[inline(always)]
pub(crate) fn is_ascii_from<const LOW: u8>(value: &[u8]) -> bool {
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    let flags = |word: &[u8]| {
        let word = word.try_into().map_or(u64::MAX, u64::from_le_bytes);
        let below = word.wrapping_sub(const { u64::from_le_bytes([LOW; 8]) });
        word | below | word.wrapping_add(const { u64::from_le_bytes([1; 8]) })
    };
    let Some(last) = value.last_chunk::<8>() else {
        return value.iter().all(|byte| (LOW..=b'~').contains(byte));
    };
    // The last word overlaps the one before, so that no bytes are left over.
    value.chunks_exact(8).fold(flags(last), |all, word| all | flags(word)) & HIGHEST == 0
}

/// Replaces the bytes of a text from `at`.
#[inline(always)]
pub(crate) fn put_at<const N: usize>(text: &mut [u8], at: usize, part: [u8; N]) {
    if let Some(bytes) = text.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *bytes = part;
    }
}

/// Returns true for `token = 1*tchar`.
pub(crate) fn is_token(name: &[u8]) -> bool {
    let is_in_token = |byte: &u8| IS_IN_TOKEN.get(usize::from(*byte)) == Some(&true);
    !name.is_empty() && name.iter().all(is_in_token)
}

/// True for each byte that a token may contain.
#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
const IS_IN_TOKEN: [bool; 256] = {
    let (mut is_in_token, mut byte) = ([false; 256], 0_u8);
    while byte < 0x80 {
        is_in_token[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        byte += 1;
    }
    is_in_token
};
