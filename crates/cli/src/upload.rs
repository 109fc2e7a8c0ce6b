//! `bits upload`: uploads a file.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::client::{ClientArguments, Console, Direction, Interrupts, failure, state};
use crate::error::Failure;
use crate::units::size;

/// Options of `bits upload`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct UploadArguments {
    /// File to upload.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Destination: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// Bytes per fragment, limited to the range from 5KiB to 13MiB [default: 4MiB, then adapted to the server and
    /// the connection].
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub fragment_size: Option<u64>,
    /// Fetches the server's reply to the upload and writes it to this file.
    #[arg(long, value_name = "OUT")]
    pub reply: Option<PathBuf>,
    /// Also fetches the reply from another server if the server refers to one. Credentials and --header
    /// fields are not sent there.
    #[arg(long, requires = "reply")]
    pub reply_from_anywhere: bool,
    /// Keeps the state of the upload in this folder [default: a folder of the user].
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    /// Keeps no state: Ctrl-C deletes what the server has received.
    #[arg(long, conflicts_with_all = ["resume", "restart"])]
    pub no_resume: bool,
    /// Sends the file from its beginning, for example after the server rejected the session that would be
    /// continued.
    #[arg(long)]
    pub restart: bool,
    /// Name that the fragments carry as Content-Name; empty for none [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    pub content_name: Option<String>,
    /// Sends the name with Create-Session too.
    #[arg(long)]
    pub name_on_create: bool,
    #[command(flatten)]
    pub client: ClientArguments,
}

const AFTER_HELP: &str = "\
Failures that may pass are retried. After Ctrl-C, a crash or a failure, the same command continues the \
upload. If the file has changed, it is sent from its beginning.

Sizes have units: 5000, 20MB, 1MiB. Times are seconds or have units: 90, 30s, 12h, 2d.

Exit status: 0 if the file is uploaded and the requested reply is fetched, 1 on failure, 2 for bad usage, \
130 after Ctrl-C.";

/// Uploads the file.
///
/// # Errors
///
/// The reason, and the next step for the user.
pub async fn run(arguments: &UploadArguments) -> Result<(), Failure> {
    if arguments.file == Path::new("-") {
        // A retry reads bytes again.
        return Err(Failure::usage("standard input cannot be uploaded: write it to a file first"));
    }
    let client = arguments.client.client("upload")?;
    let console = Console::new(Direction::Upload, &arguments.url, arguments.client.quiet);
    let interrupts = Interrupts::listen()?;
    let shown = console.clone();
    let mut upload = client
        .upload(&arguments.url)
        .file(&arguments.file)
        .name_on_create(arguments.name_on_create)
        .progress(move |progress| shown.show(progress));
    upload = if arguments.no_resume {
        upload.abort(interrupts.token())
    } else {
        let state = state(arguments.resume.as_ref());
        upload.resume(state).restart(arguments.restart).cancel(interrupts.token())
    };
    if let Some(name) = &arguments.content_name {
        upload = upload.content_name(name);
    }
    if let Some(size) = arguments.fragment_size {
        upload = upload.fragment_size(size);
    }
    if let Some(path) = &arguments.reply {
        upload = upload.reply_to(path).reply_from_other_servers(arguments.reply_from_anywhere);
    }
    let sent = upload.send().await;
    console.clear();
    let done = sent.map_err(|error| failure(&error, &arguments.url, Direction::Upload))?;
    console.done(done.length);
    Ok(())
}
