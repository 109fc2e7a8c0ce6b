//! The section of one conversation: title, sessions, plot, and ladder diagram.

use std::collections::{BTreeSet, HashMap, HashSet};

use bits_proto::observer::Severity;
use maud::{Markup, html};

use super::ladder::ladder;
use super::message::Details;
use super::plot::plot;
use super::selection::Chosen;
use super::visible_up_to;
use crate::inspect::counted::counted;
use crate::inspect::dialogues::Dialogue;
use crate::inspect::output::clock::relative;
use crate::inspect::output::shorten::{printable, shorten_path};
use crate::inspect::output::text::connections;
use crate::inspect::report::{Report, StartLine};
use crate::inspect::source::Time;

/// Names of the messages and connections of one input.
pub struct Labels<'r> {
    /// Number of the input in the page.
    input: usize,
    connections: HashMap<&'r str, usize>,
    /// Time of the first message.
    pub start: Option<Time>,
}

impl<'r> Labels<'r> {
    pub fn new(input: usize, reports: &'r [Report]) -> Self {
        let start = reports.iter().find_map(|report| report.time);
        Self { input, connections: connections(reports), start }
    }

    /// Returns the id of the details of a message.
    pub fn id(&self, message: usize) -> String {
        format!("f{}-m{message}", self.input)
    }

    /// Returns the seconds after the first message.
    pub fn time(&self, time: Option<Time>) -> Option<String> {
        self.start.zip(time).map(|(start, time)| relative(time, start, 3))
    }

    /// Returns the number of a connection, as in text.
    pub fn connection(&self, ends: &str) -> String {
        self.connections.get(ends).map(usize::to_string).unwrap_or_default()
    }

    fn conversation_id(&self, dialogue: &Dialogue<'_>) -> String {
        let first = dialogue.messages().next().map_or(0, |message| message.report.index);
        format!("f{}-c{first}", self.input)
    }
}

/// Lists the conversations.
pub fn overview(labels: &Labels<'_>, chosen: &[Chosen<'_, '_>]) -> Markup {
    html! {
        h3 { "Conversations" }
        div.scroll tabindex="0" { table.overview {
            thead { tr {
                @for title in ["conversation", "client", "server", "messages", "violations"] {
                    th scope="col" { (title) }
                }
            } }
            tbody { @for chosen in chosen {
                @let dialogue = chosen.dialogue;
                @let [client, server] = ends(dialogue);
                tr {
                    td { a href=(format!("#{}", labels.conversation_id(dialogue))) { bdi { (title(dialogue)) } } }
                    td { (client) }
                    td { (server) }
                    td.number { (dialogue.messages().count()) }
                    td.number { (violations(dialogue)) }
                }
            } }
        } }
    }
}

/// Returns the section of a conversation.
pub fn conversation(labels: &Labels<'_>, chosen: &Chosen<'_, '_>, details: &Details) -> Markup {
    let dialogue = chosen.dialogue;
    let sessions = sessions(dialogue);
    html! {
        section.conversation id=(labels.conversation_id(dialogue)) {
            h3 { bdi { (title(dialogue)) } }
            p.note {
                (counted(dialogue.messages().count() as u64, "message")) ", " (violations(dialogue))
                @if sessions.len() == 1 { ", session " } @else if !sessions.is_empty() { ", sessions " }
                @for (index, session) in sessions.iter().take(MAX_SESSIONS).enumerate() {
                    @if index > 0 { ", " } code { (visible_up_to(session, MAX_NAME)) }
                }
                @if sessions.len() > MAX_SESSIONS { " and " (sessions.len() - MAX_SESSIONS) " more" }
            }
            @if let Some(plot) = plot(labels, dialogue) { (plot) }
            (ladder(labels, chosen, details))
        }
    }
}

/// Maximum number of session ids of a conversation.
const MAX_SESSIONS: usize = 5;
/// Maximum number of columns of a session id, or of a URL in a title.
const MAX_NAME: usize = 80;

/// Returns the purpose and the URL of a conversation.
fn title(dialogue: &Dialogue<'_>) -> String {
    let requests = || dialogue.messages().map(|it| it.report);
    let target = requests().find_map(|report| match &report.start_line {
        StartLine::Request { target, .. } => Some(shorten_path(&printable(target), MAX_NAME)),
        _ => None,
    });
    let target = visible_up_to(&target.unwrap_or_default(), MAX_NAME);
    let name = match dialogue.number {
        Some(number) => format!("Conversation {number}"),
        None => return "Messages without a conversation".into(),
    };
    let has = |kind| requests().any(|report| report.kind == kind);
    match dialogue.is_upload() {
        true => format!("{name}: upload to {target}"),
        false if has("download") => format!("{name}: download of {target}"),
        false if has("notification-request") => format!("{name}: notification to {target}"),
        false => format!("{name}: {target}"),
    }
}

/// Returns the addresses of the client and of the server, if the input has connections.
pub fn ends(dialogue: &Dialogue<'_>) -> [String; 2] {
    let connections = || dialogue.messages().filter_map(|it| it.report.connection.as_deref());
    let pairs = || connections().filter_map(|ends| ends.split_once(" > "));
    // A number follows if the pair of ports was used before.
    let servers = pairs().filter_map(|(_, server)| server.split(' ').next());
    [common(pairs().map(|(client, _)| client)), common(servers)]
}

/// Returns the address and port if all are equal, the address if only the ports differ, or else their
/// number.
fn common<'e>(ends: impl Iterator<Item = &'e str>) -> String {
    let ends: BTreeSet<_> = ends.collect();
    let hosts: BTreeSet<_> =
        ends.iter().filter_map(|end| end.rsplit_once(':')).map(|it| it.0).collect();
    match (ends.first(), hosts.first()) {
        (Some(end), _) if ends.len() == 1 => (*end).into(),
        (_, Some(host)) if hosts.len() == 1 => (*host).into(),
        (None, _) => String::new(),
        _ => format!("{} addresses", hosts.len()),
    }
}

fn violations(dialogue: &Dialogue<'_>) -> String {
    let violations = dialogue.messages().map(|message| message.report.violations.len());
    match violations.sum::<usize>() {
        0 => "no violations".into(),
        count => counted(count as u64, "violation"),
    }
}

/// Returns the ids of the sessions, in the order of their first messages.
fn sessions<'r>(dialogue: &Dialogue<'r>) -> Vec<&'r str> {
    let ids = dialogue.messages().map(|message| message.report.text("session_id"));
    let mut seen = HashSet::new();
    ids.filter(|id| !id.is_empty() && seen.insert(*id)).collect()
}

pub fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Must => "must",
        Severity::Should => "should",
        _ => "suspicious",
    }
}
