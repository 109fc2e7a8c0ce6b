//! The program `serve` as a process: started on folders of its own, killed, started again, and
//! looked at from outside.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::selection::selection;
use bits_proto_test_tools::program::program;

pub use crate::wait::*;

/// What the server may have had in memory at most, in KiB: much less than what goes through it.
const MAX_MEMORY: u64 = 64 * 1024;

/// A server that listens, and its folders.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    options: Vec<String>,
    folder: TempDir,
    /// Where sessions are kept, if the server is told.
    sessions: Option<PathBuf>,
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        Self::start_in(|_| {}, options)
    }

    /// Starts it on a root that `prepare` has put something into.
    pub fn start_in(prepare: impl FnOnce(&Path), options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = folder.path().join("home/sessions");
        fs::create_dir_all(root(&folder)).expect("a root");
        prepare(&root(&folder));
        Self::launch(folder, Some(sessions), options)
    }

    /// Starts it without saying where sessions are kept.
    pub fn start_by_itself() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root(&folder)).expect("a root");
        Self::launch(folder, None, &[])
    }

    fn launch(folder: TempDir, sessions: Option<PathBuf>, options: &[&str]) -> Self {
        let options = options.iter().map(ToString::to_string).collect::<Vec<_>>();
        let (process, address) = launch(&folder, sessions.as_deref(), &options);
        Self { process, address, options, folder, sessions }
    }

    pub fn root(&self) -> PathBuf {
        root(&self.folder)
    }

    pub fn sessions(&self) -> PathBuf {
        self.sessions.clone().expect("it was said")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// What is at a destination.
    #[track_caller]
    pub fn entity(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("an entity at its destination")
    }

    /// What `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Another process on the same folders, at another port.
    pub fn start_again(&mut self) {
        self.kill();
        (self.process, self.address) =
            launch(&self.folder, self.sessions.as_deref(), &self.options);
    }

    /// The same with other options.
    pub fn start_again_with(&mut self, options: &[&str]) {
        self.options = options.iter().map(ToString::to_string).collect();
        self.start_again();
    }

    /// Sends a signal of POSIX, by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id()).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    fn id(&self) -> String {
        self.process.id().to_string()
    }

    /// How the process ended, of itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        poll("the end of the process", || self.process.try_wait().expect("a process"))
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(log(&self.folder)).unwrap_or_default()
    }

    /// The files that it keeps for sessions.
    pub fn kept(&self) -> Vec<PathBuf> {
        files(&self.sessions())
    }

    /// Asserts that nothing is left of any session: neither in the folder of sessions, nor beside
    /// the root; and that the server never had much in memory.
    #[track_caller]
    pub fn assert_clean(&self) {
        poll("the end of what is kept", || self.kept().is_empty().then_some(()));
        let home = self.root().parent().expect("a parent").to_path_buf();
        let mut names = fs::read_dir(home)
            .expect("a folder")
            .map(|it| it.expect("an entry").file_name())
            .collect::<Vec<_>>();
        names.sort();
        assert_eq!(names, ["root", "sessions"], "something lies beside the root");
        self.assert_small();
    }

    /// Asserts that it never had much in memory.
    #[track_caller]
    pub fn assert_small(&self) {
        let peak = self.peak_memory();
        assert!(peak < MAX_MEMORY, "{peak} KiB in memory");
    }

    /// The most that it has had in memory, in KiB.
    fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.and_then(|number| number.parse().ok()).expect("a process that runs")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let log = self.log();
        if thread::panicking() {
            eprintln!("{log}");
        } else {
            assert!(!log.contains("panicked"), "{log}");
        }
    }
}

fn root(folder: &TempDir) -> PathBuf {
    folder.path().join("home/root")
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

/// The program, on these folders, before it is told where to listen.
pub fn command(root: &Path, sessions: Option<&Path>) -> Command {
    let mut command = Command::new(program("serve", selection()));
    command.arg("--root").arg(root);
    if let Some(sessions) = sessions {
        command.arg("--sessions").arg(sessions);
    }
    command.env_remove("RUST_LOG");
    command
}

fn launch(folder: &TempDir, sessions: Option<&Path>, options: &[String]) -> (Child, SocketAddr) {
    let log = File::options().create(true).append(true).open(log(folder)).expect("a log");
    let mut process = command(&root(folder), sessions)
        .args(["--listen", "127.0.0.1:0"])
        .args(options)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("a program that starts");
    let mut line = String::new();
    let output = process.stdout.take().expect("its output");
    BufReader::new(output).read_line(&mut line).expect("a line");
    let address = line.strip_prefix("listening on http://").and_then(|it| it.strip_suffix('\n'));
    let address = address.and_then(|it| it.parse().ok());
    let log = || fs::read_to_string(self::log(folder)).unwrap_or_default();
    let address = address.unwrap_or_else(|| panic!("it said {line:?}, and {}", log()));
    (process, address)
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let Ok(entry) = entry else { continue };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(files(&entry.path())),
            _ => found.push(entry.path()),
        }
    }
    found.sort();
    found
}
