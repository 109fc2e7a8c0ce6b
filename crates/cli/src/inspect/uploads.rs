//! Follows the sessions of all conversations, to count their bytes, retries and results.

use std::collections::BTreeMap;
use std::ops::Range;

use bits_proto::field::SessionId;
use bits_proto::message::Failure;

use crate::inspect::report::{Report, Verdict};
use crate::inspect::summary::{Sessions, Transfer};

#[derive(Default)]
pub struct Uploads {
    conversations: BTreeMap<usize, Conversation>,
    transfer: Transfer,
    sessions: Sessions,
}

/// The sessions between one client and one URL.
#[derive(Default)]
struct Conversation {
    sessions: Vec<Session>,
    /// The last packet, until its response.
    pending: Option<Packet>,
    /// Kind of the last packet, unless it was successful.
    unsuccessful: Option<&'static str>,
}

/// Effect of a message on its transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// True for a packet of a client.
    pub is_packet: bool,
    /// True if a packet was sent before.
    pub is_repeated: bool,
    /// The bytes of the entity in a fragment, as far as they were sent.
    pub sent: Option<Range<u64>>,
    /// Position up to which the server has the entity, according to its response.
    pub acknowledged: Option<u64>,
    /// The bytes of the entity in the response to a download, as far as they were sent.
    pub delivered: Option<Range<u64>>,
}

struct Packet {
    kind: &'static str,
    /// Index of the session.
    session: Option<usize>,
    /// Position after the last byte of a fragment.
    end: Option<u64>,
}

struct Session {
    id: String,
    state: State,
    /// Offset of the first fragment in the file.
    start: Option<u64>,
    /// Position after the last byte in any fragment.
    sent: u64,
    /// Position after the last acknowledged byte.
    acknowledged: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Cancelled,
    Lost,
}

const PACKETS: [&str; 5] =
    ["create-session", "ping", "fragment", "close-session", "cancel-session"];

impl Uploads {
    /// Observes a message. Returns its effect.
    pub fn observe(&mut self, report: &Report) -> Effect {
        let Some(number) = report.conversation else { return Effect::default() };
        let conversation = self.conversations.entry(number).or_default();
        if PACKETS.contains(&report.kind) {
            return conversation.request(report, &mut self.transfer);
        }
        let acknowledged = match report.kind {
            "ack" => conversation.response(report, &mut self.transfer, &mut self.sessions),
            _ => None,
        };
        Effect { acknowledged, delivered: delivered(report), ..Effect::default() }
    }

    /// Returns the counts after the last message.
    pub fn finish(mut self) -> (Transfer, Sessions) {
        let all = self.conversations.values().flat_map(|it| &it.sessions);
        for session in all {
            let acknowledged = session.acknowledged.saturating_sub(session.start.unwrap_or(0));
            self.transfer.acknowledged = self.transfer.acknowledged.saturating_add(acknowledged);
            let count = match session.state {
                State::Open => &mut self.sessions.open,
                State::Closed => &mut self.sessions.closed,
                State::Cancelled => &mut self.sessions.cancelled,
                State::Lost => &mut self.sessions.lost,
            };
            *count += 1;
        }
        (self.transfer, self.sessions)
    }
}

impl Conversation {
    fn request(&mut self, report: &Report, transfer: &mut Transfer) -> Effect {
        let effect = Effect { is_packet: true, ..Effect::default() };
        if report.is_authentication {
            // The client sends the fragment again, with its bytes.
            self.pending = None;
            return effect;
        }
        let session = match report.text("session_id") {
            "" => None,
            id => Some(self.session(id)),
        };
        let fragment = range(report).filter(|_| report.kind == "fragment");
        let is_repeated = match (fragment, session) {
            (Some((first, end)), Some(session)) => self.sessions[session].send(first, end),
            _ => self.unsuccessful == Some(report.kind),
        };
        transfer.retries += u64::from(is_repeated);
        transfer.fragments += u64::from(report.kind == "fragment");
        let length = fragment.map_or(0, |(first, end)| end.saturating_sub(first));
        let length = sent(report, length);
        transfer.sent = transfer.sent.saturating_add(length);
        let sent = fragment.map(|(first, _)| first..first.saturating_add(length));
        self.pending = Some(Packet { kind: report.kind, session, end: fragment.map(|it| it.1) });
        self.unsuccessful = Some(report.kind);
        Effect { is_repeated, sent, ..effect }
    }

    /// Handles a response. Returns the position up to which the server has the entity.
    fn response(
        &mut self,
        report: &Report,
        transfer: &mut Transfer,
        sessions: &mut Sessions,
    ) -> Option<u64> {
        let packet = self.pending.take()?;
        let session = packet.session.and_then(|session| self.sessions.get_mut(session));
        match (report.verdict, report.failure) {
            (_, Some(Failure::Resynchronise)) => {
                transfer.resynchronisations += 1;
                return report.number("received");
            }
            (_, Some(Failure::StartOver)) => {
                let open = session.filter(|session| session.state == State::Open);
                open.into_iter().for_each(|session| session.state = State::Lost);
            }
            (Verdict::Ok | Verdict::Deviates, None) => {
                self.unsuccessful = None;
                match (packet.kind, session) {
                    ("create-session", _) => {
                        sessions.created += 1;
                        self.sessions.push(Session::new(report.text("session_id"), Some(0)));
                        return Some(0);
                    }
                    ("fragment", Some(session)) => {
                        let received = report.number("received").or(packet.end).unwrap_or(0);
                        session.acknowledged = session.acknowledged.max(received);
                        return Some(received);
                    }
                    ("close-session", Some(session)) => session.state = State::Closed,
                    ("cancel-session", Some(session)) => session.state = State::Cancelled,
                    _ => {}
                }
            }
            _ => {}
        }
        None
    }

    /// Returns the index of a session, which is added if its creation was not captured.
    fn session(&mut self, id: &str) -> usize {
        let is_named = |session: &Session| {
            let ids =
                SessionId::try_from(session.id.as_str()).ok().zip(SessionId::try_from(id).ok());
            ids.is_some_and(|(known, named)| known == named)
        };
        self.sessions.iter().rposition(is_named).unwrap_or_else(|| {
            self.sessions.push(Session::new(id, None));
            self.sessions.len() - 1
        })
    }
}

impl Session {
    fn new(id: &str, start: Option<u64>) -> Self {
        Self { id: id.into(), state: State::Open, start, sent: 0, acknowledged: 0 }
    }

    /// Records a fragment. Returns whether its first byte was sent before.
    fn send(&mut self, first: u64, end: u64) -> bool {
        self.start.get_or_insert(first);
        let is_retry = first < self.sent;
        self.sent = self.sent.max(end);
        is_retry
    }
}

/// Returns the number of bytes that were sent of a fragment with this length.
fn sent(report: &Report, length: u64) -> u64 {
    let is_known = report.unsent > 0 || report.missing.is_some_and(|missing| missing > 0);
    match report.verdict {
        // The file ends inside the message.
        Verdict::Partial if !is_known => 0,
        _ => length.saturating_sub(report.unsent),
    }
}

/// Returns the first byte of a fragment and the position after its last one.
fn range(report: &Report) -> Option<(u64, u64)> {
    let (first, last) = report.number("first").zip(report.number("last"))?;
    Some((first, last.saturating_add(1)))
}

/// Returns the bytes of the entity that the response to a download contains.
fn delivered(report: &Report) -> Option<Range<u64>> {
    if report.kind != "download" || report.is_request() || report.body_length == 0 {
        return None;
    }
    let whole = || report.number("content_length").filter(|_| report.status() == Some(200));
    let (first, end) = range(report).or_else(|| whole().map(|length| (0, length)))?;
    let length = end.saturating_sub(first).min(report.body_length);
    Some(first..first.saturating_add(length))
}
