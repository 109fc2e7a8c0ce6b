//! Random downloads end with the bytes of one version.

use crate::support::random_download::{End, run};

#[test]
fn ten_thousand_downloads_end_with_the_bytes_of_one_version() {
    let (mut finished, mut of_later_versions) = (0, 0);
    for seed in 0..10_000 {
        if let End::Finished(number) = run(seed) {
            finished += 1;
            of_later_versions += u32::from(number > 1);
        }
    }
    assert!(finished > 8000, "{finished}");
    assert!(of_later_versions > 500, "{of_later_versions}");
}
