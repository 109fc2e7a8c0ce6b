//! Ctrl-C and SIGTERM.

use std::io;

use tokio::sync::watch;

use super::failure::{Failure, Result};

/// Handles interrupts: the first one ends the transfer in an orderly way, the second one exits.
pub struct Interrupts(watch::Receiver<bool>);

impl Interrupts {
    pub fn listen() -> Result<Self> {
        let mut signals = Signals::listen().map_err(Failure::failed)?;
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            sender.send_replace(true);
            signals.next().await;
            std::process::exit(130);
        });
        Ok(Self(receiver))
    }

    /// Completes at the first interrupt.
    pub async fn first(&mut self) {
        if self.0.wait_for(|interrupted| *interrupted).await.is_err() {
            // The task that listens is gone, so no interrupt will be reported.
            std::future::pending::<()>().await;
        }
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
