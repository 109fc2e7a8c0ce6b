//! A server's session with the work of an embedder, and sessions in every state.

use std::time::Duration;

use bits_proto::field::{ContentRange, HResult, SessionId};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, CancelSession, CloseSession, CreateSession, Fragment, Ping, Refusal, Request,
};
use bits_proto::server::{
    Access, Answer, CommitAt, Discard, EndReason, EventError, HostError, Notified, Policy, Reply,
    Session, State, Step, StoreBytes, UnreadBody, WorkToken,
};

pub const NOW: Duration = Duration::from_secs(1_700_000_000);
pub const SECOND: Duration = Duration::from_secs(1);
pub const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub const INVALID_ARGUMENT: Refused = (400, Some(0x8007_0057), Some(5));
pub const ACCESS_DENIED: Refused = (403, Some(0x8007_0005), Some(5));
pub const EXISTS: Refused = (403, Some(0x8007_0050), Some(5));
pub const INVALID_NAME: Refused = (403, Some(0x8007_007B), Some(5));
pub const DISABLED: Refused = (501, Some(0x8007_0005), Some(5));
pub const NOT_FOUND: Refused = (500, Some(0x8020_001F), Some(5));
pub const GONE: Refused = (410, None, None);
pub const TOO_LARGE: Refused = (500, Some(0x8020_0020), Some(5));
pub const BUSY: Refused = (503, None, None);

/// Status code, error code and context.
pub type Refused = (u16, Option<u32>, Option<u32>);

pub const PLAIN: Policy<'static> = Policy::DEFAULT
    .with_store_timeout(Duration::from_secs(300))
    .with_work_timeout(Duration::from_secs(300));
pub const NOTIFYING: Policy<'static> = PLAIN.with_notification(true);
pub const EARLY: Policy<'static> = PLAIN.with_commit_at(CommitAt::LastFragment);
pub const NOTIFYING_EARLY: Policy<'static> = EARLY.with_notification(true);

pub const NO_REPLY: Notified = Notified::new(true, Reply::None);
pub const KEPT_REPLY: Notified = Notified::new(true, Reply::Kept);
pub const STATIC_REPLY: Notified = Notified::new(true, Reply::Static);
pub const NOT_COPIED: Notified = Notified::new(false, Reply::None);

/// A session, its policy, and the clock.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    pub session: Session,
    pub policy: Policy<'static>,
    pub now: Duration,
}

pub fn range(first: u64, last: u64, total: u64) -> ContentRange {
    let range = ContentRange::new(first, last, total);
    range.unwrap_or_else(|error| panic!("{first}-{last}/{total}: {error}"))
}

pub fn fragment(id: SessionId<'_>, first: u64, last: u64, total: u64) -> Request<'_> {
    Fragment::new(id, range(first, last, total)).into()
}

pub fn create() -> Request<'static> {
    CreateSession::default().into()
}

pub fn ping() -> Request<'static> {
    Ping::default().into()
}

pub fn application(status: u16, code: u32) -> HostError {
    HostError::Application { status: self::status(status), code: HResult::new(code) }
}

pub fn status(code: u16) -> StatusCode {
    StatusCode::try_from(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

impl Server {
    pub fn new(policy: Policy<'static>) -> Self {
        Self::with_random(policy, [7; 16])
    }

    pub fn with_random(policy: Policy<'static>, random: [u8; 16]) -> Self {
        let create = CreateSession::default();
        let created = Session::create(&create, Access::Granted, &policy, random, NOW);
        let (session, _) = created.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        Self { session, policy, now: NOW }
    }

    pub fn send(&mut self, request: Request<'_>) -> Step {
        self.send_with(request, Access::Granted)
    }

    pub fn send_with(&mut self, request: Request<'_>, access: Access) -> Step {
        self.session.handle_request(&request, access, &self.policy, self.now)
    }

    pub fn fragment(&mut self, first: u64, last: u64, total: u64) -> Step {
        self.send(fragment(self.session.session_id(), first, last, total))
    }

    pub fn close_request(&self) -> Request<'static> {
        CloseSession::new(self.session.session_id()).into()
    }

    pub fn cancel_request(&self) -> Request<'static> {
        CancelSession::new(self.session.session_id()).into()
    }

    pub fn close(&mut self) -> Step {
        self.send(self.close_request())
    }

    pub fn cancel(&mut self) -> Step {
        self.send(self.cancel_request())
    }

    #[track_caller]
    pub fn stored(&mut self, token: WorkToken, bytes: u64) -> Step {
        taken(self.session.handle_stored(token, bytes, &self.policy, self.now))
    }

    #[track_caller]
    pub fn accepted(&mut self, token: WorkToken, copy_to_destination: bool) -> Step {
        taken(self.session.handle_accepted(token, copy_to_destination, &self.policy, self.now))
    }

    #[track_caller]
    pub fn replied(&mut self, token: WorkToken, reply: Reply) -> Step {
        taken(self.session.handle_reply(token, reply, &self.policy, self.now))
    }

    #[track_caller]
    pub fn notified(&mut self, token: WorkToken, notified: Notified) -> Step {
        taken(self.session.handle_notified(token, notified, &self.policy, self.now))
    }

    #[track_caller]
    pub fn committed(&mut self, token: WorkToken) -> Step {
        taken(self.session.handle_committed(token))
    }

    #[track_caller]
    pub fn discarded(&mut self, token: WorkToken) -> Step {
        taken(self.session.handle_discarded(token))
    }

    #[track_caller]
    pub fn failed(&mut self, token: WorkToken, error: HostError) -> Step {
        taken(self.session.handle_failed(token, error, &self.policy))
    }

    #[track_caller]
    pub fn disconnected(&mut self, token: WorkToken) {
        taken(self.session.handle_disconnected(token));
    }

    pub fn timeout(&mut self) -> Option<Step> {
        self.session.handle_timeout(&self.policy, self.now)
    }

    pub fn pass(&mut self, time: Duration) {
        self.now += time;
    }

    /// Sends a fragment and stores the requested bytes. Returns the step after that.
    #[track_caller]
    pub fn store(&mut self, first: u64, last: u64, total: u64) -> Step {
        let store = stores(self.fragment(first, last, total));
        self.stored(store.token, store.take)
    }

    pub fn received(&self) -> u64 {
        self.session.received().0
    }
}

#[track_caller]
fn taken<T>(report: Result<T, EventError>) -> T {
    report.unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
pub fn stores(step: Step) -> StoreBytes {
    let Step::Store(store) = step else { panic!("expected Store: {step:?}") };
    store
}

#[track_caller]
pub fn notifies(step: Step) -> WorkToken {
    let Step::Notify(token) = step else { panic!("expected Notify: {step:?}") };
    token
}

#[track_caller]
pub fn keeps_reply(step: Step) -> WorkToken {
    let Step::KeepReply(token) = step else { panic!("expected KeepReply: {step:?}") };
    token
}

#[track_caller]
pub fn commits(step: Step) -> WorkToken {
    let Step::Commit(token) = step else { panic!("expected Commit: {step:?}") };
    token
}

#[track_caller]
pub fn discards(step: Step) -> Discard {
    let Step::Discard(discard) = step else { panic!("expected Discard: {step:?}") };
    discard
}

/// Returns true for the entity, and for the reply, if it is to be deleted.
pub fn what(discard: &Discard) -> (bool, bool) {
    (discard.entity, discard.reply)
}

#[track_caller]
pub fn answers(step: Step) -> Answer {
    let Step::Answer(answer) = step else { panic!("expected Answer: {step:?}") };
    answer
}

#[track_caller]
pub fn refusal(step: Step) -> Refusal<'static> {
    let ack = answers(step).ack(None);
    let Ack::Refused(refusal) = ack else { panic!("expected a refusal: {ack:?}") };
    refusal
}

#[track_caller]
pub fn refused(step: Step) -> Refused {
    in_numbers(&refusal(step))
}

pub fn in_numbers(refusal: &Refusal<'_>) -> Refused {
    let context = refusal.context().map(|context| context.0);
    (refusal.status().get(), refusal.code().map(HResult::get), context)
}

/// Returns the offset in a refusal with 416.
#[track_caller]
pub fn out_of_sync(step: Step) -> u64 {
    let refusal = refusal(step);
    assert_eq!(in_numbers(&refusal), (416, None, None));
    refusal.received().expect("416 has an offset").0
}

/// Returns the offset in the Ack for a fragment.
#[track_caller]
pub fn received(step: Step) -> u64 {
    let ack = answers(step).ack(None);
    let Ack::Fragment(ack) = ack else { panic!("expected an Ack for a fragment: {ack:?}") };
    ack.received.0
}

#[track_caller]
pub fn unread_body(step: Step) -> UnreadBody {
    answers(step).unread_body
}

#[track_caller]
pub fn is_closed(step: Step) -> bool {
    matches!(answers(step).ack(None), Ack::CloseSession(_))
}

#[track_caller]
pub fn is_cancelled(step: Step) -> bool {
    matches!(answers(step).ack(None), Ack::CancelSession(_))
}

/// A session in a named situation, and the token of its work.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    pub what: &'static str,
    pub state: State,
    pub server: Server,
    pub token: Option<WorkToken>,
}

/// Returns a session in every state, with every kind of work possible there. Entities have 100 bytes or
/// none.
pub fn situations() -> Vec<Situation> {
    let mut situations = alive();
    situations.extend(over());
    situations
}

type Way = fn(&mut Server) -> Option<WorkToken>;

fn go(ways: &[(&'static str, State, Policy<'static>, Way)]) -> Vec<Situation> {
    let go = |&(what, state, policy, way): &(_, _, _, Way)| {
        let mut server = Server::new(policy);
        let token = way(&mut server);
        Situation { what, state, server, token }
    };
    ways.iter().map(go).collect()
}

fn complete(server: &mut Server) -> Step {
    server.store(0, 99, 100)
}

fn alive() -> Vec<Situation> {
    use State::*;
    go(&[
        ("new", Receiving, PLAIN, |_| None),
        ("with bytes", Receiving, PLAIN, |it| {
            assert_eq!(received(it.store(0, 49, 100)), 50);
            None
        }),
        ("storing the first bytes", Storing, PLAIN, |it| {
            Some(stores(it.fragment(0, 49, 100)).token)
        }),
        ("storing the last bytes", Storing, PLAIN, |it| {
            assert_eq!(received(it.store(0, 49, 100)), 50);
            let store = stores(it.fragment(40, 99, 100));
            Some(stores(it.stored(store.token, 20)).token)
        }),
        ("notifying", Notifying, NOTIFYING, |it| Some(notifies(complete(it)))),
        ("notifying without bytes", Notifying, NOTIFYING, |it| Some(notifies(it.close()))),
        ("replying", Replying, NOTIFYING, |it| {
            let token = notifies(complete(it));
            Some(keeps_reply(it.accepted(token, true)))
        }),
        ("replying without bytes", Replying, NOTIFYING, |it| {
            let token = notifies(it.close());
            Some(keeps_reply(it.accepted(token, true)))
        }),
        ("accepted", Accepted, NOTIFYING, |it| {
            let token = notifies(complete(it));
            let token = keeps_reply(it.accepted(token, true));
            assert_eq!(refused(it.failed(token, HostError::Other)).0, 500);
            None
        }),
        ("accepted without a reply", Accepted, NOTIFYING, |it| {
            let token = notifies(complete(it));
            it.disconnected(token);
            assert_eq!(refused(it.notified(token, NO_REPLY)), BUSY);
            None
        }),
        ("to be notified again", Unnotified, NOTIFYING, |it| {
            let token = notifies(complete(it));
            assert_eq!(refused(it.failed(token, HostError::Other)).0, 500);
            None
        }),
        ("forbidden", Unnotified, NOTIFYING, |it| {
            let token = notifies(complete(it));
            assert_eq!(refused(it.failed(token, application(403, 0))).0, 403);
            None
        }),
        ("complete", WaitForClose, PLAIN, |it| {
            assert_eq!(received(complete(it)), 100);
            None
        }),
        ("complete with a reply", WaitForClose, NOTIFYING, |it| {
            let token = notifies(complete(it));
            assert_eq!(received(it.notified(token, KEPT_REPLY)), 100);
            None
        }),
        ("committing", Committing, EARLY, |it| Some(commits(complete(it)))),
        ("committed", Committed, EARLY, |it| {
            let token = commits(complete(it));
            assert_eq!(received(it.committed(token)), 100);
            None
        }),
        ("closing", Closing, PLAIN, |it| {
            assert_eq!(received(complete(it)), 100);
            Some(commits(it.close()))
        }),
        ("closing without bytes", Closing, PLAIN, |it| Some(commits(it.close()))),
    ])
}

fn over() -> Vec<Situation> {
    use State::*;
    go(&[
        ("closing too early", Discarding, PLAIN, |it| {
            assert_eq!(received(it.store(0, 49, 100)), 50);
            Some(discards(it.close()).token)
        }),
        ("cancelling", Discarding, PLAIN, |it| Some(discards(it.cancel()).token)),
        ("abandoned", Discarding, PLAIN, |it| {
            let token = discards(it.cancel()).token;
            it.disconnected(token);
            None
        }),
        ("timing out", Discarding, PLAIN, |it| {
            it.pass(14 * DAY);
            it.timeout().map(|step| discards(step).token)
        }),
        ("lost, with a reply", Discarding, NOTIFYING_EARLY, |it| {
            let token = notifies(complete(it));
            let token = commits(it.notified(token, KEPT_REPLY));
            Some(discards(it.failed(token, HostError::EntityLost)).token)
        }),
        ("closed", Ended, PLAIN, |it| {
            let token = commits(it.close());
            assert!(is_closed(it.committed(token)));
            assert_eq!(it.session.end_reason(), Some(EndReason::Closed));
            None
        }),
        ("closed too early", Ended, PLAIN, |it| {
            assert_eq!(received(it.store(0, 49, 100)), 50);
            let token = discards(it.close()).token;
            assert!(is_closed(it.discarded(token)));
            None
        }),
        ("cancelled", Ended, PLAIN, |it| {
            let token = discards(it.cancel()).token;
            assert!(is_cancelled(it.discarded(token)));
            None
        }),
        ("lost", Ended, PLAIN, |it| {
            let token = stores(it.fragment(0, 49, 100)).token;
            assert_eq!(refused(it.failed(token, HostError::EntityLost)), NOT_FOUND);
            None
        }),
        ("timed out", Ended, PLAIN, |it| {
            it.pass(14 * DAY);
            let token = it.timeout().map(|step| discards(step).token).expect("due");
            assert_eq!(it.discarded(token), Step::Done);
            None
        }),
    ])
}
