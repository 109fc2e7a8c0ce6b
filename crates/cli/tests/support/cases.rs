//! Configuration of the random tests.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::RngSeed;

/// Returns the number of cases and a fixed seed, so that runs are reproducible. `PROPTEST_RNG_SEED` sets
/// another seed.
pub fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random => RngSeed::Fixed(0x1B17),
        fixed => fixed,
    };
    ProptestConfig { cases: 256, rng_seed, failure_persistence: None, ..default }
}
