//! What `cargo test` was asked for, for the tests that build programs.

/// The packages and features: with others, everything would be built again.
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
        // The programs on HTTP stacks, which need it, are not among the packages.
        selection.extend(["--package".into(), env!("CARGO_PKG_NAME").into()]);
    }
    selection
}
