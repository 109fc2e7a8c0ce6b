//! Checks the conformance table in `tests/conformance/`: requirements of [MC-BUP], decisions where
//! its sources disagree, messages of peers, and mistakes of other implementations. Each row names
//! tests that fail if it is not true. This file checks that those tests exist; the author of a row
//! checks that they fail.
//!
//! `docs/CONFORMANCE.md` is generated from the table. A test fails if it is out of date; this
//! command regenerates it:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --test conformance
//! ```
//!
//! Only ids, sections and levels of the requirements are committed. If the sentences of the
//! specification are available, the list is compared with them, and no row may quote them. The
//! file has tab-separated lines of id, section, title, level and sentence:
//!
//! ```sh
//! BITS_REQUIREMENTS=path/to/sentences.tsv cargo test --test conformance
//! ```

mod document;
mod table;

use std::collections::BTreeSet;
use std::path::Path;

use table::sources::{quotation, tests, tests_in, text, words};
use table::{Requirement, Row, Status};

const DOCUMENT: &str = "docs/CONFORMANCE.md";

fn ids(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.id).collect()
}

#[test]
fn every_requirement_has_one_row() {
    let requirements = table::requirements();
    let expected: Vec<_> = requirements.iter().map(|it| it.id).collect();
    let rows = table::specification();
    let found: BTreeSet<_> = ids(&rows).into_iter().collect();
    let missing: Vec<_> = expected.iter().filter(|id| !found.contains(*id)).collect();
    assert!(missing.is_empty(), "requirements without a row: {missing:?}");
    // Equal order also excludes repeated and unknown ids.
    assert_eq!(ids(&rows), expected);
    assert_eq!(expected.len(), 269);
}

#[test]
fn ids_are_made_of_their_section() {
    let mut before = ("", 0);
    for Requirement { id, section, level } in table::requirements() {
        let number = if before.0 == section { before.1 + 1 } else { 1 };
        assert_eq!(id, format!("R{section}-{number}"));
        assert!(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"].contains(&level), "{id}");
        before = (section, number);
    }
}

#[test]
fn every_decision_and_every_mistake_has_one_row() {
    let decisions: Vec<_> = table::decisions::IDS.split_whitespace().collect();
    assert_eq!(ids(&table::decisions()), decisions);
    let mistakes: Vec<_> = (1..=10).map(|number| format!("H{number}")).collect();
    assert_eq!(ids(&table::mistakes()), mistakes);
}

#[test]
fn other_ids_are_words_and_there_once() {
    let rows = [table::peers(), table::asks()].concat();
    let is_word = |word: &str| {
        let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !word.is_empty() && word.bytes().all(is_valid)
    };
    for id in ids(&rows) {
        assert!(id.split('-').all(is_word), "{id:?} is kebab-case");
    }
    let all = table::everything();
    assert_eq!(
        ids(&all).into_iter().collect::<BTreeSet<_>>().len(),
        all.len(),
        "an id is repeated"
    );
}

#[test]
fn every_test_that_is_named_exists() {
    let tests = tests();
    for Row { id, tests: named, .. } in table::everything() {
        for test in &named {
            assert!(tests.contains(*test), "{id} names {test}, which does not exist");
        }
        let once: BTreeSet<_> = named.iter().collect();
        assert_eq!(once.len(), named.len(), "{id} names a test twice");
    }
}

#[test]
fn every_claim_is_shown_by_a_test() {
    for row in table::everything() {
        let claims = !matches!(row.status, Some(Status::Embedder | Status::NotApplicable));
        assert!(!claims || !row.tests.is_empty(), "{} names no test", row.id);
        let needs_reason = row.status != Some(Status::Enforced);
        assert!(!needs_reason || !row.note.is_empty(), "{} has no note", row.id);
    }
}

#[test]
fn decisions_that_are_referred_to_exist() {
    let decisions: Vec<_> = table::decisions::IDS.split_whitespace().collect();
    let mut references = 0;
    for row in table::everything() {
        for part in row.note.split(['(', ')', ',', ' ']) {
            let is_reference = part.strip_prefix('A').is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            assert!(!is_reference || decisions.contains(&part), "{}: {part}", row.id);
            references += usize::from(is_reference);
        }
    }
    assert!(references > 10, "{references}");
}

#[test]
fn cells_are_short() {
    for Row { id, about, note, .. } in table::everything() {
        for cell in [about, note] {
            assert!(cell.chars().count() <= 80, "{id}: {cell:?}");
            assert!(!cell.contains(['\n', '<', '\\']) && !cell.ends_with('.'), "{id}: {cell:?}");
        }
        assert!(!about.is_empty(), "{id}");
    }
}

// Comparisons with the sentences of the specification, if they are available.

/// Passes each requirement and its sentence to `check`.
fn with_sentences(check: impl FnOnce(&[(Requirement<'_>, &str)])) {
    let Some(file) = std::env::var_os("BITS_REQUIREMENTS") else { return };
    let lines = text(Path::new(&file));
    let lines = lines.lines().skip(1).map(|line| {
        let columns: Vec<_> = line.split('\t').collect();
        let [id, section, _, level, sentence] = columns[..] else { panic!("{line:?}: 5 columns") };
        (Requirement { id, section, level }, sentence)
    });
    check(&lines.collect::<Vec<_>>());
}

#[test]
fn the_committed_list_is_that_of_the_specification() {
    with_sentences(|sentences| {
        let specified: Vec<_> = sentences.iter().map(|(requirement, _)| *requirement).collect();
        assert_eq!(table::requirements(), specified);
    });
}

#[test]
fn no_row_repeats_the_specification() {
    with_sentences(|sentences| {
        let sentences: Vec<_> =
            sentences.iter().map(|(it, sentence)| (it, words(sentence))).collect();
        for Row { id, about, note, .. } in table::everything() {
            for cell in [about, note].map(words) {
                for (requirement, sentence) in &sentences {
                    let quoted = quotation(&cell, sentence);
                    assert_eq!(quoted, None, "{id} repeats {}", requirement.id);
                }
            }
        }
    });
}

#[test]
fn a_quotation_is_eight_words_or_a_whole_sentence() {
    let quoted = |text, sentence| quotation(&words(text), &words(sentence));
    let sentence = "One two three four five six seven eight nine.";
    for (text, expected) in [
        ("1 one two three four five six seven eight", "one two three four five six seven eight"),
        (
            "Two, three (four) FIVE-six; seven 'eight' nine",
            "two three four five six seven eight nine",
        ),
        ("one two three four five six seven, nine eight", ""),
        ("two three four five six seven eight", ""),
        ("", ""),
    ] {
        assert_eq!(quoted(text, sentence).unwrap_or_default(), expected, "{text}");
    }
    let short = "The value is always exactly zero.";
    assert!(quoted("where the value is always exactly zero", short).is_some());
    assert!(quoted("the value is always zero", short).is_none());
    assert!(quoted("it is 0", "It is 0.").is_none(), "too short to compare");
}

#[test]
fn a_test_is_found_only_where_it_is_one() {
    let source = "
        #[test]
        fn a_test() {}

        fn a_helper() {}

        proptest! {
            #![proptest_config(config())]

            /// With a comment.
            #[test]
            fn of_anything(it in any()) {}
        }

        #[test]
        // A comment.
        #[cfg(feature = \"alloc\")]
        fn with_more(
        ) {}

        // #[test]
        // fn taken_out() {}

        #[test]
        #[ignore = \"it is slow\"]
        fn left_out() {}

        #[test]
        const NOT: u8 = 0;
        fn after_it() {}
    ";
    assert_eq!(tests_in(source), ["a_test", "of_anything", "with_more"]);
    let tests = tests();
    assert!(tests.contains("message::requirements::unknown_fields_change_nothing"));
    assert!(tests.contains("server::random::random_events_neither_lose_nor_invent_bytes"));
    assert!(
        !tests.contains("message::requirements::text") && !tests.contains("conformance::a_test")
    );
}

#[test]
fn the_document_is_the_table() {
    let (path, document) = (table::sources::path(DOCUMENT), document::document());
    if std::env::var_os("BITS_BLESS").is_some() {
        std::fs::write(&path, document).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        return;
    }
    let bless = "BITS_BLESS=1 cargo test --test conformance";
    assert_eq!(text(&path), document, "{DOCUMENT} is out of date, run: {bless}");
}
