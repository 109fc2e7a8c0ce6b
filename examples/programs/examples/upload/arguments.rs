//! Command line of the program.

use std::path::PathBuf;

use bits_proto::client::{FragmentSizing, Mode, Options};
use bits_proto::field::ContentName;
use bits_proto_programs::client::arguments::{ClientArguments, size};
use clap::Parser;

use crate::entity::Entity;
use crate::failure::{Failure, Result};

/// Uploads a file to a server that implements the BITS Upload Protocol.
#[derive(Parser)]
#[command(name = "upload", version)]
pub struct Arguments {
    /// File to upload.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Destination URL: http://… or https://…
    #[arg(value_name = "URL")]
    pub url: String,
    /// Bytes per fragment, limited to the range from 5KiB to 13MiB [default: 1MiB].
    #[arg(long, value_name = "N", value_parser = size)]
    pub fragment_size: Option<u64>,
    /// Fetch the server's reply to the upload and write it to this file.
    #[arg(long, value_name = "OUT")]
    pub reply: Option<PathBuf>,
    /// Also fetch the reply from another server if the server refers to one. Credentials and
    /// --header fields are not sent there.
    #[arg(long, requires = "reply")]
    pub reply_from_anywhere: bool,
    /// Keep the state of the upload in this file, so that the same command continues it after
    /// Ctrl-C, a crash or a failure.
    #[arg(long, value_name = "STATE")]
    pub resume: Option<PathBuf>,
    /// With --resume, create a new session and send the file from its beginning, for example after the
    /// server rejected the session that would be continued.
    #[arg(long, requires = "resume")]
    pub restart: bool,
    /// Name that the fragments carry as Content-Name; empty for none [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    pub content_name: Option<String>,
    /// Send the name with Create-Session too.
    #[arg(long)]
    pub name_on_create: bool,
    #[command(flatten)]
    pub client: ClientArguments,
}

impl Arguments {
    /// Returns the options of the upload. `default_length` is the fragment length without
    /// `--fragment-size`.
    pub fn options(&self, mode: Mode, default_length: u64) -> Options {
        let client = &self.client;
        let length = self.fragment_size.unwrap_or(default_length);
        // At the rate limit, a longer fragment would exceed the timeout for a request.
        let max_length = client.limit.map_or(u64::MAX, |limit| {
            let half = client.timeout.as_secs_f64() / 2.0;
            (limit as f64 * half) as u64
        });
        Options::DEFAULT
            .with_mode(mode)
            .with_fragments(FragmentSizing::new(length.min(max_length)))
            .with_request_timeout(client.timeout)
            .with_response_timeout(client.timeout)
            .with_initial_backoff(client.retry_delay)
            .with_max_backoff(Options::DEFAULT.max_backoff.max(client.retry_delay))
            .with_max_retries(client.retries)
            .with_max_retry_after(client.max_retry_after)
            .with_name_on_create(self.name_on_create)
    }

    /// Returns the name that fragments carry. The name of a file is left out if a header field cannot
    /// contain it, or if it is longer than a name may be.
    ///
    /// # Errors
    ///
    /// Returns a usage error if `--content-name` is not valid.
    pub fn content_name(&self, entity: &Entity) -> Result<Option<Vec<u8>>> {
        let is_name =
            |name: &[u8]| ContentName::try_from(name).is_ok() && name.len() <= ContentName::MAX_LEN;
        match &self.content_name {
            Some(name) if name.is_empty() => Ok(None),
            Some(name) if is_name(name.as_bytes()) => Ok(Some(name.clone().into_bytes())),
            Some(name) => Err(Failure::usage(format!(
                "--content-name '{name}': expected at most {} bytes without control characters",
                ContentName::MAX_LEN
            ))),
            None => {
                let name = entity.path().file_name().and_then(|name| name.to_str());
                Ok(name.map(|name| name.as_bytes().to_vec()).filter(|name| is_name(name)))
            }
        }
    }
}
