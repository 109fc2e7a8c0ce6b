//! What happened, for people.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use bits_proto::field::ContentRange;
use indicatif::HumanBytes;

use crate::observe::WireObserver;

/// How many exchanges are shown at either end of a long conversation.
const SHOWN: usize = 12;

/// A request, what came of it, and where the upload stands since.
pub struct Entry {
    pub request: &'static str,
    pub range: Option<ContentRange>,
    pub answer: String,
    /// How many bytes the server holds, as far as the client knows.
    pub held: u64,
    /// What the network did.
    pub remark: String,
}

/// A conversation: its ends, and counts of all of it.
#[derive(Default)]
pub struct Journal {
    first: Vec<Entry>,
    last: VecDeque<Entry>,
    pub messages: usize,
    /// Requests that were sent again after a failure.
    pub retries: u64,
    /// Times that the upload took the server's word for where to go on.
    pub resumptions: u64,
    /// Times that the client was killed and started again.
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

/// A transfer that came to its end.
pub struct Outcome {
    /// The file; `None` for bytes that were made up.
    pub entity: Option<String>,
    pub length: u64,
    pub fragment_size: u64,
    pub journal: Journal,
    pub watch: WireObserver,
    pub server_restarts: u64,
    /// Bytes that came to the server although it held them.
    pub held: u64,
    /// The SHA-256 of both ends.
    pub sent: String,
    pub received: String,
    /// Where one was asked for: the reply, if there is one, and whether it is right.
    pub reply: Option<Option<bool>>,
    pub took: Duration,
}

impl Outcome {
    pub fn is_right(&self) -> bool {
        let is_reply_right = match self.reply {
            None => true,
            Some(None) => self.length == 0,
            Some(Some(is_right)) => is_right,
        };
        self.sent == self.received && is_reply_right && self.watch.broken.is_empty()
    }

    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { length, fragment_size, journal, sent, received, .. } = self;
        let entity = self.entity.as_deref().unwrap_or("made-up bytes");
        writeln!(out, "{entity}: {length} bytes in fragments of {fragment_size}\n")?;
        journal.print(out)?;
        writeln!(out, "messages     {}", journal.messages)?;
        writeln!(out, "retries      {}", journal.retries)?;
        writeln!(out, "resumptions  {}", journal.resumptions)?;
        writeln!(out, "restarts     server {}, client {}", self.server_restarts, journal.restarts)?;
        writeln!(out, "sent twice   {} bytes, stored once", self.held)?;
        self.watch.print(out)?;
        writeln!(out, "speed        {}", self.speed())?;
        writeln!(out, "sent         sha256 {sent}")?;
        writeln!(out, "received     sha256 {received}")?;
        match self.reply {
            None => {}
            Some(None) if *length == 0 => {
                writeln!(out, "reply        none: it comes with a fragment, and there was none")?;
            }
            Some(None) => writeln!(out, "reply        none")?,
            Some(Some(true)) => writeln!(out, "reply        right")?,
            Some(Some(false)) => writeln!(out, "reply        WRONG")?,
        }
        writeln!(out, "{}", if sent == received { "the same at both ends" } else { "DIFFERENT" })
    }

    fn speed(&self) -> String {
        let seconds = self.took.as_secs_f64();
        let speed = HumanBytes((self.length as f64 / seconds) as u64);
        format!("{speed}/s, {} in {seconds:.3} s", HumanBytes(self.length))
    }
}

const HEADER: Row<'_> =
    Row { request: "request", range: "range", answer: "answer", held: "server holds", remark: "" };

/// The columns.
struct Row<'r> {
    request: &'r str,
    range: &'r str,
    answer: &'r str,
    held: &'r str,
    remark: &'r str,
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, range, answer, held, remark } = self;
        let line = format!("{request:14} {range:31} {answer:23} {held:>12}  {remark}");
        f.write_str(line.trim_end())
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            |range: ContentRange| format!("{}-{}/{}", range.first(), range.last(), range.total());
        let range = self.range.map(text).unwrap_or_default();
        let (answer, held) = (&self.answer, &self.held.to_string());
        Row { request: self.request, range: &range, answer, held, remark: &self.remark }.fmt(f)
    }
}
