//! SessionRng bytes, from where they have to come from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};

/// Where session ids come from.
pub enum SessionRng {
    /// The operating system, whose numbers nobody can guess: an id that can be guessed lets
    /// anybody go on with somebody else's upload.
    System,
    /// A seed. Whoever knows it knows every id; good for nothing but a run that has to be the same
    /// each time, on a network that ends inside this program.
    Seed(Box<ChaCha8Rng>),
}

impl SessionRng {
    pub fn new(seed: Option<u64>) -> Self {
        seed.map_or(Self::System, |seed| Self::Seed(Box::new(ChaCha8Rng::seed_from_u64(seed))))
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            Self::System => getrandom::fill(&mut bytes).expect("the system has random numbers"),
            Self::Seed(random) => random.fill_bytes(&mut bytes),
        }
        bytes
    }
}

/// An entity to upload: as good as random, and the same each time.
pub fn generated(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    ChaCha8Rng::seed_from_u64(0).fill_bytes(&mut bytes);
    bytes
}
