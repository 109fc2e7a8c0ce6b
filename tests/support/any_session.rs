//! A session under any sequence of events, with the invariants that hold after every step.
#![cfg(all(feature = "alloc", feature = "serde"))]

mod checks;

use std::time::Duration;

use bits_proto::field::{ContentRange, Overlap, SessionId};
use bits_proto::message::{Ack, Fragment, Request};
use bits_proto::server::{
    Access, Answer, EventError, HostError, Notified, Policy, Reply, Session, State, Step, WorkToken,
};

use super::session::{
    INVALID_ARGUMENT, NOT_FOUND, PLAIN, Server, answers, create, ping, refused, stores,
};
use super::table_equivalence::{TableCheck, check_policy};
use super::tally;

#[derive(Clone, Debug)]
pub enum Event {
    Fragment { range: Range, is_ours: bool },
    Close,
    Cancel,
    Ping,
    Create,
    Access(Access),
    Stored { token: Which, bytes: Bytes },
    Accepted(Which, bool),
    Notified(Which, Notified),
    Replied(Which, Reply),
    Committed(Which),
    Discarded(Which),
    Failed(Which, HostError),
    Disconnected(Which),
    Recover,
    Timeout,
    Expire,
    Time { seconds: u64, back: bool },
    Policy(Box<Policy<'static>>),
}

/// A range, relative to the received bytes or arbitrary.
#[derive(Clone, Debug)]
pub enum Range {
    Near { before: u64, len: u64, total: u64 },
    Any(ContentRange),
}

/// Number of bytes reported as stored.
#[derive(Clone, Copy, Debug)]
pub enum Bytes {
    All,
    Some(u64),
    TooMany,
}

/// The token of a report.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    Due,
    Older,
    OfAnother,
}

/// A session and the expected values of its state.
pub struct World {
    pub server: Server,
    /// Bytes reported as stored and accepted.
    stored: u64,
    /// Requested bytes that are not stored yet.
    left: u64,
    /// Number of commits.
    commits: u32,
    /// True if a notification was requested.
    must_notify: bool,
    /// True if the application accepted the entity.
    is_accepted: bool,
    /// The token of the current work, and the one before.
    due: Option<WorkToken>,
    older: Option<WorkToken>,
    another: WorkToken,
    /// True if a client waits for the response to a request in work.
    awaited: bool,
}

impl World {
    pub fn new(policy: Policy<'static>) -> Self {
        check_policy(&policy);
        let mut other = Server::with_random(policy, [8; 16]);
        other.policy = PLAIN;
        let another = stores(other.fragment(0, 0, 9)).token;
        Self {
            server: Server::new(policy),
            stored: 0,
            left: 0,
            commits: 0,
            must_notify: false,
            is_accepted: false,
            due: None,
            older: None,
            another,
            awaited: false,
        }
    }

    fn token(&self, which: Which) -> WorkToken {
        match which {
            Which::Due => self.due.unwrap_or(self.another),
            Which::Older => self.older.unwrap_or(self.another),
            Which::OfAnother => self.another,
        }
    }

    fn range(&self, range: &Range) -> Option<ContentRange> {
        let held = self.stored;
        match range {
            Range::Any(range) => Some(*range),
            // A gap.
            Range::Near { before: u64::MAX, len, total } => {
                ContentRange::new(held.checked_add(1)?, held.checked_add(*len)?, *total).ok()
            }
            Range::Near { before, len, total } => {
                let first = held.saturating_sub(*before);
                let last = first.checked_add(len - 1)?.min(total - 1);
                ContentRange::new(first, last, *total).ok()
            }
        }
    }

    pub fn step(&mut self, event: &Event) {
        match event {
            Event::Fragment { range, is_ours } => {
                let Some(range) = self.range(range) else { return };
                let ours = self.server.session.session_id();
                let theirs = SessionId::from_random([9; 16]);
                let id = if *is_ours { ours } else { theirs };
                self.request(Fragment::new(id, range).into(), Access::Granted);
            }
            Event::Close => self.request(self.server.close_request(), Access::Granted),
            Event::Cancel => self.request(self.server.cancel_request(), Access::Granted),
            Event::Ping => self.request(ping(), Access::Granted),
            Event::Create => self.request(create(), Access::Granted),
            Event::Access(access) => self.request(self.server.close_request(), *access),
            Event::Time { seconds, back } => {
                let by = Duration::from_secs(*seconds);
                let now = self.server.now;
                self.server.now = if *back { now.saturating_sub(by) } else { now + by };
            }
            Event::Policy(policy) => {
                check_policy(policy);
                self.server.policy = **policy;
            }
            Event::Recover => self.server.session.recover(),
            Event::Timeout => self.time(false),
            Event::Expire => self.time(true),
            _ => self.report(event),
        }
    }

    fn request(&mut self, request: Request<'_>, access: Access) {
        let before = self.server.session;
        let is_busy = before.is_busy(self.server.now);
        let table = TableCheck::of(&self.server);
        let step = self.server.send_with(request, access);
        table.check_request(&request, access, step, &self.server.session);
        let answer = match step {
            Step::Answer(answer) => answer,
            step => {
                assert!(!is_busy && access == Access::Granted, "work for {request:?}");
                assert!(self.server.now < before.expires_at(), "work after the session expired");
                if let Step::Store(store) = step {
                    let Request::Fragment(fragment) = request else { panic!("{request:?}") };
                    let overlap = fragment.content_range.overlap(self.stored);
                    assert_eq!(overlap, Overlap::New { skip: store.skip, take: store.take });
                }
                self.awaited = true;
                return self.check_work(step);
            }
        };
        let is_theirs = request.session_id().is_some_and(|id| *id != before.session_id());
        if is_theirs && access == Access::Granted {
            let body = request.content_length();
            assert_eq!(answer, Answer::session_not_found(body, &self.server.policy));
        }
        let is_ping = matches!(request, Request::Ping(_));
        let is_granted = access == Access::Granted;
        if before.state() == State::Ended && is_granted && !is_ping {
            let is_create = matches!(request, Request::CreateSession(_));
            let expected = if is_create { INVALID_ARGUMENT } else { NOT_FOUND };
            assert_eq!(refused(step), expected);
        }
        assert_eq!(is_ping && is_granted, matches!(answer.ack(None), Ack::Ping(_)));
        if let Ack::Refused(_) = answer.ack(None) {
            // The request may only end work that was abandoned.
            let mut given_up = before;
            given_up.recover();
            let after = self.server.session;
            assert!(after == before || (!is_busy && after == given_up), "{step:?}");
        }
        self.check_response(step);
    }

    fn report(&mut self, event: &Event) {
        let before = self.server.session;
        let (Event::Stored { token: which, .. }
        | Event::Accepted(which, _)
        | Event::Notified(which, _)
        | Event::Replied(which, _)
        | Event::Committed(which)
        | Event::Discarded(which)
        | Event::Failed(which, _)
        | Event::Disconnected(which)) = event
        else {
            panic!("not a report: {event:?}")
        };
        let token = self.token(*which);
        let bytes = match event {
            Event::Stored { bytes: Bytes::All, .. } => self.left,
            Event::Stored { bytes: Bytes::Some(bytes), .. } => *bytes,
            _ => u64::MAX,
        };
        let table = TableCheck::of(&self.server);
        let Server { session, policy, now } = &mut self.server;
        let outcome = match event {
            Event::Stored { .. } => session.handle_stored(token, bytes, policy, *now),
            Event::Accepted(_, copy) => session.handle_accepted(token, *copy, policy, *now),
            Event::Notified(_, notified) => session.handle_notified(token, *notified, policy, *now),
            Event::Replied(_, reply) => session.handle_reply(token, *reply, policy, *now),
            Event::Committed(_) => session.handle_committed(token),
            Event::Discarded(_) => session.handle_discarded(token),
            Event::Failed(_, error) => session.handle_failed(token, *error, policy),
            _ => session.handle_disconnected(token).map(|()| Step::Done),
        };
        let (after, now) = (*session, *now);
        table.check_report(
            |table| match event {
                Event::Stored { .. } => table.handle_stored(token, bytes, now),
                Event::Accepted(_, copy) => table.handle_accepted(token, *copy, now),
                Event::Notified(_, notified) => table.handle_notified(token, *notified, None, now),
                Event::Replied(_, reply) => table.handle_reply(token, *reply, None, now),
                Event::Committed(_) => table.handle_committed(token),
                Event::Discarded(_) => table.handle_discarded(token),
                Event::Failed(_, error) => table.handle_failed(token, *error),
                _ => table.handle_disconnected(token).map(|()| Step::Done),
            },
            outcome,
            &after,
        );
        // True if there is work. At time zero, no work counts as abandoned.
        let works = before.is_busy(Duration::ZERO);
        let is_due = works && Some(token) == self.due;
        let step = match outcome {
            Ok(step) => step,
            Err(error) => {
                tally::note("session error", &error);
                assert_eq!(self.server.session, before, "{error}");
                assert_eq!(error == EventError::StaleToken, !is_due, "{error}");
                return;
            }
        };
        let is_acceptance = matches!(event, Event::Accepted(..) | Event::Notified(..));
        self.is_accepted |= is_acceptance;
        if is_acceptance && !is_due {
            return self.check_late_acceptance(&before, token, step);
        }
        assert!(is_due, "a report without current work was accepted: {event:?}");
        match event {
            Event::Failed(_, error) => tally::note("failed work", error),
            Event::Stored { .. } => {
                assert_eq!(before.state(), State::Storing);
                self.left = self.left.checked_sub(bytes).expect("no more bytes than requested");
                self.stored = self.stored.checked_add(bytes).expect("no more bytes than requested");
            }
            Event::Committed(_) => {
                assert!(matches!(before.state(), State::Committing | State::Closing));
                self.commits += 1;
            }
            _ => {}
        }
        match step {
            Step::Answer(_) => {
                assert!(std::mem::take(&mut self.awaited), "no client waits for a response");
                self.check_response(step);
            }
            Step::Done => {
                let was_awaited = std::mem::take(&mut self.awaited);
                assert!(
                    !was_awaited || matches!(event, Event::Disconnected(_)),
                    "the request is not answered"
                );
                let is_over = self.server.session.state() == State::Ended;
                let timed_out = before.state() == State::Discarding;
                assert!(is_over || timed_out || matches!(event, Event::Disconnected(_)));
            }
            work => self.check_work(work),
        }
    }

    fn time(&mut self, is_forced: bool) {
        let before = self.server.session;
        let table = TableCheck::of(&self.server);
        let Server { session, policy, now } = &mut self.server;
        let step = if is_forced {
            session.expire(policy, *now)
        } else {
            session.handle_timeout(policy, *now)
        };
        table.check_time(is_forced, step, session);
        let is_due = is_forced || *now >= before.expires_at();
        let may_end = is_due && !before.is_busy(*now) && before.state() != State::Ended;
        assert_eq!(step.is_some(), may_end, "{before:?}");
        match step {
            None if is_forced => assert!(session.expires_at() <= *now),
            None => assert_eq!(*session, before),
            Some(Step::Done) => assert_eq!(session.state(), State::Ended),
            Some(step) => {
                assert!(matches!(step, Step::Discard(_)), "{step:?}");
                // The client that waited for the response has given up.
                self.awaited = false;
                self.check_work(step);
            }
        }
        let Server { session, policy, now } = &mut self.server;
        assert_eq!(
            session.handle_timeout(policy, *now),
            None,
            "a timer that is due was not handled"
        );
    }

    /// Checks that the session ends if all requested work succeeds, and then stays as it is.
    pub fn check_ends(&mut self) {
        let due = Which::Due;
        let notified = Notified::new(true, Reply::None);
        let end = [
            Event::Stored { token: due, bytes: Bytes::All },
            Event::Notified(due, notified),
            Event::Committed(due),
            Event::Recover,
            Event::Expire,
            Event::Discarded(due),
        ];
        self.check_steps(&end);
        assert_eq!(self.server.session.state(), State::Ended);
        let afterwards = [
            Event::Fragment { range: Range::Near { before: 0, len: 9, total: 40 }, is_ours: true },
            Event::Close,
            Event::Cancel,
            Event::Create,
            Event::Ping,
            Event::Timeout,
            Event::Recover,
            Event::Expire,
        ];
        self.check_steps(&afterwards);
        self.check_steps(&end);
        assert_eq!(self.server.session.state(), State::Ended);
        assert!(!self.server.session.is_busy(Duration::ZERO), "the ended session has work");
    }

    /// Applies events one after another, and checks the invariants after each.
    pub fn check_steps(&mut self, events: &[Event]) {
        for event in events {
            let before = self.server;
            TableCheck::of(&before).check_renew(self.token(Which::Due));
            self.step(event);
            self.check(&before);
        }
    }
}
