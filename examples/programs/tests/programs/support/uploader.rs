//! The program `upload`, run.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

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
    /// With a file of so many bytes, in which no two places look alike.
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

/// What became of it.
#[derive(Debug)]
pub struct Ended {
    /// `None` when it was killed.
    pub status: Option<i32>,
    pub told: String,
    pub took: Duration,
}

impl Ended {
    /// It ended with this status, and said all of this.
    #[track_caller]
    pub fn expect(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.told);
        for part in parts {
            assert!(self.told.contains(part), "no {part:?} in {}", self.told);
        }
    }
}

/// It runs, and dies with this.
pub struct Running {
    child: Child,
    told: Option<JoinHandle<String>>,
    start: Instant,
}

impl Running {
    /// Retries are quick, as far as `more` does not say otherwise.
    pub fn start(file: &Path, url: &str, more: &[&dyn AsRef<OsStr>]) -> Self {
        let mut command = Command::new(program("upload", selection()));
        command.arg(file).arg(url).args(["--retry-delay", "0.02"]);
        for argument in more {
            command.arg(argument.as_ref());
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = command.spawn().expect("the program runs");
        let mut output = child.stderr.take().expect("standard error");
        let told = thread::spawn(move || {
            let mut told = String::new();
            output.read_to_string(&mut told).expect("text");
            told
        });
        Self { child, told: Some(told), start }
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

    /// Ctrl-C.
    pub fn interrupt(&self) {
        let kill = Command::new("kill").args(["-INT", &self.id().to_string()]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    pub fn end(mut self) -> Ended {
        wait_until("the program ends", || !self.is_running());
        let took = self.start.elapsed();
        let status = self.child.wait().expect("its status").code();
        let told = self.told.take().expect("taken once").join().expect("what it said");
        Ended { status, told, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it until it ends.
pub fn upload(file: &Path, url: &str, more: &[&dyn AsRef<OsStr>]) -> Ended {
    Running::start(file, url, more).end()
}

#[track_caller]
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    poll(what, || holds().then_some(()));
}
