//! What `cargo test` was asked for, for the tests that build programs.

/// The features: with others, everything would be built again.
pub fn selection() -> Vec<String> {
    let features = [("tls", cfg!(feature = "tls")), ("redis", cfg!(feature = "redis"))];
    if features.iter().all(|it| it.1) {
        return vec!["--all-features".into()];
    }
    let features = features.iter().filter(|it| it.1).map(|it| it.0).collect::<Vec<_>>();
    if features.is_empty() {
        return vec![];
    }
    vec!["--features".into(), features.join(",")]
}
