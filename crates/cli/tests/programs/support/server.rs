//! `bits serve` as a process on temporary folders, which can be killed and restarted.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::uploader::bits;

pub use crate::wait::*;

/// Maximum peak memory of the server, in KiB.
const MAX_MEMORY: u64 = 64 * 1024;

/// A running server and its folders.
pub struct Server {
    process: Child,
    pub address: SocketAddr,
    options: Vec<String>,
    folder: TempDir,
    /// The folder of sessions, if it is not the default one.
    sessions: Option<PathBuf>,
}

impl Server {
    pub fn start(options: &[&str]) -> Self {
        Self::start_in(|_| {}, options)
    }

    /// Starts a server on a root that `prepare` fills.
    pub fn start_in(prepare: impl FnOnce(&Path), options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sessions = folder.path().join("home/sessions");
        fs::create_dir_all(root(&folder)).expect("a root");
        prepare(&root(&folder));
        Self::launch(folder, Some(sessions), options)
    }

    /// Starts a server without `--sessions`.
    pub fn start_with_default_sessions() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(root(&folder)).expect("a root");
        Self::launch(folder, None, &[])
    }

    /// Starts a server whose root does not exist.
    pub fn start_without_root() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(root(&folder).with_file_name("")).expect("its parent");
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
        self.sessions.clone().expect("a folder of sessions")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Returns the entity at a destination.
    #[track_caller]
    pub fn entity(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("an entity at its destination")
    }

    /// Kills the process (`kill -9`).
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts another process on the same folders, at another port.
    pub fn restart(&mut self) {
        self.kill();
        (self.process, self.address) =
            launch(&self.folder, self.sessions.as_deref(), &self.options);
    }

    /// Restarts the server with other options.
    pub fn restart_with(&mut self, options: &[&str]) {
        self.options = options.iter().map(ToString::to_string).collect();
        self.restart();
    }

    /// Sends a POSIX signal.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id()).status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{name}");
    }

    fn id(&self) -> String {
        self.process.id().to_string()
    }

    /// Waits for the end of the process.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        poll("the end of the process", || self.process.try_wait().expect("a process"))
    }

    /// Returns the log.
    pub fn log(&self) -> String {
        fs::read_to_string(log(&self.folder)).unwrap_or_default()
    }

    /// Returns the files of sessions. The lock of the folder is not one of them.
    pub fn session_files(&self) -> Vec<PathBuf> {
        let mut files = files(&self.sessions());
        files.retain(|path| path.file_name().is_none_or(|name| name != "lock"));
        files
    }

    /// Asserts that no files of sessions remain, and that the server used little memory.
    #[track_caller]
    pub fn assert_clean(&self) {
        poll("the deletion of all session files", || self.session_files().is_empty().then_some(()));
        let home = self.root().parent().expect("a parent").to_path_buf();
        let mut names = fs::read_dir(home)
            .expect("a folder")
            .map(|it| it.expect("an entry").file_name())
            .collect::<Vec<_>>();
        names.sort();
        assert_eq!(names, ["root", "sessions"], "unexpected files beside the root");
        self.assert_small();
    }

    /// Asserts that the server used little memory.
    #[track_caller]
    pub fn assert_small(&self) {
        let peak = self.peak_memory();
        assert!(peak < MAX_MEMORY, "{peak} KiB in memory");
    }

    /// Returns the peak memory, in KiB.
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

/// Returns the command of the program on these folders, without an address.
pub fn command(root: &Path, sessions: Option<&Path>) -> Command {
    // The server keeps no state of the user.
    let mut command = bits("serve", Path::new("/nonexistent"));
    command.arg("--storage").arg(root);
    if let Some(sessions) = sessions {
        command.arg("--sessions").arg(sessions);
    }
    // Also logs every request.
    command.env("RUST_LOG", "info,bits_server=debug");
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
    let address = address.unwrap_or_else(|| panic!("unexpected output {line:?}, log: {}", log()));
    (process, address)
}

/// Returns all files below a folder.
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
