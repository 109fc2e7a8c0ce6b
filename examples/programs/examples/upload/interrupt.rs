//! Ctrl-C, and the signal that asks a process to end.

use std::io;

use tokio::sync::watch;

use crate::failure::{Failure, Result};

/// The first one is waited for; the second ends the process at once.
pub struct Interrupts(watch::Receiver<bool>);

impl Interrupts {
    pub fn listen() -> Result<Self> {
        let mut signals = Signals::listen().map_err(Failure::failed)?;
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            tell.send_replace(true);
            signals.next().await;
            std::process::exit(130);
        });
        Ok(Self(told))
    }

    /// Until the first one.
    pub async fn first(&mut self) {
        if self.0.wait_for(|came| *came).await.is_err() {
            // Nobody listens any more, and none will come.
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
