//! The bytes of entities.

use std::ops::Range;

/// The bytes of an entity. Each entity has its own, and each offset differs from its neighbours, so
/// misplaced bytes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) seed: u64,
    pub(crate) length: u64,
}

impl Content {
    /// Returns the eight bytes at eight times this index.
    fn word(self, index: u64) -> [u8; 8] {
        let mixed = (self.seed ^ index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 32)).to_be_bytes()
    }

    pub(crate) fn bytes(self, range: Range<u64>) -> Vec<u8> {
        let (first, last) = (range.start / 8, range.end.div_ceil(8));
        let mut bytes = (first..last).flat_map(|index| self.word(index)).collect::<Vec<_>>();
        bytes.drain(..(range.start % 8) as usize);
        bytes.truncate((range.end - range.start) as usize);
        bytes
    }

    pub(crate) fn all(self) -> Vec<u8> {
        self.bytes(0..self.length)
    }

    /// Different bytes for the same entity.
    pub(crate) fn other(self) -> Self {
        Self { seed: !self.seed, ..self }
    }

    /// Describes where bytes differ from those of the entity.
    pub(crate) fn difference(self, actual: &[u8]) -> String {
        let expected = self.all();
        format!(
            "expected an entity of {} bytes; the copy has {} bytes and differs from offset {}",
            expected.len(),
            actual.len(),
            common_length(actual, &expected)
        )
    }
}

/// Returns the length of the common prefix.
pub(crate) fn common_length(actual: &[u8], expected: &[u8]) -> usize {
    actual.iter().zip(expected).take_while(|(a, b)| a == b).count()
}
