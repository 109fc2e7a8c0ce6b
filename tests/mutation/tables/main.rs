//! Changes the cells of the tables of `bits-proto`, one at a time, and checks that a test notices.
//!
//! The library is built with changeable tables. The tests of `tests/library.rs`, `tests/uploads.rs` and
//! `tests/model` run in processes of their own, each with one changed cell. Before that, each test runs once
//! unchanged and records the cells that it looks up, so that only these tests are tried for a cell, the quickest
//! first.
//!
//! Changes that no test notices are listed in `survivors.txt`, with reasons.
//!
//! By default, a sample of the changes is tried with the tests that noticed changes of the same table in the last
//! complete run. They are listed in `detectors.txt`, which `BITS_BLESS=1` updates. To try all changes, or those of
//! cells whose names contain a text:
//!
//! ```sh
//! BITS_MUTATION_ONLY= cargo test --profile tables -p bits-proto-mutation -- --nocapture
//! BITS_MUTATION_ONLY=server::state cargo test --profile tables -p bits-proto-mutation -- --nocapture
//! ```

mod catalogue;
mod completeness;
mod detectors;
mod limits;
mod mappings;
#[path = "../../support/refusals.rs"]
mod refusals;
mod survivors;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use catalogue::{Cell, Mutation};
use detectors::{Detectors, Verdict};
use survivors::Survivors;

/// The result of one mutation.
struct Outcome {
    mutation: Mutation,
    verdict: Verdict,
}

/// The cells to change.
enum Selection {
    /// One of this number of changes.
    Sample(usize),
    /// Cells whose names contain one of the texts, which are separated by `|`.
    Only(String),
}

const SAMPLE: usize = 197;

#[test]
fn every_changed_cell_is_noticed_or_listed() {
    let start = Instant::now();
    let selection = match std::env::var("BITS_MUTATION_ONLY") {
        Ok(text) => Selection::Only(text),
        Err(_) => Selection::Sample(SAMPLE),
    };
    let all = catalogue::cells();
    let names: BTreeSet<_> = all.iter().map(|cell| cell.table).collect();
    let is_complete = matches!(&selection, Selection::Only(text) if text.is_empty());
    let cells = selected(all, &selection);
    let updates_list = std::env::var_os("BITS_BLESS").is_some();
    let detectors = match selection {
        Selection::Sample(_) if !updates_list => Detectors::listed(),
        _ => Detectors::recorded(),
    };
    println!("mutation: prepared in {:.1?}", start.elapsed());
    let unknown: Vec<_> = detectors.tables().difference(&names).copied().collect();
    assert!(unknown.is_empty(), "hooks without cells: {unknown:?}");
    let survivors = Survivors::read();
    let outcomes = run(&cells, &detectors, &survivors);
    report(&cells, &outcomes, start);
    if updates_list {
        list_detectors(&cells, &outcomes);
    }
    let survived = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Survived);
    let survived: Vec<_> = survived.map(|outcome| &outcome.mutation).collect();
    let all: Vec<_> = outcomes.iter().map(|outcome| &outcome.mutation).collect();
    let problems = survivors.compare(&all, &survived, is_complete);
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

fn selected(mut cells: Vec<Cell>, selection: &Selection) -> Vec<Cell> {
    match selection {
        Selection::Sample(one_of) => {
            let mut number = 0;
            for cell in &mut cells {
                cell.values.retain(|_| {
                    number += 1;
                    number % one_of == 0
                });
            }
            cells.retain(|cell| !cell.values.is_empty());
        }
        Selection::Only(text) => cells.retain(|cell| {
            let name = cell.to_string();
            text.split('|').any(|part| name.contains(part))
        }),
    }
    assert!(!cells.is_empty(), "no cell is selected");
    cells
}

/// Tries all changes on all processors.
fn run(cells: &[Cell], detectors: &Detectors, survivors: &Survivors) -> Vec<Outcome> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..detectors::processors() {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = detectors.examine(cell);
                    for (mutation, verdict) in &found {
                        if *verdict != Verdict::Survived || !survivors.contains(mutation) {
                            println!("{mutation}: {verdict}");
                        }
                    }
                    let found =
                        found.into_iter().map(|(mutation, verdict)| Outcome { mutation, verdict });
                    outcomes.lock().expect("no panic").extend(found);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().expect("no panic");
    outcomes.sort_by(|one, other| one.mutation.cmp(&other.mutation));
    outcomes
}

/// Writes the tests that noticed changes of the selected tables to `detectors.txt`, those that noticed most first.
fn list_detectors(cells: &[Cell], outcomes: &[Outcome]) {
    let selected: BTreeSet<_> = cells.iter().map(|cell| cell.table).collect();
    let mut counts = BTreeMap::<_, usize>::new();
    for Outcome { mutation, verdict } in outcomes {
        if let Verdict::Noticed(of, name) = verdict {
            *counts.entry((mutation.table, *of, name)).or_default() += 1;
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|((table, ..), count)| (*table, Reverse(*count)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tables/detectors.txt");
    let old = std::fs::read_to_string(&path).expect("a list");
    let table = |line: &&str| line.split('\t').next().is_some_and(|it| !selected.contains(it));
    let mut lines: Vec<_> = old.lines().filter(table).map(String::from).collect();
    lines.extend(counts.iter().map(|((table, of, name), _)| format!("{table}\t{of}\t{name}")));
    lines.sort_by(|one, other| one.split('\t').next().cmp(&other.split('\t').next()));
    std::fs::write(path, lines.join("\n") + "\n").expect("a list");
}

/// Prints the numbers by table, and by the kind of test that noticed.
fn report(cells: &[Cell], outcomes: &[Outcome], start: Instant) {
    let mut tables: BTreeMap<&str, (usize, usize, usize)> = BTreeMap::new();
    for cell in cells {
        tables.entry(cell.table).or_default().0 += 1;
    }
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for Outcome { mutation, verdict } in outcomes {
        let counts = tables.entry(mutation.table).or_default();
        counts.1 += 1;
        counts.2 += usize::from(*verdict == Verdict::Survived);
        *kinds.entry(verdict.kind()).or_default() += 1;
    }
    for (table, (cells, mutations, survivors)) in &tables {
        println!("{table}: {cells} cells, {mutations} mutations, {survivors} survivors");
    }
    for (kind, count) in &kinds {
        println!("{kind}: {count}");
    }
    let (cells, mutations) = (cells.len(), outcomes.len());
    println!("mutation: {cells} cells, {mutations} mutations, {:.0?}", start.elapsed());
}
