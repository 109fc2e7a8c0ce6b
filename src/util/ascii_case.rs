//! Compares names ASCII case-insensitively, eight letters at a time.

/// A documented name or value, prepared for comparisons with the text of a peer.
///
/// The bit that distinguishes upper and lower case is ignored at the letters of the name, and only
/// there. Values are constants, so that preparing them costs nothing at run time.
pub(crate) struct AsciiCase<const N: usize> {
    /// 0x20 at the letters of the name, 0 elsewhere.
    case: [u8; N],
    lower: [u8; N],
}

/// Reads the bytes at an offset as one word; 0 if there are too few.
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
        reason = "evaluated at compile time"
    )]
    pub(crate) const fn new(documented: &[u8; N]) -> Self {
        let mut name = Self { case: [0; N], lower: [0; N] };
        let mut at = 0;
        while at < N {
            let byte = documented[at];
            name.case[at] = if byte.is_ascii_alphabetic() { 0x20 } else { 0 };
            name.lower[at] = byte.to_ascii_lowercase();
            at += 1;
        }
        name
    }

    /// Compares `text` with the name, ignoring ASCII case.
    #[inline(always)]
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        let Ok(text) = <&[u8; N]>::try_from(text) else { return false };
        // The last word overlaps the one before, so that no bytes are left over.
        let last = |size: usize| N.saturating_sub(size);
        let mut differing = 0_u64;
        if N >= 8 {
            let mut at = 0_usize;
            while at < N {
                let (text, case, lower) =
                    word!(u64 at at.min(last(8)), in text, self.case, self.lower);
                differing |= (text | case) ^ lower;
                // Most other names differ in the first word.
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

/// Compares bytes with a documented name, ignoring ASCII case.
macro_rules! eq_ignore_case {
    ($text:expr, $documented:literal) => {
        const { &$crate::util::ascii_case::AsciiCase::new($documented) }.matches($text)
    };
}
pub(crate) use eq_ignore_case;
