//! Short strings that are owned without an allocator.

use core::fmt;
use core::hash::{Hash, Hasher};

/// At most `N` bytes of text, in place.
#[derive(Clone, Copy)]
pub(crate) struct InlineStr<const N: usize> {
    /// The text, followed by zeros.
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> InlineStr<N> {
    /// The empty text.
    pub(crate) const EMPTY: Self = Self { bytes: [0; N], length: 0 };

    /// Copies `text`. `None` if it is too long.
    pub(crate) fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self { bytes, length: text.len() })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

impl<const N: usize> PartialEq for InlineStr<N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> Eq for InlineStr<N> {}

impl<const N: usize> Hash for InlineStr<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<const N: usize> fmt::Debug for InlineStr<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

#[cfg(feature = "serde")]
mod serde_impls {
    use core::fmt;

    use serde::de::{Error, SeqAccess, Visitor};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::InlineStr;

    impl<const N: usize> Serialize for InlineStr<N> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match core::str::from_utf8(self.as_bytes()) {
                Ok(text) if serializer.is_human_readable() => serializer.serialize_str(text),
                _ => serializer.serialize_bytes(self.as_bytes()),
            }
        }
    }

    impl<'de, const N: usize> Deserialize<'de> for InlineStr<N> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_bytes(InlineStrVisitor)
        }
    }

    struct InlineStrVisitor<const N: usize>;

    impl<'de, const N: usize> Visitor<'de> for InlineStrVisitor<N> {
        type Value = InlineStr<N>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a string of at most {N} bytes")
        }

        fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<InlineStr<N>, E> {
            InlineStr::new(text).ok_or_else(|| E::invalid_length(text.len(), &self))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<InlineStr<N>, E> {
            self.visit_bytes(text.as_bytes())
        }

        /// Human-readable formats have no bytes, only lists of numbers.
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<InlineStr<N>, A::Error> {
            let mut bytes = [0; N];
            let mut length = 0_usize;
            while let Some(byte) = list.next_element()? {
                let too_long = || A::Error::invalid_length(length.saturating_add(1), &self);
                *bytes.get_mut(length).ok_or_else(too_long)? = byte;
                length = length.saturating_add(1);
            }
            Ok(InlineStr { bytes, length })
        }
    }
}
