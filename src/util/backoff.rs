//! The delay between two tries.

use core::time::Duration;

use super::random::Random;

/// Returns a random back-off between half of the limit and the limit. The limit is `initial` after
/// the first of `failures`, and doubles with each of them, up to `max`.
pub(crate) fn backoff(
    random: &mut Random,
    initial: Duration,
    max: Duration,
    failures: u32,
) -> Duration {
    let doublings = failures.saturating_sub(1).min(31);
    let limit = initial.saturating_mul(1 << doublings).min(max);
    let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let half = nanoseconds / 2;
    let jitter = random.up_to(nanoseconds.saturating_sub(half));
    Duration::from_nanos(half.saturating_add(jitter))
}
