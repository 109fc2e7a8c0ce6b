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
//! With `--html PAGE` the program also writes a page for browsers, with a ladder diagram of each
//! conversation.
//!
//! A line has as many columns as the terminal, at least 80. If standard output is not a terminal,
//! the variable `COLUMNS` sets the number, or else it is 120. With `--wide` nothing is shortened.
//!
//! # Exit status
//!
//! * 0: all messages are valid, or have deviations that violate no MUST.
//! * 1: a message was rejected, is incomplete, or violates a MUST; or there are unexpected bytes
//!   between messages; or a capture contains no message. `--exit-zero` turns this status into 0.
//! * 2: the usage is wrong, or a file cannot be read or written. The readable part of a damaged capture is
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
pub mod dialogues;
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
use self::output::html::{self, Page};
use self::output::stdout::UntilClosed;
use self::output::{Options, Printer, terminal_width};
use self::report::Report;
use self::summary::Summary;

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
    let mut page = arguments.html.as_ref().map(|_| Page::new(arguments.files.len()));
    let (mut has_failures, mut is_unreadable) = (false, false);
    let mut out = BufWriter::new(standard_output(arguments));
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
                page.iter_mut().for_each(|page| page.add_unreadable(&file, &error.to_string()));
                continue;
            }
        };
        let explained = input::explain(&file, &bytes, context, arguments.max_decompressed());
        let is_bad = |report: &Report| report.is_failure() || report.violates_must();
        has_failures |= explained.reports.iter().any(is_bad) || explained.failure.is_some();
        is_unreadable |= explained.damage.is_some();
        let summary = Summary::of(&explained.reports);
        if !arguments.prints_page() {
            printer.file(&mut out, &file, &explained.reports, &summary)?;
        }
        page.iter_mut().for_each(|page| page.add(&file, &explained, &summary));
        out.flush()?;
        let notes = explained.notes.iter().chain(&explained.failure).chain(&explained.damage);
        notes.into_iter().try_for_each(|it| say(it))?;
    }
    printer.finish(&mut out)?;
    out.flush()?;
    let is_written = page.is_none_or(|page| write_page(arguments, &page));
    Ok(match (is_unreadable || !is_written, has_failures && !arguments.exit_zero) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::FAILURE,
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Returns the writer for text and JSON.
fn standard_output(arguments: &InspectArguments) -> Box<dyn io::Write> {
    match arguments.html {
        Some(_) if arguments.prints_page() => Box::new(io::sink()),
        Some(_) => Box::new(UntilClosed::new(io::stdout().lock())),
        None => Box::new(io::stdout().lock()),
    }
}

/// Writes a page to its file or to standard output. Returns false after an error, which it prints.
fn write_page(arguments: &InspectArguments, page: &Page) -> bool {
    let Some(path) = &arguments.html else { return true };
    let written = match arguments.prints_page() {
        true => UntilClosed::new(io::stdout().lock()).write_all(page.finish().as_bytes()),
        false => html::write(path, &page.finish()),
    };
    if let Err(error) = &written {
        let path = path.display();
        let _ = writeln!(io::stderr(), "inspect: {path}: cannot write the page: {error}");
    }
    written.is_ok()
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
    printer.file(out, name, &explained.reports, &Summary::of(&explained.reports))?;
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
