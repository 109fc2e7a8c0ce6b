//! Comparing names without regard to letter case, eight letters at a time.

/// A documented name or value, ready to be compared with what a peer spelt.
///
/// The bit that tells upper from lower case is ignored where the name has a letter, and only
/// there. Made as a constant, so that nothing of this is left to do at run time.
pub(crate) struct AsciiCase<const N: usize> {
    /// 0x20 where the name has a letter.
    case: [u8; N],
    lower: [u8; N],
}

/// The bytes at a place as one word of that many bytes.
macro_rules! word {
    ($type:ident at $at:expr, in $($bytes:expr),+) => {
        ($(
            match $bytes.get($at..).and_then(|bytes| bytes.first_chunk()) {
                Some(word) => $type::from_le_bytes(*word),
                None => 0,
            },
        )+)
    };
}

impl<const N: usize> AsciiCase<N> {
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
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
        // The last word overlaps the one before, so that no letters are left over.
        let last = |size: usize| N.saturating_sub(size);
        let mut differing = 0_u64;
        if N >= 8 {
            let mut at = 0_usize;
            while at < N {
                let (text, case, lower) =
                    word!(u64 at at.min(last(8)), in text, self.case, self.lower);
                differing |= (text | case) ^ lower;
                // Most texts that are none differ in their first word.
                if at == 0 && differing != 0 {
                    return false;
                }
                at = at.saturating_add(8);
            }
        } else if N >= 4 {
            for at in [0, last(4)] {
                let (text, case, lower) = word!(u32 at at, in text, self.case, self.lower);
                differing |= u64::from((text | case) ^ lower);
            }
        } else {
            for ((text, case), lower) in text.iter().zip(&self.case).zip(&self.lower) {
                differing |= u64::from((text | case) ^ lower);
            }
        }
        differing == 0
    }
}

/// Whether a text is a documented one but for the case of its letters.
macro_rules! eq_ignore_case {
    ($text:expr, $documented:literal) => {
        const { &$crate::util::ascii_case::AsciiCase::new($documented) }.matches($text)
    };
}
pub(crate) use eq_ignore_case;
