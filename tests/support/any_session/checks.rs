//! Checks after each step of a session.

use std::time::Duration;

use bits_proto::message::Ack;
use bits_proto::server::{Notified, Reply, Session, State, Step, WorkToken};

use super::World;
use crate::support::session::{BUSY, Server, answers, refused};
use crate::support::tally;

impl World {
    /// Checks a step that requests work.
    pub(super) fn check_work(&mut self, step: Step) {
        let session = &self.server.session;
        let is_whole = session.total() == Some(self.stored);
        let token = match step {
            Step::Store(store) => {
                let total = session.total().expect("from the fragment");
                assert_eq!(store.offset, self.stored);
                assert!(store.take > 0 && store.take <= total - self.stored, "{store:?}");
                assert_eq!(session.state(), State::Storing);
                assert!(self.due != Some(store.token) || self.left == store.take, "{store:?}");
                self.left = store.take;
                store.token
            }
            Step::Notify(token) => {
                assert!(is_whole && self.server.policy.notification);
                assert!(!self.is_accepted, "notified again after the application accepted");
                self.must_notify = true;
                token
            }
            Step::KeepReply(token) => {
                assert!(is_whole && self.is_accepted);
                assert!(session.notified().is_some());
                assert_eq!(session.state(), State::Replying);
                token
            }
            Step::Commit(token) => {
                assert!(is_whole && self.commits == 0);
                let notified = session.notified().expect("notified, or no notification needed");
                assert!(notified.copy_to_destination, "the application did not ask for a copy");
                token
            }
            Step::Discard(discard) => {
                assert!(discard.entity || discard.reply, "nothing to delete");
                assert!(
                    self.commits == 0 || !discard.entity,
                    "the committed entity must not be deleted"
                );
                let is_kept =
                    |notified: Notified| matches!(notified.reply, Reply::Kept | Reply::Pending);
                // If a notification was requested, there may be a reply, for any report.
                let expected = session.notified().map_or(self.must_notify, is_kept);
                assert_eq!(discard.reply, expected);
                discard.token
            }
            _ => panic!("not a request for work: {step:?}"),
        };
        assert_eq!(token.session_id(), session.id());
        assert!(session.is_busy(Duration::ZERO) && session.state().is_work());
        if self.due != Some(token) {
            self.older = self.due.replace(token);
        }
    }

    /// Checks an acceptance that was reported after another request had taken over.
    pub(super) fn check_late_acceptance(&self, before: &Session, token: WorkToken, step: Step) {
        assert_eq!(token.session_id(), before.id());
        assert_eq!(refused(step), BUSY);
        let (state, after) = (before.state(), &self.server.session);
        let expected = match state {
            State::Notifying | State::Replying => State::Replying,
            State::Unnotified | State::Accepted => State::Accepted,
            _ => panic!("nothing to accept in state {state}"),
        };
        assert_eq!(after.state(), expected);
        assert_eq!(after.poll_timeout(), before.poll_timeout(), "the work of others continues");
        let recorded = before.notified();
        assert!(recorded.is_none() || after == before, "it is recorded once");
    }

    /// Checks a response.
    pub(super) fn check_response(&mut self, step: Step) {
        let state = self.server.session.state();
        let answer = answers(step);
        match answer.ack(None) {
            Ack::Fragment(ack) => {
                assert_eq!(ack.received.0, self.stored, "only stored bytes are acknowledged");
                assert!(!matches!(state, State::Discarding | State::Ended), "{state}");
                let has_reply = self.server.session.notified().map(|it| it.reply != Reply::None);
                assert_eq!(answer.has_reply_url(), has_reply.unwrap_or(false));
            }
            Ack::CloseSession(_) | Ack::CancelSession(_) => assert_eq!(state, State::Ended),
            Ack::Ping(_) => {}
            Ack::CreateSession(_) => panic!("Create-Session is not answered by a session"),
            Ack::Refused(refusal) => {
                assert!(refusal.status().get() >= 400, "{refusal:?}");
                if let Some(offset) = refusal.received() {
                    assert_eq!((refusal.status().get(), offset.0), (416, self.stored));
                }
            }
            _ => panic!("a variant that this code does not know"),
        }
    }

    /// Checks the invariants.
    pub(super) fn check(&self, before: &Server) {
        let session = &self.server.session;
        assert_eq!(session.received().0, self.stored);
        assert!(session.received().0 >= before.session.received().0);
        assert!(self.stored <= session.total().unwrap_or(0));
        if let Some(total) = before.session.total() {
            assert_eq!(session.total(), Some(total), "the total changed");
        }
        let is_undecided = matches!(
            session.state(),
            State::Receiving | State::Storing | State::Notifying | State::Unnotified
        );
        assert!(!self.is_accepted || !is_undecided, "the acceptance is forgotten");
        assert_eq!(session.is_committed(), self.commits == 1);
        assert!(self.commits <= 1, "committed twice");
        if before.session.state() == State::Ended {
            assert_eq!(session.state(), State::Ended);
        }
        if let Some(timeout) = session.poll_timeout() {
            let mut early = *session;
            let before = timeout.saturating_sub(Duration::from_nanos(1));
            if before < timeout {
                assert_eq!(early.handle_timeout(&self.server.policy, before), None);
                assert_eq!(early, *session);
            }
            assert!(early.handle_timeout(&self.server.policy, timeout).is_some());
        }
        let is_over = matches!(session.state(), State::Discarding | State::Ended);
        assert_eq!(session.end_reason().is_some(), is_over);
        if let Some(reason) = session.end_reason() {
            tally::note("session end", &reason);
        }
        assert!(!session.state().is_complete() || session.total() == Some(self.stored));
    }

    /// Checks that the session survives persistence.
    pub fn check_persistence(&self) {
        let session = &self.server.session;
        let text = serde_json::to_string(session).expect("stored");
        let read = serde_json::from_str(&text).map_err(|error| error.to_string());
        assert_eq!(read, Ok(*session), "{text}");
        let other = text.replacen("\"version\":1", "\"version\":2", 1);
        let error = serde_json::from_str::<Session>(&other).expect_err("another version");
        assert!(error.to_string().contains("stored session has version 2"), "{error}");
    }
}
