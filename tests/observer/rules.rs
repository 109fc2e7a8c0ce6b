//! Generates the list of rules in the observer's documentation, and checks that it is current:
//!
//! ```sh
//! BITS_BLESS=1 cargo test --all-features --test library observer::rules
//! ```

use std::fmt::Write as _;
use std::path::Path;

use bits_proto::deviation::Deviation;
use bits_proto::message::MessageKind;
use bits_proto::observer::{DownloadRule, SequenceRule, Violation};

const DOCUMENT: &str = "src/observer/rules.md";

fn table(violations: impl Iterator<Item = Violation>) -> String {
    let mut text = String::from("| rule | section | severity | description |\n|---|---|---|---|\n");
    for violation in violations {
        let (rule, section) = (violation.rule(), violation.section());
        let severity = violation.severity();
        let description = violation.to_string().replace("BITS_POST", "`BITS_POST`");
        writeln!(text, "| `{rule}` | {section} | {severity} | {description} |")
            .expect("writing to a String succeeds");
    }
    text
}

#[test]
fn the_list_of_rules_is_current() {
    let sequence = table(SequenceRule::ALL.iter().copied().map(Violation::from));
    let downloads = table(DownloadRule::ALL.iter().copied().map(Violation::from));
    let deviations = table(Deviation::ALL.iter().copied().map(Violation::from));
    let of_kind = |deviation, kind| Violation::Deviation { deviation, kind: Some(kind) };
    let acks = MessageKind::ALL.iter().copied().filter(|kind| kind.is_success());
    let in_acks = acks.map(|kind| of_kind(Deviation::ErrorOnSuccess, kind));
    let in_refusal = of_kind(Deviation::MissingPacketType, MessageKind::Refusal);
    let known = table(in_acks.chain([in_refusal]));
    let text = format!(
        "Rules of sequence ([`SequenceRule`]):\n\n{sequence}\n\
         Rules of downloads ([`DownloadRule`]):\n\n{downloads}\n\
         Rules of grammar and presence whose violations do not prevent parsing \
         ([`Deviation`](crate::deviation::Deviation)):\n\n{deviations}\n\
         Two of them depend on the kind of message. Error fields are forbidden in the Acks for \
         Ping, Create-Session, Fragment, Close-Session and Cancel-Session, if the request is known. \
         The packet type is required in a response with other fields of this protocol:\n\n\
         {known}\n\
         All other rules of grammar and presence are [`ErrorKind`](crate::error::ErrorKind)s. Their \
         severity is MUST, except for `value-too-long` (SHOULD).\n"
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    if std::env::var_os("BITS_BLESS").is_some() {
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        return;
    }
    let written = std::fs::read_to_string(&path);
    let written = written.unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let bless = "BITS_BLESS=1 cargo test --all-features --test library observer::rules";
    assert_eq!(
        written.replace("\r\n", "\n"),
        text,
        "{DOCUMENT} is outdated; regenerate it: {bless}"
    );
}
