//! State that all requests share, and the dispatch of requests.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bits_proto::server::{Discard, Policy, Sessions, UnreadBody};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::{Fencing, SessionGuard};
use bits_proto_programs::serve::folder::Folder;
use bits_proto_programs::serve::storage::Storage;
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
use crate::basic_auth::{BasicAuth, CHALLENGE};
use crate::body::{Outgoing, Reader};

pub type Table = Sessions<'static, Folder>;

/// A server.
pub struct Server {
    table: Mutex<Table>,
    /// A copy of the table's policy, available without locking the table.
    pub policy: Policy<'static>,
    pub fencing: Fencing,
    pub storage: Storage,
    basic: Option<BasicAuth>,
    pub application: Option<Application>,
    /// The address that the server listens on.
    pub address: SocketAddr,
    read_timeout: Duration,
    /// Becomes `true` at shutdown. Requests that wait for a body subscribe to it.
    shutdown: watch::Sender<bool>,
}

/// Closes the connection without a response.
#[derive(Debug)]
pub struct NoResponse;

impl std::fmt::Display for NoResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("client disconnected or timed out, or the server is shutting down")
    }
}

impl std::error::Error for NoResponse {}

impl Server {
    /// Creates a server that resumes the sessions of the previous process.
    pub fn new(arguments: &Arguments, address: SocketAddr) -> io::Result<Self> {
        let storage = Storage::open(
            &arguments.root,
            arguments.sessions.as_deref(),
            arguments.allow_overwrite,
            arguments.fsync,
        )?;
        let (folder, found) = Folder::open(storage.sessions(), arguments.fsync)?;
        for name in &found.damaged {
            warn!(
                file = name,
                "session record is damaged and was renamed; its upload must restart"
            );
        }
        info!(sessions = folder.session_count(), removed_files = found.removed, "sessions loaded");
        let application = Application::from_arguments(arguments)?;
        let policy = arguments.policy();
        Ok(Self {
            table: Mutex::new(Sessions::new(folder, policy, arguments.limits())),
            policy,
            fencing: Fencing::default(),
            storage,
            basic: arguments.basic.clone(),
            application,
            address,
            read_timeout: arguments.read_timeout,
            shutdown: watch::Sender::new(false),
        })
    }

    /// Locks the table of sessions. This blocks the thread. While the lock is held, only the disk may
    /// be waited for.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        // A panic leaves the table consistent: it changes only after a change is stored.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the length of a session's complete entity. Fails if the length is unknown, since
    /// the file would otherwise be truncated.
    pub fn total(&self, session: Uuid) -> io::Result<u64> {
        let table = self.table();
        let total = table.store().get(session).and_then(|record| record.session.total());
        total.ok_or_else(|| io::Error::other("length of the entity is unknown"))
    }

    /// Interrupts the requests in progress and waits for them. The bytes received so far are kept.
    pub async fn stop(&self) {
        self.shutdown.send_replace(true);
        self.shutdown.closed().await;
    }

    /// Deletes the files of expired sessions.
    pub fn sweep(&self) {
        self.fencing.remove_unused();
        for (discard, guard) in self.expired() {
            let discarded = guard.run(|| self.storage.discard(&discard));
            let token = discard.token;
            info!(session = %token.session_id(), "session expired");
            let reported = match discarded {
                Ok(()) => self.table().handle_discarded(token),
                Err(error) => {
                    error!(%error, "cannot delete the files of a session");
                    self.table().handle_failed(token, host_error(&error))
                }
            };
            if let Err(error) = reported {
                error!(%error, "cannot store the end of a session");
            }
        }
    }

    /// Ends the expired sessions. Returns their data to delete, with the guards for its files.
    fn expired(&self) -> Vec<(Discard, SessionGuard)> {
        let mut table = self.table();
        let discards = table.handle_timeout(now()).unwrap_or_else(|error| {
            error!(%error, "cannot look for expired sessions");
            Vec::new()
        });
        discards.into_iter().map(|discard| (discard, self.fencing.guard(discard.token))).collect()
    }

    /// Handles a request.
    pub async fn serve(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Outgoing>, NoResponse> {
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
        let body = Reader::new(body, self.read_timeout, self.shutdown.subscribe());
        // Embedding rule "cancellation": hyper drops this future when the client disconnects, but
        // not a spawned task. So work that has begun is always finished and reported.
        let work = tokio::spawn(self.serve_bits(parts, body).instrument(span));
        work.await.unwrap_or(Err(NoResponse))
    }

    async fn serve_bits(
        self: Arc<Self>,
        parts: Parts,
        mut body: Reader,
    ) -> Result<Response<Outgoing>, NoResponse> {
        let Some(answer) = self.handle_bits(&parts, &mut body).await else {
            debug!("connection closed without a response");
            return Err(NoResponse);
        };
        let unread_body = match answer.unread_body {
            // A lenient policy accepts a body on packets that must not have one.
            UnreadBody::None if !body.is_empty() => {
                body.length().map_or(UnreadBody::Close, UnreadBody::Drain)
            }
            unread_body => unread_body,
        };
        // After `Expect: 100-continue` a client may send the body or leave it out, so the next
        // request on the connection could not be located.
        let closes = unread_body == UnreadBody::Close
            || unread_body != UnreadBody::None
                && !body.is_empty()
                && parts.headers.contains_key(EXPECT);
        let response = answer.response(closes);
        let status = response.status().as_u16();
        info!(status, bytes = answer.bytes, "request answered");
        if let (UnreadBody::Drain(length), false) = (unread_body, closes) {
            // In the background: a client may wait for the response before it sends the rest.
            tokio::spawn(async move { body.skip(length).await });
        }
        Ok(response)
    }

    fn serve_plain(&self, parts: &Parts) -> Response<Outgoing> {
        let response = if parts.method != Method::GET && parts.method != Method::HEAD {
            let mut response = empty_response(StatusCode::METHOD_NOT_ALLOWED);
            let allowed = HeaderValue::from_static("GET, HEAD, BITS_POST");
            response.headers_mut().insert(ALLOW, allowed);
            response
        } else {
            match self.principal(parts) {
                Ok(principal) => block_in_place(|| self.fetch(parts, principal)),
                Err(Unauthenticated) => {
                    let mut response = empty_response(StatusCode::UNAUTHORIZED);
                    let challenge = HeaderValue::from_static(CHALLENGE);
                    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
                    response
                }
            }
        };
        let bytes = response.headers().get(CONTENT_LENGTH).and_then(|it| it.to_str().ok());
        info!(status = response.status().as_u16(), bytes, "request answered");
        response
    }

    /// Returns the authenticated user, or `None` if no authentication is required.
    pub fn principal(&self, parts: &Parts) -> Result<Option<&str>, Unauthenticated> {
        match &self.basic {
            Some(basic) => basic.user(&parts.headers).map(Some).ok_or(Unauthenticated),
            None => Ok(None),
        }
    }
}

/// The required credentials are missing or wrong.
pub struct Unauthenticated;

/// Returns a response without content to a request outside the protocol.
pub fn empty_response(status: StatusCode) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::EMPTY);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    response
}

/// Returns `true` if a request belongs to this protocol, valid or not.
fn is_bits(parts: &Parts) -> bool {
    parts.method.as_str() == "BITS_POST"
        || parts.headers.contains_key("BITS-Packet-Type")
        || parts
            .headers
            .get("X-HTTP-Method-Override")
            .is_some_and(|method| method.as_bytes() == b"BITS_POST")
}

/// Returns the time since the Unix epoch: sessions outlive the process and its monotonic clock.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
