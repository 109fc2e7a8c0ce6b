//! Random numbers.

use super::failure::{Failure, Result};

/// Returns a random seed for the back-off, so that many clients do not retry at the same time.
pub fn seed() -> Result<u64> {
    getrandom::u64()
        .map_err(|error| Failure::failed(format!("the system provides no random numbers: {error}")))
}
