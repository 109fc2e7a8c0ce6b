//! `bits download`: downloads a file, or ranges of it.

use std::path::PathBuf;

use bits_client::ByteRange;
use clap::Args;

use crate::client::{ClientArguments, Console, Direction, Interrupts, failure, state};
use crate::error::Failure;

/// Options of `bits download`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct DownloadArguments {
    /// URL of the file: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// File that receives the bytes. Until it is complete, they are in FILE.part.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replaces an existing file.
    #[arg(long)]
    pub overwrite: bool,
    /// Downloads only the bytes from offset A to offset B (inclusive); may be repeated. The file
    /// receives the ranges one after the other [default: the whole file].
    #[arg(long = "range", value_name = "A-B", value_parser = range)]
    pub ranges: Vec<ByteRange>,
    /// Accepts a file whose length the server does not state, if it arrives in chunks. Such a
    /// download starts over if its connection breaks.
    #[arg(long)]
    pub dynamic: bool,
    /// Accepts the whole file in place of a range, and discards the bytes before the range.
    #[arg(long)]
    pub skip_to_range: bool,
    /// Continues if the server sends neither Last-Modified nor a strong ETag and the length is equal. The
    /// file may then have bytes of two versions.
    #[arg(long)]
    pub allow_missing_validator: bool,
    /// Keeps the state of the download in this folder [default: a folder of the user].
    #[arg(long, value_name = "DIR")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub client: ClientArguments,
}

const AFTER_HELP: &str = "\
Failures that may pass are retried. After Ctrl-C, a crash or a failure, the same command continues the \
download, unless the file has changed on the server.

Sizes have units: 5000, 20MB, 1MiB. Times are seconds or have units: 90, 30s, 12h, 2d.

Exit status: 0 if the file is complete, 1 on failure, 2 for bad usage, 130 after Ctrl-C.";

fn range(text: &str) -> Result<ByteRange, String> {
    let (first, last) = text.split_once('-').ok_or("expected A-B, such as 0-499")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    ByteRange::new(number(first)?, number(last)?).map_err(|error| error.to_string())
}

/// Downloads the file.
///
/// # Errors
///
/// The reason, and the next step for the user.
pub async fn run(arguments: &DownloadArguments) -> Result<(), Failure> {
    let client = arguments.client.client("download")?;
    let console = Console::new(Direction::Download, &arguments.url, arguments.client.quiet);
    let interrupts = Interrupts::listen()?;
    let shown = console.clone();
    let mut download = client
        .download(&arguments.url)
        .to(&arguments.file)
        .overwrite(arguments.overwrite)
        .dynamic(arguments.dynamic)
        .skip_to_range(arguments.skip_to_range)
        .allow_missing_validator(arguments.allow_missing_validator)
        .resume(state(arguments.resume.as_ref()))
        .cancel(interrupts.token())
        .progress(move |progress| shown.show(progress));
    for range in &arguments.ranges {
        download = download.range(*range);
    }
    let received = download.send().await;
    console.clear();
    let done = received.map_err(|error| failure(&error, &arguments.url, Direction::Download))?;
    console.done(done.length);
    Ok(())
}
