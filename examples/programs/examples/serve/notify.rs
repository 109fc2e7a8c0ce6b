//! Notifies a server application of a complete entity, and keeps its reply.
//!
//! Embedding rule "notification": an application that has accepted an entity must not get it again.
//! The acceptance is recorded in the session before anything else can fail.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bits_proto::backend::{self, Notification, NotificationType, Outcome, Poll, Timeouts};
use bits_proto::field::{OriginalRequestUrl, ReplyUrl};
use bits_proto::http1::RequestTarget;
use bits_proto::server::{HostError, Notified, Reply, SessionsError, Step, WorkToken};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::SessionGuard;
use http::header::HOST;
use http::request::Parts;
use tokio::task::block_in_place;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::download::reply_path;
use crate::exchange::Exchange;
use crate::listen::SCHEME;
use crate::server::{Server, Table, now};
use crate::upload::StepResult;

/// Delay before an acceptance that could not be recorded is recorded again.
const RECORD_INTERVAL: Duration = Duration::from_secs(1);

impl Server {
    /// Notifies the application, keeps its reply, and reports both to the session.
    pub async fn notify(&self, guard: &SessionGuard, parts: &Parts) -> StepResult {
        let token = guard.token;
        let mut exchange = match block_in_place(|| self.prepare(guard, parts)) {
            Ok(exchange) => exchange,
            Err(error) => {
                warn!(%error, "cannot prepare the notification of the application");
                let error = host_error(&error);
                return block_in_place(|| self.table().handle_failed(token, error));
            }
        };
        let mut is_recorded = false;
        loop {
            let poll = exchange.notification.poll();
            match (poll, exchange.notification.copy_to_destination()) {
                (Poll::Complete(outcome), _) => {
                    info!(?outcome, "application notified");
                    return self.after_notification(guard, &exchange, outcome, is_recorded).await;
                }
                (Poll::Failed(error), _) => {
                    warn!(%error, "notification of the application failed");
                    let error =
                        HostError::Application { status: error.status(), code: Some(error.code()) };
                    return block_in_place(|| self.table().handle_failed(token, error));
                }
                (_, Some(copy)) if !is_recorded => {
                    let accepted = |table: &mut Table| table.handle_accepted(token, copy, now());
                    match self.record(accepted).await {
                        Ok(Step::KeepReply(_)) => is_recorded = true,
                        // Another request has taken over.
                        ended => return ended,
                    }
                }
                (poll, _) => exchange.advance(poll).await,
            }
        }
    }

    fn prepare<'s>(&'s self, guard: &'s SessionGuard, parts: &Parts) -> io::Result<Exchange<'s>> {
        // The policy requests notifications only if there is an application.
        let application = self.application.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let session = guard.token.session_id();
        let length = self.total(session)?;
        let (entity, _) = guard.run(|| {
            self.storage.remove_reply(session)?;
            self.storage.finish(session, length)?;
            self.storage.stored(session)
        })?;
        let notification = Notification::new(application.kind, length, Timeouts::DEFAULT, now())
            .with_accepted_statuses(application.accepted_statuses);
        let original = original_url(parts, self.address)?;
        Ok(Exchange::new(application, &self.storage, guard, original, notification, length, entity))
    }

    async fn after_notification(
        &self,
        guard: &SessionGuard,
        exchange: &Exchange<'_>,
        outcome: Outcome,
        is_recorded: bool,
    ) -> StepResult {
        let token = guard.token;
        let reply = match outcome.reply {
            backend::Reply::Static => Reply::Static,
            backend::Reply::Body { .. } => {
                let kept =
                    block_in_place(|| guard.run(|| self.storage.finish_reply(token.session_id())));
                match kept {
                    Ok(()) => Reply::Kept,
                    Err(error) => {
                        warn!(%error, "the application accepted the entity, and its reply is lost");
                        Reply::None
                    }
                }
            }
            backend::Reply::File { .. } => Reply::Kept,
            backend::Reply::Lost(error) => {
                warn!(%error, "the application accepted the entity, and its reply is lost");
                if exchange.notification.kind() == NotificationType::ByReference {
                    // The client's next request looks for the file again.
                    return block_in_place(|| self.table().handle_failed(token, HostError::Other));
                }
                Reply::None
            }
            _ => Reply::None,
        };
        if reply == Reply::None {
            block_in_place(|| self.remove_partial_reply(guard));
        }
        let url = exchange.url.as_deref();
        if is_recorded {
            return block_in_place(|| self.report_reply(token, reply, url));
        }
        let notified = Notified::new(outcome.copy_to_destination, reply);
        let url = url.and_then(|url| ReplyUrl::try_from(url).ok());
        self.record(|table| table.handle_notified(token, notified, url, now())).await
    }

    /// Looks for the reply of an application that accepted the entity in an earlier request.
    pub fn keep_reply(&self, guard: &SessionGuard) -> StepResult {
        let token = guard.token;
        let reply = match guard.run(|| self.storage.reply(token.session_id())) {
            Ok(_) => Reply::Kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                warn!("the application accepted the entity, and there is no complete reply");
                self.remove_partial_reply(guard);
                Reply::None
            }
            Err(error) => {
                warn!(%error, "cannot look for the reply of the application");
                return self.table().handle_failed(token, HostError::Other);
            }
        };
        self.report_reply(token, reply, None)
    }

    /// Deletes what was received of a reply that is lost. Failing that, it is deleted at the next start.
    fn remove_partial_reply(&self, guard: &SessionGuard) {
        let removed = guard.run(|| self.storage.remove_reply(guard.token.session_id()));
        if let Err(error) = removed {
            warn!(%error, "cannot delete an incomplete reply");
        }
    }

    fn report_reply(&self, token: WorkToken, reply: Reply, url: Option<&[u8]>) -> StepResult {
        let kept = reply_path(token.session_id());
        let url = if reply == Reply::Kept { Some(kept.as_bytes()) } else { url };
        let url = url.and_then(|url| ReplyUrl::try_from(url).ok());
        self.table().handle_reply(token, reply, url, now())
    }

    /// Records an acceptance. If it cannot be stored, it is stored later, and the session stays busy
    /// meanwhile.
    async fn record(&self, report: impl Fn(&mut Table) -> StepResult) -> StepResult {
        loop {
            match block_in_place(|| report(&mut self.table())) {
                Err(SessionsError::Store(error)) => {
                    error!(%error, "cannot record the acceptance of the application; trying again");
                    sleep(RECORD_INTERVAL).await;
                }
                recorded => return recorded,
            }
        }
    }
}

/// Returns the destination URL as the client sees it. Without a valid Host field, the host is the
/// address that the server listens on.
fn original_url(parts: &Parts, address: SocketAddr) -> io::Result<String> {
    let target = parts.uri.to_string();
    let target = RequestTarget::try_from(&*target).map_err(io::Error::other)?;
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let compose = |host: &str| OriginalRequestUrl::compose(SCHEME, host, target);
    host.and_then(|host| compose(host).ok())
        .map_or_else(|| compose(&address.to_string()), Ok)
        .map_err(io::Error::other)
}
