//! The tests that may notice a change: the cells that each of them looks up, and its result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::catalogue::{Cell, Mutation};

/// The test crates with the tests.
const CRATES: [&str; 3] = ["library", "uploads", "model"];

/// Tests that compare a table with a copy of it, or with its documentation. They prove nothing about behaviour.
const COPIES: &[&str] = &[
    "backend::states::the_table_matches_the_specification",
    "client::states::the_tables_match_the_specification",
    "download::presence::readers_and_writers_behave_as_documented",
    "download::presence::the_documentation_is_the_table",
    "message::presence::looking_a_field_up_agrees_with_the_table",
    "message::presence::the_documentation_is_the_table",
    "message::presence::the_table_and_the_specification_name_the_same_fields_and_messages_once",
    "message::presence::the_table_matches_the_specification_except_for_listed_deviations",
    "observer::states::every_event_has_the_expected_next_state_or_rule",
    "server::states::an_illegal_event_lists_the_legal_events",
    "server::states::the_table_matches_the_specification",
    "state_machine::the_diagrams_are_the_tables",
];

/// Tests of the sources and their documentation, and of the model checker itself.
const OTHERS: &[&str] = &["bugs::", "downloads::each_property", "layers::", "observer::rules::"];

/// Maximum duration of a test. A test that takes longer counts as failed.
const TEST_TIMEOUT: Duration = Duration::from_secs(600);

/// Maximum duration of a group of several tests.
const MAX_GROUP_DURATION: Duration = Duration::from_secs(10);

/// The tests that noticed changes of each table, in the last complete run.
const LISTED: &str = include_str!("detectors.txt");

/// The memory of a process, in KiB. A changed table may make a test allocate without end.
const MAX_MEMORY: u32 = 3 << 20;

/// The result of a mutation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Survived,
    /// The crate and the name of a test that failed.
    Noticed(&'static str, String),
}

impl Verdict {
    /// Returns the kind of test, for the totals.
    pub fn kind(&self) -> String {
        match self {
            Self::Survived => "survived".into(),
            Self::Noticed("library", name) if name.contains("random") => "random events".into(),
            Self::Noticed("library", _) => "behaviour tests".into(),
            Self::Noticed("uploads", _) => "random uploads".into(),
            Self::Noticed(name, _) => (*name).into(),
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Survived => f.write_str("survived"),
            Self::Noticed(of, name) => write!(f, "noticed by {of} {name}"),
        }
    }
}

/// A test, how long it takes, and how many cells it looks up.
struct Detector {
    of: &'static str,
    program: PathBuf,
    name: String,
    duration: Duration,
    lookups: u64,
}

pub struct Detectors {
    all: Vec<Detector>,
    /// The detectors of each table and cell, the quickest first.
    of_cell: BTreeMap<(String, u64), Vec<usize>>,
    /// The detectors of each table in the last complete run, if only these are tried.
    of_table: Option<BTreeMap<String, Vec<usize>>>,
    /// Output of tests.
    folder: TempDir,
    /// Records of the cells that each test looks up, for later runs.
    records: PathBuf,
}

impl Detectors {
    /// Builds the tests, and runs each of them unchanged to record the cells that it looks up.
    pub fn recorded() -> Self {
        let mut this = Self::new();
        this.measure(&(0..this.all.len()).collect());
        this
    }

    /// Builds the tests, takes those that noticed changes in the last complete run, and runs each of these unchanged.
    pub fn listed() -> Self {
        let mut this = Self::new();
        let mut of_table = BTreeMap::<_, Vec<_>>::new();
        for line in LISTED.lines() {
            let [table, of, name] =
                line.split('\t').collect::<Vec<_>>().try_into().expect("a line");
            let found = this.all.iter().position(|it| it.of == of && it.name == name);
            let index = found.unwrap_or_else(|| panic!("detectors.txt: no test {name} in {of}"));
            of_table.entry(table.to_string()).or_default().push(index);
        }
        this.measure(&of_table.values().flatten().copied().collect());
        this.of_table = Some(of_table);
        this
    }

    fn new() -> Self {
        let program = std::env::current_exe().expect("the test's own path");
        let profile = program.ancestors().nth(2).expect("the folder of the profile");
        let mut this = Self {
            all: Vec::new(),
            of_cell: BTreeMap::new(),
            of_table: None,
            folder: tempfile::tempdir().expect("a folder"),
            records: profile.join("mutation"),
        };
        fs::create_dir_all(&this.records).expect("a folder");
        let mut copies = 0;
        for (of, program) in build(profile) {
            for name in names(&program) {
                let is_copy = COPIES.contains(&name.as_str());
                copies += usize::from(is_copy);
                if is_copy || OTHERS.iter().any(|prefix| name.starts_with(prefix)) {
                    continue;
                }
                let program = program.clone();
                let (duration, lookups) = (Duration::ZERO, 0);
                this.all.push(Detector { of, program, name, duration, lookups });
            }
        }
        assert_eq!(copies, COPIES.len(), "a copy has another name");
        this
    }

    /// Returns the names of the tables that the tests look up.
    pub fn tables(&self) -> BTreeSet<&str> {
        self.of_cell.keys().map(|(table, _)| table.as_str()).collect()
    }

    /// Returns the detectors of a cell, the quickest first.
    fn of(&self, cell: &Cell) -> Vec<usize> {
        let found = match &self.of_table {
            Some(of_table) => of_table.get(cell.table),
            None => self.of_cell.get(&(cell.table.to_string(), cell.number)),
        };
        found.cloned().unwrap_or_default()
    }

    /// Records the cells that these tests look up.
    fn measure(&mut self, indices: &BTreeSet<usize>) {
        let indices: Vec<_> = indices.iter().copied().collect();
        let (next, records) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let this = &*self;
        std::thread::scope(|scope| {
            for _ in 0..processors() {
                scope.spawn(|| {
                    loop {
                        let next = next.fetch_add(1, Ordering::Relaxed);
                        let Some(index) = indices.get(next).copied() else { return };
                        let record = this.record_one(&this.all[index]);
                        records.lock().expect("no panic").insert(index, record);
                    }
                });
            }
        });
        for (index, (duration, lookups, cells)) in records.into_inner().expect("no panic") {
            (self.all[index].duration, self.all[index].lookups) = (duration, lookups);
            for cell in cells {
                self.of_cell.entry(cell).or_default().push(index);
            }
        }
        for detectors in self.of_cell.values_mut() {
            detectors.sort_by_key(|index| self.all[*index].duration);
        }
    }

    /// Runs a test unchanged, unless the same program has a record of it. Returns its duration, the number of
    /// lookups, and the cells.
    fn record_one(&self, detector: &Detector) -> (Duration, u64, BTreeSet<(String, u64)>) {
        let path = self.records.join(format!("{}-{}", detector.of, detector.name));
        let built =
            fs::metadata(&detector.program).and_then(|it| it.modified()).expect("a program");
        if fs::metadata(&path).and_then(|it| it.modified()).is_ok_and(|recorded| recorded > built) {
            return parse(&fs::read_to_string(path).expect("a record"));
        }
        let output = self.folder.path().join(&detector.name);
        let start = Instant::now();
        let mut command = detector.command([&detector.name]);
        let status = command.env("BITS_MUTATION_RECORD", &output).status();
        assert!(status.is_ok_and(|it| it.success()), "{} fails unchanged", detector.name);
        // Without a lookup there is no file.
        let text = fs::read_to_string(output).unwrap_or_default();
        let text = format!("duration\t{}\n{text}", start.elapsed().as_millis());
        fs::write(path, &text).expect("a record");
        parse(&text)
    }

    /// Tries all values of a cell.
    pub fn examine(&self, cell: &Cell) -> Vec<(Mutation, Verdict)> {
        let mut order = self.of(cell);
        let mut verdicts = Vec::new();
        for mutation in cell.mutations() {
            let found = self.find(&mutation, &order);
            let verdict = match found {
                None => Verdict::Survived,
                Some(index) => {
                    // It probably notices the next value too.
                    order.retain(|other| *other != index);
                    order.insert(0, index);
                    Verdict::Noticed(self.all[index].of, self.all[index].name.clone())
                }
            };
            verdicts.push((mutation, verdict));
        }
        verdicts
    }

    /// Runs the tests until one fails, in groups of the same program.
    fn find(&self, mutation: &Mutation, order: &[usize]) -> Option<usize> {
        let mut rest = order;
        let mut max_duration = Duration::ZERO;
        while let Some(first) = rest.first() {
            let mut time = Duration::ZERO;
            let fits = |index: &&usize| {
                time += self.all[**index].duration;
                self.all[**index].of == self.all[*first].of && time <= max_duration
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (group, others) = rest.split_at(count);
            if let Some(found) = self.fails(mutation, group) {
                return Some(found);
            }
            rest = others;
            max_duration = (max_duration * 2).clamp(Duration::from_millis(20), MAX_GROUP_DURATION);
        }
        None
    }

    /// Runs a group of tests, and returns one that fails.
    fn fails(&self, mutation: &Mutation, group: &[usize]) -> Option<usize> {
        let detectors: Vec<_> = group.iter().map(|index| &self.all[*index]).collect();
        let lookups: u64 = detectors.iter().map(|it| it.lookups).sum();
        let output = tempfile::NamedTempFile::new_in(self.folder.path()).expect("a file");
        let mut command = detectors[0].command(detectors.iter().map(|it| &it.name));
        command.stdout(output.reopen().expect("a file"));
        command.env("BITS_MUTATION", &mutation.change);
        command.env("BITS_MUTATION_LOOKUPS", (4 * lookups + 200_000).to_string());
        let status = wait(&mut command);
        if status.is_some_and(|status| status.success()) {
            return None;
        }
        let text = fs::read_to_string(output.path()).unwrap_or_default();
        let failed =
            |index: &&usize| text.contains(&format!("test {} ... FAILED", self.all[**index].name));
        // A process that ended otherwise has not printed the name.
        Some(*group.iter().find(failed).unwrap_or(&group[0]))
    }
}

/// Parses a record: the duration, the number of lookups, and the cells.
fn parse(record: &str) -> (Duration, u64, BTreeSet<(String, u64)>) {
    let (mut duration, mut lookups, mut cells) = (Duration::ZERO, 0, BTreeSet::new());
    for line in record.lines() {
        let (table, number) = line.split_once('\t').expect("a table and a cell");
        let number = number.parse().expect("a number");
        match table {
            "duration" => duration = Duration::from_millis(number),
            "lookups" => lookups = number,
            table => drop(cells.insert((table.to_string(), number))),
        }
    }
    (duration, lookups, cells)
}

impl Detector {
    fn command<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -v {MAX_MEMORY}; exec \"$0\" \"$@\""));
        command.arg(&self.program).args(names).args(["--exact", "--test-threads=1"]);
        command.current_dir(workspace());
        // Generated inputs have to be the same each time.
        command.env("PROPTEST_RNG_SEED", "1").env("RUST_BACKTRACE", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// Waits for the end of a process. Returns `None` if it was killed after [`TEST_TIMEOUT`].
fn wait(command: &mut Command) -> Option<ExitStatus> {
    let (start, mut pause) = (Instant::now(), Duration::from_micros(500));
    let mut child = command.spawn().expect("the program runs");
    loop {
        if let Some(status) = child.try_wait().expect("a status") {
            return Some(status);
        }
        if start.elapsed() > TEST_TIMEOUT {
            child.kill().and_then(|()| child.wait()).expect("the end of the process");
            return None;
        }
        std::thread::sleep(pause);
        pause = (pause * 5 / 4).min(Duration::from_millis(20));
    }
}

pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the workspace")
}

/// Builds the test crates into the folder of a profile, and returns their programs.
fn build(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let mut build = Command::new(env!("CARGO"));
    build.args(["test", "--no-run", "--quiet", "--message-format=json"]);
    build.args(["--package", env!("CARGO_PKG_NAME"), "--target-dir"]);
    build.arg(folder.parent().expect("the target folder"));
    build.args(CRATES.iter().flat_map(|name| ["--test", name]));
    let profile = folder.file_name().and_then(|it| it.to_str()).expect("the name of a profile");
    build.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    // Variables that `cargo test` sets for this package would cause some build scripts to run again.
    for (name, _) in std::env::vars_os() {
        let is_of_package =
            |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
        if name.to_str().is_some_and(is_of_package) {
            build.env_remove(name);
        }
    }
    let output = build.current_dir(workspace()).stderr(Stdio::inherit()).output().expect("cargo");
    assert!(output.status.success(), "building the tests failed");
    let mut programs = BTreeMap::new();
    for line in String::from_utf8(output.stdout).expect("UTF-8").lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let (name, program) = (&message["target"]["name"], &message["executable"]);
        if let (Some(name), Some(program)) = (name.as_str(), program.as_str()) {
            programs.insert(name.to_string(), PathBuf::from(program));
        }
    }
    CRATES.iter().map(|name| (*name, programs.remove(*name).expect("a program"))).collect()
}

/// Returns the names of the tests of a program.
fn names(program: &Path) -> Vec<String> {
    let list = |more: &[&str]| {
        let output = Command::new(program).args(["--list", "--format=terse"]).args(more).output();
        let text = String::from_utf8(output.expect("a list").stdout).expect("UTF-8");
        let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
        names.map(String::from).collect::<BTreeSet<_>>()
    };
    let ignored = list(&["--ignored"]);
    list(&[]).into_iter().filter(|name| !ignored.contains(name)).collect()
}
