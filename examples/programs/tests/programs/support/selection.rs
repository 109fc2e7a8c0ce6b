//! The feature selection of `cargo test`, for building the programs.

/// Returns the arguments that select the same features, so that nothing is rebuilt.
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
