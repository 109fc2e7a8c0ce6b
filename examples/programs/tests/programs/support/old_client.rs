//! Runs the program `upload`.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::selection::selection;
use bits_proto_test_tools::program::program;

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
    /// `None` if the program was killed.
    pub status: Option<i32>,
    pub output: String,
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
    child: Child,
    output: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts an upload with a short retry delay.
    pub fn start(file: &Path, url: &str, more: &[&dyn AsRef<OsStr>]) -> Self {
        Self::start_program("upload", &[&file, &url], more)
    }

    /// Starts a download with a short retry delay.
    pub fn start_download(url: &str, file: &Path, more: &[&dyn AsRef<OsStr>]) -> Self {
        Self::start_program("download", &[&url, &file], more)
    }

    fn start_program(
        name: &str,
        arguments: &[&dyn AsRef<OsStr>],
        more: &[&dyn AsRef<OsStr>],
    ) -> Self {
        let mut command = Command::new(program(name, selection()));
        command.args(["--retry-delay", "0.02"]);
        for argument in arguments.iter().chain(more) {
            command.arg(argument.as_ref());
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut stderr = child.stderr.take().expect("standard error");
        let output = thread::spawn(move || {
            let mut output = String::new();
            stderr.read_to_string(&mut output).expect("text");
            output
        });
        Self { child, output: Some(output) }
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

    #[expect(dead_code)]
    /// Sends SIGINT.
    pub fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    pub fn end(mut self) -> Ended {
        wait_until("the end of the program", || !self.is_running());
        let status = self.child.wait().expect("its status").code();
        let output = self.output.take().expect("taken once").join().expect("the output");
        Ended { status, output }
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
