//! Runs `bits upload` and `bits download`.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bits_proto_test_tools::interop;
use serde_json::Value;
use tempfile::TempDir;

pub use crate::wait::*;

/// A folder with a file to upload.
pub struct Folder {
    pub folder: TempDir,
    pub bytes: Vec<u8>,
}

impl Folder {
    /// Creates a folder with a file of this length.
    pub fn new(length: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut word = 0x9E37_79B9_7F4A_7C15_u64;
        let bytes = (0..length).map(|_| {
            word ^= word << 13;
            word ^= word >> 7;
            word ^= word << 17;
            word as u8
        });
        let bytes = bytes.collect::<Vec<_>>();
        fs::write(folder.path().join("entity"), &bytes).expect("a file");
        Self { folder, bytes }
    }

    pub fn file(&self) -> PathBuf {
        self.path("entity")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The result of a run.
#[derive(Debug)]
pub struct Ended {
    /// The command line, with placeholders for addresses and folders.
    pub command: String,
    /// `None` if the program was killed.
    pub status: Option<i32>,
    pub output: String,
    pub took: Duration,
}

impl Ended {
    /// Asserts the exit status, and that the output contains all these texts.
    #[track_caller]
    pub fn expect(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.output);
        for part in parts {
            assert!(self.output.contains(part), "no {part:?} in {}", self.output);
        }
    }
}

/// A running program, which is killed on drop.
pub struct Running {
    command: String,
    child: Child,
    output: Option<JoinHandle<String>>,
    start: Instant,
    /// The user's folder of states, which no other process uses.
    states: Option<TempDir>,
}

/// Variables that name proxies or credentials.
const VARIABLES: [&str; 7] = [
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "BITS_TOKEN",
];

/// Returns a command of the program. `states` is the folder of the user for states.
pub fn bits(name: &str, states: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bits"));
    command.arg(name).env("XDG_STATE_HOME", states);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Returns the files in a folder of states: a state and its lock for each transfer.
pub fn states(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths = entries.map(|it| it.expect("an entry").path()).collect::<Vec<_>>();
    paths.sort();
    paths
}

/// Returns the content of the only state in a folder; null if there is none.
pub fn state(folder: &Path) -> Value {
    let paths = states(folder);
    let mut paths = paths.iter().filter(|path| path.extension().is_some_and(|it| it == "json"));
    let Some(path) = paths.next() else { return Value::Null };
    assert!(paths.next().is_none(), "several states in {}", folder.display());
    // Replaced atomically, but perhaps removed meanwhile.
    let text = fs::read(path).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

impl Running {
    /// Starts an upload with a short retry delay.
    pub fn start(file: &Path, url: &str, more: &[&dyn AsRef<OsStr>]) -> Self {
        Self::start_command("upload", &[&file, &url], more)
    }

    /// Starts a download with a short retry delay.
    pub fn start_download(url: &str, file: &Path, more: &[&dyn AsRef<OsStr>]) -> Self {
        Self::start_command("download", &[&url, &file], more)
    }

    fn start_command(
        name: &str,
        arguments: &[&dyn AsRef<OsStr>],
        more: &[&dyn AsRef<OsStr>],
    ) -> Self {
        let states = tempfile::tempdir().expect("a folder");
        let mut command = bits(name, states.path());
        command.args(["--retry-delay", "0.02"]);
        for argument in arguments.iter().chain(more) {
            command.arg(argument.as_ref());
        }
        let mut running = Self::spawn(command);
        running.states = Some(states);
        running
    }

    /// Starts a command and reads its output.
    pub fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let line = interop::command_line(&command);
        let start = Instant::now();
        let mut child = command.spawn().expect("the program runs");
        let mut stderr = child.stderr.take().expect("standard error");
        let output = thread::spawn(move || {
            let mut output = String::new();
            stderr.read_to_string(&mut output).expect("text");
            output
        });
        Self { command: line, child, output: Some(output), start, states: None }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("its status").is_none()
    }

    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
    }

    /// Sends SIGINT.
    pub fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    pub fn end(mut self) -> Ended {
        wait_until("the end of the program", || !self.is_running());
        let took = self.start.elapsed();
        let status = self.child.wait().expect("its status").code();
        drop(self.states.take());
        let output = self.output.take().expect("taken once").join().expect("the output");
        Ended { command: std::mem::take(&mut self.command), status, output, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the program has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Uploads until the program ends.
pub fn upload(file: &Path, url: &str, more: &[&dyn AsRef<OsStr>]) -> Ended {
    Running::start(file, url, more).end()
}

/// Downloads until the program ends.
pub fn download(url: &str, file: &Path, more: &[&dyn AsRef<OsStr>]) -> Ended {
    Running::start_download(url, file, more).end()
}

#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    poll(what, || holds().then_some(()));
}
