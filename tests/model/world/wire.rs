//! Messages on a connection: a request, its body, and a response.

use bits_proto::client::Transmit;
use bits_proto::field::{
    ContentRange, ErrorContext, HResult, Protocol, ReceivedContentRange, ReplyUrl, SessionId,
};
use bits_proto::http1::StatusCode;
use bits_proto::message::{
    Ack, CancelSession, CancelSessionAck, CloseSession, CloseSessionAck, CreateSession,
    CreateSessionAck, Fragment, FragmentAck, Ping, PingAck, Refusal, Request,
};
use bits_proto::server::{Discard, StoreBytes, WorkToken};
use uuid::Uuid;

use super::config::Bug;

/// Returns the id of the session with this number.
pub fn session_id(session: u8) -> Uuid {
    uuid::Builder::from_random_bytes([session; 16]).into_uuid()
}

pub fn session_of(id: Uuid) -> u8 {
    id.as_bytes()[0]
}

fn session_named(id: SessionId<'_>) -> u8 {
    session_of(id.guid().expect("the server issues GUIDs"))
}

/// A request, without fields that are equal in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Packet {
    Ping,
    Create,
    Fragment { session: u8, first: u64, end: u64 },
    Close(u8),
    Cancel(u8),
}

impl Packet {
    pub fn of(transmit: &Transmit) -> Self {
        match transmit.request() {
            Request::Ping(_) => Self::Ping,
            Request::CreateSession(_) => Self::Create,
            Request::Fragment(it) => {
                let (session, body) = (session_named(it.session_id), transmit.entity());
                Self::Fragment { session, first: body.start, end: body.end }
            }
            Request::CloseSession(it) => Self::Close(session_named(it.session_id)),
            Request::CancelSession(it) => Self::Cancel(session_named(it.session_id)),
            _ => panic!("a variant that this code does not know"),
        }
    }

    pub fn request(self, total: u64) -> Request<'static> {
        let id = |session| SessionId::from(session_id(session));
        match self {
            Self::Ping => Ping::default().into(),
            Self::Create => CreateSession::default().into(),
            Self::Fragment { session, first, end } => {
                let range = ContentRange::new(first, end - 1, total).expect("a range");
                Fragment::new(id(session), range).into()
            }
            Self::Close(session) => CloseSession::new(id(session)).into(),
            Self::Cancel(session) => CancelSession::new(id(session)).into(),
        }
    }

    /// Returns the session that it names.
    pub const fn session(self) -> Option<u8> {
        match self {
            Self::Ping | Self::Create => None,
            Self::Fragment { session, .. } | Self::Close(session) | Self::Cancel(session) => {
                Some(session)
            }
        }
    }

    /// Returns the part of the entity that is its body.
    pub const fn body(self) -> (u64, u64) {
        match self {
            Self::Fragment { first, end, .. } => (first, end),
            Self::Ping | Self::Create | Self::Close(_) | Self::Cancel(_) => (0, 0),
        }
    }
}

/// A response, without fields that are equal in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Created(u8),
    Pinged,
    Held { next: u64, url_of: Option<u8> },
    Closed,
    Cancelled,
    Refused { status: StatusCode, code: Option<HResult>, received: Option<u64> },
}

pub const SESSION_NOT_FOUND: HResult = HResult::BG_E_SESSION_NOT_FOUND;

impl Reply {
    pub fn of(ack: &Ack<'_>) -> Self {
        match ack {
            Ack::CreateSession(ack) => Self::Created(session_named(ack.session_id)),
            Ack::Ping(_) => Self::Pinged,
            Ack::Fragment(ack) => {
                let url_of = ack.reply_url.map(|url| url.as_bytes()[0] - b'0');
                Self::Held { next: ack.received.0, url_of }
            }
            Ack::CloseSession(_) => Self::Closed,
            Ack::CancelSession(_) => Self::Cancelled,
            Ack::Refused(refusal) => Self::Refused {
                status: refusal.status(),
                code: refusal.code(),
                received: refusal.received().map(|it| it.0),
            },
            _ => panic!("a variant that this code does not know"),
        }
    }

    pub fn ack(self) -> Ack<'static> {
        match self {
            Self::Created(session) => {
                CreateSessionAck::new(Protocol::BITS_1_5, session_id(session).into()).into()
            }
            Self::Pinged => PingAck.into(),
            Self::Held { next, url_of } => FragmentAck {
                session_id: None,
                received: ReceivedContentRange(next),
                reply_url: url_of.map(reply_url),
            }
            .into(),
            Self::Closed => CloseSessionAck { session_id: None }.into(),
            Self::Cancelled => CancelSessionAck { session_id: None }.into(),
            Self::Refused { status, code, received } => {
                let refusal = match received {
                    Some(received) => Refusal::out_of_sync(ReceivedContentRange(received)),
                    None => Refusal::new(status).expect("it refuses"),
                };
                match code {
                    Some(code) => refusal.with_error(code, ErrorContext::SERVER).into(),
                    None => refusal.into(),
                }
            }
        }
    }

    /// Returns the acknowledged number of bytes.
    pub const fn received(self) -> Option<u64> {
        match self {
            Self::Held { next, .. } => Some(next),
            Self::Refused { received, .. } => received,
            Self::Created(_) | Self::Pinged | Self::Closed | Self::Cancelled => None,
        }
    }

    /// Returns the response of a server with this bug instead.
    pub fn of_bug(self, bug: Bug) -> Self {
        match (bug, self) {
            (Bug::WrongOffset, Self::Refused { status, code, received: Some(received) }) => {
                Self::Refused { status, code, received: Some(received + 1) }
            }
            (Bug::ServedAfterEnd, _) if self.is_session_not_found() => Self::Closed,
            (Bug::ClosedUnknown, Self::Closed) => Self::Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                code: Some(SESSION_NOT_FOUND),
                received: None,
            },
            (Bug::NothingAcked, Self::Held { url_of, .. }) => Self::Held { next: 0, url_of },
            _ => self,
        }
    }

    /// Returns true if credentials are required, which is checked first.
    pub fn is_challenge(self) -> bool {
        matches!(self, Self::Refused { status: StatusCode::UNAUTHORIZED, .. })
    }

    pub fn is_session_not_found(self) -> bool {
        matches!(self, Self::Refused { code: Some(code), .. } if code == SESSION_NOT_FOUND)
    }
}

/// Returns the URL of a session's reply.
pub fn reply_url(session: u8) -> ReplyUrl<'static> {
    const URLS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    ReplyUrl::try_from(URLS[usize::from(session)]).expect("a URL")
}

/// Work of the embedder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    Store(StoreBytes),
    Notify(WorkToken),
    KeepReply(WorkToken),
    Commit(WorkToken),
    Discard(Discard),
}

impl Job {
    pub const fn token(&self) -> WorkToken {
        match self {
            Self::Store(StoreBytes { token, .. })
            | Self::Notify(token)
            | Self::KeepReply(token)
            | Self::Commit(token)
            | Self::Discard(Discard { token, .. }) => *token,
        }
    }

    pub fn session(&self) -> u8 {
        session_of(self.token().session_id())
    }
}

/// Progress of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Coming,
    /// The embedder works on it. Finished work must be reported.
    Working {
        job: Job,
        done: Option<Done>,
    },
    Answered(Reply),
}

/// A result to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Done {
    /// The work is done; for bytes, with their number.
    Finished(u64),
    /// The stored bytes are lost.
    Lost,
}

/// A connection with one request. Without a request, it is the server's own work on a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Link {
    pub packet: Option<Packet>,
    /// Offset of the next byte of the body.
    pub at: u64,
    /// Offset at which the arriving part of the body ends.
    pub until: u64,
    pub phase: Phase,
    /// True if the network duplicated it.
    pub is_copy: bool,
}

impl Link {
    pub const fn of(packet: Packet) -> Self {
        let (at, until) = packet.body();
        Self { packet: Some(packet), at, until, phase: Phase::Coming, is_copy: false }
    }

    pub const fn job(&self) -> Option<&Job> {
        match &self.phase {
            Phase::Working { job, .. } => Some(job),
            Phase::Coming | Phase::Answered(_) => None,
        }
    }

    /// Returns true if there is work, and all the bytes that it needs have arrived.
    pub const fn can_be_done(&self) -> bool {
        match self.phase {
            Phase::Working { job: Job::Store(_), done: None } => self.at < self.until,
            Phase::Working { done, .. } => done.is_none(),
            Phase::Coming | Phase::Answered(_) => false,
        }
    }
}
