//! Records of tests that run other programs with this project. `docs/INTEROP.md` is generated from them.
//!
//! A test records what it tried if the variable `BITS_INTEROP` names a folder. The program `interop` of this
//! package reads the folder.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, thread};

/// The variable with the folder of the records.
pub const FOLDER: &str = "BITS_INTEROP";

/// The part of the document to which a trial belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Other clients with `bits serve`.
    Clients,
    /// Proxies between `bits upload` and `bits serve`.
    Proxies,
    /// Servers of files, and caches, with `bits download`.
    Downloads,
    /// Stores of entities and sessions below `bits-server`.
    Stores,
    /// `bits conformance`.
    Conformance,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 5] =
        [Self::Clients, Self::Proxies, Self::Downloads, Self::Stores, Self::Conformance];

    /// Returns the name of the generated part of the document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Proxies => "proxies",
            Self::Downloads => "downloads",
            Self::Stores => "stores",
            Self::Conformance => "conformance",
        }
    }
}

/// A program, and the arguments with which it prints its version.
pub struct Program {
    pub name: &'static str,
    /// Empty for a library of Rust, whose version is in `Cargo.lock`.
    pub version: &'static [&'static str],
}

const fn program(name: &'static str, version: &'static [&'static str]) -> Program {
    Program { name, version }
}

/// The programs in trials.
pub const PROGRAMS: [Program; 15] = [
    program("curl", &["curl", "--version"]),
    program("Python http.client", &["python3", "--version"]),
    program("wget2", &["wget2", "--version"]),
    program("aria2", &["aria2c", "--version"]),
    program("REDbot", &["target/venv/bin/pip", "show", "redbot"]),
    program("nginx", &["nginx", "-v"]),
    program("HAProxy", &["haproxy", "-v"]),
    program("Apache httpd", &["apache2", "-v"]),
    program("Caddy", &["caddy", "version"]),
    program("lighttpd", &["lighttpd", "-v"]),
    program("Squid", &["squid", "-v"]),
    program("Varnish", &["varnishd", "-V"]),
    program("Redis", &["redis-server", "--version"]),
    program("s3s-fs", &[]),
    program("Azurite", &["target/azurite/node_modules/.bin/azurite-blob", "--version"]),
];

/// A part of a test that another program took part in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trial {
    /// The name of one of the [`PROGRAMS`].
    pub program: String,
    pub action: String,
    /// The commands, separated by line breaks.
    pub command: String,
    pub result: String,
    /// The test binary and the path of the test.
    pub test: String,
}

/// Records a trial of the current test, after it has succeeded.
///
/// # Panics
///
/// If the program is not one of the [`PROGRAMS`], or a text does not fit into a table.
#[track_caller]
pub fn record(area: Area, program: &str, action: &str, commands: &[&str], result: &str) {
    assert!(PROGRAMS.iter().any(|it| it.name == program), "unknown program {program:?}");
    let cells = [program, action, &commands.join(" ; "), result].map(str::to_owned);
    for cell in &cells {
        assert!(!cell.is_empty() && !cell.contains(['\t', '\n', '|', '`']), "{cell:?}");
    }
    let Some(folder) = env::var_os(FOLDER) else { return };
    let test = test_name();
    fs::create_dir_all(&folder).expect("the folder of records");
    let path = Path::new(&folder).join(test.replace("::", ".") + ".tsv");
    let line = [&[area.name().to_owned()], &cells[..], &[test]].concat().join("\t");
    let mut file = File::options().create(true).append(true).open(path).expect("a file of records");
    writeln!(file, "{line}").expect("a record");
}

/// Returns the name of the test binary and the path of the test, which is the name of its thread.
fn test_name() -> String {
    let thread = thread::current();
    let test = thread.name().filter(|name| *name != "main");
    let test = test.expect("a thread of a test: RUST_TEST_THREADS must be at least 2");
    let binary = env::current_exe().expect("the path of the test binary");
    let binary = binary.file_stem().and_then(OsStr::to_str).expect("a name");
    let binary = binary.rsplit_once('-').map_or(binary, |(name, _)| name);
    format!("{binary}::{test}")
}

/// Returns the trials in a folder.
pub fn read(folder: &Path) -> BTreeSet<(Area, Trial)> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut trials = BTreeSet::new();
    for entry in entries {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("records");
        for line in text.lines() {
            let cells = line.split('\t').map(str::to_owned).collect::<Vec<_>>();
            let [area, program, action, command, result, test] =
                <[String; 6]>::try_from(cells).expect("six columns");
            let area = Area::ALL.into_iter().find(|it| it.name() == area).expect("an area");
            trials.insert((area, Trial { program, action, command, result, test }));
        }
    }
    trials
}

/// Returns a command line as a person types it. Temporary folders, addresses and the path of the program are
/// replaced, because they differ in each run.
pub fn command_line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let mut line = name.to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = without_addresses(&without_folders(&argument.to_string_lossy()));
        let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_=.,:/@%+~".contains(it);
        let quote = if !argument.is_empty() && argument.chars().all(is_plain) { "" } else { "'" };
        let _ = write!(line, " {quote}{argument}{quote}");
    }
    line
}

/// Replaces the temporary folders of tests.
fn without_folders(text: &str) -> String {
    let start = format!("{}/.tmp", env::temp_dir().display());
    let mut parts = text.split(&start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let end = part.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(part.len());
        text + "FOLDER" + &part[end..]
    })
}

/// Replaces addresses of this machine.
fn without_addresses(text: &str) -> String {
    let is_of_address = |it: char| it.is_ascii_digit() || it == '.' || it == ':';
    let mut rest = text;
    let mut replaced = String::new();
    while let Some(start) = ["127.0.0.", "localhost:"].iter().filter_map(|it| rest.find(it)).min() {
        replaced += &rest[..start];
        let after = rest[start..].trim_start_matches("localhost").trim_start_matches(is_of_address);
        let address = &rest[start..rest.len() - after.len()];
        replaced += if address.contains(':') { "HOST:PORT" } else { "HOST" };
        rest = after;
    }
    replaced + rest
}

/// Returns the version that a program prints.
pub fn version(program: &Program, repository: &Path) -> String {
    let output = match program.version {
        [] => locked(program.name, repository),
        [name, arguments @ ..] => {
            let path = env::var("PATH").unwrap_or_default() + ":/usr/sbin";
            let folders = env::split_paths(&path).map(|folder| folder.join(name));
            let mut paths = std::iter::once(repository.join(name)).chain(folders);
            let found = paths.find(|it| it.is_file()).unwrap_or_else(|| panic!("no {name}"));
            let output = Command::new(found).args(arguments).output();
            let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        }
    };
    first_version(&output).unwrap_or_else(|| panic!("no version of {} in {output}", program.name))
}

/// Returns the entry of a package in `Cargo.lock`.
fn locked(package: &str, repository: &Path) -> String {
    let lock = fs::read_to_string(repository.join("Cargo.lock")).expect("Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{package}\"\n")).expect("a package").1;
    entry.lines().next().unwrap_or_default().to_owned()
}

/// Returns the first number of several parts, such as `1.22.1` in `nginx/1.22.1`.
fn first_version(text: &str) -> Option<String> {
    let mut words = text.split(|it: char| !it.is_ascii_digit() && it != '.');
    let word =
        words.find(|word| word.contains('.') && word.split('.').all(|part| !part.is_empty()));
    word.map(str::to_owned)
}
