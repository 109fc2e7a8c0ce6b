//! Generates a call of each function in the snapshot of the public API. A new function is proven, or
//! excluded with a reason.

mod call;
mod snapshot;

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const SNAPSHOT: &str = "../public-api/bits-proto.txt";
const EXCLUDED: &str = "excluded.txt";

fn main() {
    println!("cargo::rerun-if-changed={SNAPSHOT}");
    println!("cargo::rerun-if-changed={EXCLUDED}");
    println!("cargo::rerun-if-changed=build");
    let read = |path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let out = env::var_os("OUT_DIR").expect("set by cargo");
    let code = generate(&read(SNAPSHOT), &read(EXCLUDED));
    fs::write(Path::new(&out).join("entry_points.rs"), code).expect("a writable directory");
}

/// Returns code that lists the entry points, with the symbol that is missing if they can panic, and the numbers of
/// proven and excluded functions. A generic function has an entry point for each choice of types.
fn generate(snapshot: &str, excluded: &str) -> String {
    // Parts of lines, or whole paths, which are indented below their reason.
    let patterns = excluded.lines().filter(|line| line.starts_with(' ')).map(str::trim);
    let mut patterns: Vec<_> = patterns.map(|pattern| (pattern, 0)).collect();
    let (mut code, mut proven, mut left_out) = (String::new(), 0, 0);
    for function in snapshot::functions(snapshot) {
        let mut is_excluded = false;
        for (pattern, uses) in &mut patterns {
            if function.line.contains(*pattern) || function.path() == *pattern {
                *uses += 1;
                is_excluded = true;
            }
        }
        if is_excluded {
            left_out += 1;
            continue;
        }
        proven += 1;
        for closure in call::closures(&function) {
            writeln!(code, "entry_point!(\"panic in {}\", {closure}),", function.path())
                .expect("a string grows");
        }
    }
    let unused: Vec<_> = patterns.iter().filter(|(_, uses)| *uses == 0).collect();
    assert!(unused.is_empty(), "{EXCLUDED}: patterns without a function: {unused:?}");
    format!("(&[\n{code}], {proven}, {left_out})")
}
