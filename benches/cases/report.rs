//! The lines that a script can read.

use super::{Bars, Group, Pair};

/// Measures everything and prints a line for each ratio; says whether a bar is exceeded.
pub fn report(
    groups: &mut [Group],
    bar: impl Fn(&Bars) -> f64,
    mut measure: impl FnMut(&mut Pair) -> f64,
) -> bool {
    let mut is_over = false;
    for group in groups {
        let mut product = 1.0;
        for pair in &mut group.pairs {
            let ratio = measure(pair) / pair.scale;
            product *= ratio;
            is_over |= line(&format!("{}/{}", group.name, pair.name), ratio, bar(&group.each));
        }
        if let Some(bars) = &group.mean {
            let mean = f64::powf(product, 1.0 / group.pairs.len() as f64);
            is_over |= line(&format!("{}/geometric-mean", group.name), mean, bar(bars));
        }
    }
    is_over
}

/// One line, and whether the bar is exceeded. Where there is no bar the line says `-`.
pub fn line(name: &str, value: f64, bar: f64) -> bool {
    let is_over = value > bar;
    let bar = if bar.is_finite() { format!("{bar:.3}") } else { "-".into() };
    println!("ratio {name} {value:.3} {bar} {}", if is_over { "over" } else { "ok" });
    is_over
}
