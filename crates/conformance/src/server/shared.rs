//! Everything that the cases of one examination share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::application::Application;
use super::entry::{Outcome, Stop};
use super::packet::Packet;
use super::target::Target;

/// The settings, the counters, and what is known about the server.
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) root: Option<PathBuf>,
    pub(super) application: Option<Application>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) timeout: Duration,
    pub(super) max_bytes: u64,
    /// The beginning of the names of all entities.
    pub(super) prefix: String,
    pub(super) names: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) received: AtomicU64,
    /// True if the server offers published entities for download.
    pub(super) has_downloads: AtomicBool,
}

impl Shared {
    /// Returns the name of a new entity.
    pub(super) fn new_name(&self) -> String {
        format!("{}-{}.bin", self.prefix, self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Counts bytes that are about to be sent.
    pub(super) fn spend(&self, bytes: usize) -> Outcome {
        self.count(&self.sent, bytes)
    }

    /// Counts received bytes.
    pub(super) fn receive(&self, bytes: usize) -> Outcome {
        self.count(&self.received, bytes)
    }

    fn count(&self, counter: &AtomicU64, bytes: usize) -> Outcome {
        let bytes = bytes as u64;
        let other = self.sent.load(Ordering::Relaxed) + self.received.load(Ordering::Relaxed);
        if other + bytes > self.max_bytes {
            return Err(Stop::Skip(format!("exceeds the limit of {} bytes", self.max_bytes)));
        }
        counter.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// A request with the fields that every request has.
    pub(super) fn packet(&self, method: &str, target: &str) -> Packet {
        let packet = Packet::new(method, target, &self.target.authority());
        self.headers.iter().fold(packet, |packet, (name, value)| packet.add(name, value))
    }
}
