//! Random numbers.

use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng as _};

/// A generator that consumes the given bytes first, two for each number, and then a seeded sequence.
pub struct ScriptedRng {
    bytes: Vec<u8>,
    used: usize,
    seeded: SmallRng,
}

impl ScriptedRng {
    pub fn seeded(seed: u64) -> Self {
        Self::with_bytes(&[], seed)
    }

    pub fn with_bytes(bytes: &[u8], seed: u64) -> Self {
        Self { bytes: bytes.to_vec(), used: 0, seeded: SmallRng::seed_from_u64(seed) }
    }
}

impl RngCore for ScriptedRng {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// Callers use the high bits, so these contain the given bytes.
    fn next_u64(&mut self) -> u64 {
        match self.bytes.get(self.used..self.used + 2) {
            Some(&[high, low]) => {
                self.used += 2;
                u64::from_be_bytes([high, low, high, low, high, low, high, low])
            }
            _ => self.seeded.next_u64(),
        }
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.seeded.fill_bytes(bytes);
    }
}
