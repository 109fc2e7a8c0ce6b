//! The version of a file: its length, date and entity tag.

use std::io;
use std::thread;
use std::time::{Duration, SystemTime};

use bits_proto::field::HttpDate;
use cap_std::fs::{File, Metadata};

/// The longest time in which two changes of a file may get the same modification time.
const CLOCK_TICK: Duration = Duration::from_millis(20);

/// The resolution of file systems that store whole seconds.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// The metadata of an open file that changes with its content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Snapshot {
    state: State,
    /// True if every later change of the file also changes its state.
    is_settled: bool,
}

/// A file and the time of its last change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    identity: Option<Identity>,
    length: u64,
    modified: SystemTime,
}

/// The numbers of a device and of a file on it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    file: u64,
}

impl Snapshot {
    /// Reads the metadata. Waits for the next tick of the clock if the file has just changed, so that
    /// another change gets another time.
    pub fn settled(file: &File) -> io::Result<Self> {
        let snapshot = Self::of(file)?;
        if snapshot.is_settled || snapshot.state.tick() > CLOCK_TICK {
            return Ok(snapshot);
        }
        thread::sleep(CLOCK_TICK);
        Self::of(file)
    }

    fn of(file: &File) -> io::Result<Self> {
        let state = State::of(&file.metadata()?)?;
        let age = SystemTime::now().duration_since(state.modified);
        // A time in the future was set on purpose, and a change replaces it by the current time.
        let is_settled = age.map_or(true, |age| age > state.tick());
        Ok(Self { state, is_settled })
    }

    /// Returns true if the file has not changed since.
    pub fn is_current(&self, file: &File) -> io::Result<bool> {
        Ok(State::of(&file.metadata()?)? == self.state)
    }

    pub fn length(&self) -> u64 {
        self.state.length
    }

    /// Returns the modification time in whole seconds.
    pub fn date(&self) -> Option<HttpDate> {
        HttpDate::from_unix_seconds(self.state.unix_time().0)
    }

    /// Returns the entity tag. It is weak if the file may change without a change of its time.
    ///
    /// A published entity is never modified, only replaced by another file. The number of a deleted
    /// file may be used again, but not together with its modification time. Without file numbers
    /// there is no reliable tag.
    pub fn tag(&self) -> Option<String> {
        let Identity { device, file } = self.state.identity?;
        let (seconds, nanoseconds) = self.state.unix_time();
        let weak = if self.is_settled { "" } else { "W/" };
        let length = self.state.length;
        Some(format!("{weak}\"{device:x}-{file:x}-{seconds:x}.{nanoseconds:x}-{length:x}\""))
    }
}

impl State {
    fn of(metadata: &Metadata) -> io::Result<Self> {
        let modified = metadata.modified()?.into_std();
        Ok(Self { identity: Identity::of(metadata), length: metadata.len(), modified })
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
    fn of(metadata: &Metadata) -> Option<Self> {
        use cap_std::fs::MetadataExt as _;
        Some(Self { device: metadata.dev(), file: metadata.ino() })
    }

    #[cfg(not(unix))]
    fn of(_: &Metadata) -> Option<Self> {
        None
    }
}
