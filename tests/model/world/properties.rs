//! The properties that hold in every state, and the events that must occur for them to be meaningful.

use bits_proto::client::State;
use bits_proto::server::CommitAt;
use stateright::Property;

use super::host::Book;
use super::wire::session_of;
use super::{Checked, World};

/// Rules that are checked during actions. Each state remembers the rules that were broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Bytes reported as stored are not stored again.
    StoredOnce,
    /// A byte is stored at its own offset.
    InPlace,
    /// A byte is stored directly after the bytes before it.
    NoHole,
    /// Acknowledged bytes are stored.
    Stored,
    /// Only a complete entity is moved to the destination.
    Whole,
    /// An entity reported as committed is not committed again.
    PlacedOnce,
    /// An entity reported as committed is not deleted.
    PlacedForGood,
    /// An application whose acceptance was reported is not notified again.
    NotifiedOnce,
    /// Every request is answered.
    Answered,
    /// No report is accepted for an answered request.
    AnsweredOnce,
    /// An ended session is not found, and an expired one accepts nothing.
    StaysEnded,
    /// The reply exists as long as its session.
    ReplyKept,
    /// The state machines accept the reports that they requested, and no others.
    Taken,
}

/// Events that must occur in some state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    StartedOver,
    OutOfSync,
    Doubled,
    ArrivedLate,
    TakenOver,
    ReportedTooLate,
    AcceptedTooLate,
    Trimmed,
    StoredInPart,
    CrashedInCommit,
    CrashedAtWork,
    ClientCrashed,
    Hung,
    Expired,
    Swept,
    EntityLost,
    Failed,
    Challenged,
    Garbled,
    Paused,
    Resumed,
    Fetched,
}

type Checks = Vec<Property<Checked>>;

pub fn all() -> Checks {
    let mut all = rules();
    all.extend(invariants());
    all.extend(coverage());
    all
}

/// Names of the rules that tests expect to be broken.
pub const STORED_ONCE: &str = "no byte is stored twice";
pub const IN_PLACE: &str = "every byte is stored at its offset";
pub const STORED: &str = "acknowledged bytes are stored";
pub const WHOLE: &str = "only complete entities are committed";
pub const NOTIFIED_ONCE: &str = "the application is notified once";
pub const NOT_AHEAD: &str = "the client relies on acknowledged bytes only";
pub const NO_GAPS: &str = "an entity has no gaps";
pub const COMMITTED_ONCE: &str = "an entity is committed once";
pub const NOT_DISCARDED: &str = "a committed entity is not discarded";
pub const ANSWERED: &str = "every request is answered";
pub const ANSWERED_ONCE: &str = "no request is answered twice";
pub const STAYS_ENDED: &str = "an ended session is not served";
pub const REPLY_KEPT: &str = "a reply is kept as long as its session";
pub const REPORTS: &str = "the state machines accept requested reports only";
pub const REMEMBERED: &str = "acknowledged bytes are remembered";
pub const COMMITTED: &str = "a finished upload is committed";
pub const UPLOADED_ONCE: &str = "an upload is committed once";
pub const NOT_EARLY: &str = "no entity is committed before its session is closed";
pub const CLEAN: &str = "an ended session leaves no data";
pub const ENDS: &str = "every upload ends when no more faults occur";

fn rules() -> Checks {
    vec![
        Property::always(STORED_ONCE, |_, it: &World| it.keeps(Rule::StoredOnce)),
        Property::always(IN_PLACE, |_, it: &World| it.keeps(Rule::InPlace)),
        Property::always(NO_GAPS, |_, it: &World| it.keeps(Rule::NoHole)),
        Property::always(STORED, |_, it: &World| it.keeps(Rule::Stored)),
        Property::always(WHOLE, |_, it: &World| it.keeps(Rule::Whole)),
        Property::always(COMMITTED_ONCE, |_, it: &World| it.keeps(Rule::PlacedOnce)),
        Property::always(NOT_DISCARDED, |_, it: &World| it.keeps(Rule::PlacedForGood)),
        Property::always(NOTIFIED_ONCE, |_, it: &World| it.keeps(Rule::NotifiedOnce)),
        Property::always(ANSWERED, |_, it: &World| it.keeps(Rule::Answered)),
        Property::always(ANSWERED_ONCE, |_, it: &World| it.keeps(Rule::AnsweredOnce)),
        Property::always(STAYS_ENDED, |_, it: &World| it.keeps(Rule::StaysEnded)),
        Property::always(REPLY_KEPT, |_, it: &World| it.keeps(Rule::ReplyKept)),
        Property::always(REPORTS, |_, it: &World| it.keeps(Rule::Taken)),
    ]
}

fn invariants() -> Checks {
    vec![
        Property::always(NOT_AHEAD, |_, it: &World| it.is_client_not_ahead()),
        Property::always(REMEMBERED, |_, it: &World| it.remembers_acknowledged_bytes()),
        Property::always(COMMITTED, |_, it: &World| {
            it.upload.state() != State::Finished || it.is_committed_or_undetectable()
        }),
        Property::always(UPLOADED_ONCE, |_, it: &World| it.is_committed_once()),
        Property::always(NOT_EARLY, |checked: &Checked, it: &World| {
            checked.config.commit_at == CommitAt::LastFragment
                || it.host.books.iter().all(Book::is_closed_if_placed)
        }),
        Property::always(CLEAN, |_, it: &World| it.host.books.iter().all(Book::is_clean_if_ended)),
        Property::always(ENDS, |checked: &Checked, it: &World| checked.ends(it)),
    ]
}

pub fn coverage() -> Checks {
    vec![
        Property::sometimes("a lost session is started over", |it, _| {
            it.covers(Coverage::StartedOver)
        }),
        Property::sometimes("the client is out of sync", |it, _| it.covers(Coverage::OutOfSync)),
        Property::sometimes("a request arrives twice", |it, _| it.covers(Coverage::Doubled)),
        Property::sometimes("a request arrives late, on an old connection", |it, _| {
            it.covers(Coverage::ArrivedLate)
        }),
        Property::sometimes("a request takes over the work of another", |it, _| {
            it.covers(Coverage::TakenOver)
        }),
        Property::sometimes("a report is too late", |it, _| it.covers(Coverage::ReportedTooLate)),
        Property::sometimes("an acceptance is reported too late", |it, _| {
            it.covers(Coverage::AcceptedTooLate)
        }),
        Property::sometimes("a fragment is trimmed", |it, _| it.covers(Coverage::Trimmed)),
        Property::sometimes("a fragment is stored in part", |it, _| {
            it.covers(Coverage::StoredInPart)
        }),
        Property::sometimes("the server crashes in the middle of a commit", |it, _| {
            it.covers(Coverage::CrashedInCommit)
        }),
        Property::sometimes("the server crashes in the middle of other work", |it, _| {
            it.covers(Coverage::CrashedAtWork)
        }),
        Property::sometimes("the client crashes", |it, _| it.covers(Coverage::ClientCrashed)),
        Property::sometimes("work is never reported", |it, _| it.covers(Coverage::Hung)),
        Property::sometimes("a session ends before its timeout", |it, _| {
            it.covers(Coverage::Expired)
        }),
        Property::sometimes("an expired session is removed", |it, _| it.covers(Coverage::Swept)),
        Property::sometimes("stored bytes are lost", |it, _| it.covers(Coverage::EntityLost)),
        Property::sometimes("the host fails", |it, _| it.covers(Coverage::Failed)),
        Property::sometimes("the server requires credentials", |it, _| {
            it.covers(Coverage::Challenged)
        }),
        Property::sometimes("a response is replaced", |it, _| it.covers(Coverage::Garbled)),
        Property::sometimes("the client pauses", |it, _| it.covers(Coverage::Paused)),
        Property::sometimes("the client resumes", |it, _| it.covers(Coverage::Resumed)),
        Property::sometimes("a reply is fetched", |it, _| it.covers(Coverage::Fetched)),
        Property::sometimes("an upload is finished", |_, it: &World| {
            it.upload.state() == State::Finished
        }),
        Property::sometimes("an upload is cancelled", |_, it: &World| {
            it.upload.state() == State::Cancelled
        }),
        Property::sometimes("an entity is committed and its upload cancelled", |_, it: &World| {
            it.upload.state() == State::Cancelled && it.host.books.iter().any(|it| it.is_committed)
        }),
    ]
}

impl World {
    fn is_client_not_ahead(&self) -> bool {
        let received = self.upload.received().0;
        match self.upload.session_id().and_then(|id| id.guid()) {
            Some(id) => received <= self.host.books[usize::from(session_of(id))].acked,
            None => received == 0,
        }
    }

    fn remembers_acknowledged_bytes(&self) -> bool {
        let tables = [&self.host.table, &self.host.stored];
        let records = tables.into_iter().flat_map(|table| &table.records);
        records.map(|record| &record.session).all(|session| {
            let book = &self.host.books[usize::from(session_of(session.id()))];
            book.has_ended || session.received().0 >= book.acked
        })
    }

    /// If the server ends a session after Close-Session was sent and before it arrived, the session looks
    /// like a closed one to the client: neither is found. An entity that was committed must not be uploaded
    /// again.
    fn is_committed_or_undetectable(&self) -> bool {
        let is_undetectable = |book: &Book| book.is_closing && book.is_lost && !book.is_committed;
        self.host.books.iter().any(|book| book.is_committed || is_undetectable(book))
    }

    /// If the server ends a session after its entity was committed, or another client closes it, the client
    /// finds no session and starts over. It cannot know that the entity was committed.
    fn is_committed_once(&self) -> bool {
        let counts = |book: &&Book| book.is_committed && !book.is_lost && !book.is_closed_twice;
        self.host.books.iter().filter(counts).count() <= 1
    }
}

impl Book {
    fn is_closed_if_placed(&self) -> bool {
        !self.is_committed || self.is_closing || self.is_closed_twice
    }

    fn is_clean_if_ended(&self) -> bool {
        !self.has_ended || self.bytes.is_empty() && !self.has_reply
    }
}
