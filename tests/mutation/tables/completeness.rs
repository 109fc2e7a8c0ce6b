//! Each table and limit of the sources has a hook.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::catalogue;

const EDITS: &str = include_str!("../build/edits.rs");

/// Constants that are not limits, or whose limit is changed elsewhere.
const OTHERS: &[(&str, &str)] = &[
    ("DAYS_PER_ERA", "calendar"),
    ("DOWNLOADS", "a number of field names"),
    ("EIGHT_DIGITS", "arithmetic"),
    ("EVENTS", "the number of columns"),
    ("FACILITY_HTTP", "bits of error codes"),
    ("HIGHEST", "bits"),
    ("HYPHEN", "a character"),
    ("IN_PLACE", "longer texts are stored elsewhere"),
    ("KINDS", "the number of columns"),
    ("LAST_DIGIT", "bits"),
    ("MAX_DATE", "the length of an `InlineStr`"),
    ("MAX_FORMATTED_LENGTH", "computed from the limit"),
    ("MAX_HOST", "the length of an `InlineStr`"),
    ("MAX_RANGES_LENGTH", "computed from the limit"),
    ("MAX_TAG", "the length of an `InlineStr`"),
    ("MAX_VALUE", "the default of `max_value`"),
    ("NO_OFFSET", "an absent offset"),
    ("SAFE", "more digits are parsed otherwise"),
    ("SECONDS_PER_DAY", "calendar"),
    ("STATES", "the number of rows"),
    ("VERSION", "of the stored form"),
    ("ZEROS", "bits"),
];

/// Calls a function with each line of code of the sources.
fn for_each_line(folder: &Path, each: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            for_each_line(&path, each);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("UTF-8");
            let lines = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
            lines.for_each(|line| each(&path, line));
        }
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../src")
}

/// Returns the name of an integer constant.
fn constant(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("const ").filter(|(before, _)| !before.contains('<'))?;
    let (name, kind) = rest.split_once(": ")?;
    let is_integer =
        ["u8 ", "u32 ", "u64 ", "usize ", "i64 "].iter().any(|it| kind.starts_with(it));
    let is_name = !name.is_empty() && name.bytes().all(|it| matches!(it, b'A'..=b'Z' | b'_'));
    (is_integer && is_name).then_some(name)
}

#[test]
fn each_limit_has_a_hook() {
    let has_hook =
        |name: &str| EDITS.contains(&format!("{name}\"")) || EDITS.contains(&format!("{name})"));
    let (mut missing, mut is_default, mut count) = (Vec::new(), false, 0);
    for_each_line(&sources(), &mut |path, line| {
        is_default |= line.ends_with("const DEFAULT: Self = Self {");
        is_default &= line != "};";
        let field = line.split_once(": ").filter(|(_, value)| is_default && is_number(value));
        let Some(name) = constant(line).or(field.map(|(name, _)| name)) else { return };
        count += 1;
        if !has_hook(name) && !OTHERS.iter().any(|(other, _)| *other == name) {
            missing.push(format!("{}: {name}", path.display()));
        }
    });
    assert!(count > 50, "{count} limits and constants");
    assert!(missing.is_empty(), "limits without hooks: {missing:#?}");
}

fn is_number(value: &str) -> bool {
    let starts = ["Duration::", "u32::MAX", "u64::MAX", "usize::MAX"];
    value.starts_with(|digit: char| digit.is_ascii_digit())
        || starts.iter().any(|start| value.starts_with(start))
}

#[test]
fn each_state_machine_is_in_the_catalogue() {
    let mut machines = 0;
    for_each_line(&sources(), &mut |_, line| {
        machines += usize::from(line.starts_with("machine!("));
        machines += usize::from(line.starts_with("impl StateMachine for "));
    });
    let cells = catalogue::cells();
    let tables =
        cells.iter().map(|cell| cell.table).filter(|name| name.starts_with("bits_proto::"));
    let states = tables.filter(|name| name.ends_with("::State") || name.ends_with("::Exchange"));
    assert_eq!(machines, states.collect::<BTreeSet<_>>().len());
}
