//! What all requests share, and which of them goes where.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bits_proto::server::{Discard, Policy, Sessions, UnreadBody};
use http::header::{ALLOW, CONTENT_LENGTH, EXPECT, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::task::block_in_place;
use tracing::{Instrument as _, debug, error, info, info_span, warn};
use uuid::Uuid;

use crate::application::Application;
use crate::arguments::Arguments;
use crate::basic_auth::{Basic, CHALLENGE};
use crate::body::{Outgoing, Reader};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::{Fencing, SessionGuard};
use bits_proto_programs::serve::folder::Folder;
use bits_proto_programs::serve::storage::Storage;

pub type Table = Sessions<'static, Folder>;

/// A server.
pub struct Server {
    table: Mutex<Table>,
    /// The table's, to be had without waiting for that.
    pub policy: Policy<'static>,
    pub fencing: Fencing,
    pub storage: Storage,
    basic: Option<Basic>,
    pub application: Option<Application>,
    read_timeout: Duration,
    /// Told when the server is about to end. Whoever works on a request listens.
    stops: watch::Sender<bool>,
}

/// The connection is to be closed without an answer: nobody waits for it.
#[derive(Debug)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the client went away, sent nothing for too long, or the server ends")
    }
}

impl std::error::Error for Gone {}

impl Server {
    /// Takes up the sessions of the last process.
    pub fn new(arguments: &Arguments) -> io::Result<Self> {
        let storage = Storage::open(
            &arguments.root,
            arguments.sessions.as_deref(),
            arguments.allow_overwrite,
            arguments.fsync,
        )?;
        let (folder, found) = Folder::open(storage.sessions(), arguments.fsync)?;
        for name in &found.damaged {
            warn!(name, "a damaged session was set aside");
        }
        info!(sessions = folder.len(), removed = found.removed, "took up the sessions");
        let application = Application::of(arguments)?;
        let policy = arguments.policy();
        Ok(Self {
            table: Mutex::new(Sessions::new(folder, policy, arguments.limits())),
            policy,
            fencing: Fencing::default(),
            storage,
            basic: arguments.basic.clone(),
            application,
            read_timeout: arguments.read_timeout,
            stops: watch::Sender::new(false),
        })
    }

    /// The sessions. Whoever has them may wait for the disk and for nothing else, so whoever asks
    /// for them blocks.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        // The table changes nothing before all of a change is written.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length of a session's entity, which is known once that is whole. A length that is not
    /// known is none to cut an entity to.
    pub fn total(&self, session: Uuid) -> io::Result<u64> {
        let table = self.table();
        let total = table.store().get(session).and_then(|record| record.session.total());
        total.ok_or_else(|| io::Error::other("nobody knows the length of the entity"))
    }

    /// Ends the work on requests: what was received counts.
    pub async fn stop(&self) {
        self.stops.send_replace(true);
        self.stops.closed().await;
    }

    /// Deletes what clients have left behind.
    pub fn sweep(&self) {
        self.fencing.tidy();
        for (discard, guard) in self.expired() {
            let discarded = guard.run(|| self.storage.discard(&discard));
            let turn = discard.turn;
            info!(session = %turn.session_id(), "a session timed out");
            let reported = match discarded {
                Ok(()) => self.table().handle_discarded(turn),
                Err(error) => {
                    error!(%error, "what a session left cannot be deleted");
                    self.table().handle_failed(turn, host_error(&error))
                }
            };
            if let Err(error) = reported {
                error!(%error, "the end of a session cannot be written down");
            }
        }
    }

    /// The sessions whose time is over.
    fn expired(&self) -> Vec<(Discard, SessionGuard)> {
        let mut table = self.table();
        let discards = table.handle_timeout(now()).unwrap_or_else(|error| {
            error!(%error, "the sessions cannot be swept");
            Vec::new()
        });
        discards.into_iter().map(|discard| (discard, self.fencing.guard(discard.turn))).collect()
    }

    /// Answers a request.
    pub async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, Gone> {
        let span = info_span!(
            "request",
            method = %request.method(),
            path = request.uri().path(),
            session = tracing::field::Empty,
            packet = tracing::field::Empty,
        );
        let (parts, body) = request.into_parts();
        if !is_bits(&parts) {
            return Ok(span.in_scope(|| self.serve_plain(&parts)));
        }
        let body = Reader::new(body, self.read_timeout, self.stops.subscribe());
        // A task of its own: work that was begun is finished and reported, whatever becomes of the
        // connection.
        let work = tokio::spawn(self.serve_bits(parts, body).instrument(span));
        work.await.unwrap_or(Err(Gone))
    }

    async fn serve_bits(
        self: Arc<Self>,
        parts: Parts,
        mut body: Reader,
    ) -> Result<Response<Outgoing>, Gone> {
        let Some(answer) = self.answer(&parts, &mut body).await else {
            debug!("no answer");
            return Err(Gone);
        };
        let rest = match answer.rest {
            // A lenient policy lets packets have a body that they should not have.
            UnreadBody::None if !body.is_empty() => {
                body.length().map_or(UnreadBody::Close, UnreadBody::Drain)
            }
            rest => rest,
        };
        // Nobody knows whether a body follows that the client asked about first.
        let closes = rest == UnreadBody::Close
            || rest != UnreadBody::None && !body.is_empty() && parts.headers.contains_key(EXPECT);
        let response = answer.response(closes);
        let status = response.status().as_u16();
        info!(status, bytes = answer.bytes, "answered");
        if let (UnreadBody::Drain(length), false) = (rest, closes) {
            // Behind the answer: a client may wait for that before it sends the rest.
            tokio::spawn(async move { body.skip(length).await });
        }
        Ok(response)
    }

    fn serve_plain(&self, parts: &Parts) -> Response<Outgoing> {
        let response = if parts.method != Method::GET && parts.method != Method::HEAD {
            let mut response = bare(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD, BITS_POST");
            response.headers_mut().insert(ALLOW, allowed);
            response
        } else {
            match self.principal(parts) {
                Ok(principal) => block_in_place(|| self.fetch(parts, principal)),
                Err(Unknown) => {
                    let mut response = bare(StatusCode::UNAUTHORIZED);
                    let challenge = HeaderValue::from_static(CHALLENGE);
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                    response
                }
            }
        };
        let bytes = response.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
        info!(status = response.status().as_u16(), bytes, "answered");
        response
    }

    /// Who sends a request; nobody in particular where nobody is asked.
    pub fn principal(&self, parts: &Parts) -> Result<Option<&str>, Unknown> {
        match &self.basic {
            Some(basic) => basic.user(&parts.headers).map(Some).ok_or(Unknown),
            None => Ok(None),
        }
    }
}

/// Nobody knows who sends a request.
pub struct Unknown;

/// An answer to a request that is not BITS', without a body.
pub fn bare(status: StatusCode) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::EMPTY);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// Whether a request is meant for this protocol, right or wrong.
fn is_bits(parts: &Parts) -> bool {
    parts.method.as_str() == "BITS_POST"
        || parts.headers.contains_key("BITS-Packet-Type")
        || parts
            .headers
            .get("X-HTTP-Method-Override")
            .is_some_and(|method| method.as_bytes() == b"BITS_POST")
}

/// Sessions outlive processes: their times are those of the calendar.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
