//! A client and a server joined by a fake wire, under virtual time. No byte of an entity is moved:
//! the byte at offset `n` of the client's entity is the number `n`, so where bytes belong is
//! arithmetic.

pub mod faults;
pub mod rng;
pub mod server;

use core::ops::Range;
use core::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, Options, Poll, State, Upload};
use bits_proto::http1::{
    HeaderSlots, Progress, RequestHead, RequestTarget, ResponseHead, StatusCode,
};
use bits_proto::message::{Ack, AckContext, NO_EXTRAS, Request};
use bits_proto::server::SessionsResponse;
use rand::Rng as _;

use crate::support::watch::Watch;
use faults::{Fault, Plan};
use rng::Dice;
use server::Server;

/// One upload, from its beginning to its end.
pub struct World {
    pub random: Dice,
    pub now: Duration,
    pub upload: Upload,
    pub server: Server,
    /// What goes by between the two.
    pub watch: Watch,
    pub plan: Plan,
    /// Requests that were begun.
    pub messages: u64,
    /// How many times a caller had to resume.
    pub resumptions: u64,
    /// The reply that was fetched.
    pub fetched: Option<String>,
    /// Whether the server said that there is no reply.
    pub reply_missing: bool,
    /// When to cancel: before this message.
    pub cancel_at: Option<u64>,
    /// Whether heads go over the wire as bytes.
    pub as_bytes: bool,
    pub total: u64,
    /// Whether each request is printed.
    pub trace: bool,
    /// The shortest fragment the client may come to, which bounds the number of messages.
    pub shortest: u64,
}

/// How an upload ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Finished,
    Cancelled,
}

fn length(random: &mut Dice) -> u64 {
    match random.random_range(0..10) {
        0 => 0,
        1 => random.random_range(1..10),
        2..5 => random.random_range(10..100_000),
        _ => random.random_range(100_000..=64 << 20),
    }
}

#[allow(dead_code, reason = "each test file uses a part of it")]
impl World {
    pub fn new(seed: u64) -> Self {
        Self::of_dice(Dice::seeded(seed), seed)
    }

    /// With whatever happens in it chosen by these dice.
    pub fn of_dice(mut random: Dice, seed: u64) -> Self {
        let total = length(&mut random);
        // At most a few dozen fragments, with an even and with an odd last one.
        let least = (total / 30).max(FragmentSizing::MIN);
        let fragment = random.random_range(least..=(least * 4).min(FragmentSizing::MAX).max(least));
        let mode = if random.random_bool(0.3) { Mode::UploadReply } else { Mode::Upload };
        let options = Options::DEFAULT.with_mode(mode).with_fragments(FragmentSizing::with_bounds(
            fragment,
            least / 2,
            FragmentSizing::MAX,
        ));
        let cancel_at = random.random_bool(0.05).then(|| random.random_range(0..12));
        let server = Server::new(&mut random, mode, total);
        Self {
            now: Duration::from_secs(1_700_000_000),
            upload: Upload::new(total, options, seed),
            server,
            watch: Watch::new(),
            plan: Plan::new(&mut random),
            messages: 0,
            resumptions: 0,
            fetched: None,
            reply_missing: false,
            cancel_at,
            as_bytes: seed % 16 == 0,
            trace: false,
            total,
            shortest: (least / 2).max(1),
            random,
        }
    }

    /// Runs to the end, and looks at what came of it: nothing is lost and nothing is there twice.
    pub fn run_well(&mut self) -> End {
        let end = self.run();
        let server = &self.server;
        if end == End::Finished {
            assert!(server.placed.values().any(|times| *times > 0), "nothing was committed");
            assert_eq!(self.upload.received().0, self.total);
        }
        for (session, times) in &server.placed {
            assert_eq!(*times, 1, "session {session} was committed {times} times");
        }
        if end == End::Finished && server.lost_sessions + self.plan.client_crashes == 0 {
            assert_eq!(server.placed.len(), 1, "it was uploaded more than once without a reason");
        }
        self.check_notifications(end);
        end
    }

    /// The application is told of each entity once, and again only by a server that cannot know
    /// that it was; and who wants the reply has it.
    fn check_notifications(&self, end: End) {
        let server = &self.server;
        for (session, times) in &server.notified {
            assert!(*times <= 1 + server.crashes, "session {session} was told {times} times");
        }
        let is_told = |session| server.notified.contains_key(session);
        if server.policy().notification && self.total > 0 {
            assert!(server.placed.keys().all(is_told), "the application knows of nothing");
        }
        let wants_reply = server.mode == Mode::UploadReply;
        if end == End::Finished && wants_reply && self.total > 0 && !self.reply_missing {
            assert!(self.fetched.is_some(), "nobody has fetched the reply");
        }
    }

    /// Runs to the end, which has to come.
    pub fn run(&mut self) -> End {
        loop {
            assert!(self.messages <= self.most_messages(), "too many messages: it does not end");
            if self.cancel_at.is_some_and(|at| self.messages >= at) {
                self.cancel_at = None;
                if !self.upload.state().is_terminal() {
                    self.upload.cancel().unwrap();
                }
            }
            match self.upload.poll() {
                Poll::Send(_) => self.exchange(),
                Poll::Wait(until) => {
                    // The way back to the origin may have become due during a request.
                    self.now = self.now.max(until);
                    let had_host = self.upload.host().is_some();
                    self.upload.handle_timeout(self.now);
                    let next = self.upload.poll_timeout();
                    assert!(next.is_none_or(|it| it > self.now), "a timer that is due is left");
                    // The origin server is another one to the client: that it knows of no session
                    // says nothing of a Close-Session sent to the host.
                    let fell_back = had_host && self.upload.host().is_none();
                    self.server.lost_sessions += u64::from(fell_back);
                }
                Poll::FetchReply => {
                    let url = self.upload.reply_url().unwrap();
                    self.fetched = Some(self.server.reply(url.as_bytes()));
                    if self.plan.hits(&mut self.random, 0.1) {
                        self.upload.handle_reply_failed(self.now).unwrap();
                    } else {
                        self.upload.handle_reply_fetched().unwrap();
                    }
                }
                Poll::ReplyMissing => {
                    self.reply_missing = true;
                    self.upload.close_without_reply().unwrap();
                }
                Poll::Credentials(status) => {
                    assert_eq!(status, StatusCode::UNAUTHORIZED);
                    self.upload.provide_credentials().unwrap();
                }
                Poll::Suspended(_) | Poll::Failed(_) => {
                    self.resumptions += 1;
                    assert!(self.resumptions <= self.plan.spent + 1, "it stops without a reason");
                    self.upload.resume().unwrap();
                }
                Poll::Finished => return End::Finished,
                Poll::Cancelled => return End::Cancelled,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Each lost session costs the whole entity, and each fault a few messages: the most where the
    /// server thinks for five minutes that it is still at work.
    fn most_messages(&self) -> u64 {
        let whole = self.total.div_ceil(self.shortest) + 4;
        whole * (1 + self.server.lost_sessions + self.plan.client_crashes)
            + 24 * self.plan.spent
            + 8
    }

    /// One request and what becomes of it.
    fn exchange(&mut self) {
        // Once a Close-Session may be on its way, a session that is gone means that it arrived: a
        // server that loses the session just then is beyond help.
        let may_be_closing = self.upload.received().0 == self.total;
        let fault = self.plan.next(&mut self.random);
        let fault = fault.filter(|fault| !(may_be_closing && *fault == Fault::Expired));
        self.now += Duration::from_millis(self.random.random_range(1..200));
        if fault == Some(Fault::ClientCrash) {
            self.watch.disconnected();
            self.upload = restarted(&self.upload);
            return self.upload.resume().unwrap();
        }
        let Poll::Send(transmit) = self.upload.poll() else { unreachable!() };
        let (request, body) = (&transmit.request(), &transmit.entity());
        let state = self.upload.state();
        self.messages += 1;
        if self.trace {
            eprintln!("{:>3} {:?} {body:?} {fault:?}", self.messages, request.kind());
        }
        self.upload.handle_sending(self.now).unwrap();
        let passing = match fault {
            Some(Fault::NoConnection | Fault::HeadLost | Fault::Refused(_)) => None,
            Some(Fault::NotAnAck | Fault::AckLost) => self.deliver(request, body, None),
            Some(Fault::Twice) => {
                // The second Close-Session finds no session, and the client starts over: it cannot
                // know that there was a first one.
                self.server.lost_sessions += u64::from(state == State::Close);
                self.deliver(request, body, None);
                self.deliver(request, body, None)
            }
            fault => self.deliver(request, body, fault),
        };
        self.observe(request, passing.as_ref(), fault);
        let answer = match fault {
            Some(Fault::Refused(status)) => Some(Reading::Unreadable(status)),
            Some(Fault::NotAnAck) => Some(Reading::Unreadable(StatusCode::OK)),
            Some(Fault::AckLost) => None,
            _ => passing,
        };
        self.now += Duration::from_millis(self.random.random_range(1..2_000));
        self.take(answer, fault, &transmit.ack_context());
        if self.plan.hits(&mut self.random, 0.01) && self.upload.pause().is_ok() {
            self.watch.disconnected();
            self.now += Duration::from_secs(self.random.random_range(0..100_000));
            self.upload.resume().unwrap();
        }
    }

    /// What goes by of the exchange, and whether the connection lives on.
    fn observe(&mut self, request: &Request<'_>, answer: Option<&Reading>, fault: Option<Fault>) {
        let is_lost = matches!(
            fault,
            Some(
                Fault::NoConnection
                    | Fault::HeadLost
                    | Fault::Refused(_)
                    | Fault::NotAnAck
                    | Fault::AckLost
            )
        );
        if !matches!(fault, Some(Fault::NoConnection | Fault::HeadLost | Fault::Refused(_))) {
            self.watch.request(request);
        }
        if let Some(Reading::Answer(answer) | Reading::Bytes(_, answer)) = answer {
            self.watch.answer(&answer.ack());
        }
        if is_lost || answer.is_none() {
            self.watch.disconnected();
        }
    }

    /// The client gets to read an answer, or none.
    fn take(
        &mut self,
        answer: Option<Reading>,
        fault: Option<Fault>,
        ack_context: &AckContext<'_>,
    ) {
        if self.random.random_bool(0.8) {
            self.upload.handle_sent(self.now).unwrap();
        }
        match answer {
            // The client notices only by its timer.
            None if fault == Some(Fault::AckLost) && self.random.random_bool(0.5) => {}
            None => self.upload.handle_transport_failure(self.now).unwrap(),
            Some(Reading::Unreadable(status)) => {
                self.upload.handle_unreadable(Some(status), self.now).unwrap();
            }
            Some(Reading::Answer(answer)) => {
                self.upload.handle_ack(&answer.ack(), self.now).unwrap();
            }
            Some(Reading::Bytes(bytes, answer)) => {
                let mut slots = HeaderSlots::new();
                let Ok(Progress::Complete(head)) = ResponseHead::parse(&bytes, &mut slots) else {
                    panic!("a head of ours cannot be read")
                };
                let ack = Ack::from_head(&head, ack_context).unwrap().message;
                assert_eq!(ack, answer.ack());
                self.upload.handle_ack(&ack, self.now).unwrap();
            }
        }
        let held = self.server.most_stored();
        assert!(self.upload.received().0 <= held, "the client counts on bytes nobody has stored");
    }

    /// The request arrives; what comes back?
    fn deliver(
        &mut self,
        request: &Request<'_>,
        body: &Range<u64>,
        fault: Option<Fault>,
    ) -> Option<Reading> {
        if !self.as_bytes {
            let answer = self.server.handle(request, body, fault, self.now, &mut self.random);
            return answer.map(Reading::Answer);
        }
        let target = RequestTarget::try_from("/entity").unwrap();
        let bytes = request.encode(target, NO_EXTRAS).unwrap().to_vec();
        let mut slots = HeaderSlots::new();
        let Ok(Progress::Complete(head)) = RequestHead::parse(&bytes, &mut slots) else {
            panic!("a head of ours cannot be read")
        };
        let policy = *self.server.policy();
        let decoded = Request::from_head(&head, &policy.requests).unwrap();
        assert!(decoded.deviations.is_empty());
        assert_eq!(decoded.message, *request);
        let answer =
            self.server.handle(&decoded.message, body, fault, self.now, &mut self.random)?;
        let bytes = policy.encode(&answer.ack(), NO_EXTRAS).unwrap().to_vec();
        Some(Reading::Bytes(bytes, answer))
    }
}

/// What the client gets to read.
enum Reading {
    Answer(SessionsResponse<'static>),
    /// The same, as bytes.
    Bytes(Vec<u8>, SessionsResponse<'static>),
    /// Something of this status that is no Ack.
    Unreadable(StatusCode),
}

/// What another process reads of what this one had stored.
fn restarted(upload: &Upload) -> Upload {
    let stored = serde_json::to_string(upload).unwrap();
    let again: Upload = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, *upload);
    again
}
