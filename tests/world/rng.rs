//! Where chance comes from.

use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng as _};

/// A generator, before which bytes may be given that decide first: two for each throw.
pub struct Dice {
    given: Vec<u8>,
    used: usize,
    then: SmallRng,
}

impl Dice {
    pub fn seeded(seed: u64) -> Self {
        Self::given(&[], seed)
    }

    pub fn given(bytes: &[u8], seed: u64) -> Self {
        Self { given: bytes.to_vec(), used: 0, then: SmallRng::seed_from_u64(seed) }
    }
}

impl RngCore for Dice {
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// Whoever throws looks at the high bits, so they are what is given.
    fn next_u64(&mut self) -> u64 {
        match self.given.get(self.used..self.used + 2) {
            Some(&[high, low]) => {
                self.used += 2;
                u64::from_be_bytes([high, low, high, low, high, low, high, low])
            }
            _ => self.then.next_u64(),
        }
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.then.fill_bytes(bytes);
    }
}
