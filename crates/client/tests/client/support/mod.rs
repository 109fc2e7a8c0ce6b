//! Scripted servers on loopback, and files.

pub mod bits;
pub mod child;
pub mod http;
pub mod server;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bits_client::{Client, ClientBuilder, Phase, Progress};

pub use self::bits::Bits;
pub use self::http::{Answer, Request, ack, answer};
pub use self::server::Server;

/// Returns a builder of a client that retries quickly and ignores proxies.
pub fn builder() -> ClientBuilder {
    let backoff = Duration::from_millis(1);
    Client::builder().no_proxy().retries(3).backoff(backoff, backoff)
}

pub fn client() -> Client {
    builder().build().unwrap()
}

/// Returns bytes of this length that differ.
pub fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8 ^ (at >> 12) as u8).collect()
}

/// Progress reports in the order of their arrival.
#[derive(Clone, Default)]
pub struct Reports(Arc<Mutex<Vec<Progress>>>);

impl Reports {
    pub fn callback(&self) -> impl FnMut(&Progress) + Send + 'static {
        let reports = Arc::clone(&self.0);
        move |progress| reports.lock().unwrap().push(progress.clone())
    }

    pub fn all(&self) -> Vec<Progress> {
        self.0.lock().unwrap().clone()
    }

    /// Returns the reasons of all delays.
    pub fn waits(&self) -> Vec<String> {
        let reason = |progress: Progress| match progress.phase {
            Phase::Waiting { reason, .. } => Some(reason),
            _ => None,
        };
        self.all().into_iter().filter_map(reason).collect()
    }
}
