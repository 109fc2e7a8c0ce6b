//! `bits conformance`: examines other implementations.

mod client;
mod output;
mod report;
mod server;

use clap::{Args, Subcommand};

use crate::error::Failure;

/// Options of `bits conformance`.
#[derive(Args)]
pub struct ConformanceArguments {
    #[command(subcommand)]
    peer: Peer,
}

#[derive(Subcommand)]
enum Peer {
    /// Examines a server.
    Server(Box<server::ServerArguments>),
    /// Examines a client.
    Client(Box<client::ClientArguments>),
}

/// Examines the peer.
///
/// # Errors
///
/// The reason why the peer cannot be examined, or the number of failed cases.
pub fn run(arguments: &ConformanceArguments) -> Result<(), Failure> {
    match &arguments.peer {
        Peer::Server(arguments) => server::run(arguments),
        Peer::Client(arguments) => client::run(arguments),
    }
}
