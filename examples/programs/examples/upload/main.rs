//! Uploads a file to a server that speaks the BITS Upload Protocol.
//!
//! ```sh
//! cargo run --release --example upload -- FILE URL [--resume STATE] [--reply OUT] …
//! ```
//!
//! Failures that may pass are tried again, after longer and longer waits. With `--resume` the
//! upload survives Ctrl-C and the death of this process: the same command goes on where the server
//! says it is. Without it, Ctrl-C tells the server to forget what it has. `https` needs the feature
//! `tls`: `cargo run --release --features tls --example upload`.
//!
//! A progress bar is drawn on a terminal; elsewhere one line at the end says what was done. Exit
//! status: 0 when the entity is uploaded, and the reply fetched if one was asked for; 1 when not;
//! 2 for bad usage; 130 after Ctrl-C.

mod arguments;
mod body;
mod client;
mod connection;
mod destination;
mod entity;
mod exchange;
mod failure;
mod interrupt;
mod reply;
mod responses;
mod state;
#[cfg(feature = "tls")]
mod tls;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use bits_proto::client::{FragmentSizing, Mode, Upload};
use bits_proto_programs::upload::console::Console;
use bits_proto_programs::upload::rate_limit::RateLimit;
use clap::Parser as _;

use arguments::Arguments;
use client::Client;
use connection::Link;
use destination::Destination;
use entity::Entity;
use failure::{Failure, Result};
use interrupt::Interrupts;
use reply::ReplyFile;
use state::{Job, StateFile};

// One thread is enough for one connection; the file is read on another.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match upload(&arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("upload: {failure}");
            failure.exit_code()
        }
    }
}

async fn upload(arguments: &Arguments) -> Result<()> {
    let destination = Destination::parse(&arguments.url)?;
    let headers = arguments.headers()?;
    client::check_headers(&destination, &headers)?;
    let link = Link::new(arguments.ca.as_deref())?;
    link.check(&destination)?;
    let entity = Arc::new(Entity::open(&arguments.file)?);
    let mode = if arguments.reply.is_some() { Mode::UploadReply } else { Mode::Upload };
    let job = Job::new(&destination, &entity, mode)?;
    let opened = arguments.resume.as_deref().map(|path| StateFile::open(path, job)).transpose()?;
    let (state, stored) = opened.map_or((None, None), |(state, stored)| (Some(state), stored));
    let upload = match stored {
        Some(stored) => resumed(stored, mode, arguments)?,
        None => {
            let options = arguments.options(mode, FragmentSizing::default().length());
            Upload::new(entity.length(), options, seed()?)
        }
    };
    let console = Console::new(entity.length(), arguments.quiet);
    let interrupts = Interrupts::listen()?;
    let client = Client {
        upload,
        destination,
        entity,
        headers,
        link,
        rate_limit: arguments.limit.map(|limit| Arc::new(Mutex::new(RateLimit::new(limit)))),
        reply: arguments
            .reply
            .as_deref()
            .map(|path| ReplyFile::new(path, arguments.reply_from_anywhere)),
        state,
        console,
        start: std::time::Instant::now(),
        patience: arguments.timeout,
        trouble: None,
    };
    client.run(interrupts).await
}

/// An upload that another process began, by what is wanted now.
fn resumed(mut upload: Upload, mode: Mode, arguments: &Arguments) -> Result<Upload> {
    if !upload.state().has_ended() {
        upload.resume().map_err(Failure::machine)?;
        // Fragments stay as short as the server had them.
        let options = arguments.options(mode, upload.fragments().length());
        upload.set_options(options).map_err(Failure::machine)?;
    }
    Ok(upload)
}

/// Spreads the waiting times of many clients.
fn seed() -> Result<u64> {
    getrandom::u64().map_err(|error| Failure::failed(format!("no random number: {error}")))
}
