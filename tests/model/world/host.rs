//! The server: a table of sessions, the entities that the embedder stores, and responses.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bits_proto::message::Ack;
use bits_proto::server::{
    Access, Policy, Reply as KeptReply, RequestContext, SessionLimits, Sessions, SessionsResponse,
    State, Step, StoreBytes, WorkToken,
};

use super::config::{Bug, Fault};
use super::store::Table;
use super::wire::{Job, Link, Packet, Phase, Reply, session_id, session_of};
use super::{Checked, Coverage, NOW, Rule, WORK_TIMEOUT, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    pub table: Table,
    /// The table as last stored.
    pub stored: Table,
    /// Data of each session, by its number.
    pub books: Vec<Book>,
}

/// Data that the embedder stores for a session, and that the checker needs for its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Book {
    /// The stored bytes. They survive a crash.
    pub bytes: Vec<u8>,
    /// True if the stored bytes were deleted or lost.
    pub is_deleted: bool,
    /// True if the entity is at its destination.
    pub is_committed: bool,
    pub has_reply: bool,
    /// The token of the current work, if any.
    pub token: Option<WorkToken>,
    /// Number of bytes reported as stored, now and when the session was last stored.
    pub counted: u64,
    pub counted_then: u64,
    /// Largest number of bytes acknowledged.
    pub acked: u64,
    /// Work that was reported.
    pub is_notified: bool,
    pub is_commit_reported: bool,
    /// True if the session has ended.
    pub has_ended: bool,
    /// True if the client has sent a Close-Session.
    pub is_closing: bool,
    /// True if the session was ended early, or its bytes were lost.
    pub is_lost: bool,
    /// True if several Close-Session requests may arrive without the client's knowledge.
    pub is_closed_twice: bool,
}

impl Host {
    pub fn new(keeps_ended: bool) -> Self {
        let table = Table { records: Vec::new(), keeps_ended };
        Self { stored: table.clone(), table, books: Vec::new() }
    }

    pub fn drop_stored(&mut self) {
        self.stored.records.clear();
        for book in &mut self.books {
            book.counted_then = 0;
        }
    }

    /// Returns true if the session has ended or is about to end.
    pub fn is_over(&self, session: u8) -> bool {
        self.table.session(session).is_none_or(|session| session.end_reason().is_some())
    }
}

impl World {
    pub fn must_sweep(&self) -> bool {
        self.host.table.records.iter().map(|record| &record.session).any(|session| {
            session.expires_at() <= NOW && !session.is_busy(NOW) && session.state() != State::Ended
        })
    }

    pub fn book(&mut self, session: u8) -> &mut Book {
        &mut self.host.books[usize::from(session)]
    }
}

impl Checked {
    pub fn with_sessions<T>(
        &self,
        world: &mut World,
        policy: Policy<'static>,
        use_it: impl FnOnce(&mut Sessions<'static, Table>) -> T,
    ) -> T {
        let table = mem::take(&mut world.host.table);
        let mut sessions = Sessions::new(table, policy, SessionLimits::default());
        let outcome = use_it(&mut sessions);
        world.host.table = sessions.into_store();
        outcome
    }

    pub fn deliver(&self, world: &mut World, slot: usize, late: bool, challenged: bool) {
        let link = *world.link(slot).expect("a request arrives");
        let packet = link.packet.expect("a request arrives");
        // The work expires at a later time; then the clock returns to its normal value, so that new work
        // has the normal time limit.
        let (now, timeout) =
            if late { (NOW + WORK_TIMEOUT, Duration::ZERO) } else { (NOW, WORK_TIMEOUT) };
        let policy = self.policy.with_store_timeout(timeout).with_work_timeout(timeout);
        let access = if challenged { Access::Unauthenticated } else { Access::Granted };
        let context = RequestContext::new("/e", access, now).with_principal(Some("a"));
        let session = packet.session().and_then(|session| world.host.table.session(session));
        let is_overdue = session.is_some_and(|session| session.expires_at() <= NOW);
        let created = u8::try_from(world.host.books.len()).expect("a few sessions");
        let request = packet.request(self.config.total);
        let Ok(step) = self.with_sessions(world, policy, |sessions| {
            sessions.handle_request(&request, &context, || [created; 16])
        });
        let is_refused = matches!(&step, Step::Answer(it) if matches!(it.ack(), Ack::Refused(_)));
        if is_overdue && !is_refused {
            world.break_rule(Rule::StaysEnded);
        }
        self.cover_arrival(world, slot, &link, late);
        if let Some(session) = packet.session().filter(|session| !world.is_busy(*session)) {
            // Its work was abandoned.
            world.book(session).token = None;
        }
        if packet == Packet::Create && matches!(step, Step::Answer(_)) && !challenged {
            world.host.books.push(Book::default());
            self.persist(world, created);
        }
        if let Step::Answer(answer) = &step {
            self.misbehave(world, packet, &answer.ack());
        }
        self.go_on(world, slot, step);
    }

    fn cover_arrival(&self, world: &World, slot: usize, link: &Link, late: bool) {
        if link.is_copy {
            self.cover(Coverage::Doubled);
        } else if slot > 0 && world.link.is_some() {
            self.cover(Coverage::ArrivedLate);
        }
        if late {
            self.cover(Coverage::TakenOver);
        }
    }

    /// Simulates a configured bug of the embedder.
    fn misbehave(&self, world: &mut World, packet: Packet, ack: &Ack<'_>) {
        let Packet::Fragment { session, first, end } = packet else { return };
        let is_repeated = end == self.config.total && matches!(Reply::of(ack), Reply::Held { .. });
        if !is_repeated {
            return;
        }
        match (self.config.bug, world.book(session).is_committed) {
            (Some(Bug::StoredAgain), false) => {
                (first..end).for_each(|at| self.write(world, session, at, at, true));
            }
            (Some(Bug::NotifiedAgain), false) => self.begin_notification(world, session),
            (Some(Bug::CommittedAgain), true) => self.place(world, session, true),
            (Some(Bug::CommittedAtLast), false) => self.place(world, session, true),
            _ => {}
        }
    }

    /// Starts the work of the next step, or answers.
    pub fn go_on(&self, world: &mut World, slot: usize, step: Step<SessionsResponse<'static>>) {
        let link = *world.link(slot).expect("a request with work");
        let before = link.job().map(Job::session);
        let session = before.or(link.packet.and_then(Packet::session));
        // Persists the session before a step that is not requested again after a crash.
        let is_due = !matches!(step, Step::Store(_)) && self.config.bug != Some(Bug::NotPersisted);
        if let (Some(session), true) = (session, is_due) {
            self.persist(world, session);
        }
        let is_dropped =
            self.config.bug == Some(Bug::Unanswered) && matches!(step, Step::Answer(_));
        let step = if is_dropped { Step::Done } else { step };
        let next = match step {
            Step::Store(store) => Some(self.next_to_store(world, slot, store)),
            Step::Notify(token) => {
                self.begin_notification(world, session_of(token.session_id()));
                Some(Job::Notify(token))
            }
            Step::KeepReply(token) => Some(Job::KeepReply(token)),
            Step::Commit(token) => Some(Job::Commit(token)),
            Step::Discard(discard) => Some(Job::Discard(discard)),
            _ => None,
        };
        if let Some(job) = next {
            world.book(job.session()).token = Some(job.token());
            let link = world.link_mut(slot);
            if !matches!(job, Job::Store(_)) {
                link.until = link.at;
            }
            link.phase = Phase::Working { job, done: None };
            return;
        }
        self.check_reports(world, link.job());
        if let Some(session) = before {
            world.book(session).token = None;
        }
        match step {
            Step::Answer(answer) => self.answer(world, slot, Reply::of(&answer.ack())),
            _ => {
                if link.packet.is_some() {
                    world.break_rule(Rule::Answered);
                }
                world.drop_link(slot);
            }
        }
        if let Some(session) = session.filter(|session| !world.host.table.is_alive(*session)) {
            if let Some(book) = world.host.books.get_mut(usize::from(session)) {
                book.has_ended = true;
            }
        }
    }

    fn next_to_store(&self, world: &mut World, slot: usize, store: StoreBytes) -> Job {
        if store.skip > 0 {
            self.cover(Coverage::Trimmed);
        }
        if self.config.bug != Some(Bug::Untrimmed) {
            world.link_mut(slot).at += store.skip;
        }
        Job::Store(store)
    }

    fn answer(&self, world: &mut World, slot: usize, reply: Reply) {
        let packet = world.link(slot).and_then(|link| link.packet);
        let reply = self.config.bug.map_or(reply, |bug| reply.of_bug(bug));
        if let Some(session) = packet.and_then(Packet::session) {
            let total = self.config.total;
            let book = world.book(session);
            let stored = if book.is_committed { total } else { book.bytes.len() as u64 };
            let received = reply.received().unwrap_or(0);
            book.acked = book.acked.max(received);
            let has_ended = book.has_ended;
            if received > stored {
                world.break_rule(Rule::Stored);
            }
            if has_ended && !reply.is_session_not_found() && !reply.is_challenge() {
                world.break_rule(Rule::StaysEnded);
            }
        }
        if slot == 0 {
            let link = world.link_mut(0);
            (link.at, link.until) = (0, 0);
            link.phase = Phase::Answered(reply);
        } else {
            world.drop_link(slot);
        }
    }

    /// Checks that no report on an answered request is accepted.
    fn check_reports(&self, world: &mut World, job: Option<&Job>) {
        let Some(token) = job.map(Job::token) else { return };
        let table = world.host.table.clone();
        // An acceptance counts whenever it is reported.
        let may_be_accepted = table.session(session_of(token.session_id())).is_some_and(|it| {
            matches!(
                it.state(),
                State::Notifying | State::Replying | State::Unnotified | State::Accepted
            )
        });
        let mut sessions = Sessions::new(table, self.policy, SessionLimits::default());
        let is_taken = sessions.handle_stored(token, 0, NOW).is_ok()
            || !may_be_accepted
                && sessions
                    .handle_notified(token, super::work::application_response(true), None, NOW)
                    .is_ok()
            || sessions.handle_reply(token, KeptReply::None, None, NOW).is_ok()
            || sessions.handle_committed(token).is_ok()
            || sessions.handle_discarded(token).is_ok()
            || sessions.handle_disconnected(token).is_ok();
        if is_taken {
            world.break_rule(Rule::AnsweredOnce);
        }
    }

    pub fn persist(&self, world: &mut World, session: u8) {
        if !self.config.faults.contains(Fault::Crash) {
            return;
        }
        let record = world.host.table.get(session).map(Arc::clone);
        world.host.stored.put(session, record);
        if let Some(book) = world.host.books.get_mut(usize::from(session)) {
            book.counted_then = book.counted;
        }
    }

    pub fn crash(&self, world: &mut World, recover: bool, done: Option<usize>) {
        if let Some(slot) = done {
            let is_commit = matches!(world.link(slot).and_then(Link::job), Some(Job::Commit(_)));
            self.work(world, slot);
            self.cover(if is_commit { Coverage::CrashedInCommit } else { Coverage::CrashedAtWork });
        }
        world.host.table = world.host.stored.clone();
        if recover {
            for record in &mut world.host.table.records {
                Arc::make_mut(record).session.recover();
            }
        }
        for book in &mut world.host.books {
            book.counted = book.counted_then;
            book.token = None;
        }
        let works = |link: &Link| link.job().is_some();
        world.old.retain(|link| !works(link));
        world.link = world.link.filter(|link| !works(link));
    }

    pub fn expire(&self, world: &mut World, session: u8) {
        let id = session_id(session);
        world.book(session).is_lost = true;
        self.cover(Coverage::Expired);
        let policy = self.policy;
        let Ok(discard) = self.with_sessions(world, policy, |it| it.expire(id, NOW));
        self.begin_discard(world, discard);
    }

    pub fn sweep(&self, world: &mut World) {
        let policy = self.policy;
        let Ok(discards) = self.with_sessions(world, policy, |it| it.handle_timeout(NOW));
        self.cover(Coverage::Swept);
        self.begin_discard(world, discards);
    }

    fn begin_discard(
        &self,
        world: &mut World,
        discards: impl IntoIterator<Item = bits_proto::server::Discard>,
    ) {
        for discard in discards {
            let session = session_of(discard.token.session_id());
            self.persist(world, session);
            world.book(session).token = Some(discard.token);
            let phase = Phase::Working { job: Job::Discard(discard), done: None };
            world.old.push(Link { packet: None, at: 0, until: 0, phase, is_copy: false });
        }
    }

    pub fn double(&self, world: &mut World) {
        let link = world.link.expect("a request arrives");
        if let Some(Packet::Close(session)) = link.packet {
            world.book(session).is_closed_twice = true;
        }
        world.old.push(Link { is_copy: true, ..link });
    }

    pub fn stray(&self, world: &mut World, session: u8) {
        world.book(session).is_closed_twice = true;
        world.old.push(Link::of(Packet::Close(session)));
        self.deliver(world, world.old.len(), false, false);
    }
}
