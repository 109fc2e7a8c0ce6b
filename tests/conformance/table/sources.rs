//! Sources that the table is compared with: the test files and the text of the specification.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub fn text(path: &Path) -> String {
    let text = std::fs::read_to_string(path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// Folders with tests. Those of the programs prove what a message leads to on a socket.
const FOLDERS: [&str; 2] = ["tests", "crates/cli/tests"];

/// Returns every test by its path below these folders: `folder::file::function`. A folder's `main.rs` or
/// `mod.rs` counts as the folder itself. Files are read as text, so features do not matter.
pub fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for folder in FOLDERS {
        add_tests(&path(folder), "", &mut tests);
    }
    tests
}

fn add_tests(folder: &Path, prefix: &str, tests: &mut BTreeSet<String>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{folder:?}: {error}")).path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        // The tests of this function contain test functions in strings.
        if name == "conformance" {
            continue;
        }
        if path.is_dir() {
            add_tests(&path, &format!("{prefix}{name}::"), tests);
        } else if let Some(stem) = name.strip_suffix(".rs") {
            let module = match stem {
                "main" | "mod" => prefix.to_string(),
                stem => format!("{prefix}{stem}::"),
            };
            tests.extend(tests_in(&text(&path)).into_iter().map(|test| format!("{module}{test}")));
        }
    }
}

/// Returns the test functions of a file, including those in `proptest!`.
pub fn tests_in(source: &str) -> Vec<&str> {
    let mut tests = Vec::new();
    let (mut is_test, mut is_ignored) = (false, false);
    for line in source.lines().map(str::trim) {
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if line.starts_with("#[") {
            is_test |= line == "#[test]";
            is_ignored |= line.starts_with("#[ignore");
            continue;
        }
        if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            if is_test && !is_ignored {
                tests.push(name);
            }
        }
        (is_test, is_ignored) = (false, false);
    }
    tests
}

/// Splits a text into lower-case words without punctuation.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The number of consecutive words that make a quotation; a shorter sentence counts as a whole.
const QUOTATION: usize = 8;
/// Sentences with fewer words are too short to compare.
const SENTENCE: usize = 6;

/// Returns the words that a text has in common with a sentence; both come from [`words`].
pub fn quotation(text: &[String], sentence: &[String]) -> Option<String> {
    if sentence.len() < SENTENCE {
        return None;
    }
    let length = sentence.len().min(QUOTATION);
    let quoted = |part: &&[String]| text.windows(length).any(|window| window == *part);
    sentence.windows(length).find(quoted).map(|part| part.join(" "))
}
