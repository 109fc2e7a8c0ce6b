//! Says what captured BITS traffic means.
//!
//! ```sh
//! cargo run --example inspect -- [--json] [--from-start] [--ack-for REQUEST] FILE…
//! ```
//!
//! Each FILE (`-` is standard input) holds HTTP messages back to back, bodies included, or is a
//! capture of packets: pcap or pcapng, which its first bytes tell. Without a FILE it explains two
//! conversations of its own.
//!
//! Where requests and responses are interleaved, each Ack is read for the request before it. Of a
//! capture, the TCP connections that speak HTTP are put together and read each for itself; their
//! messages come in the order in which they happened, each at the time at which its head was
//! complete. A message of which bytes were not captured is `partial`, and says how many; so is what
//! stands before the first message that can be told in a connection. What is passed over, such as
//! connections without HTTP and fragments of IP packets, is counted on standard error.
//!
//! An observer watches what each client says to each URL, and each message comes with the rules it
//! breaks. It has not seen what went before the file, and holds nothing against anybody that may
//! have been right then; with `--from-start` nothing went before.
//!
//! Exit status: 0 when nothing was rejected or cut short, 1 otherwise, 2 for bad usage or a file
//! that cannot be read; what could be read of a damaged capture is explained all the same.

mod capture;
mod captured;
mod conversation;
mod cursor;
mod decode;
mod observers;
mod packet;
mod pending;
mod report;
mod sniff;
mod source;
mod stream;
mod table;
mod tcp;
mod traffic;

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use clap::Parser;

use captured::Explained;
use conversation::Circumstances;
use pending::PendingRequest;
use report::Report;

/// The conversations that a newcomer sees first.
const OWN: [(&str, &[u8]); 2] = [
    ("tests/vectors/upload.http", include_bytes!("../../tests/vectors/upload.http")),
    ("tests/vectors/upload-reply.http", include_bytes!("../../tests/vectors/upload-reply.http")),
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
    /// Conversations begin with the file: a packet whose session was not created in it is wrong.
    #[arg(long)]
    from_start: bool,
    /// Files of HTTP messages, or captures of packets; `-` is standard input.
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
    let circumstances = Circumstances {
        alone: arguments.ack_for.as_deref().and_then(PendingRequest::alone),
        from_start: arguments.from_start,
    };
    let (mut is_trouble, mut is_unreadable) = (false, false);
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
        let explained = explain(&file, &bytes, circumstances);
        is_trouble |= explained.reports.iter().any(Report::is_trouble);
        is_unreadable |= explained.damage.is_some();
        print(&file, &explained.reports, arguments.json)?;
        explained.notes.iter().chain(&explained.damage).try_for_each(|it| say(it))?;
    }
    Ok(match (is_unreadable, is_trouble) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

fn explain(file: &str, bytes: &[u8], circumstances: Circumstances) -> Explained {
    if capture::is_capture(bytes) {
        return captured::explain(file, bytes, circumstances);
    }
    let reports = conversation::explain(file, bytes, circumstances);
    Explained { reports, notes: Vec::new(), damage: None }
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
