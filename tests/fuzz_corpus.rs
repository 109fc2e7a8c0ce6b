//! Replays the corpora and regressions of the fuzz targets in every `cargo test`, and checks that each
//! target is complete.
#![cfg(all(feature = "bytes", feature = "http", feature = "std"))]

mod oracles;
mod support;
mod world;

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use bits_proto::observer::DownloadRule;
use flate2::read::MultiGzDecoder;
use oracles::differential::{RULES, needed};
use oracles::observe_downloads::violated;
use tar::Archive;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Returns the names in a folder, or an empty set if it does not exist.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let name = |entry: std::io::Result<fs::DirEntry>| {
        entry.expect("an entry").file_name().into_string().expect("a name in UTF-8")
    };
    entries.map(name).collect()
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns the inputs in the archive of a target, each with its path.
///
/// # Panics
///
/// If the archive is missing, damaged or empty.
fn corpus(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let path = fuzz().join(format!("corpus/{name}.tar.gz"));
    let unpacked =
        unpack(&read(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(!unpacked.is_empty(), "{} is empty", path.display());
    unpacked.into_iter().map(|(name, input)| (path.join(name), input)).collect()
}

fn unpack(archive: &[u8]) -> std::io::Result<Vec<(PathBuf, Vec<u8>)>> {
    // The checksum is at the end of the compressed data, behind the last entry that `tar` reads.
    let mut plain = Vec::new();
    MultiGzDecoder::new(archive).read_to_end(&mut plain)?;
    let mut unpacked = Vec::new();
    for entry in Archive::new(plain.as_slice()).entries()? {
        let mut entry = entry?;
        let mut input = Vec::new();
        entry.read_to_end(&mut input)?;
        unpacked.push((entry.path()?.into_owned(), input));
    }
    Ok(unpacked)
}

/// Returns the regressions of a target, each with its path. A target may have none.
fn regressions(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = fuzz().join("regressions").join(name);
    let with_input = |path: PathBuf| (path.clone(), read(&path));
    names(&folder).into_iter().map(|name| with_input(folder.join(name))).collect()
}

fn inputs(name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    [corpus(name), regressions(name)].concat()
}

fn replay(name: &str, oracle: fn(&[u8])) {
    for (path, input) in inputs(name) {
        let outcome = catch_unwind(AssertUnwindSafe(|| oracle(&input)));
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
    chunked
    client_steps
    construct
    conversation
    differential
    download_crates
    download_plan
    download_steps
    fields
    heads
    multipart
    notification_steps
    observe
    observe_downloads
    parse_ack
    parse_notification
    parse_range
    parse_request
    roundtrip_ack
    roundtrip_request
    server_steps
}

#[test]
fn every_target_has_its_oracle_its_corpus_and_its_replay() {
    let all: BTreeSet<_> = ORACLES.iter().map(|name| name.to_string()).collect();
    let archives = all.iter().map(|name| format!("{name}.tar.gz")).collect();
    assert_eq!(names(&fuzz().join("corpus")), archives);
    assert!(names(&fuzz().join("regressions")).is_subset(&all));
    let files = all.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), files);

    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("a manifest");
    assert_eq!(manifest.matches("[[bin]]").count(), all.len());
    for name in &all {
        let bin = format!("[[bin]]\nname = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&bin), "{name} is not a binary in the manifest");
        let target = fuzz().join(format!("fuzz_targets/{name}.rs"));
        let expected = format!(
            "#![no_main]\n\n\
             libfuzzer_sys::fuzz_target!(|data: &[u8]| bits_proto_fuzz::oracles::{name}(data));\n"
        );
        assert_eq!(fs::read_to_string(target).expect("a target"), expected);
    }
}

#[test]
fn every_rule_of_the_differential_oracle_is_needed() {
    let inputs = inputs("differential");
    let found: BTreeSet<_> = inputs.iter().flat_map(|(_, input)| needed(input)).collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(found, all);
}

/// Each regression with the name of a rule violates this rule and no other.
#[test]
fn every_rule_of_downloads_can_be_violated() {
    let folder = fuzz().join("regressions/observe_downloads");
    for rule in DownloadRule::ALL {
        let input = read(&folder.join(format!("rule-{}", rule.name())));
        assert_eq!(violated(&input), BTreeSet::from([rule.name()]));
    }
}
