//! What always holds, and what must have been seen for that to mean anything.

use bits_proto::client::State;
use bits_proto::server::CommitAt;
use stateright::Property;

use super::host::Book;
use super::wire::session_of;
use super::{Checked, World};

/// Rules that are checked where something is done. A state remembers those that were broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No byte that was reported as stored is stored again.
    StoredOnce,
    /// A byte is stored at its own offset.
    InPlace,
    /// A byte is stored behind all that are stored before it.
    NoHole,
    /// What an answer says is held is stored.
    Stored,
    /// What is put at the destination is the whole entity.
    Whole,
    /// What was reported as placed is not to be placed again.
    PlacedOnce,
    /// What was reported as placed is not to be deleted.
    PlacedForGood,
    /// What was reported as told is not to be told again.
    NotifiedOnce,
    /// A request is answered in the end.
    Answered,
    /// No report is taken once a request is answered.
    AnsweredOnce,
    /// A session that has ended is not found, and one whose time is over takes nothing.
    StaysEnded,
    /// The reply is there as long as the session.
    ReplyKept,
    /// The machines take what they asked for, and no report of anybody else's.
    Taken,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    StartedOver,
    OutOfSync,
    Doubled,
    ArrivedLate,
    TakenOver,
    ReportedTooLate,
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
    all.extend(sights());
    all
}

/// The names, for tests that expect a rule to be broken.
pub const STORED_ONCE: &str = "no byte is stored twice";
pub const IN_PLACE: &str = "every byte is stored in its place";
pub const STORED: &str = "what is acknowledged is stored";
pub const WHOLE: &str = "only whole entities are committed";
pub const NOTIFIED_ONCE: &str = "the application is told once";
pub const NOT_AHEAD: &str = "the client counts on nothing that was not acknowledged";
const ENDS: &str = "every upload ends once nothing goes wrong";

fn rules() -> Checks {
    vec![
        Property::always(STORED_ONCE, |_, it: &World| it.keeps(Rule::StoredOnce)),
        Property::always(IN_PLACE, |_, it: &World| it.keeps(Rule::InPlace)),
        Property::always("no hole is left", |_, it: &World| it.keeps(Rule::NoHole)),
        Property::always(STORED, |_, it: &World| it.keeps(Rule::Stored)),
        Property::always(WHOLE, |_, it: &World| it.keeps(Rule::Whole)),
        Property::always("a session's entity is committed once", |_, it: &World| {
            it.keeps(Rule::PlacedOnce)
        }),
        Property::always("what is committed is not discarded", |_, it: &World| {
            it.keeps(Rule::PlacedForGood)
        }),
        Property::always(NOTIFIED_ONCE, |_, it: &World| it.keeps(Rule::NotifiedOnce)),
        Property::always("every request is answered", |_, it: &World| it.keeps(Rule::Answered)),
        Property::always("no request is answered twice", |_, it: &World| {
            it.keeps(Rule::AnsweredOnce)
        }),
        Property::always("a session that has ended is not served", |_, it: &World| {
            it.keeps(Rule::StaysEnded)
        }),
        Property::always("a reply is kept as long as its session", |_, it: &World| {
            it.keeps(Rule::ReplyKept)
        }),
        Property::always(
            "the machines take what they asked for, and nothing else",
            |_, it: &World| it.keeps(Rule::Taken),
        ),
    ]
}

fn invariants() -> Checks {
    vec![
        Property::always(NOT_AHEAD, |_, it: &World| it.is_client_not_ahead()),
        Property::always("what is acknowledged is not forgotten", |_, it: &World| {
            it.remembers_what_is_acknowledged()
        }),
        Property::always("an upload that is finished is committed", |_, it: &World| {
            it.upload.state() != State::Finished || it.is_committed_or_beyond_help()
        }),
        Property::always("an upload is committed once", |_, it: &World| it.is_committed_once()),
        Property::always(
            "nothing is committed before it is closed",
            |checked: &Checked, it: &World| {
                checked.config.commit_at == CommitAt::LastFragment
                    || it.host.books.iter().all(Book::is_closed_if_placed)
            },
        ),
        Property::always("a session leaves nothing behind", |_, it: &World| {
            it.host.books.iter().all(Book::is_clean_if_ended)
        }),
        Property::always(ENDS, |checked: &Checked, it: &World| checked.ends(it)),
    ]
}

pub fn sights() -> Checks {
    vec![
        Property::sometimes("a session is lost and started over", |it, _| {
            it.has_seen(Sight::StartedOver)
        }),
        Property::sometimes("the client is out of sync", |it, _| it.has_seen(Sight::OutOfSync)),
        Property::sometimes("a request arrives twice", |it, _| it.has_seen(Sight::Doubled)),
        Property::sometimes("a request arrives late, on an old connection", |it, _| {
            it.has_seen(Sight::ArrivedLate)
        }),
        Property::sometimes("a request takes over from another", |it, _| {
            it.has_seen(Sight::TakenOver)
        }),
        Property::sometimes("somebody reports too late", |it, _| {
            it.has_seen(Sight::ReportedTooLate)
        }),
        Property::sometimes("a fragment is trimmed", |it, _| it.has_seen(Sight::Trimmed)),
        Property::sometimes("a fragment is stored in part", |it, _| {
            it.has_seen(Sight::StoredInPart)
        }),
        Property::sometimes("the server crashes in the middle of a commit", |it, _| {
            it.has_seen(Sight::CrashedInCommit)
        }),
        Property::sometimes("the server crashes in the middle of other work", |it, _| {
            it.has_seen(Sight::CrashedAtWork)
        }),
        Property::sometimes("the client crashes", |it, _| it.has_seen(Sight::ClientCrashed)),
        Property::sometimes("somebody is never heard of again", |it, _| it.has_seen(Sight::Hung)),
        Property::sometimes("a session ends before its time", |it, _| it.has_seen(Sight::Expired)),
        Property::sometimes("a session is swept up", |it, _| it.has_seen(Sight::Swept)),
        Property::sometimes("stored bytes are lost", |it, _| it.has_seen(Sight::EntityLost)),
        Property::sometimes("the host fails", |it, _| it.has_seen(Sight::Failed)),
        Property::sometimes("the server wants credentials", |it, _| it.has_seen(Sight::Challenged)),
        Property::sometimes("an answer is garbled", |it, _| it.has_seen(Sight::Garbled)),
        Property::sometimes("the client pauses", |it, _| it.has_seen(Sight::Paused)),
        Property::sometimes("the client resumes", |it, _| it.has_seen(Sight::Resumed)),
        Property::sometimes("a reply is fetched", |it, _| it.has_seen(Sight::Fetched)),
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

    fn remembers_what_is_acknowledged(&self) -> bool {
        let tables = [&self.host.table, &self.host.stored];
        let records = tables.into_iter().flat_map(|table| &table.records);
        records.map(|record| &record.session).all(|session| {
            let book = &self.host.books[usize::from(session_of(session.id()))];
            book.has_ended || session.received().0 >= book.acked
        })
    }

    /// A session that is ended by the server after Close-Session was sent, and before it arrived,
    /// looks to the client like one that was closed: both are not found, and it must not upload
    /// an entity again that was committed.
    fn is_committed_or_beyond_help(&self) -> bool {
        let is_beyond_help = |book: &Book| book.is_closing && book.is_lost && !book.is_committed;
        self.host.books.iter().any(|book| book.is_committed || is_beyond_help(book))
    }

    /// Where a session is ended by the server after its entity was committed, or is closed by
    /// somebody else, the client finds no session and starts over. It cannot know of the entity.
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
