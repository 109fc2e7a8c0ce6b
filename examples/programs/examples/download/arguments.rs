//! Command line of the program.

use std::path::PathBuf;

use bits_proto::download::{ByteRange, Options};
use bits_proto_programs::client::arguments::ClientArguments;
use clap::Parser;

/// Downloads a file, or ranges of it, from an HTTP server.
#[derive(Parser)]
#[command(name = "download", version)]
pub struct Arguments {
    /// URL of the entity: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// File that receives the bytes. The state of the download is in FILE.state until it is complete.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Download only the bytes from offset A to offset B (inclusive); may be repeated. The file
    /// receives the ranges one after the other [default: the whole entity].
    #[arg(long = "range", value_name = "A-B", value_parser = range)]
    pub ranges: Vec<ByteRange>,
    /// Accept an entity whose length the server does not state, if it arrives in chunks. Such a
    /// download starts over if its connection breaks.
    #[arg(long)]
    pub dynamic: bool,
    /// Accept the whole entity in place of a range, and discard the bytes before the range.
    #[arg(long)]
    pub skip_to_range: bool,
    /// Continue a download from a server that sends neither Last-Modified nor a strong ETag if the
    /// length of the entity is equal. Without this option, such a download starts over if its
    /// connection breaks. Versions of equal length may mix: verify the file afterwards.
    #[arg(long)]
    pub allow_missing_validator: bool,
    #[command(flatten)]
    pub client: ClientArguments,
}

fn range(text: &str) -> Result<ByteRange, String> {
    let (first, last) = text.split_once('-').ok_or("expected A-B, such as 0-499")?;
    let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    ByteRange::new(number(first)?, number(last)?).map_err(|error| error.to_string())
}

impl Arguments {
    pub fn options(&self) -> Options {
        let client = &self.client;
        Options::DEFAULT
            .with_dynamic(self.dynamic)
            .with_skip_to_range(self.skip_to_range)
            .with_allow_missing_validator(self.allow_missing_validator)
            .with_request_timeout(client.timeout)
            .with_response_timeout(client.timeout)
            .with_initial_backoff(client.retry_delay)
            .with_max_backoff(Options::DEFAULT.max_backoff.max(client.retry_delay))
            .with_max_retries(client.retries)
            .with_max_retry_after(client.max_retry_after)
    }
}
