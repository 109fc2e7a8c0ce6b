//! The report of a transfer.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use bits_proto::field::ContentRange;
use indicatif::HumanBytes;

use crate::observe::WireObserver;

/// Number of exchanges to print at the beginning and at the end of a long conversation.
const SHOWN: usize = 12;

/// An exchange.
pub struct Entry {
    pub request: &'static str,
    pub range: Option<ContentRange>,
    /// Status of the response, or the failure.
    pub outcome: String,
    /// Number of acknowledged bytes after the exchange.
    pub received: u64,
    /// Description of the simulated fault.
    pub remark: String,
}

/// The first and last exchanges of a conversation, and its counters.
#[derive(Default)]
pub struct Journal {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    pub messages: usize,
    /// Number of requests that were repeated after a failure.
    pub retries: u64,
    /// Number of times that the upload continued at an offset from the server.
    pub resumptions: u64,
    /// Number of restarts of the client.
    pub restarts: u64,
}

impl Journal {
    pub fn note(&mut self, entry: Entry) {
        self.messages += 1;
        if self.first.len() < SHOWN {
            return self.first.push(entry);
        }
        self.last.push_back(entry);
        if self.last.len() > SHOWN {
            self.last.pop_front();
        }
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "   # {HEADER}")?;
        for (index, entry) in self.first.iter().enumerate() {
            writeln!(out, "{:4} {entry}", index + 1)?;
        }
        let left_out = self.messages - self.first.len() - self.last.len();
        if left_out > 0 {
            writeln!(out, "   … {left_out} more")?;
        }
        for (index, entry) in self.last.iter().enumerate() {
            writeln!(out, "{:4} {entry}", self.first.len() + left_out + index + 1)?;
        }
        writeln!(out)
    }
}

/// A completed transfer.
pub struct Outcome {
    /// Path of the file; `None` for generated data.
    pub entity: Option<String>,
    pub length: u64,
    pub fragment_size: u64,
    pub journal: Journal,
    pub observer: WireObserver,
    pub server_restarts: u64,
    /// Number of bytes that the server received more than once.
    pub resent: u64,
    /// SHA-256 of the sent bytes.
    pub sent: String,
    /// SHA-256 of the received bytes.
    pub received: String,
    /// `None` without `--reply`, otherwise whether the reply is correct, if there is one.
    pub reply: Option<Option<bool>>,
    pub took: Duration,
}

impl Outcome {
    pub fn is_correct(&self) -> bool {
        let is_reply_correct = match self.reply {
            None => true,
            Some(None) => self.length == 0,
            Some(Some(is_correct)) => is_correct,
        };
        self.sent == self.received && is_reply_correct && self.observer.violations.is_empty()
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { length, fragment_size, journal, sent, received, .. } = self;
        let entity = self.entity.as_deref().unwrap_or("generated data");
        writeln!(out, "{entity}: {length} bytes in fragments of {fragment_size}\n")?;
        journal.print(out)?;
        writeln!(out, "messages     {}", journal.messages)?;
        writeln!(out, "retries      {}", journal.retries)?;
        writeln!(out, "resumptions  {}", journal.resumptions)?;
        writeln!(out, "restarts     server {}, client {}", self.server_restarts, journal.restarts)?;
        writeln!(out, "sent twice   {} bytes, stored once", self.resent)?;
        self.observer.print(out)?;
        writeln!(out, "speed        {}", self.speed())?;
        writeln!(out, "sent         sha256 {sent}")?;
        writeln!(out, "received     sha256 {received}")?;
        match self.reply {
            None => {}
            Some(None) if *length == 0 => {
                writeln!(out, "reply        none, since an empty entity has no fragment")?;
            }
            Some(None) => writeln!(out, "reply        none")?,
            Some(Some(true)) => writeln!(out, "reply        correct")?,
            Some(Some(false)) => writeln!(out, "reply        WRONG")?,
        }
        let result = if sent == received { "are identical" } else { "DIFFER" };
        writeln!(out, "sent and received bytes {result}")
    }

    fn speed(&self) -> String {
        let seconds = self.took.as_secs_f64();
        let speed = HumanBytes((self.length as f64 / seconds) as u64);
        format!("{speed}/s, {} in {seconds:.3} s", HumanBytes(self.length))
    }
}

const HEADER: Row<'_> = Row {
    request: "request",
    range: "range",
    outcome: "response",
    received: "received",
    remark: "",
};

/// A row of the table of exchanges.
struct Row<'r> {
    request: &'r str,
    range: &'r str,
    outcome: &'r str,
    received: &'r str,
    remark: &'r str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, range, outcome, received, remark } = self;
        let line = format!("{request:14} {range:31} {outcome:35} {received:>12}  {remark}");
        f.write_str(line.trim_end())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |range: ContentRange| format!("{}-{}/{}", range.first(), range.last(), range.total());
        let range = self.range.map(text).unwrap_or_default();
        let (outcome, received) = (&self.outcome, &self.received.to_string());
        Row { request: self.request, range: &range, outcome, received, remark: &self.remark }.fmt(f)
    }
}
