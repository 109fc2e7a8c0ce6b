//! Uploads a file to a server that implements the BITS Upload Protocol.
//!
//! ```sh
//! cargo run --release --example upload -- FILE URL [--resume STATE] [--reply OUT] …
//! ```
//!
//! Transient failures are retried with exponential back-off. With `--resume` the upload survives
//! Ctrl-C and crashes: the same command continues it at the offset that the server reports. Without
//! it, Ctrl-C cancels the session on the server. `https` requires the feature `tls`:
//! `cargo run --release --features tls --example upload`.
//!
//! The program draws a progress bar on a terminal and prints one line at the end. Exit status: 0 if
//! the entity is uploaded and the requested reply is fetched, 1 on failure, 2 for bad usage, 130
//! after Ctrl-C.

mod arguments;
mod body;
mod client;
mod entity;
mod exchange;
mod failure;
mod reply;
mod responses;
mod state;

use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use bits_proto::client::{FragmentSizing, Mode, State, Upload};
use bits_proto_programs::client::connection::Connector;
use bits_proto_programs::client::console::{Console, Direction};
use bits_proto_programs::client::fetch;
use bits_proto_programs::client::http_url::HttpUrl;
use bits_proto_programs::client::interrupt::Interrupts;
use bits_proto_programs::client::random::seed;
use bits_proto_programs::client::rate_limit::RateLimit;
use bits_proto_programs::client::state_file::StateFile;
use clap::Parser as _;

use arguments::Arguments;
use client::Client;
use entity::Entity;
use failure::{Failure, Result};
use reply::Reply;
use state::Job;

// One thread suffices for one connection. A blocking thread reads the file.
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
    let destination = HttpUrl::parse(&arguments.url)?;
    let client = &arguments.client;
    let headers = client.headers(concat!("bits-proto-upload/", env!("CARGO_PKG_VERSION")))?;
    client::check_headers(&destination, &headers)?;
    if arguments.reply.is_some() {
        fetch::check_headers(&destination, &headers)?;
    }
    let connector = Connector::new(client.ca.as_deref())?;
    connector.check(&destination)?;
    let entity = Arc::new(Entity::open(&arguments.file)?);
    let mode = if arguments.reply.is_some() { Mode::UploadReply } else { Mode::Upload };
    let job = Job::new(&destination, &entity, mode)?;
    let opened = arguments.resume.as_deref().map(|path| StateFile::open(path, job)).transpose()?;
    let (state, stored) = opened.map_or((None, None), |(state, stored)| (Some(state), stored));
    let upload = match stored {
        Some(stored) => resume(stored, mode, arguments)?,
        None => {
            let options = arguments.options(mode, FragmentSizing::default().length());
            Upload::new(entity.length(), options, seed()?)
        }
    };
    let console = Console::new(Direction::Upload, entity.length(), client.quiet);
    let interrupts = Interrupts::listen()?;
    let client = Client {
        upload,
        destination,
        content_name: arguments.content_name(&entity)?,
        entity,
        headers,
        connector,
        rate_limit: client.limit.map(|limit| Arc::new(Mutex::new(RateLimit::new(limit)))),
        reply: arguments
            .reply
            .as_deref()
            .map(|path| Reply::new(path, arguments.reply_from_anywhere)),
        state,
        console,
        start: std::time::Instant::now(),
        timeout: client.timeout,
        last_error: None,
    };
    client.run(interrupts).await
}

/// Continues an upload of a previous process with the options of this one, or starts it over.
fn resume(mut upload: Upload, mode: Mode, arguments: &Arguments) -> Result<Upload> {
    if !upload.state().is_terminal() {
        upload.resume().map_err(Failure::machine)?;
        if arguments.restart && upload.state() != State::Cancel {
            upload.restart().map_err(Failure::machine)?;
        }
        // Keeps a fragment length that was reduced because the server rejected longer ones.
        let options = arguments.options(mode, upload.fragments().length());
        upload.set_options(options).map_err(Failure::machine)?;
    }
    Ok(upload)
}
