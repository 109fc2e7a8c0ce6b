//! Random bytes for session ids and generated data.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Source of session ids.
pub enum SessionRng {
    /// The operating system. Session ids must be unpredictable, as a client that knows an id can
    /// continue the upload.
    System,
    /// A seed, which makes ids predictable. Only for reproducible runs inside this program.
    Seed(Box<ChaCha8Rng>),
}

impl SessionRng {
    pub fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::System, |seed| Self::Seed(Box::new(ChaCha8Rng::seed_from_u64(seed))))
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => {
                getrandom::fill(&mut bytes).expect("the operating system provides random bytes")
            }
            Self::Seed(random) => random.fill_bytes(&mut bytes),
        }
        bytes
    }
}

/// Returns pseudo-random data, which is the same in each run.
pub fn generated(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(0).fill_bytes(&mut bytes);
    bytes
}
