//! The version of a file: its length, date and entity tag.

use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;

use crate::storage::Metadata;

/// The longest time in which two changes of a file may get the same modification time.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// The resolution of file systems that store whole seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// The metadata of an open file that changes with its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::storage) struct Snapshot {
    state: State,
    /// True if every later change of the file also changes its state.
    is_settled: bool,
}

/// A file and the time of its last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    identity: Option<Identity>,
    length: u64,
    modified: SystemTime,
}

/// The numbers of a device and of a file on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    file: u64,
}

impl Snapshot {
    /// Opens a regular file for reading.
    pub(in crate::storage) fn open(dir: &Dir, path: &str) -> io::Result<(File, Self)> {
        if !dir.metadata(path)?.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let file = dir.open(path)?.into_std();
        // From the open file, since another file may have replaced the one that was checked.
        let snapshot = Self::settled(&file)?;
        Ok((file, snapshot))
    }

    /// Reads the metadata. Waits for the next tick of the clock if the file has just changed, so that another
    /// change gets another time.
    fn settled(file: &File) -> io::Result<Self> {
        let snapshot = Self::of(file)?;
        if snapshot.is_settled || snapshot.state.tick() > CLOCK_TICK {
            return Ok(snapshot);
        }
        thread::sleep(CLOCK_TICK);
        Self::of(file)
    }

    fn of(file: &File) -> io::Result<Self> {
        let state = State::of(file)?;
        let age = SystemTime::now().duration_since(state.modified);
        // A time in the future was set on purpose, and a change replaces it by the current time.
        let is_settled = age.map_or(true, |age| age > state.tick());
        Ok(Self { state, is_settled })
    }

    /// Returns `true` if the file has not changed since.
    pub(super) fn is_current(&self, file: &File) -> io::Result<bool> {
        Ok(State::of(file)? == self.state)
    }

    pub(super) fn metadata(&self) -> Metadata {
        Metadata::new(self.state.length, self.state.modified).with_tag(self.tag())
    }

    /// Returns the entity tag, unless the file may change without a change of its time.
    ///
    /// A published entity is never modified, only replaced by another file. The number of a deleted file may be
    /// used again, but not together with its modification time. Without file numbers there is no reliable tag.
    fn tag(&self) -> Option<String> {
        let Identity { device, file } = self.state.identity.filter(|_| self.is_settled)?;
        let (seconds, nanoseconds) = self.state.unix_time();
        let length = self.state.length;
        Some(format!("{device:x}-{file:x}-{seconds:x}.{nanoseconds:x}-{length:x}"))
    }
}

impl State {
    fn of(file: &File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let modified = metadata.modified()?;
        Ok(Self { identity: Identity::of(&metadata), length: metadata.len(), modified })
    }

    /// Returns the time in which two changes may get the same modification time.
    fn tick(&self) -> Duration {
        if self.unix_time().1 == 0 { COARSE_TICK } else { CLOCK_TICK }
    }

    /// Returns seconds since the start of 1970, rounded down, and nanoseconds.
    fn unix_time(&self) -> (i64, u32) {
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        match self.modified.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => (seconds(after), after.subsec_nanos()),
            Err(error) => match (seconds(error.duration()), error.duration().subsec_nanos()) {
                (before, 0) => (-before, 0),
                (before, nanoseconds) => (-before - 1, 1_000_000_000 - nanoseconds),
            },
        }
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        Some(Self { device: metadata.dev(), file: metadata.ino() })
    }

    #[cfg(not(unix))]
    fn of(_: &std::fs::Metadata) -> Option<Self> {
        None
    }
}
