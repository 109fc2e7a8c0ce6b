//! Ctrl-C and SIGTERM.

use bits_client::CancellationToken;

use crate::error::Failure;
use crate::signals::Signals;

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
