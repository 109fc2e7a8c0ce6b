//! The public API of `bits-proto` with all features is the one in `bits-proto.txt`.
//!
//! A change of the API is intended if the snapshot changes with it:
//!
//! ```text
//! BITS_BLESS=1 cargo test -p bits-proto-public-api
//! ```
//!
//! The first line of the snapshot names the compiler that made it. rustdoc's JSON differs between
//! compilers, so another compiler does not compare, and says so.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns what a command prints.
fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{error}");
    String::from_utf8(output.stdout).expect("text")
}

/// Builds the documentation of the crate as JSON and returns its path.
fn documentation(root: &Path) -> PathBuf {
    // A folder of its own: the tests run while cargo may hold the lock of the usual one.
    let target = root.join("target/public-api");
    let mut rustdoc = Command::new(env!("CARGO"));
    rustdoc
        .args(["rustdoc", "--quiet", "--package", "bits-proto", "--lib", "--all-features"])
        .arg("--target-dir")
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        // JSON is an unstable output of the stable compiler.
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root);
    output(&mut rustdoc);
    target.join("doc/bits_proto.json")
}

#[test]
fn the_public_api_is_the_snapshot() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).expect("the root of the workspace");
    let snapshot = here.join("bits-proto.txt");
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    let compiler = output(Command::new("rustc").arg("--version"));
    let bless = std::env::var_os("BITS_BLESS").is_some();
    let made_with = expected.lines().next().unwrap_or_default().trim_start_matches("# ");
    if !bless && made_with != compiler.trim() {
        println!("not compared: the snapshot was made with {made_with}, this is {compiler}");
        return;
    }
    let api = public_api::Builder::from_rustdoc_json(documentation(root))
        .omit_auto_derived_impls(true)
        .omit_auto_trait_impls(true)
        .omit_blanket_impls(true)
        .build()
        .expect("the public API");
    let items: Vec<_> = api.items().map(ToString::to_string).collect();
    assert!(items.len() > 1000, "only {} items were found", items.len());
    let actual = format!("# {}\n{}\n", compiler.trim(), items.join("\n"));
    if bless {
        fs::write(&snapshot, actual).expect("the snapshot is written");
        return;
    }
    let changed = |old: &str, new: &str, mark: char| {
        let old: Vec<_> = old.lines().collect();
        let lines = new.lines().filter(|line| !old.contains(line));
        lines.map(|line| format!("{mark} {line}\n")).collect::<String>()
    };
    let changes = changed(&actual, &expected, '-') + &changed(&expected, &actual, '+');
    assert!(
        actual == expected,
        "the public API changed:\n{changes}\
         If this is intended: BITS_BLESS=1 cargo test -p bits-proto-public-api"
    );
}
