//! An upload with a clock, a description of its next action, and the responses of a server.

use std::time::Duration;

use bits_proto::client::{Exchange, FragmentSizing, Mode, Options, Poll, State, Upload};
use bits_proto::field::{
    ErrorContext, HResult, HostId, HostIdFallbackTimeout, Protocol, ReceivedContentRange, ReplyUrl,
    RetryAfter, SessionId,
};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, CancelSessionAck, CloseSessionAck, CreateSessionAck, FragmentAck, PingAck, Refusal,
    Request,
};

pub const SESSION: &str = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";
pub const HOST: &str = "node-7.example";
pub const REPLY: &str = r"BITS-Sessions\Replies\{1}\responsefile.bin";
pub const SESSION_NOT_FOUND: u32 = 0x8020_001F;
pub const SECOND: Duration = Duration::from_secs(1);
pub const NANOSECOND: Duration = Duration::from_nanos(1);
/// Start time of tests. Zero would hide differences.
pub const START: Duration = Duration::from_secs(1_000_000);

/// Fragments of 10 bytes, at least 3.
pub const SMALL: Options = Options::DEFAULT.with_fragments(FragmentSizing::with_bounds(10, 3, 40));
pub const WITH_REPLY: Options = SMALL.with_mode(Mode::UploadReply);

pub fn session() -> SessionId<'static> {
    SessionId::try_from(SESSION).expect("a session id")
}

pub fn status(code: u16) -> StatusCode {
    StatusCode::try_from(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

pub fn create_ack() -> CreateSessionAck<'static> {
    CreateSessionAck::new(Protocol::BITS_1_5, session())
}

pub fn created() -> Ack<'static> {
    create_ack().into()
}

/// Returns the Ack for a session on another host, with an optional fallback timeout in seconds.
pub fn created_on(host: &str, timeout: Option<u32>) -> Ack<'_> {
    let host_id = Some(HostId::try_from(host).expect("a host"));
    let host_id_fallback_timeout = timeout.map(HostIdFallbackTimeout);
    CreateSessionAck { host_id, host_id_fallback_timeout, ..create_ack() }.into()
}

pub fn fragment_ack(received: u64) -> Ack<'static> {
    FragmentAck::new(session(), ReceivedContentRange(received)).into()
}

pub fn fragment_ack_with_reply(received: u64, url: &[u8]) -> Ack<'_> {
    let reply_url = Some(ReplyUrl::try_from(url).expect("a reply URL"));
    let received = ReceivedContentRange(received);
    FragmentAck { session_id: None, received, reply_url }.into()
}

pub fn pinged() -> Ack<'static> {
    PingAck.into()
}

pub fn closed() -> Ack<'static> {
    CloseSessionAck { session_id: None }.into()
}

pub fn cancelled() -> Ack<'static> {
    CancelSessionAck { session_id: None }.into()
}

pub fn out_of_sync(received: u64) -> Ack<'static> {
    Refusal::out_of_sync(ReceivedContentRange(received)).into()
}

pub fn refused(code: u16) -> Ack<'static> {
    Refusal::new(status(code)).expect("a refusal").into()
}

pub fn refused_with(code: u16, error: u32) -> Ack<'static> {
    let error = HResult::new(error).expect("an error");
    let bare = match code {
        416 => Refusal::out_of_sync(ReceivedContentRange(0)),
        _ => Refusal::new(status(code)).expect("a refusal"),
    };
    bare.with_error(error, ErrorContext::SERVER).into()
}

/// Returns a failure of the server application, without an error code.
pub fn refused_by_application(code: u16) -> Ack<'static> {
    let code_of_status = HResult::from_status(code).expect("a failure");
    let refusal = match code {
        416 => Refusal::out_of_sync(ReceivedContentRange(0)),
        _ => Refusal::new(status(code)).expect("a refusal"),
    };
    refusal.with_error(code_of_status, ErrorContext::REMOTE_APPLICATION).into()
}

/// Returns a refusal that asks for a later retry.
pub fn busy(retry_after: RetryAfter) -> Ack<'static> {
    let refusal = Refusal::new(status(429)).expect("a refusal");
    refusal.with_retry_after(retry_after).into()
}

pub fn session_not_found() -> Ack<'static> {
    refused_with(500, SESSION_NOT_FOUND)
}

/// Describes the next action of an upload.
pub fn next_action(upload: &Upload) -> String {
    match upload.poll() {
        Poll::Send(transmit) => {
            let entity = transmit.entity();
            let (what, named) = match transmit.request() {
                Request::Ping(_) => ("ping".into(), None),
                Request::CreateSession(_) => ("create".into(), None),
                Request::Fragment(it) => {
                    let range = it.content_range;
                    assert_eq!((range.first(), range.end()), (entity.start, entity.end));
                    assert_eq!(range.total(), upload.total());
                    (format!("fragment {}..{}", entity.start, entity.end), Some(it.session_id))
                }
                Request::CloseSession(it) => ("close".to_string(), Some(it.session_id)),
                Request::CancelSession(it) => ("cancel".to_string(), Some(it.session_id)),
                _ => panic!("a variant that this code does not know"),
            };
            assert!(what.starts_with("fragment") || entity == (0..0), "{what} has a body");
            assert!(named.is_none_or(|named| Some(named) == upload.session_id()), "{what}");
            match upload.host() {
                Some(host) => format!("{what} at {}", host.as_str()),
                None => what,
            }
        }
        Poll::FetchReply => {
            let url = upload.reply_url().expect("a reply URL");
            format!("fetch {}", url.as_bytes().escape_ascii())
        }
        Poll::ReplyMissing => "no reply".into(),
        Poll::Wait(until) => {
            assert_eq!(upload.poll_timeout(), Some(until));
            "wait".into()
        }
        Poll::Credentials(status) => format!("credentials {}", status.get()),
        Poll::Suspended(stop) => format!("suspended: {stop}"),
        Poll::Finished => "finished".into(),
        Poll::Cancelled => "cancelled".into(),
        Poll::Failed(stop) => format!("failed: {stop}"),
        other => panic!("{other:?}"),
    }
}

/// An upload and its clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Client {
    pub upload: Upload,
    pub now: Duration,
}

impl Client {
    pub fn new(total: u64, options: Options) -> Self {
        Self { upload: Upload::new(total, options, 7), now: START }
    }

    /// With a session on the origin server.
    pub fn with_session(total: u64, options: Options) -> Self {
        Self::new(total, options).with_exchange(&created())
    }

    /// With a session on another host, which has answered a Ping.
    pub fn on_other_host(total: u64, timeout: Option<u32>) -> Self {
        Self::new(total, SMALL).with_exchange(&created_on(HOST, timeout)).with_exchange(&pinged())
    }

    /// With all bytes of a 10-byte entity on the server.
    pub fn fully_received() -> Self {
        Self::with_session(10, SMALL).with_exchange(&fragment_ack(10))
    }

    pub fn next_action(&self) -> String {
        next_action(&self.upload)
    }

    pub fn start_sending(&mut self) {
        let now = self.now;
        self.upload.handle_sending(now).unwrap_or_else(|error| panic!("{error}: {self:?}"));
    }

    pub fn send(&mut self) {
        self.start_sending();
        self.upload.handle_sent(self.now).unwrap_or_else(|error| panic!("{error}: {self:?}"));
    }

    /// Sends the due request and passes this response.
    pub fn exchange(&mut self, ack: &Ack<'_>) {
        self.send();
        let now = self.now;
        self.upload.handle_ack(ack, now).unwrap_or_else(|error| panic!("{error}: {self:?}"));
    }

    #[must_use]
    pub fn with_exchange(mut self, ack: &Ack<'_>) -> Self {
        self.exchange(ack);
        self
    }

    /// Sends the due request; then the connection is lost.
    pub fn disconnect(&mut self) {
        self.send();
        let now = self.now;
        self.upload.handle_transport_failure(now).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Waits until the timer expires, and returns how long.
    pub fn wait(&mut self) -> Duration {
        let until = self.upload.poll_timeout().unwrap_or_else(|| panic!("no timer: {self:?}"));
        let delay = until.saturating_sub(self.now);
        self.now = until;
        self.upload.handle_timeout(until);
        delay
    }

    pub fn states(&self) -> (State, Exchange) {
        (self.upload.state(), self.upload.exchange())
    }
}

/// Checks a sequence of requests, each with its response, and the final state.
pub fn check_exchanges(client: &mut Client, exchanges: &[(&str, Ack<'_>)], end: &str) {
    for (wanted, ack) in exchanges {
        assert_eq!(client.next_action(), *wanted);
        client.exchange(ack);
    }
    assert_eq!(client.next_action(), end);
}

/// Returns an upload in this state that is ready to continue. A due fragment is the first of two.
pub fn in_state(state: State) -> Client {
    let mut client = match state {
        State::CreateSession => Client::new(20, SMALL),
        State::Ping => Client::new(20, SMALL).with_exchange(&created_on(HOST, None)),
        State::Fragment | State::Cancel | State::Cancelled | State::Failed => {
            Client::with_session(20, SMALL)
        }
        State::GetReply => Client::with_session(10, WITH_REPLY)
            .with_exchange(&fragment_ack_with_reply(10, REPLY.as_bytes())),
        State::Close => Client::fully_received(),
        State::Finished => Client::fully_received().with_exchange(&closed()),
        other => panic!("unknown state {other}"),
    };
    match state {
        State::Cancel | State::Cancelled => client.upload.cancel().expect("it can be cancelled"),
        State::Failed => client.exchange(&refused(403)),
        _ => {}
    }
    if state == State::Cancelled {
        client.exchange(&cancelled());
    }
    assert_eq!(client.states(), (state, Exchange::Ready));
    client
}

/// Returns an upload in this state and exchange, or `None` if the combination does not exist.
pub fn reach(state: State, exchange: Exchange) -> Option<Client> {
    let has_requests =
        !matches!(state, State::GetReply | State::Finished | State::Cancelled | State::Failed);
    let can = match exchange {
        Exchange::Ready => true,
        Exchange::BackOff | Exchange::Suspended => has_requests || state == State::GetReply,
        Exchange::Sending | Exchange::Awaiting | Exchange::Unauthorized => has_requests,
        other => panic!("unknown exchange {other}"),
    };
    let mut client = can.then(|| in_state(state))?;
    let now = client.now;
    match exchange {
        Exchange::Ready => {}
        Exchange::Sending => client.start_sending(),
        Exchange::Awaiting => client.send(),
        Exchange::BackOff if has_requests => client.disconnect(),
        Exchange::BackOff => client.upload.handle_reply_failed(now).expect("a reply is due"),
        Exchange::Unauthorized => client.exchange(&refused(401)),
        Exchange::Suspended => client.upload.pause().expect("it can be paused"),
        other => panic!("unknown exchange {other}"),
    }
    assert_eq!(client.states(), (state, exchange));
    Some(client)
}

/// Returns every existing combination of state and exchange: 5 states with 6 exchanges, one with 3, three with 1.
pub fn all_reachable() -> Vec<Client> {
    let pairs = State::ALL.iter().flat_map(|state| Exchange::ALL.iter().map(|it| (*state, *it)));
    let all: Vec<_> = pairs.filter_map(|(state, exchange)| reach(state, exchange)).collect();
    assert_eq!(all.len(), 5 * 6 + 3 + 3);
    all
}

/// A correct server.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    pub received: u64,
    pub reply: bool,
}

impl Server {
    pub fn respond(&mut self, request: &Request<'_>) -> Ack<'static> {
        match request {
            Request::Ping(_) => pinged(),
            Request::CreateSession(_) => {
                self.received = 0;
                created()
            }
            // Not contiguous, or ending before the received bytes.
            Request::Fragment(it)
                if it.content_range.first() > self.received
                    || it.content_range.end() < self.received =>
            {
                out_of_sync(self.received)
            }
            Request::Fragment(it) => {
                self.received = self.received.max(it.content_range.end());
                match self.reply && self.received == it.content_range.total() {
                    true => fragment_ack_with_reply(self.received, REPLY.as_bytes()),
                    false => fragment_ack(self.received),
                }
            }
            Request::CloseSession(_) => closed(),
            Request::CancelSession(_) => cancelled(),
            _ => panic!("a variant that this code does not know"),
        }
    }

    /// Runs the upload to its end, and returns the number of steps.
    pub fn finish(&mut self, client: &mut Client, limit: u32) -> u32 {
        for step in 0..limit {
            let answer = match client.upload.poll() {
                Poll::Send(transmit) => Some(self.respond(&transmit.request())),
                Poll::Finished | Poll::Cancelled => return step,
                _ => None,
            };
            match (answer, client.upload.poll()) {
                (Some(ack), _) => client.exchange(&ack),
                (_, Poll::FetchReply) => client.upload.handle_reply_fetched().expect("due"),
                (_, Poll::ReplyMissing) => client.upload.close_without_reply().expect("due"),
                (_, Poll::Wait(until)) => {
                    client.now = client.now.max(until);
                    client.upload.handle_timeout(client.now);
                }
                (_, Poll::Credentials(_)) => client.upload.provide_credentials().expect("wanted"),
                (_, other) => {
                    assert!(matches!(other, Poll::Suspended(_) | Poll::Failed(_)), "{other:?}");
                    client.upload.resume().expect("it can be resumed");
                }
            }
        }
        panic!("no end after {limit} steps: {client:?}")
    }
}

/// Splits the rows of a table in text form into words.
pub fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|row: &Vec<_>| row.first().is_some_and(|first| !first.starts_with('#')))
}

/// Returns the value with this name.
pub fn named<T: Copy + std::fmt::Display>(all: &[T], name: &str) -> T {
    *all.iter().find(|it| it.to_string() == name).unwrap_or_else(|| panic!("no {name}"))
}
