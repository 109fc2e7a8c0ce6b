//! The selection of packages and features that `cargo test` was called with, for tests that build examples.

/// Returns the arguments for packages and features. With other arguments, Cargo would rebuild everything.
pub fn selection() -> Vec<String> {
    let features = [
        ("default", cfg!(feature = "default")),
        ("std", cfg!(feature = "std")),
        ("alloc", cfg!(feature = "alloc")),
        ("bytes", cfg!(feature = "bytes")),
        ("http", cfg!(feature = "http")),
        ("serde", cfg!(feature = "serde")),
    ];
    if features.iter().all(|it| it.1) {
        return vec!["--all-features".into()];
    }
    let features = features.iter().filter(|it| it.1).map(|it| it.0).collect::<Vec<_>>();
    let mut selection =
        vec!["--no-default-features".into(), "--features".into(), features.join(",")];
    if !cfg!(feature = "http") {
        // The programs on HTTP stacks need the feature `http` and are not among the packages.
        selection.extend(["--package".into(), env!("CARGO_PKG_NAME").into()]);
    }
    selection
}
