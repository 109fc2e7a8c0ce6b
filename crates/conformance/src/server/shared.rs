//! Everything that the cases of one examination share.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::application::Application;
use super::entry::{Outcome, Stop};
use super::packet::Packet;
use super::target::{Stream, Target};

/// The part of the limit of bytes that is kept for responses, and for the end of sessions.
const RESERVED: u64 = 16 * 1024;

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
    /// The names of entities that could not be removed.
    pub(super) remaining: Mutex<Vec<String>>,
}

impl Shared {
    /// Records the names of entities that remain.
    pub(super) fn keep(&self, names: Vec<String>) {
        self.remaining.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    }

    /// Returns the names of entities that remain.
    pub(super) fn remaining(&self) -> Vec<String> {
        std::mem::take(&mut self.remaining.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the name of a new entity.
    pub(super) fn new_name(&self) -> String {
        format!("{}-{}.bin", self.prefix, self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// Connects to the server. Returns the reason if that fails.
    pub(super) async fn connect(&self) -> Result<Box<dyn Stream>, String> {
        match timeout(self.timeout, self.target.connect()).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no connection within {} s", self.timeout.as_secs_f32())),
        }
    }

    /// Counts bytes that are about to be sent, unless they exceed the limit.
    pub(super) fn spend(&self, bytes: usize) -> Outcome {
        let bytes = bytes as u64;
        let received = self.received.load(Ordering::Relaxed);
        let max = self.max_bytes - RESERVED.min(self.max_bytes / 2);
        let add = |sent: u64| {
            let sent = sent.checked_add(bytes)?;
            (sent.saturating_add(received) <= max).then_some(sent)
        };
        let added = self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        added.map(drop).map_err(|_| self.exceeded())
    }

    /// Counts bytes that are sent at the end of a case, beyond what cases may use.
    pub(super) fn spend_reserved(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts received bytes. Returns an error if they exceed the limit.
    pub(super) fn receive(&self, bytes: usize) -> Outcome {
        let received = self.received.fetch_add(bytes as u64, Ordering::Relaxed) + bytes as u64;
        let sent = self.sent.load(Ordering::Relaxed);
        if sent.saturating_add(received) > self.max_bytes { Err(self.exceeded()) } else { Ok(()) }
    }

    fn exceeded(&self) -> Stop {
        Stop::Skip(format!("exceeds the limit of {} bytes", self.max_bytes))
    }

    /// A request with the fields that every request has.
    pub(super) fn packet(&self, method: &str, target: &str) -> Packet {
        let packet = Packet::new(method, target, &self.target.authority());
        self.headers.iter().fold(packet, |packet, (name, value)| packet.add(name, value))
    }
}
