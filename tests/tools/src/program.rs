//! Builds the example programs for tests that run them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Returns the path of an example after building it, because `cargo test --test NAME` alone builds no
/// examples. If everything is up to date this takes no time, provided that `selection` contains the packages
/// and features that `cargo test` was called with.
pub fn program(name: &str, selection: Vec<String>) -> &'static Path {
    static BUILT: Mutex<BTreeMap<String, &Path>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.into()).or_insert_with(|| Box::leak(build(name, selection).into_boxed_path()))
}

fn build(name: &str, selection: Vec<String>) -> PathBuf {
    let test = std::env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("the folder of the profile");
    let target = profile.parent().expect("the target folder");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--example", name, "--target-dir"]).arg(target);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    // Variables that `cargo test` sets for this package would cause some build scripts to run
    // again.
    let is_of_package =
        |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_package) {
            build.env_remove(name);
        }
    }
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    // In a package's own folder, Cargo would build only that package.
    let workspace = folders.find(|folder| folder.join("Cargo.lock").exists());
    let built = build.args(selection).current_dir(workspace.expect("a workspace")).status();
    assert!(built.is_ok_and(|status| status.success()), "building the example {name} failed");
    profile.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
