//! An upload under any sequence of events, with the invariants that hold after every step.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use bits_proto::client::{EventError, Exchange, Poll, State, Upload};
use bits_proto::field::RetryAfter;
use bits_proto::message::{Ack, Request};

use super::tally;
use super::upload::{
    Client, HOST, REPLY, Server, busy, cancelled, closed, created, created_on, fragment_ack,
    fragment_ack_with_reply, out_of_sync, pinged, refused, refused_by_application, refused_with,
    status,
};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The response of a correct server.
    Correct,
    Created,
    CreatedOn(Option<u32>),
    Pinged,
    Held(u64),
    HeldWithReply(u64),
    Closed,
    Cancelled,
    OutOfSync(u64),
    Refused(u16),
    RefusedWith(u16, u32),
    /// A failure of the application.
    RefusedByApplication(u16),
    /// A refusal with a number of seconds in Retry-After.
    Busy(u64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    Sending,
    Sent,
    Ack(Answer),
    /// All three, if a request is due.
    Exchange(Answer),
    Unreadable(Option<u16>),
    Broken,
    Passes(Duration),
    Wait,
    Fetched,
    Unfetched,
    Pause,
    Resume,
    Restart,
    /// A delay in the response, computed by the caller.
    RetryAfter(Duration),
    Cancel,
    Credentials,
    PingFirst,
    Length(u64),
    NoReply,
}

/// A format in which an upload is persisted.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    Json,
    /// A value of `serde_json`, whose session id may be a string or a list of bytes.
    Value,
    Cbor,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Json, Self::Value, Self::Cbor];
}

fn correct(upload: &Upload) -> Ack<'static> {
    let Poll::Send(transmit) = upload.poll() else { return pinged() };
    let mut server = Server { received: upload.received().0, reply: true };
    server.respond(&transmit.request())
}

fn ack(answer: Answer, correct: Ack<'static>) -> Ack<'static> {
    match answer {
        Answer::Correct => correct,
        Answer::Created => created(),
        Answer::CreatedOn(timeout) => created_on(HOST, timeout),
        Answer::Pinged => pinged(),
        Answer::Held(offset) => fragment_ack(offset),
        Answer::HeldWithReply(offset) => fragment_ack_with_reply(offset, REPLY.as_bytes()),
        Answer::Closed => closed(),
        Answer::Cancelled => cancelled(),
        Answer::OutOfSync(offset) => out_of_sync(offset),
        Answer::Refused(code) => refused(code),
        Answer::RefusedWith(code, error) => refused_with(code, error),
        Answer::RefusedByApplication(code) => refused_by_application(code),
        Answer::Busy(seconds) => busy(RetryAfter::Seconds(seconds)),
    }
}

/// An upload and its clock.
pub struct Run {
    client: Client,
    correct: Ack<'static>,
}

impl Run {
    pub fn new(upload: Upload) -> Self {
        Self { client: Client { upload, now: Duration::from_secs(1) }, correct: pinged() }
    }

    /// Applies one step. Returns true if it was an Ack that the upload accepted.
    fn apply(&mut self, step: Step) -> Result<bool, EventError> {
        let now = self.client.now;
        let upload = &mut self.client.upload;
        if upload.exchange() == Exchange::Ready {
            self.correct = correct(upload);
        }
        match step {
            Step::Sending => upload.handle_sending(now)?,
            Step::Sent => upload.handle_sent(now)?,
            Step::Ack(answer) => {
                upload.handle_ack(&ack(answer, self.correct), now)?;
                return Ok(true);
            }
            Step::Exchange(answer) => {
                self.apply(Step::Sending)?;
                self.check_step(Step::Sent);
                return Ok(self.check_step(Step::Ack(answer)));
            }
            Step::Unreadable(code) => upload.handle_unreadable(code.map(status), now)?,
            Step::Broken => upload.handle_transport_failure(now)?,
            Step::Passes(time) => self.pass(now.saturating_add(time)),
            Step::Wait => {
                let until = upload.poll_timeout().unwrap_or(now).max(now);
                self.pass(until);
            }
            Step::Fetched => upload.handle_reply_fetched()?,
            Step::Unfetched => upload.handle_reply_failed(now)?,
            Step::Pause => upload.pause()?,
            Step::Resume => upload.resume()?,
            Step::Restart => upload.restart()?,
            Step::RetryAfter(delay) => upload.handle_retry_after(delay, now),
            Step::Cancel => upload.cancel()?,
            Step::Credentials => upload.provide_credentials()?,
            Step::PingFirst => upload.ping_first()?,
            Step::Length(length) => upload.set_fragment_length(length)?,
            Step::NoReply => upload.close_without_reply()?,
        }
        Ok(false)
    }

    /// Checks that the upload ends with a correct server, which has at least the bytes that it
    /// acknowledged.
    pub fn check_ends(&self, held_by_server: u64) {
        let mut client = self.client;
        if client.upload.total() > 30 || client.upload.state().is_terminal() {
            return;
        }
        // The caller resumes an upload that is in progress, suspended or failed. The server has at least the
        // bytes that it acknowledged.
        if client.upload.exchange() != Exchange::Ready || client.upload.state() == State::Failed {
            client.upload.resume().expect("it has not ended");
        }
        let held = client.upload.received().0.max(held_by_server.min(client.upload.total()));
        let mut server = Server { received: held, reply: true };
        let limit = limit(&client.upload);
        server.finish(&mut client, limit);
        let expected = [State::Finished, State::Cancelled];
        assert!(expected.contains(&client.upload.state()));
    }

    /// Checks that the upload survives persistence.
    pub fn check_persistence(&self, format: Format) {
        let upload = &self.client.upload;
        match format {
            Format::Json => {
                let text = serde_json::to_string(upload).expect("it can be stored");
                let back: Upload =
                    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
                assert_eq!(back, *upload);
            }
            Format::Value => check_value(upload),
            Format::Cbor => {
                let mut bytes = Vec::new();
                ciborium::into_writer(upload, &mut bytes).expect("it can be stored");
                let back: Upload = ciborium::from_reader(&*bytes).expect("it can be read");
                assert_eq!((back, hash(&back)), (*upload, hash(upload)));
            }
        }
    }

    fn pass(&mut self, now: Duration) {
        self.client.now = now;
        self.client.upload.handle_timeout(now);
        let next = self.client.upload.poll_timeout();
        let end = Duration::from_secs(u64::MAX);
        assert!(next.is_none_or(|next| next > now || next >= end), "{next:?} at {now:?}");
    }

    /// Applies one step and checks the invariants. Returns true if it was an accepted Ack.
    pub fn check_step(&mut self, step: Step) -> bool {
        let before = self.client.upload;
        let result = self.apply(step);
        let after = self.client.upload;
        match result {
            Err(error) => {
                tally::note("upload error", &error);
                assert_eq!(after, before, "{step:?}: {error}");
                let names_cause = error.to_string().contains("expected")
                    || (error == EventError::InFlight && before.exchange().is_in_flight());
                assert!(names_cause, "{error}");
            }
            Ok(by_ack) => check_change(&before, &after, by_ack, step),
        }
        check_always(&after);
        result.unwrap_or(false)
    }
}

fn check_change(before: &Upload, after: &Upload, by_ack: bool, step: Step) {
    let restarts = step == Step::Restart;
    if restarts {
        assert_eq!((after.state(), after.received().0), (State::CreateSession, 0));
        assert_eq!((after.session_id(), after.host()), (None, None));
        assert_eq!(after.restarts(), before.restarts().saturating_add(1));
    }
    if let Step::RetryAfter(delay) = step {
        check_delay(before, after, delay);
    }
    if after.received() != before.received() {
        assert!(by_ack || restarts, "{step:?} moved {before:?} to {after:?}");
    }
    if before.state().is_terminal() {
        let (same_state, same_poll) =
            (before.state() == after.state(), before.poll() == after.poll());
        assert!(same_state && same_poll, "{step:?} moved {before:?}");
        assert!(!by_ack, "{step:?}");
    }
    assert!(after.restarts() >= before.restarts() || by_ack || step == Step::Resume, "{step:?}");
    if after.session_id() != before.session_id() {
        assert!(by_ack || restarts, "{step:?} changed the session");
    }
    assert_eq!(after.total(), before.total());
    let stays = [State::Cancel, State::Cancelled, State::Failed];
    if before.state() == State::Cancel && !matches!(step, Step::Exchange(_)) {
        assert!(stays.contains(&after.state()), "{step:?} revives {after:?}");
    }
}

/// Checks that a delay in a response only makes a back-off longer, up to an hour.
fn check_delay(before: &Upload, after: &Upload, delay: Duration) {
    assert_eq!((before.state(), before.exchange()), (after.state(), after.exchange()));
    let (earlier, later) = (before.poll_timeout(), after.poll_timeout());
    if before.exchange() != Exchange::BackOff || delay.is_zero() {
        assert_eq!(earlier, later);
    }
    assert!(later >= earlier, "{earlier:?} {later:?}");
}

fn check_always(upload: &Upload) {
    let (received, total) = (upload.received().0, upload.total());
    assert!(received <= total, "{upload:?}");
    let fragments = upload.fragments();
    assert!(fragments.min() >= 1 && fragments.min() <= fragments.length(), "{upload:?}");
    assert!(fragments.length() <= fragments.max(), "{upload:?}");
    match upload.poll() {
        Poll::Send(transmit) => {
            assert_eq!(upload.exchange(), Exchange::Ready);
            let sends = match transmit.request() {
                Request::CreateSession(_) => State::CreateSession,
                Request::Ping(_) => State::Ping,
                Request::Fragment(it) => {
                    let range = it.content_range;
                    assert_eq!((range.first(), range.total()), (received, total));
                    assert!(range.len() <= fragments.length() && range.last() < total);
                    assert!(range.len() == fragments.length() || range.is_last(), "{upload:?}");
                    assert_eq!(transmit.entity(), range.first()..range.last() + 1);
                    State::Fragment
                }
                Request::CloseSession(_) => {
                    assert_eq!(received, total, "{upload:?}");
                    State::Close
                }
                Request::CancelSession(_) => State::Cancel,
                _ => panic!("a variant that this code does not know"),
            };
            assert_eq!(upload.state(), sends);
            let has_session = upload.session_id().is_some();
            assert!(has_session || [State::CreateSession, State::Ping].contains(&sends));
            let request = transmit.request();
            let named = request.session_id().copied();
            assert!(named.is_none() || named == upload.session_id(), "{upload:?}");
        }
        Poll::FetchReply | Poll::ReplyMissing => {
            assert_eq!((upload.state(), received), (State::GetReply, total));
        }
        Poll::Wait(until) => assert_eq!(Some(until), upload.poll_timeout()),
        Poll::Credentials(code) => assert!([401, 407].contains(&code.get()), "{code}"),
        Poll::Suspended(stop) => {
            tally::note("upload stop", &stop);
            assert_eq!(upload.exchange(), Exchange::Suspended);
            assert!(!stop.to_string().is_empty());
        }
        Poll::Failed(stop) => {
            tally::note("upload stop", &stop);
            assert_eq!(upload.state(), State::Failed);
            assert!(!stop.to_string().is_empty());
        }
        Poll::Finished => assert_eq!((upload.state(), received), (State::Finished, total)),
        Poll::Cancelled => assert_eq!(upload.state(), State::Cancelled),
        other => panic!("{other:?}"),
    }
}

/// Checks that an upload survives as a value. Depending on the format, texts are strings, bytes or lists.
fn check_value(upload: &Upload) {
    let mut value = serde_json::to_value(upload).expect("it can be stored");
    assert_eq!(serde_json::from_value::<Upload>(value.clone()).ok(), Some(*upload));
    if let Some(id) = value["session_id"].as_str().map(|id| id.as_bytes().to_vec()) {
        value["session_id"] = id.into();
        assert_eq!(serde_json::from_value::<Upload>(value).ok(), Some(*upload));
    }
}

fn hash(upload: &Upload) -> u64 {
    let mut hasher = DefaultHasher::new();
    upload.hash(&mut hasher);
    hasher.finish()
}

/// Returns the maximum number of messages from here on, if no errors occur.
fn limit(upload: &Upload) -> u32 {
    let fragments = upload.total() / upload.fragments().length() + 2;
    // A delay, a Ping, possibly a new session, a fragment for lost bytes, the reply and the close. If the
    // server has fewer bytes than it acknowledged, all of it again.
    u32::try_from(fragments).expect("a small entity") + 12
}
