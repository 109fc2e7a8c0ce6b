//! Says what captured BITS traffic means.
//!
//! ```sh
//! cargo run --example inspect -- [--json] [--ack-for REQUEST] FILE…
//! ```
//!
//! Each FILE (`-` is standard input) holds HTTP messages back to back, bodies included. Where
//! requests and responses are interleaved, each Ack is read for the request before it. Without a
//! FILE it explains two conversations of its own. Exit status: 0 when nothing was rejected or cut
//! short, 1 otherwise, 2 for bad usage or a file that cannot be read.

#[path = "inspect/asked.rs"]
mod asked;
#[path = "inspect/conversation.rs"]
mod conversation;
#[path = "inspect/reading.rs"]
mod reading;
#[path = "inspect/report.rs"]
mod report;
#[path = "inspect/source.rs"]
#[allow(dead_code, reason = "a plain file loses nothing and ends nothing")]
mod source;
#[path = "inspect/start.rs"]
mod start;
#[path = "inspect/table.rs"]
mod table;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use clap::Parser;

use asked::Asked;
use conversation::explain;
use report::Report;

/// The conversations that a newcomer sees first.
const OWN: [(&str, &[u8]); 2] = [
    ("tests/vectors/upload.http", include_bytes!("../tests/vectors/upload.http")),
    ("tests/vectors/upload-reply.http", include_bytes!("../tests/vectors/upload-reply.http")),
];

/// Says what captured BITS traffic means.
#[derive(Parser)]
#[command(name = "inspect", version)]
struct Arguments {
    /// Print one JSON object a message.
    #[arg(long)]
    json: bool,
    /// What a response answers that stands alone in its file.
    #[arg(long, value_name = "REQUEST", value_parser = [
        "ping", "create-session", "fragment", "close-session", "cancel-session", "notification",
    ])]
    ack_for: Option<String>,
    /// Files of HTTP messages; `-` is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => code,
        // Whoever reads the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "inspect: standard output: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let alone = arguments.ack_for.as_deref().and_then(Asked::alone);
    let (mut is_trouble, mut is_unreadable) = (false, false);
    for (file, bytes) in inputs(&arguments.files) {
        match bytes {
            Ok(bytes) => {
                let reports = explain(&file, &bytes, alone);
                is_trouble |= reports.iter().any(Report::is_trouble);
                print(&file, &reports, arguments.json)?;
            }
            Err(error) => {
                is_unreadable = true;
                writeln!(io::stderr(), "inspect: {file}: {error}")?;
            }
        }
    }
    Ok(match (is_unreadable, is_trouble) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// The inputs, read one at a time.
fn inputs(files: &[String]) -> Box<dyn Iterator<Item = (String, io::Result<Vec<u8>>)> + '_> {
    if files.is_empty() {
        return Box::new(OWN.iter().map(|(file, bytes)| (file.to_string(), Ok(bytes.to_vec()))));
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
