//! Explains captured BITS traffic.
//!
//! ```sh
//! bits inspect [OPTIONS] FILE…
//! ```
//!
//! Each FILE (`-` is standard input) contains HTTP messages back to back, including bodies, or is a
//! packet capture in pcap or pcapng format, detected by its first bytes. It may be compressed with gzip
//! or zstd. For other formats of captures, the program prints the command that converts them. Without a
//! FILE the program explains two built-in conversations. `docs/INSPECT.md` describes the
//! formats of input and output.
//!
//! Each Ack is parsed for the request before it. In a capture, the TCP connections with HTTP are
//! reassembled and parsed separately. Their messages are listed in the order in which they
//! happened, with the time at which the head was complete. A message with bytes that were not
//! captured is `partial`, with their number. So are bytes before the first recognizable message of a
//! connection that was captured from the middle. Packets without TCP are counted by protocol on standard
//! error; so is skipped data, such as connections without HTTP and IP fragments.
//!
//! Messages and skipped bytes cover each direction of a connection without a gap. Bytes are skipped,
//! and listed with their number and the reason, if they are not HTTP, or follow a message whose end is
//! unknown, such as one with a malformed head. The listing continues with the next message: a start
//! line with a version of HTTP/1, after which a field or the end of the head follows.
//!
//! An observer follows the conversation of each client with each URL, and lists the rules that each
//! message violates. It does not know what happened before the file, so it only reports what is
//! wrong in any case. With `--from-start` it assumes that nothing happened before. If only one
//! direction of a connection was captured, nothing is reported that depends on the other one.
//!
//! A line has as many columns as the terminal, at least 80. If standard output is not a terminal,
//! the variable `COLUMNS` sets the number, or else it is 120. With `--wide` nothing is shortened.
//!
//! # Exit status
//!
//! * 0: all messages are valid, or have deviations that violate no MUST.
//! * 1: a message was rejected, is incomplete, or violates a MUST; or there are unexpected bytes
//!   between messages; or a capture contains no message. `--exit-zero` turns this status into 0.
//! * 2: the usage is wrong, or a file cannot be read. The readable part of a damaged capture is
//!   explained in any case.

pub mod arguments;
pub mod body;
pub mod capture;
pub mod captured;
pub mod compressed;
pub mod conversation;
pub mod conversations;
pub mod counted;
pub mod cursor;
pub mod decode;
pub mod input;
pub mod malformed;
#[cfg(test)]
mod many_connections;
pub mod observers;
pub mod output;
pub mod packet;
pub mod pending;
pub mod report;
pub mod skipped;
pub mod sniff;
pub mod source;
pub mod stream;
pub mod summary;
pub mod target;
pub mod tcp;
pub mod traffic;
pub mod unsupported;
pub mod uploads;

use std::fmt::Display;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::process::ExitCode;

pub use self::arguments::InspectArguments;
use self::conversation::Context;
use self::output::{Options, Printer, terminal_width};
use self::report::Report;

/// The conversations that are explained if there is no FILE.
const BUILT_IN: [(&str, &[u8]); 2] = [
    ("tests/vectors/upload.http", include_bytes!("../../data/upload.http")),
    ("tests/vectors/upload-reply.http", include_bytes!("../../data/upload-reply.http")),
];

/// Runs `bits inspect`.
#[must_use]
pub fn main(arguments: &InspectArguments) -> ExitCode {
    match run(arguments) {
        Ok(code) => code,
        // The reader of the output has closed it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "inspect: standard output: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &InspectArguments) -> io::Result<ExitCode> {
    let context = arguments.context();
    let mut printer = Printer::new(arguments.output());
    let (mut has_failures, mut is_unreadable) = (false, false);
    let mut out = BufWriter::new(io::stdout().lock());
    if arguments.schema {
        printer.schema(&mut out)?;
        return out.flush().map(|()| ExitCode::SUCCESS);
    }
    printer.start(&mut out)?;
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
        let explained = input::explain(&file, &bytes, context, arguments.max_decompressed());
        let is_bad = |report: &Report| report.is_failure() || report.violates_must();
        has_failures |= explained.reports.iter().any(is_bad) || explained.failure.is_some();
        is_unreadable |= explained.damage.is_some();
        printer.file(&mut out, &file, &explained.reports)?;
        out.flush()?;
        let notes = explained.notes.iter().chain(&explained.failure).chain(&explained.damage);
        notes.into_iter().try_for_each(|it| say(it))?;
    }
    printer.finish(&mut out)?;
    out.flush()?;
    Ok(match (is_unreadable, has_failures && !arguments.exit_zero) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Explains a capture with default options. Returns true if no message is malformed or violates a MUST.
///
/// # Errors
///
/// The output cannot be written.
pub fn print(name: &str, capture: &[u8], out: &mut impl io::Write) -> io::Result<bool> {
    let options = Options { width: Some(terminal_width()), ..Options::default() };
    let mut printer = Printer::new(options);
    let explained = input::explain(name, capture, Context::default(), usize::MAX);
    printer.start(out)?;
    printer.file(out, name, &explained.reports)?;
    printer.finish(out)?;
    Ok(!explained.reports.iter().any(Report::violates_must) && explained.failure.is_none())
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
