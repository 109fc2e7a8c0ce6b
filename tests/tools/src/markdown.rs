//! Documents with generated parts. A part is between two comments: `<!-- generated: NAME -->` and
//! `<!-- end -->`.

use std::path::Path;

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// Returns a document of this repository.
pub fn read(path: &Path) -> String {
    let text = std::fs::read_to_string(path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display())).replace("\r\n", "\n")
}

/// Returns the document with new generated parts. `generate` receives the name of each part, and returns
/// whole lines, or `None` for a part that is not its own.
pub fn regenerate(document: &str, mut generate: impl FnMut(&str) -> Option<String>) -> String {
    let mut parts = document.split(BEGIN);
    let mut current = parts.next().expect("a beginning").to_owned();
    for part in parts {
        let (name, rest) = part.split_once(" -->\n").expect("the end of a comment");
        let (old, rest) = rest.split_once(END).unwrap_or_else(|| panic!("no end of {name}"));
        let new = generate(name).unwrap_or_else(|| old.to_owned());
        current += &format!("{BEGIN}{name} -->\n{new}{END}{rest}");
    }
    current
}

/// Asserts that the generated parts of a document are current. With the variable `BITS_BLESS`, updates them.
#[track_caller]
pub fn assert_current(path: &Path, generate: impl FnMut(&str) -> Option<String>) {
    let document = read(path);
    let current = regenerate(&document, generate);
    if std::env::var_os("BITS_BLESS").is_some() {
        std::fs::write(path, &current).expect("a document");
    } else {
        assert!(document == current, "run with BITS_BLESS=1 to update {}", path.display());
    }
}

/// Returns the anchor that Markdown makes of a heading.
pub fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().chars();
    let kept = letters.filter(|it| it.is_alphanumeric() || matches!(it, ' ' | '-' | '_'));
    kept.map(|it| if it == ' ' { '-' } else { it.to_ascii_lowercase() }).collect()
}
