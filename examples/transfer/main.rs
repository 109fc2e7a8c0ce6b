//! Uploads a file from a client to a server, over HTTP/1.1 on the loopback interface.
//!
//! ```sh
//! cargo run --release --example transfer -- [FILE] [--fragment-size N] [--reply] [--faults SEED]
//! ```
//!
//! Without a FILE it uploads 8 MiB that it makes up. With `--faults` there is a bad network
//! between the two: connections are cut, answers are lost, replaced and late, and both sides are
//! killed and start again from what they have written down. The same seed does the same again.
//!
//! It prints the conversation, what an observer of it found, and the SHA-256 of what was sent and of
//! what was received. Exit status: 0 when they are the same, no rule was broken, and the reply is
//! right, if there is one; 1 otherwise; 2 for bad usage.

mod client;
mod clock;
mod faults;
mod http;
mod network;
mod observe;
mod report;
mod rng;
mod server;
mod storage;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bits_proto::client::{FragmentSizing, Mode, Options, Upload};
use clap::Parser;

use client::{Client, Result, Told};
use clock::Clock;
use faults::{Fates, Plan};
use http::{PATIENCE, Running};
use network::Network;
use report::Outcome;
use rng::{SessionRng, generated};
use server::Server;
use storage::{Storage, reply_to, sha256};

/// How many bytes are made up where there is no FILE.
const GENERATED: usize = 8 * 1024 * 1024;

/// Uploads a file from a client to a server, over HTTP/1.1 on the loopback interface.
#[derive(Parser)]
#[command(name = "transfer", version)]
struct Arguments {
    /// What to upload; without it, 8 MiB that are made up.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// How many bytes go into a fragment.
    #[arg(long, value_name = "N", default_value_t = FragmentSizing::default().length(),
        value_parser = clap::value_parser!(u64).range(1..))]
    fragment_size: u64,
    /// The server has a reply, which the client fetches.
    #[arg(long)]
    reply: bool,
    /// Cut connections, lose answers, kill both sides; the same each time for the same seed.
    #[arg(long, value_name = "SEED")]
    faults: Option<u64>,
}

fn main() -> ExitCode {
    match transfer(&Arguments::parse()) {
        Ok(outcome) => match outcome.print(&mut io::stdout().lock()) {
            // Whoever reads the output has seen enough.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => failed(&error.to_string()),
            _ if outcome.is_right() => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        },
        Err(error) => failed(&error.to_string()),
    }
}

fn failed(why: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "transfer: {why}");
    ExitCode::FAILURE
}

fn transfer(arguments: &Arguments) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let (path, file) = entity(arguments.file.as_deref(), folder.path())?;
    let length = file.metadata()?.len();
    let fates = Arc::new(Fates::default());
    let storage = Storage::new(&folder.path().join("server"))?;
    let mut random = SessionRng::new(arguments.faults);
    let upload = upload(arguments, length, u64::from_ne_bytes(random.bytes()));
    let server = Server::new(storage, arguments.reply, random, Arc::clone(&fates))?;
    let server = Running::start(server)?;
    let network = arguments.faults.map(|seed| {
        Running::start(Network::new(server.address, Plan::new(seed), Arc::clone(&fates)))
    });
    let network = network.transpose()?;

    let address = network.as_ref().map_or(server.address, |network| network.address);
    let clock = Clock::new(arguments.faults.is_some());
    let start = Instant::now();
    let client = Client::new(upload, file, &folder.path().join("client"), address, clock, fates)?;
    let Told { journal, watch, reply } = client.run()?;
    let took = start.elapsed();

    network.map(Running::stop).transpose()?;
    let server = server.stop()?;
    let received = sha256(File::open(server.destination())?)?;
    Ok(Outcome {
        entity: arguments.file.as_ref().map(|file| file.display().to_string()),
        length,
        fragment_size: arguments.fragment_size,
        journal,
        watch,
        server_restarts: server.restarts,
        held: server.held,
        sent: sha256(File::open(path)?)?,
        reply: arguments.reply.then(|| reply.map(|reply| reply == reply_to(&received).as_bytes())),
        received,
        took,
    })
}

/// What to upload: the path, and the file opened for reading.
fn entity(file: Option<&Path>, folder: &Path) -> Result<(PathBuf, File)> {
    let path = match file {
        Some(file) => file.to_path_buf(),
        None => {
            let path = folder.join("generated");
            fs::write(&path, generated(GENERATED))?;
            path
        }
    };
    let explain = |error: io::Error| format!("{}: {error}", path.display());
    if !fs::metadata(&path).map_err(explain)?.is_file() {
        return Err(format!("{}: not a file", path.display()).into());
    }
    let file = File::open(&path).map_err(explain)?;
    Ok((path, file))
}

fn upload(arguments: &Arguments, length: u64, seed: u64) -> Upload {
    let mode = if arguments.reply { Mode::UploadReply } else { Mode::Upload };
    let options = Options::DEFAULT
        .with_mode(mode)
        .with_fragments(FragmentSizing::with_bounds(arguments.fragment_size, 1, u64::MAX))
        .with_request_timeout(PATIENCE)
        .with_response_timeout(PATIENCE)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(1));
    Upload::new(length, options, seed)
}
