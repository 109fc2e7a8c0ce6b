//! Responses with an entity, and a folder for downloads.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::bits_server::{Reaction, Seen, Server};
use crate::uploader::{Ended, Running, states};

pub const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
pub const LATER: &str = "Mon, 07 Nov 1994 08:49:37 GMT";

/// A version of an entity.
#[derive(Clone, Debug)]
pub struct Entity {
    pub bytes: String,
    /// Last-Modified and other fields that describe the version, as lines.
    pub version: String,
}

impl Entity {
    /// Creates a version with this letter at every offset that is a multiple of ten.
    pub fn new(letter: char, date: &str) -> Self {
        let lines = (0..100).map(|number| format!("{letter}{number:08}\n"));
        Self { bytes: lines.collect(), version: format!("Last-Modified: {date}\r\n") }
    }

    /// Returns the response of a server that supports single ranges.
    pub fn respond(&self, seen: &Seen) -> String {
        match range(seen) {
            Some((first, last)) => self.partial(first, last),
            None if seen.kind == "HEAD" => self.head("200 OK", "", self.bytes.len()),
            None => self.head("200 OK", "", self.bytes.len()) + &self.bytes,
        }
    }

    /// Returns the bytes from `first` to `last`.
    pub fn partial(&self, first: usize, last: usize) -> String {
        let total = self.bytes.len();
        let range = format!("Content-Range: bytes {first}-{last}/{total}\r\n");
        let bytes = &self.bytes[first..=last];
        self.head("206 Partial Content", &range, bytes.len()) + bytes
    }

    /// Returns the first bytes of the response to GET, and its length.
    pub fn beginning(&self, length: usize) -> String {
        self.head("200 OK", "", self.bytes.len()) + &self.bytes[..length]
    }

    fn head(&self, status: &str, fields: &str, length: usize) -> String {
        let version = &self.version;
        format!("HTTP/1.1 {status}\r\n{version}{fields}Content-Length: {length}\r\n\r\n")
    }
}

/// Returns the requested range; `None` without Range or for several ranges.
pub fn range(seen: &Seen) -> Option<(usize, usize)> {
    let (first, last) = seen.field("Range")?.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// A download from a server with a script.
pub struct Job {
    folder: TempDir,
    states: TempDir,
    pub server: Server,
}

impl Job {
    pub fn new(script: impl FnMut(&Seen) -> Reaction + Send + 'static) -> Self {
        let [folder, states] = [(), ()].map(|()| tempfile::tempdir().expect("a folder"));
        Self { folder, states, server: Server::start(script) }
    }

    /// Creates a download from a server that supports single ranges, with this reaction to GET.
    pub fn get(entity: Entity, mut get: impl FnMut(&Seen) -> Reaction + Send + 'static) -> Self {
        Self::new(move |seen| match &*seen.kind {
            "HEAD" => Reaction::Respond(entity.respond(seen)),
            _ => get(seen),
        })
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the folder with the state of the download.
    pub fn states(&self) -> PathBuf {
        self.states.path().into()
    }

    pub fn start(&self, more: &[&dyn AsRef<OsStr>]) -> Running {
        self.start_from(&self.server.url(), more)
    }

    /// Starts a download from this URL.
    pub fn start_from(&self, url: &str, more: &[&dyn AsRef<OsStr>]) -> Running {
        let states = self.states();
        let state: [&dyn AsRef<OsStr>; 2] = [&"--resume", &states];
        Running::start_download(url, &self.path("file"), &[more, &state].concat())
    }

    pub fn run(&self, more: &[&dyn AsRef<OsStr>]) -> Ended {
        self.start(more).end()
    }

    /// Returns the downloaded bytes, if the download is complete.
    pub fn file(&self) -> Option<String> {
        fs::read_to_string(self.path("file")).ok()
    }

    /// Asserts that the folder contains only these files.
    #[track_caller]
    pub fn expect_files(&self, expected: &[&str]) {
        let entries = fs::read_dir(&self.folder).expect("a folder");
        let mut names = entries
            .map(|it| it.expect("an entry").file_name().into_string().expect("text"))
            .collect::<Vec<_>>();
        names.sort();
        assert_eq!(names, expected);
    }

    /// Asserts that the download is complete, and that no other file is left.
    #[track_caller]
    pub fn expect_complete(&self, bytes: &str) {
        assert_eq!(self.file().as_deref(), Some(bytes));
        self.expect_files(&["file"]);
        assert_eq!(states(&self.states()).len(), 0, "the download is complete");
    }

    /// Returns the values of a field in the requests with this method.
    pub fn fields(&self, method: &str, name: &str) -> Vec<Option<String>> {
        let seen = self.server.seen();
        let seen = seen.iter().filter(|seen| seen.kind == method);
        seen.map(|seen| seen.field(name).map(Into::into)).collect()
    }
}
