//! The fuzz targets' oracles over their corpora and over what was once found: what fuzzing is about
//! holds in every `cargo test`, and no target is forgotten.
#![cfg(all(feature = "bytes", feature = "http", feature = "std"))]

mod oracles;
mod support;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use oracles::differential::{RULES, needed};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// The names in a folder; none, where there is no such folder.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")
    };
    entries.map(name).collect()
}

fn inputs(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let path = |name: String| folder.join(name);
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path, bytes)
    };
    names(folder).into_iter().map(path).map(read).collect()
}

fn replay(name: &str, oracle: fn(&[u8])) {
    let corpus = inputs(&fuzz().join("corpus").join(name));
    assert!(!corpus.is_empty(), "there is no corpus for {name}");
    let found = inputs(&fuzz().join("regressions").join(name));
    for (path, input) in corpus.iter().chain(&found) {
        let outcome = catch_unwind(AssertUnwindSafe(|| oracle(input)));
        assert!(outcome.is_ok(), "{name} fails for {}", path.display());
    }
}

macro_rules! replay {
    ($($name:ident)+) => { $(
        #[test]
        fn $name() {
            replay(stringify!($name), oracles::$name);
        }
    )+

        const ORACLES: &[&str] = &[$( stringify!($name) ),+];
    };
}

replay! {
    client_steps
    construct
    conversation
    differential
    fields
    notification_steps
    observe
    parse_ack
    parse_notification
    parse_request
    roundtrip_ack
    roundtrip_request
    server_steps
}

/// An oracle that is left out somewhere would be run by nobody.
#[test]
fn every_target_has_its_oracle_its_corpus_and_its_replay() {
    let all: BTreeSet<_> = ORACLES.iter().map(|name| name.to_string()).collect();
    assert_eq!(names(&fuzz().join("corpus")), all);
    assert!(names(&fuzz().join("regressions")).is_subset(&all));
    let files = all.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), files);

    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    assert_eq!(manifest.matches("[[bin]]").count(), all.len());
    for name in &all {
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name} is no binary");
        let target = fuzz().join(format!("fuzz_targets/{name}.rs"));
        let expected = format!(
            "#![no_main]\n\n\
             libfuzzer_sys::fuzz_target!(|data: &[u8]| bits_proto_fuzz::oracles::{name}(data));\n"
        );
        assert_eq!(fs::read_to_string(target).expect("a target"), expected);
    }
}

/// A rule that no input needs is none.
#[test]
fn every_rule_of_the_differential_oracle_is_needed() {
    let inputs = ["corpus", "regressions"].map(|it| inputs(&fuzz().join(it).join("differential")));
    let found: BTreeSet<_> = inputs.iter().flatten().flat_map(|(_, input)| needed(input)).collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(found, all);
}
