//! What the table is compared with: the files of tests, and the wording of the specification.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

pub fn text(path: &Path) -> String {
    let text = std::fs::read_to_string(path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// Every test there is, as `file::function`; whatever the features, as it is read as text.
pub fn tests() -> BTreeSet<String> {
    let folder = path("tests");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut tests = BTreeSet::new();
    for file in files {
        let file = file.unwrap_or_else(|error| panic!("{folder:?}: {error}")).path();
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else { continue };
        // The file that tries this out has tests in its texts that are none.
        let Some(stem) = name.strip_suffix(".rs").filter(|stem| *stem != "conformance") else {
            continue;
        };
        tests.extend(tests_in(&text(&file)).into_iter().map(|test| format!("{stem}::{test}")));
    }
    tests
}

/// The functions of a file that run as tests, those within `proptest!` among them.
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

/// The words of a text, without what is between them.
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// How many words in a row are a quotation; all of them, of a sentence that is shorter.
const QUOTATION: usize = 8;
/// Sentences with fewer words are nobody's.
const SENTENCE: usize = 6;

/// What a text has of a sentence, word for word; both as [`words`].
pub fn quotation(text: &[String], sentence: &[String]) -> Option<String> {
    if sentence.len() < SENTENCE {
        return None;
    }
    let length = sentence.len().min(QUOTATION);
    let quoted = |part: &&[String]| text.windows(length).any(|window| window == *part);
    sentence.windows(length).find(quoted).map(|part| part.join(" "))
}
