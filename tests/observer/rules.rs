//! The list of rules in the observer's documentation: it is generated here, and a test says when it
//! is old:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --all-features --test library observer::rules
//! ```

use std::fmt::Write as _;
use std::path::Path;

use bits_proto::deviation::Deviation;
use bits_proto::observer::{SequenceRule, Violation};

const DOCUMENT: &str = "src/observer/rules.md";

fn table(violations: impl Iterator<Item = Violation>) -> String {
    let mut text = String::from("| rule | section | weighs | what happened |\n|---|---|---|---|\n");
    for violation in violations {
        let (rule, section) = (violation.rule(), violation.section());
        let severity = violation.severity();
        let sentence = violation.to_string().replace("BITS_POST", "`BITS_POST`");
        writeln!(text, "| `{rule}` | {section} | {severity} | {sentence} |").expect("a String");
    }
    text
}

#[test]
fn the_list_of_rules_is_that_of_the_code() {
    let sequence = table(SequenceRule::ALL.iter().copied().map(Violation::from));
    let departures = table(Deviation::ALL.iter().copied().map(Violation::from));
    let text = format!(
        "Of sequence ([`SequenceRule`]):\n\n{sequence}\n\
         Of one message that can be understood all the same \
         ([`Deviation`](crate::deviation::Deviation)):\n\n{departures}\n\
         Every other rule is an [`ErrorKind`](crate::error::ErrorKind), and weighs MUST, but for \
         `value-too-long`, which is a SHOULD.\n"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    if std::env::var_os("BITS_BLESS").is_some() {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        return;
    }
    let written = std::fs::read_to_string(&path);
    let written = written.unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let bless = "BITS_BLESS=1 cargo test --all-features --test library observer::rules";
    assert_eq!(written.replace("\r\n", "\n"), text, "{DOCUMENT} is old: {bless}");
}
