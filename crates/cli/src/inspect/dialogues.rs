//! The messages of a file by conversation, with the beginnings and ends of their connections.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::inspect::conversation::Ending;
use crate::inspect::report::{Party, Report};
use crate::inspect::uploads::{Effect, Uploads};

/// The messages and events of one conversation, in order.
#[derive(Default)]
pub struct Dialogue<'r> {
    /// Number of the conversation; `None` for messages on a connection without any.
    pub number: Option<usize>,
    pub entries: Vec<Entry<'r>>,
}

/// A message, or an event of a connection.
pub enum Entry<'r> {
    /// The next messages are on this connection, which the conversation did not use before.
    Connection(&'r str),
    Message(Message<'r>),
    Ended(&'r Ending),
}

/// A message and its effect.
pub struct Message<'r> {
    pub report: &'r Report,
    pub effect: Effect,
}

impl<'r> Dialogue<'r> {
    pub fn messages(&self) -> impl Iterator<Item = &Message<'r>> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message),
            Entry::Connection(_) | Entry::Ended(_) => None,
        })
    }

    /// Returns true if the client sent a packet.
    pub fn is_upload(&self) -> bool {
        self.messages().any(|message| message.effect.is_packet)
    }

    /// Returns true if a message was sent to the application, or by it.
    pub fn has_application(&self) -> bool {
        let is_application = |party| party == Party::Application;
        self.messages().any(|message| {
            is_application(message.report.sender()) || is_application(message.report.receiver())
        })
    }
}

/// Returns the conversations of a file in the order of their first messages.
///
/// A message without a conversation, such as an unreadable one, is added to the one before it on its
/// connection, or else to the first one on its connection.
pub fn dialogues<'r>(reports: &'r [Report], endings: &'r [Ending]) -> Vec<Dialogue<'r>> {
    let mut grouping = Grouping::new(reports);
    let mut endings = endings.iter().peekable();
    for report in reports {
        while let Some(ending) = endings.next_if(|ending| ending.index <= report.index) {
            grouping.ended(ending);
        }
        grouping.message(report);
    }
    endings.for_each(|ending| grouping.ended(ending));
    grouping.dialogues
}

#[derive(Default)]
struct Grouping<'r> {
    dialogues: Vec<Dialogue<'r>>,
    by_number: BTreeMap<usize, usize>,
    /// The dialogue of the latest message on each connection, and of those without connections.
    current: HashMap<Option<&'r str>, usize>,
    /// The first conversation on each connection.
    first: HashMap<Option<&'r str>, usize>,
    /// The dialogues and the connections that they used.
    used: HashSet<(usize, &'r str)>,
    uploads: Uploads,
}

impl<'r> Grouping<'r> {
    fn new(reports: &'r [Report]) -> Self {
        let mut first = HashMap::new();
        for report in reports {
            if let Some(number) = report.conversation {
                first.entry(report.connection.as_deref()).or_insert(number);
            }
        }
        Self { first, ..Self::default() }
    }

    fn message(&mut self, report: &'r Report) {
        let connection = report.connection.as_deref();
        let index = self.dialogue_of(report.conversation, connection);
        self.current.insert(connection, index);
        let dialogue = &mut self.dialogues[index];
        if let Some(ends) = connection
            && self.used.insert((index, ends))
        {
            dialogue.entries.push(Entry::Connection(ends));
        }
        let effect = self.uploads.observe(report);
        dialogue.entries.push(Entry::Message(Message { report, effect }));
    }

    /// Returns the index of a dialogue, which is created if necessary.
    fn dialogue_of(&mut self, number: Option<usize>, connection: Option<&'r str>) -> usize {
        let current = || self.current.get(&connection).copied();
        let number = match (number, current()) {
            (None, Some(index)) => return index,
            (None, None) => self.first.get(&connection).copied(),
            (number, _) => number,
        };
        let known = number.and_then(|number| self.by_number.get(&number).copied());
        known.unwrap_or_else(|| {
            let index = self.dialogues.len();
            self.dialogues.push(Dialogue { number, entries: Vec::new() });
            if let Some(number) = number {
                self.by_number.insert(number, index);
            }
            index
        })
    }

    fn ended(&mut self, ending: &'r Ending) {
        if let Some(index) = self.current.get(&Some(ending.connection.as_str())) {
            self.dialogues[*index].entries.push(Entry::Ended(ending));
        }
    }
}
