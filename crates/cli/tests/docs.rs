//! Checks the commands in the documents: their options exist, and the first ones work as described.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Documents that name commands or options of `bits`, by path from the root of the repository.
const DOCUMENTS: [&str; 12] = [
    "CONTRIBUTING.md",
    "README.md",
    "crates/cli/README.md",
    "crates/server/README.md",
    "docs/CONFORMANCE-CASES.md",
    "docs/EMBEDDING.md",
    "docs/INSPECT.md",
    "docs/INTEROP.md",
    "docs/PRODUCTION.md",
    "docs/WIRESHARK.md",
    "src/guide/machines.md",
    "src/guide/stacks.md",
];

const COMMANDS: [&str; 8] = [
    "serve",
    "upload",
    "download",
    "inspect",
    "dissector",
    "demo",
    "conformance server",
    "conformance client",
];

fn text(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Returns the long options in a text, without values.
fn options(text: &str) -> BTreeSet<String> {
    let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-');
    let options = words.filter(|word| word.starts_with("--") && word.len() > 2);
    options.map(str::to_owned).collect()
}

/// Returns the options of each command, as its help lists them.
fn existing() -> BTreeMap<&'static str, BTreeSet<String>> {
    let help = |command: &'static str| {
        let mut bits = Command::new(env!("CARGO_BIN_EXE_bits"));
        let bits = bits.args(command.split(' ')).arg("--help").output();
        options(&String::from_utf8(bits.expect("the program runs").stdout).expect("UTF-8"))
    };
    COMMANDS.map(|command| (command, help(command))).into()
}

/// Returns the code of a document: its code spans, and the lines of its blocks.
fn code(text: &str) -> Vec<String> {
    let mut code = Vec::new();
    for (number, part) in text.split("\n```").enumerate() {
        if number % 2 == 1 {
            code.extend(part.lines().skip(1).map(str::to_owned));
        } else {
            code.extend(part.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
        }
    }
    code
}

/// Splits a command line into the command of `bits` and its arguments, also if cargo runs it. A command after
/// `--` belongs to another program.
fn command(line: &str) -> Option<(&'static str, &str)> {
    let cargo = line.starts_with("cargo run").then(|| line.split_once("-p bits-cli -- ")).flatten();
    let words = cargo.map(|(_, rest)| rest).or_else(|| line.strip_prefix("bits "))?;
    let words = words.split_once(" -- ").map_or(words, |(own, _)| own);
    COMMANDS.into_iter().find_map(|command| {
        let arguments = words.strip_prefix(command)?;
        (arguments.is_empty() || arguments.starts_with(' ')).then_some((command, arguments))
    })
}

#[test]
fn every_option_in_the_documents_exists() {
    let existing = existing();
    let all: BTreeSet<_> = existing.values().flatten().cloned().collect();
    let mut found = 0;
    for name in DOCUMENTS {
        for line in code(&text(name)) {
            let (known, named) = match command(&line) {
                Some((command, arguments)) => (&existing[command], options(arguments)),
                None if line.starts_with("--") && !line.starts_with("-- ") => {
                    (&all, options(&line))
                }
                _ => continue,
            };
            for option in named {
                assert!(known.contains(&option), "{name}: {line}: {option} does not exist");
                found += 1;
            }
        }
    }
    assert!(found > 40, "{found}");
}

#[test]
fn every_key_of_the_packaged_configuration_is_an_option() {
    let existing = existing();
    let configuration = text("packaging/serve.toml");
    let keys: Vec<_> = configuration.lines().filter_map(|line| line.split_once(" = ")).collect();
    assert!(keys.len() > 5, "{keys:?}");
    for (key, _) in keys {
        assert!(existing["serve"].contains(&format!("--{key}")), "{key}");
    }
}

#[test]
fn commands_of_the_packages_are_accepted() {
    let unit = text("packaging/bits.service");
    let start =
        unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/bits serve"));
    let image = text("packaging/Dockerfile");
    let default = image.lines().find_map(|line| line.strip_prefix("CMD [\"serve\""));
    let known = &existing()["serve"];
    for command in [start.expect("a command"), default.expect("a command")] {
        let named = options(command);
        assert!(named.len() >= 2, "{command}");
        assert!(named.is_subset(known), "{command}");
    }
}

#[test]
fn the_command_line_overrides_the_packaged_configuration() {
    let configuration = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/serve.toml");
    let overrides = ["--listen", "127.0.0.1:0", "--metrics=127.0.0.1:0", "--storage", "ftp://host"];
    let bits = Command::new(env!("CARGO_BIN_EXE_bits"))
        .args(["serve", "--config"])
        .arg(configuration)
        .args(overrides)
        .output()
        .expect("the program runs");
    let errors = String::from_utf8_lossy(&bits.stderr);
    assert!(errors.contains("--storage ftp://host: unknown scheme"), "{errors}");
    assert_eq!(bits.status.code(), Some(2));
}

/// A server that is killed at the end of the test.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path, options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_bits"))
            .args(["serve", "--storage", "uploads", "--listen", "127.0.0.1:0"])
            .args(options)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut line = String::new();
        let output = process.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").expect("the address").to_owned();
        Self { process, url }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `bits` in a folder, with states of transfers in it.
fn bits(folder: &Path, arguments: &[&str]) -> Option<i32> {
    let mut bits = Command::new(env!("CARGO_BIN_EXE_bits"));
    bits.args(arguments).args(["--quiet", "--no-proxy", "--resume", "states"]);
    bits.current_dir(folder).status().expect("the program runs").code()
}

#[test]
fn the_first_commands_of_the_page_work() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("report.zip"), "content").expect("a file");
    let server = Server::start(folder, &[]);
    let url = format!("{}/report.zip", server.url);
    assert_eq!(bits(folder, &["upload", "report.zip", &url]), Some(0));
    assert_eq!(bits(folder, &["download", &url, "copy.zip"]), Some(0));
    assert_eq!(fs::read(folder.join("copy.zip")).expect("the copy"), b"content");
    // As the page says, the folder of a URL's path must exist.
    let other = format!("{}/logs/report.zip", server.url);
    assert_eq!(bits(folder, &["upload", "report.zip", &other]), Some(1));
    fs::create_dir(folder.join("uploads/logs")).expect("a folder");
    assert_eq!(bits(folder, &["upload", "report.zip", &other]), Some(0));
}

#[test]
fn the_command_line_switches_off_a_flag_of_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("report.zip"), "content").expect("a file");
    fs::write(folder.join("serve.toml"), "allow-overwrite = true\nfsync = false").expect("a file");
    for (option, second) in [(None, Some(0)), (Some("--allow-overwrite=false"), Some(1))] {
        let options = ["--config", "serve.toml"].into_iter().chain(option);
        let server = Server::start(folder, &options.collect::<Vec<_>>());
        let url = format!("{}/{}.zip", server.url, option.map_or("on", |_| "off"));
        assert_eq!(bits(folder, &["upload", "report.zip", &url]), Some(0));
        assert_eq!(bits(folder, &["upload", "report.zip", &url]), second);
    }
}

#[test]
fn every_upload_to_one_url_is_kept_in_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    fs::write(folder.join("report.zip"), "content").expect("a file");
    let server = Server::start(folder, &["--keep-every-upload"]);
    let url = format!("{}/fleet/logs", server.url);
    for _ in 0..2 {
        assert_eq!(bits(folder, &["upload", "report.zip", &url]), Some(0));
    }
    let kept = fs::read_dir(folder.join("uploads/fleet/logs")).expect("the folder of the URL");
    assert_eq!(kept.count(), 2);
}
