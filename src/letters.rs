//! Comparing names without regard to letter case, eight letters at a time.

/// A documented name or value, ready to be compared with what a peer spelt.
///
/// The bit that tells upper from lower case is ignored where the name has a letter, and only
/// there. Made as a constant, so that nothing of this is left to do at run time.
pub(crate) struct Letters<const N: usize> {
    /// 0x20 where the name has a letter.
    case: [u8; N],
    lower: [u8; N],
}

/// Reads eight bytes as one word.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

impl<const N: usize> Letters<N> {
    #[expect(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        reason = "evaluated as a constant"
    )]
    pub(crate) const fn new(documented: &[u8; N]) -> Self {
        let mut letters = Self { case: [0; N], lower: [0; N] };
        let mut at = 0;
        while at < N {
            let byte = documented[at];
            letters.case[at] = if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            letters.lower[at] = byte.to_ascii_lowercase();
            at += 1;
        }
        letters
    }

    /// Whether `text` is the name in any case.
    #[inline(always)]
    pub(crate) fn are(&self, text: &[u8]) -> bool {
        let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
        let mut differing = 0;
        let words =
            text.chunks_exact(8).zip(self.case.chunks_exact(8)).zip(self.lower.chunks_exact(8));
        for ((text, case), lower) in words {
            differing |= (word(text) | word(case)) ^ word(lower);
        }
        match (text.last_chunk::<8>(), self.case.last_chunk::<8>(), self.lower.last_chunk::<8>()) {
            // The last eight letters, whichever of them are left.
            (Some(text), Some(case), Some(lower)) => {
                differing |= (word(text) | word(case)) ^ word(lower);
            }
            _ => {
                for ((text, case), lower) in text.iter().zip(&self.case).zip(&self.lower) {
                    differing |= u64::from((text | case) ^ lower);
                }
            }
        }
        differing == 0
    }
}

/// Whether a text is a documented one but for the case of its letters.
macro_rules! same {
    ($text:expr, $documented:literal) => {
        const { &$crate::letters::Letters::new($documented) }.are($text)
    };
}
pub(crate) use same;
