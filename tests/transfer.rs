//! The example `transfer`: uploads over real sockets, with and without network faults.

mod support {
    pub mod selection;
}

use std::fs;
use std::process::{Command, Output};

use bits_proto_test_tools::program::program;
use sha2::{Digest as _, Sha256};
use support::selection::selection;
use tempfile::TempDir;

fn transfer(arguments: &[&str]) -> Output {
    Command::new(program("transfer", selection()))
        .args(arguments)
        .output()
        .expect("the program runs")
}

/// Runs a transfer that must succeed, and returns its output.
fn succeed(arguments: &[&str]) -> String {
    let output = transfer(arguments);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{arguments:?}\n{text}");
    assert_eq!(value(&text, "sent  "), value(&text, "received"), "{arguments:?}\n{text}");
    let observed = value(&text, "observed").strip_suffix(" messages, no violations");
    let observed = observed.unwrap_or_else(|| panic!("{arguments:?}\n{text}"));
    assert!(observed.parse::<u64>().expect("a number") >= 4, "{arguments:?}\n{text}");
    assert_eq!(
        text.lines().last(),
        Some("sent and received bytes are identical"),
        "{arguments:?}\n{text}"
    );
    text
}

/// Returns the rest of the line that starts with this word.
fn value<'t>(text: &'t str, word: &str) -> &'t str {
    let line = text.lines().find_map(|line| line.strip_prefix(word));
    line.unwrap_or_else(|| panic!("no {word} in\n{text}")).trim()
}

fn count(text: &str, word: &str) -> u64 {
    value(text, word).parse().expect("a number")
}

/// Returns the number of restarts of the server and the client.
fn restarts(text: &str) -> (u64, u64) {
    let both = value(text, "restarts").strip_prefix("server ").expect("the server's");
    let (server, client) = both.split_once(", client ").expect("the client's");
    (server.parse().expect("a number"), client.parse().expect("a number"))
}

/// Returns the output without the duration.
fn without_speed(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("speed")).collect::<Vec<_>>().join("\n")
}

/// Files to upload, in a temporary folder.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    /// Creates a file without repetitions, and returns its path and its SHA-256.
    fn file(&self, length: u64) -> (String, String) {
        let state = |index: u64| index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56;
        let bytes: Vec<_> = (1..=length).map(|index| state(index * index) as u8).collect();
        let path = self.0.path().join(length.to_string());
        fs::write(&path, &bytes).expect("a file");
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        (path.to_str().expect("UTF-8").into(), digest)
    }
}

#[test]
fn generated_data_arrives() {
    let text = succeed(&[]);
    assert!(text.starts_with("generated data: 8388608 bytes in fragments of 1048576\n"), "{text}");
    assert_eq!((count(&text, "messages"), count(&text, "retries")), (10, 0));
    assert_eq!(restarts(&text), (0, 0));
}

#[test]
fn the_hash_is_that_of_the_file() {
    let files = Files::new();
    for length in [0, 1, 65_536, 3_000_017] {
        let (path, digest) = files.file(length);
        let text = succeed(&[&path]);
        assert_eq!(value(&text, "received"), format!("sha256 {digest}"));
    }
}

#[test]
fn fragments_may_have_any_length() {
    let files = Files::new();
    let lengths = [("1", 1, 3), ("1", 57, 59), ("777", 100_000, 131), ("65537", 3_000_017, 48)];
    for (fragment, length, messages) in lengths {
        let (path, _) = files.file(length);
        let text = succeed(&[&path, "--fragment-size", fragment]);
        assert_eq!(count(&text, "messages"), messages, "{text}");
    }
    // The second is longer than the body that the server reads after a refusal.
    for fragment in ["18446744073709551615", "33554432"] {
        let (path, _) = files.file(2_000_000);
        let text = succeed(&[&path, "--fragment-size", fragment]);
        assert_eq!(count(&text, "messages"), 3, "{text}");
    }
    assert_eq!(transfer(&["--fragment-size", "0"]).status.code(), Some(2));
}

#[test]
fn there_is_a_reply_to_all_but_an_empty_entity() {
    let files = Files::new();
    for length in [1, 400_000] {
        let text = succeed(&["--reply", &files.file(length).0, "--fragment-size", "100001"]);
        assert_eq!(value(&text, "reply"), "correct");
    }
    let text = succeed(&["--reply", &files.file(0).0]);
    assert!(value(&text, "reply").starts_with("none"), "{text}");
}

#[test]
fn a_bad_network_does_not_stop_it() {
    let files = Files::new();
    let lengths = [0, 1, 4_999, 60_000, 200_003].map(|length| files.file(length).0);
    let (mut retries, mut resumptions, mut servers, mut clients, mut twice) = (0, 0, 0, 0, 0);
    let mut chunked = 0;
    for seed in 0..30 {
        let file = &lengths[seed % lengths.len()];
        let seed = seed.to_string();
        let text = succeed(&["--reply", file, "--fragment-size", "9973", "--faults", &seed]);
        retries += count(&text, "retries");
        resumptions += count(&text, "resumptions");
        let (server, client) = restarts(&text);
        (servers, clients) = (servers + server, clients + client);
        let held = value(&text, "sent twice").split_once(' ').expect("a number").0;
        twice += held.parse::<u64>().expect("a number");
        chunked += text.matches("response sent in chunks").count() as u64;
    }
    let all = [retries, resumptions, servers, clients, twice, chunked];
    assert!(all.iter().all(|count| *count > 0), "{all:?}");
}

#[test]
fn the_same_seed_does_the_same_again() {
    let files = Files::new();
    let (path, _) = files.file(150_001);
    let mut conversations = Vec::new();
    for seed in ["3", "17", "4711", "18446744073709551615"] {
        let run = || {
            let arguments = ["--reply", &path, "--fragment-size", "5000", "--faults", seed];
            without_speed(&succeed(&arguments))
        };
        let text = run();
        assert_eq!(text, run(), "seed {seed}");
        assert!(!conversations.contains(&text), "seed {seed} does what another one does");
        conversations.push(text);
    }
}

#[test]
fn files_that_cannot_be_uploaded_are_named() {
    let files = Files::new();
    let folder = files.0.path().to_str().expect("UTF-8");
    for path in ["no such file", folder] {
        let output = transfer(&[path]);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1));
        assert!(errors.starts_with(&format!("transfer: {path}: ")), "{errors}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(transfer(&["--nonsense"]).status.code(), Some(2));
}
