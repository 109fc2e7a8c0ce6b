//! Compares the tables of `docs/INTEROP.md` with the records of a run of all tests. Versions may differ:
//!
//! ```sh
//! rm -rf target/interop
//! CI=true BITS_INTEROP=$PWD/target/interop cargo test --all-features
//! BITS_INTEROP=$PWD/target/interop cargo run -p bits-proto-test-tools --bin interop
//! ```
//!
//! With the variable `BITS_BLESS`, the program updates tables and versions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use bits_proto_test_tools::interop::{self, Area, PROGRAMS, Trial};
use bits_proto_test_tools::markdown;

type Trials = BTreeSet<(Area, Trial)>;

fn main() -> ExitCode {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = env::var_os(interop::FOLDER).map(PathBuf::from);
    let Some(folder) = folder else {
        eprintln!("{} must name the folder of the records", interop::FOLDER);
        return ExitCode::FAILURE;
    };
    let trials = interop::read(&folder);
    let path = repository.join("docs/INTEROP.md");
    let document = markdown::read(&path);
    if env::var_os("BITS_BLESS").is_some() {
        let version = |program: &interop::Program| interop::version(program, &repository);
        let current = generate(&document, &trials, version);
        fs::write(&path, current).expect("docs/INTEROP.md");
        return ExitCode::SUCCESS;
    }
    let versions = versions(&document);
    let current = generate(&document, &trials, |program| {
        versions.get(program.name).cloned().unwrap_or_default()
    });
    if current == document {
        println!("{} trials are as in docs/INTEROP.md", trials.len());
        return ExitCode::SUCCESS;
    }
    print_differences(&document, &current);
    ExitCode::FAILURE
}

/// Returns the document with these trials.
fn generate(
    document: &str,
    trials: &Trials,
    version: impl Fn(&interop::Program) -> String,
) -> String {
    markdown::regenerate(document, |part| {
        if part == "programs" {
            return Some(programs(trials, &version));
        }
        let area = Area::ALL.into_iter().find(|area| area.name() == part);
        let area = area.unwrap_or_else(|| panic!("unknown part {part:?}"));
        Some(table(trials.iter().filter(|it| it.0 == area).map(|it| &it.1)))
    })
}

/// Returns the table of the programs that occur in the trials.
fn programs(trials: &Trials, version: impl Fn(&interop::Program) -> String) -> String {
    let mut text = String::from("| program | version | printed by |\n|---|---|---|\n");
    for program in &PROGRAMS {
        if !trials.iter().any(|(_, trial)| trial.program == program.name) {
            continue;
        }
        let command = match program.version {
            [] => "`Cargo.lock`".to_owned(),
            command => format!("`{}`", command.join(" ")),
        };
        let _ = writeln!(text, "| {} | {} | {command} |", program.name, version(program));
    }
    text
}

fn table<'a>(trials: impl Iterator<Item = &'a Trial>) -> String {
    let mut text =
        String::from("| with | action | commands | result | test |\n|---|---|---|---|---|\n");
    for Trial { program, action, command, result, test } in trials {
        let commands = command.split(" ; ").map(|command| format!("`{command}`"));
        let commands = commands.collect::<Vec<_>>().join("<br>");
        let _ = writeln!(text, "| {program} | {action} | {commands} | {result} | `{test}` |");
    }
    text
}

/// Returns the versions in the document, by program.
fn versions(document: &str) -> BTreeMap<&str, String> {
    let rows = document.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>());
    rows.filter(|cells| cells.len() == 3).map(|cells| (cells[0], cells[1].to_owned())).collect()
}

/// Prints the rows that are in one of the two documents only.
fn print_differences(document: &str, current: &str) {
    let lines = |text: &'static str, of: &str, other: &str| {
        let other = other.lines().collect::<BTreeSet<_>>();
        of.lines()
            .filter(|line| !other.contains(line))
            .for_each(|line| eprintln!("{text}: {line}"));
    };
    lines("no test recorded", document, current);
    lines("not in docs/INTEROP.md", current, document);
    eprintln!("docs/INTEROP.md differs from the records: run with BITS_BLESS=1 to update it");
}
