//! Explains captured BITS traffic.
//!
//! ```sh
//! cargo run --example inspect -- [--json] [--from-start] [--ack-for REQUEST] FILE…
//! ```
//!
//! Each FILE (`-` is standard input) contains HTTP messages back to back, including bodies, or is a
//! packet capture in pcap or pcapng format, detected by its first bytes. It may be compressed with gzip
//! or zstd. For other formats of captures, the program prints the command that converts them. Without a
//! FILE the program explains two built-in conversations.
//!
//! Each Ack is parsed for the request before it. In a capture, the TCP connections with HTTP are
//! reassembled and parsed separately. Their messages are listed in the order in which they
//! happened, with the time at which the head was complete. A message with bytes that were not
//! captured is `partial`, with their number. So are bytes before the first recognizable message of a
//! connection. Packets without TCP are counted by protocol on standard error; so is skipped data, such
//! as connections without HTTP and IP fragments.
//!
//! An observer follows the conversation of each client with each URL, and lists the rules that each
//! message violates. It does not know what happened before the file, so it only reports what is
//! wrong in any case. With `--from-start` it assumes that nothing happened before.
//!
//! Exit status: 0 if no message was rejected or incomplete, 1 otherwise or if a capture contains no
//! message, 2 for bad usage or a file that cannot be read. The readable part of a damaged capture is explained in any case.

mod capture;
mod captured;
mod compressed;
mod conversation;
mod cursor;
mod decode;
mod input;
mod malformed;
mod observers;
mod packet;
mod pending;
mod report;
mod skipped;
mod sniff;
mod source;
mod stream;
mod table;
mod tcp;
mod traffic;
mod unsupported;

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use clap::Parser;

use conversation::Context;
use pending::PendingRequest;
use report::Report;

/// The conversations that are explained if there is no FILE.
const BUILT_IN: [(&str, &[u8]); 2] = [
    ("tests/vectors/upload.http", include_bytes!("../../tests/vectors/upload.http")),
    ("tests/vectors/upload-reply.http", include_bytes!("../../tests/vectors/upload-reply.http")),
];

/// Explains captured BITS traffic.
#[derive(Parser)]
#[command(name = "inspect", version)]
struct Arguments {
    /// Print one JSON object per message.
    #[arg(long)]
    json: bool,
    /// Request type for responses without a request in the file.
    #[arg(long, value_name = "REQUEST", value_parser = [
        "ping", "create-session", "fragment", "close-session", "cancel-session", "notification",
    ])]
    ack_for: Option<String>,
    /// Assume that conversations begin with the file, so that packets of a session that was not
    /// created in it are violations.
    #[arg(long)]
    from_start: bool,
    /// Limit on the decompressed length of a file, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    max_decompressed: u32,
    /// Files with HTTP messages, or packet captures; `-` is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        // The reader of the output has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "inspect: standard output: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let context = Context {
        ack_for: arguments.ack_for.as_deref().and_then(PendingRequest::assumed),
        from_start: arguments.from_start,
    };
    let max_decompressed =
        usize::try_from(u64::from(arguments.max_decompressed) << 20).unwrap_or(usize::MAX);
    let (mut has_failures, mut is_unreadable) = (false, false);
    for (file, bytes) in inputs(&arguments.files) {
        let say = |what: &dyn Display| writeln!(io::stderr(), "inspect: {file}: {what}");
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                is_unreadable = true;
                say(&error)?;
                continue;
            }
        };
        let explained = input::explain(&file, &bytes, context, max_decompressed);
        has_failures |= explained.reports.iter().any(Report::is_failure);
        has_failures |= explained.failure.is_some();
        is_unreadable |= explained.damage.is_some();
        print(&file, &explained.reports, arguments.json)?;
        let notes = explained.notes.iter().chain(&explained.failure).chain(&explained.damage);
        notes.into_iter().try_for_each(|it| say(it))?;
    }
    Ok(match (is_unreadable, has_failures) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Returns the inputs, which are read one at a time.
fn inputs(files: &[String]) -> Box<dyn Iterator<Item = (String, io::Result<Vec<u8>>)> + '_> {
    if files.is_empty() {
        return Box::new(
            BUILT_IN.iter().map(|(file, bytes)| (file.to_string(), Ok(bytes.to_vec()))),
        );
    }
    Box::new(files.iter().map(|file| (file.clone(), read(file))))
}

fn read(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file);
    }
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes).map(|_| bytes)
}

fn print(file: &str, reports: &[Report], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return reports.iter().try_for_each(|report| writeln!(out, "{}", report.to_json()));
    }
    writeln!(out, "{file}")?;
    if reports.is_empty() {
        return writeln!(out, "no message\n");
    }
    writeln!(out, "{}\n", table::table(reports))
}
