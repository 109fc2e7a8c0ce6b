//! How many cases the random tests go through, and which.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// Cases, and a seed that is always the same: a run does not hang on the clock, nor on how fast
/// the machine is. `PROPTEST_RNG_SEED` chooses others.
pub fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x1B17),
        fixed => fixed,
    };
    ProptestConfig { cases: 256, rng_seed, failure_persistence: None, ..default }
}
