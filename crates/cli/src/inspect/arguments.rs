//! The command line.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::inspect::conversation::Context;
use crate::inspect::output::{Format, Options, terminal_width};
use crate::inspect::pending::PendingRequest;
use crate::units::size;

const AFTER_HELP: &str = "\
Exit status:
  0  all messages are valid, or have deviations that violate no MUST
  1  a message is invalid, incomplete or violates a MUST; bytes between messages
     are unexpected; or a capture contains no message
  2  the usage is wrong, or a file cannot be read or written

A line has as many columns as the terminal, at least 80. If standard output is not a terminal, the variable \
COLUMNS sets the number, or else it is 120.

docs/INSPECT.md describes input and output.";

/// Options of `bits inspect`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct InspectArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
    /// Prints one JSON object per message; short for `--format json`.
    #[arg(long)]
    json: bool,
    /// Neither shortens nor wraps text.
    #[arg(long)]
    wide: bool,
    /// Prints dates and times in UTC instead of seconds after the first message.
    #[arg(long)]
    absolute: bool,
    /// Adds an object `{"summary": …}` after the JSON objects of each file, and of all files.
    #[arg(long)]
    summary: bool,
    /// Prints the fields of the output format `ecs` or `zeek` as a table, and exits.
    #[arg(long)]
    pub schema: bool,
    /// Also writes a page for browsers with diagrams of the conversations; `-` is standard output, in place of text.
    #[arg(long, value_name = "PAGE", requires = "files", conflicts_with = "schema")]
    pub html: Option<PathBuf>,
    /// Exits with 0 instead of 1.
    #[arg(long)]
    pub exit_zero: bool,
    /// Request type for responses without a request in the file.
    #[arg(long, value_name = "REQUEST", value_parser = [
        "ping", "create-session", "fragment", "close-session", "cancel-session", "notification",
    ])]
    ack_for: Option<String>,
    /// Assumes that conversations begin with the file, so that packets of a session that was not
    /// created in it are violations.
    #[arg(long)]
    from_start: bool,
    /// Limit on the decompressed length of a file.
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size)]
    max_decompressed: u64,
    /// Files with HTTP messages, or packet captures; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
}

impl InspectArguments {
    /// Returns why the options cannot be used together.
    pub fn conflict(&self) -> Option<String> {
        let of_text = [("--wide", self.wide), ("--absolute", self.absolute)];
        let of_text = of_text.map(|(name, is_set)| (name, is_set, Format::Text, "text"));
        let options =
            of_text.into_iter().chain([("--summary", self.summary, Format::Json, "json")]);
        let format = self.format();
        if self.schema && !matches!(format, Format::Ecs | Format::Zeek) {
            let message =
                "the argument '--schema' can only be used with '--format ecs' or '--format zeek'";
            return Some(message.into());
        }
        if self.prints_page() && format != Format::Text {
            let message =
                "the argument '--html -' cannot be used with another format on standard output";
            return Some(message.into());
        }
        if let Some(input) = self.input_of_page() {
            return Some(format!("the argument '--html {input}' would replace an input"));
        }
        let mut wrong = options.filter(|(_, is_set, needed, _)| *is_set && *needed != format);
        wrong.next().map(|(name, _, _, needed)| {
            format!("the argument '{name}' can only be used with '--format {needed}'")
        })
    }

    /// Returns the input that the page would replace.
    fn input_of_page(&self) -> Option<&str> {
        let page = std::fs::canonicalize(self.html.as_ref()?).ok()?;
        let is_page = |file: &&String| std::fs::canonicalize(file).is_ok_and(|file| file == page);
        self.files.iter().find(is_page).map(String::as_str)
    }

    fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }

    /// Returns the limit on the decompressed length of a file, in bytes.
    pub fn max_decompressed(&self) -> usize {
        usize::try_from(self.max_decompressed).unwrap_or(usize::MAX)
    }

    pub fn context(&self) -> Context {
        Context {
            ack_for: self.ack_for.as_deref().and_then(PendingRequest::assumed),
            from_start: self.from_start,
        }
    }

    /// Returns true if standard output receives the page instead of text.
    pub fn prints_page(&self) -> bool {
        self.html.as_deref() == Some(Path::new("-"))
    }

    pub fn output(&self) -> Options {
        Options {
            format: self.format(),
            width: (!self.wide).then(terminal_width),
            is_absolute: self.absolute,
            has_summary: self.summary,
        }
    }
}
