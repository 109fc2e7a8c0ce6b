//! Machine-readable output.

use super::{Group, MaxRatios, Pair};

/// Measures all pairs and prints a line for each ratio. Returns true if a limit is exceeded.
pub fn report(
    groups: &mut [Group],
    limit: impl Fn(&MaxRatios) -> f64,
    mut measure: impl FnMut(&mut Pair) -> f64,
) -> bool {
    let mut is_over = false;
    for group in groups {
        let mut product = 1.0;
        for pair in &mut group.pairs {
            let ratio = measure(pair) / pair.scale;
            product *= ratio;
            let bar = limit(pair.bars.as_ref().unwrap_or(&group.each));
            is_over |= line(&format!("{}/{}", group.name, pair.name), ratio, bar);
        }
        if let Some(bars) = &group.mean {
            let mean = f64::powf(product, 1.0 / group.pairs.len() as f64);
            is_over |= line(&format!("{}/geometric-mean", group.name), mean, limit(bars));
        }
    }
    is_over
}

/// Prints one line, and returns true if the limit is exceeded. Without a limit the line contains `-`.
pub fn line(name: &str, value: f64, limit: f64) -> bool {
    let is_over = value > limit;
    let limit = if limit.is_finite() { format!("{limit:.3}") } else { "-".into() };
    println!("ratio {name} {value:.3} {limit} {}", if is_over { "over" } else { "ok" });
    is_over
}
