//! Ctrl-C and SIGTERM.

use std::io;

use bits_client::CancellationToken;

use crate::error::Failure;

/// Handles interrupts: the first one ends the transfer in an orderly way, the second one exits.
pub struct Interrupts(CancellationToken);

impl Interrupts {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// A failure of the operating system.
    pub fn listen() -> Result<Self, Failure> {
        let mut signals = Signals::listen().map_err(Failure::failed)?;
        let token = CancellationToken::new();
        let first = token.clone();
        tokio::spawn(async move {
            signals.next().await;
            first.cancel();
            signals.next().await;
            std::process::exit(130);
        });
        Ok(Self(token))
    }

    /// Returns the token that the first interrupt cancels.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.0.clone()
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
