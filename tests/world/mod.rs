//! A client and a server connected by a simulated wire, under virtual time. No entity bytes are moved:
//! the byte at offset `n` of the client's entity is the number `n`, so offsets show where bytes belong.

pub mod faults;
pub mod reports;
pub mod rng;
pub mod server;
pub mod spelling;

use core::ops::Range;
use core::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, Options, Poll, State, Upload};
use bits_proto::http1::{Progress, RequestTarget, StatusCode};
use bits_proto::message::{
    Ack, AckContext, HeaderSlots, NO_EXTRAS, Request, RequestHead, ResponseHead,
};
use bits_proto::server::SessionsResponse;
use rand::Rng as _;

use crate::support::tally;
use crate::support::wire_observer::WireObserver;
use faults::{Fault, Plan};
use rng::ScriptedRng;
use server::Server;

/// One upload, from beginning to end.
pub struct World {
    pub random: ScriptedRng,
    pub now: Duration,
    pub upload: Upload,
    pub server: Server,
    /// Observes the messages between client and server.
    pub observer: WireObserver,
    pub plan: Plan,
    /// Number of requests begun.
    pub messages: u64,
    /// Number of resumptions by the caller.
    pub resumptions: u64,
    /// The fetched reply.
    pub fetched: Option<String>,
    /// True if the server sent no reply URL.
    pub reply_missing: bool,
    /// Cancels the upload before the message with this number.
    pub cancel_at: Option<u64>,
    /// True if heads are encoded and parsed; otherwise messages are passed as values.
    pub as_bytes: bool,
    pub total: u64,
    /// Prints each request.
    pub trace: bool,
    /// Length of the shortest fragment, which limits the number of messages.
    pub min_fragment: u64,
}

/// Limits of the length of an upload.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Maximum number of fragments without faults and without a limit of the server.
    pub fragments: u64,
    /// Number that the faults stay below.
    pub faults: u64,
}

impl Size {
    pub const LONG: Self = Self { fragments: 30, faults: 60 };
}

/// The end of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Finished,
    Cancelled,
}

fn length(random: &mut ScriptedRng) -> u64 {
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
        Self::from_rng(ScriptedRng::seeded(seed), seed, Size::LONG)
    }

    /// Makes an upload whose choices are made by `random`.
    pub fn from_rng(mut random: ScriptedRng, seed: u64, size: Size) -> Self {
        let total = length(&mut random);
        // The last fragment may be shorter.
        let least = (total / size.fragments).max(FragmentSizing::MIN);
        let fragment = random.random_range(least..=(least * 4).min(FragmentSizing::MAX).max(least));
        let mode = if random.random_bool(0.3) { Mode::UploadReply } else { Mode::Upload };
        let options = Options::DEFAULT.with_mode(mode).with_fragments(FragmentSizing::with_bounds(
            fragment,
            least / 2,
            FragmentSizing::MAX,
        ));
        let cancel_at = random.random_bool(0.05).then(|| random.random_range(0..12));
        let server = Server::new(&mut random, mode, total, size);
        Self {
            now: Duration::from_secs(1_700_000_000),
            upload: Upload::new(total, options, seed),
            server,
            observer: WireObserver::new(),
            plan: Plan::new(&mut random, size),
            messages: 0,
            resumptions: 0,
            fetched: None,
            reply_missing: false,
            cancel_at,
            as_bytes: seed % 16 == 0,
            trace: false,
            total,
            min_fragment: (least / 2).max(1),
            random,
        }
    }

    /// Runs the upload to its end and checks that nothing is lost or duplicated.
    pub fn run_checked(&mut self) -> End {
        let end = self.run();
        let server = &self.server;
        if end == End::Finished {
            assert!(server.committed.values().any(|times| *times > 0), "no entity was committed");
            assert_eq!(self.upload.received().0, self.total);
        }
        for (session, times) in &server.committed {
            assert_eq!(*times, 1, "session {session} was committed {times} times");
        }
        if end == End::Finished && server.lost_sessions + self.plan.client_crashes == 0 {
            assert_eq!(
                server.committed.len(),
                1,
                "the entity was uploaded more than once without a reason"
            );
        }
        self.check_notifications(end);
        end
    }

    /// Checks that the application is notified of each entity, repeatedly only if the server crashed, and that
    /// the reply is fetched.
    fn check_notifications(&self, end: End) {
        let server = &self.server;
        for (session, times) in &server.notified {
            assert!(*times <= 1 + server.crashes, "session {session} was notified {times} times");
        }
        let is_notified = |session| server.notified.contains_key(session);
        if server.policy().notification && self.total > 0 {
            assert!(server.committed.keys().all(is_notified), "the application was not notified");
        }
        let wants_reply = server.mode == Mode::UploadReply;
        if end == End::Finished && wants_reply && self.total > 0 && !self.reply_missing {
            assert!(self.fetched.is_some(), "the reply was not fetched");
        }
    }

    /// Runs the upload to its end.
    pub fn run(&mut self) -> End {
        loop {
            assert!(self.messages <= self.message_limit(), "more messages than the faults explain");
            if self.cancel_at.is_some_and(|at| self.messages >= at) {
                self.cancel_at = None;
                if !self.upload.state().is_terminal() {
                    self.upload.cancel().unwrap();
                }
            }
            match self.upload.poll() {
                Poll::Send(_) => self.exchange(),
                Poll::Wait(until) => {
                    // The fallback to the origin may have become due during a request.
                    self.now = self.now.max(until);
                    let had_host = self.upload.host().is_some();
                    self.upload.handle_timeout(self.now);
                    let next = self.upload.poll_timeout();
                    assert!(
                        next.is_none_or(|it| it > self.now),
                        "a timer that is due was not handled"
                    );
                    // The origin server is another server to the client. If it does not know the session, the state of
                    // a Close-Session sent to the host remains unknown.
                    let fell_back = had_host && self.upload.host().is_none();
                    self.server.lost_sessions += u64::from(fell_back);
                }
                Poll::FetchReply => {
                    let url = self.upload.reply_url().unwrap();
                    self.fetched = Some(self.server.reply(url.as_bytes()));
                    if self.plan.occurs(&mut self.random, 0.1) {
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
                Poll::Suspended(reason) | Poll::Failed(reason) => {
                    tally::note("upload stop", &reason);
                    self.resumptions += 1;
                    assert!(
                        self.resumptions <= self.plan.spent + 1,
                        "the upload is suspended without a reason"
                    );
                    self.upload.resume().unwrap();
                }
                Poll::Finished => return End::Finished,
                Poll::Cancelled => return End::Cancelled,
                other => panic!("{other:?}"),
            }
        }
    }

    /// Returns the maximum number of messages: each lost session repeats the whole entity, and each fault costs
    /// some messages, most of them while the server waits five minutes for stalled work.
    fn message_limit(&self) -> u64 {
        let whole = self.total.div_ceil(self.min_fragment) + 4;
        whole * (1 + self.server.lost_sessions + self.plan.client_crashes)
            + 24 * self.plan.spent
            + 8
    }

    /// Sends one request and handles its outcome.
    fn exchange(&mut self) {
        // If a Close-Session was sent, a missing session means that it was handled. A session that expires
        // exactly then cannot be distinguished, so it does not occur here.
        let may_be_closing = self.upload.received().0 == self.total;
        let fault = self.plan.next(&mut self.random);
        let fault = fault.filter(|fault| !(may_be_closing && *fault == Fault::Expired));
        self.now += Duration::from_millis(self.random.random_range(1..200));
        if fault == Some(Fault::ClientCrash) {
            self.observer.disconnected();
            self.upload = restart(&self.upload);
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
            Some(Fault::NoConnection | Fault::HeadLost | Fault::ErrorStatus(_)) => None,
            Some(Fault::NotAnAck | Fault::AckLost) => self.deliver(request, body, None),
            Some(Fault::Duplicated) => {
                // The second Close-Session finds no session, and the client starts over, as it cannot know of the
                // first one.
                self.server.lost_sessions += u64::from(state == State::Close);
                self.deliver(request, body, None);
                self.deliver(request, body, None)
            }
            fault => self.deliver(request, body, fault),
        };
        self.observe(request, passing.as_ref(), fault);
        let answer = match fault {
            Some(Fault::ErrorStatus(status)) => Some(Received::Unreadable(status)),
            Some(Fault::NotAnAck) => Some(Received::Unreadable(StatusCode::OK)),
            Some(Fault::AckLost) => None,
            _ => passing,
        };
        self.now += Duration::from_millis(self.random.random_range(1..2_000));
        self.receive(answer, fault, &transmit.ack_context());
        if self.plan.occurs(&mut self.random, 0.01) && self.upload.pause().is_ok() {
            self.observer.disconnected();
            self.now += Duration::from_secs(self.random.random_range(0..100_000));
            self.upload.resume().unwrap();
        }
    }

    /// Passes the exchange to the observer.
    fn observe(&mut self, request: &Request<'_>, answer: Option<&Received>, fault: Option<Fault>) {
        let is_lost = matches!(
            fault,
            Some(
                Fault::NoConnection
                    | Fault::HeadLost
                    | Fault::ErrorStatus(_)
                    | Fault::NotAnAck
                    | Fault::AckLost
            )
        );
        if !matches!(fault, Some(Fault::NoConnection | Fault::HeadLost | Fault::ErrorStatus(_))) {
            self.observer.request(request);
        }
        if let Some(Received::Answer(answer) | Received::Bytes { answer, .. }) = answer {
            self.observer.answer(&answer.ack());
        }
        if is_lost || answer.is_none() {
            self.observer.disconnected();
        }
    }

    /// Passes a response, or its absence, to the client.
    fn receive(
        &mut self,
        answer: Option<Received>,
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
            Some(Received::Unreadable(status)) => {
                self.upload.handle_unreadable(Some(status), self.now).unwrap();
            }
            Some(Received::Answer(answer)) => {
                self.upload.handle_ack(&answer.ack(), self.now).unwrap();
            }
            Some(Received::Bytes { bytes, is_usual, answer }) => {
                let mut slots = HeaderSlots::new();
                let Ok(Progress::Complete(head)) = ResponseHead::parse(&bytes, &mut slots) else {
                    panic!("the encoded head is not valid")
                };
                let decoded = Ack::from_head(&head, ack_context).unwrap();
                spelling::note(decoded.deviations);
                assert!(!is_usual || decoded.message == answer.ack());
                self.upload.handle_ack(&decoded.message, self.now).unwrap();
            }
        }
        let held = self.server.max_stored();
        assert!(
            self.upload.received().0 <= held,
            "the client relies on bytes that were never stored"
        );
    }

    /// Passes a request to the server and returns the response.
    fn deliver(
        &mut self,
        request: &Request<'_>,
        body: &Range<u64>,
        fault: Option<Fault>,
    ) -> Option<Received> {
        if !self.as_bytes {
            let answer = self.server.handle(request, body, fault, self.now, &mut self.random);
            return answer.map(Received::Answer);
        }
        let target = RequestTarget::try_from("/entity").unwrap();
        let usual = request.encode(target, &NO_EXTRAS).unwrap().to_vec();
        let bytes = spelling::request(usual.clone(), &mut self.random);
        let mut slots = HeaderSlots::new();
        let Ok(Progress::Complete(head)) = RequestHead::parse(&bytes, &mut slots) else {
            panic!("the encoded head is not valid")
        };
        let policy = *self.server.policy();
        let decoded = Request::from_head(&head, &policy.requests).unwrap();
        spelling::note(decoded.deviations);
        if bytes == usual {
            assert!(decoded.deviations.is_empty());
            assert_eq!(decoded.message, *request);
        }
        let answer =
            self.server.handle(&decoded.message, body, fault, self.now, &mut self.random)?;
        let usual = policy.encode(&answer.ack(), &NO_EXTRAS).unwrap().to_vec();
        let bytes = spelling::response(usual.clone(), &mut self.random);
        let is_usual = bytes == usual;
        Some(Received::Bytes { bytes, is_usual, answer })
    }
}

/// A response as the client receives it.
enum Received {
    Answer(SessionsResponse<'static>),
    /// The response and its encoded form, which may have an unusual spelling.
    Bytes {
        bytes: Vec<u8>,
        is_usual: bool,
        answer: SessionsResponse<'static>,
    },
    /// A response with this status that is not an Ack.
    Unreadable(StatusCode),
}

/// Stores and restores the upload, as another process would.
fn restart(upload: &Upload) -> Upload {
    let stored = serde_json::to_string(upload).unwrap();
    let again: Upload = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, *upload);
    again
}
