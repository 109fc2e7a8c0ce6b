//! Acceptance of the entity by the server application: it is recorded once, and the application is
//! not notified again.

use core::time::Duration;

use super::request::busy;
use super::session::Pending;
use super::{
    Answer, Event, EventError, Notified, Policy, Reply, Session, State, Step, UnreadBody, WorkToken,
};
#[cfg(feature = "alloc")]
use super::{Sessions, SessionsError, SessionsResponse, Store};
#[cfg(feature = "alloc")]
use crate::field::ReplyUrl;
use crate::state_machine::{IllegalEvent, StateMachine as _};
#[cfg(feature = "alloc")]
use crate::util::external::external;

impl Session {
    /// Reports that the server application accepted the entity: the head of its response is a success.
    /// `copy_to_destination` is the request of its response to publish the entity.
    ///
    /// Returns [`Step::KeepReply`]. Call this method before receiving the reply, and persist the
    /// session before anything else. The application is then never notified again, even if something
    /// fails. If the head shows that there is no reply to store, call
    /// [`handle_notified`](Self::handle_notified) instead.
    ///
    /// # Late reports
    ///
    /// The acceptance counts even if the token is stale because another request has taken over. The
    /// session then answers this request with 503, and the client's next request continues.
    ///
    /// If the store of the sessions fails, repeat the call until it succeeds, and do not call
    /// [`handle_disconnected`](Self::handle_disconnected) before that: it would release the session
    /// for another notification.
    ///
    /// # Exactly once
    ///
    /// No protocol can exclude a second notification after a crash between the application's
    /// decision and this record. An application that must not process an entity twice compares the
    /// URL and the content with those that it has processed.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_accepted(
        &mut self,
        token: WorkToken,
        copy_to_destination: bool,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, EventError> {
        let notified = Notified { copy_to_destination, reply: Reply::Pending };
        if self.check_token(token).is_err() {
            return self.accept_late(token, notified);
        }
        self.apply(Event::Accepted)?;
        self.notified = Some(notified);
        self.extend_work(policy.work_timeout, now);
        Ok(Step::KeepReply(token))
    }

    /// Reports that the server application accepted the entity, and the location of its reply. The
    /// embedder keeps the reply URL.
    ///
    /// Meant for a response without a reply to store: the reply is static, or there is none. It also
    /// replaces [`handle_accepted`](Self::handle_accepted) and [`handle_reply`](Self::handle_reply)
    /// of a reply that cannot get lost. With [`Reply::Pending`] it is a call of
    /// [`handle_accepted`](Self::handle_accepted). A late report counts as described there; a reply
    /// that this server keeps counts as pending.
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_notified(
        &mut self,
        token: WorkToken,
        notified: Notified,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, EventError> {
        if notified.reply == Reply::Pending {
            return self.handle_accepted(token, notified.copy_to_destination, policy, now);
        }
        if self.check_token(token).is_err() {
            return self.accept_late(token, notified);
        }
        self.state.transition(Event::Notified)?;
        self.extend_work(policy.work_timeout, now);
        Ok(self.after_notification(Event::Notified, notified, policy)?)
    }

    /// Reports the location of the reply after a [`Step::KeepReply`]. The embedder keeps the reply URL.
    /// If the reply is lost, it deletes what was received and reports [`Reply::None`].
    ///
    /// # Errors
    ///
    /// [`EventError`]; the session is unchanged.
    pub fn handle_reply(
        &mut self,
        token: WorkToken,
        reply: Reply,
        policy: &Policy<'_>,
        now: Duration,
    ) -> Result<Step, EventError> {
        self.check_token(token)?;
        self.state.transition(Event::ReplyStored)?;
        self.extend_work(policy.work_timeout, now);
        match self.notified {
            Some(notified) if reply != Reply::Pending => {
                let notified = Notified { reply, ..notified };
                Ok(self.after_notification(Event::ReplyStored, notified, policy)?)
            }
            _ => Ok(Step::KeepReply(token)),
        }
    }

    /// Records an acceptance that is reported with a stale token.
    fn accept_late(&mut self, token: WorkToken, notified: Notified) -> Result<Step, EventError> {
        let event = self.state.transition(Event::Accepted);
        if token.session_id != self.id || event.is_err() {
            return Err(EventError::StaleToken);
        }
        if self.notified.is_none() {
            self.apply(Event::Accepted)?;
            self.forbidden_code = None;
            // The request that took over may have replaced the reply.
            let reply = match notified.reply {
                Reply::Kept => Reply::Pending,
                reply => reply,
            };
            self.notified = Some(Notified { reply, ..notified });
        }
        Ok(Step::Answer(Answer::refuse(busy(), UnreadBody::Close)))
    }

    /// Continues a request after the application has accepted the entity.
    pub(super) fn keep_reply(&mut self, policy: &Policy<'_>) -> Result<Step, IllegalEvent<State>> {
        self.apply(Event::KeepReply)?;
        match self.notified {
            Some(notified) if notified.reply != Reply::Pending => {
                self.after_notification(Event::Notified, notified, policy)
            }
            _ => Ok(Step::KeepReply(self.work_token())),
        }
    }

    /// Continues after the notification, or at once if there is no application.
    pub(super) fn after_notification(
        &mut self,
        event: Event,
        notified: Notified,
        policy: &Policy<'_>,
    ) -> Result<Step, IllegalEvent<State>> {
        self.apply(event)?;
        self.notified = Some(notified);
        if self.pending == Some(Pending::Close) {
            return self.close();
        }
        if self.commits_at_last_fragment(policy) {
            self.apply(Event::Commit)?;
            return Ok(Step::Commit(self.work_token()));
        }
        Ok(self.answer_fragment())
    }
}

#[cfg(feature = "alloc")]
impl<'p, S: Store> Sessions<'p, S> {
    /// Reports that the server application accepted the entity, before its reply is received; see
    /// [`Session::handle_accepted`].
    ///
    /// On [`SessionsError::Store`] the acceptance is not recorded: repeat the call until it succeeds.
    /// A stale token does no harm.
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_accepted(
        &mut self,
        token: WorkToken,
        copy_to_destination: bool,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = *self.policy();
        self.report(token, |record| {
            record.session.handle_accepted(token, copy_to_destination, &policy, now)
        })
    }

    /// Reports a successful notification and the URL of the reply, if any; see
    /// [`Session::handle_notified`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_notified(
        &mut self,
        token: WorkToken,
        notified: Notified,
        reply_url: Option<ReplyUrl<'_>>,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = *self.policy();
        self.report(token, |record| {
            let step = record.session.handle_notified(token, notified, &policy, now)?;
            // A late report may not have replaced an earlier one.
            if record.session.notified() == Some(notified) {
                record.reply_url = reply_url.map(|url| external(|| url.as_bytes().into()));
            }
            Ok(step)
        })
    }

    /// Reports the reply of an application that accepted the entity, and its URL, if any; see
    /// [`Session::handle_reply`].
    ///
    /// # Errors
    ///
    /// [`SessionsError`]; the session is unchanged.
    pub fn handle_reply(
        &mut self,
        token: WorkToken,
        reply: Reply,
        reply_url: Option<ReplyUrl<'_>>,
        now: Duration,
    ) -> Result<Step<SessionsResponse<'p>>, SessionsError<S::Error>> {
        let policy = *self.policy();
        self.report(token, |record| {
            let step = record.session.handle_reply(token, reply, &policy, now)?;
            record.reply_url = reply_url.map(|url| external(|| url.as_bytes().into()));
            Ok(step)
        })
    }
}
