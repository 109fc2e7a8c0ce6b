//! Notifies a server application of a complete entity, and keeps its reply.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bits_proto::backend::{
    self, Notification, NotificationError, NotificationType, Outcome, Poll, Timeouts,
};
use bits_proto::field::{OriginalRequestUrl, ReplyUrl, RequestDataFileName, ResponseDataFileName};
use bits_proto::http1::RequestTarget;
use bits_proto::message::NotificationResponse;
use bits_proto::server::{HostError, Notified, Reply, SessionsError, WorkToken};
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::SessionGuard;
use bits_proto_programs::serve::storage::Storage;
use bytes::Bytes;
use cap_std::fs::File;
use http::header::HOST;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::application::{Application, Link};
use crate::body::{Outgoing, read_piece};
use crate::download::reply_path;
use crate::listen::SCHEME;
use crate::server::{Server, now};
use crate::upload::StepResult;

impl Server {
    /// Notifies the application and reports the result to the session.
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
        match exchange.run().await {
            Ok(outcome) => {
                info!(?outcome, "application notified");
                let kept = reply_path(token.session_id());
                let url = exchange.url.as_deref();
                block_in_place(|| self.after_notification(token, outcome, url, &kept))
            }
            Err(error) => {
                warn!(%error, "notification of the application failed");
                let error =
                    HostError::Application { status: error.status(), code: Some(error.code()) };
                block_in_place(|| self.table().handle_failed(token, error))
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
        Ok(Exchange {
            application,
            storage: &self.storage,
            guard,
            original: original_url(parts, self.address)?,
            notification: Notification::new(application.kind, length, Timeouts::DEFAULT, now()),
            length,
            entity,
            reply: None,
            url: None,
        })
    }

    fn after_notification(
        &self,
        token: WorkToken,
        outcome: Outcome,
        url: Option<&[u8]>,
        kept: &str,
    ) -> StepResult {
        let (reply, url) = match outcome.reply {
            backend::Reply::None => (Reply::None, None),
            backend::Reply::Static => (Reply::Static, url),
            backend::Reply::Body { .. } | backend::Reply::File { .. } => {
                (Reply::Kept, Some(kept.as_bytes()))
            }
            _ => (Reply::None, None),
        };
        let notified = Notified::new(outcome.copy_to_destination, reply);
        let url = url.map(ReplyUrl::try_from).transpose();
        let url = url.map_err(|error| SessionsError::Store(io::Error::other(error)))?;
        self.table().handle_notified(token, notified, url, now())
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

/// A notification in progress.
struct Exchange<'s> {
    application: &'s Application,
    storage: &'s Storage,
    guard: &'s SessionGuard,
    original: String,
    notification: Notification,
    length: u64,
    entity: File,
    /// The file that receives the body of the response.
    reply: Option<File>,
    /// The URL of a reply that the application provides itself.
    url: Option<Box<[u8]>>,
}

/// The request to the application.
struct InFlight {
    link: Link,
    /// A response that arrived before the request was completely sent.
    early: Option<Response<Incoming>>,
    pieces: mpsc::Sender<Bytes>,
    /// The body of the response.
    body: Option<Incoming>,
}

type Handled = Result<(), backend::EventError>;

impl Exchange<'_> {
    /// Carries out the steps of the notification until it ends.
    async fn run(&mut self) -> Result<Outcome, NotificationError> {
        let mut in_flight = None;
        loop {
            let poll = self.notification.poll();
            let deadline = match poll {
                Poll::SendHeaders { deadline }
                | Poll::SendData { deadline, .. }
                | Poll::ReceiveHeaders { deadline }
                | Poll::ReceiveData { deadline, .. } => deadline,
                Poll::FindReply => Duration::MAX,
                Poll::Complete(outcome) => return Ok(outcome),
                Poll::Failed(error) => return Err(error),
                other => {
                    warn!(?other, "unsupported step of the notification");
                    return Err(NotificationError::Storage);
                }
            };
            let left = deadline.saturating_sub(now());
            let handled = match timeout(left, self.step(poll, &mut in_flight)).await {
                Ok(handled) => handled,
                Err(_) => {
                    self.notification.handle_timeout(now());
                    continue;
                }
            };
            // Does not fail, as each input matches the step.
            handled.map_err(|error| {
                warn!(%error, "the notification rejected an input");
                NotificationError::Storage
            })?;
        }
    }

    async fn step(&mut self, poll: Poll, in_flight: &mut Option<InFlight>) -> Handled {
        match (poll, in_flight) {
            (Poll::SendHeaders { .. }, in_flight) => match self.send_head().await {
                Ok(request) => {
                    *in_flight = Some(request);
                    self.notification.handle_headers_sent(now())
                }
                Err(error) => {
                    warn!(%error, "cannot send the request to the application");
                    self.notification.handle_transport_failure()
                }
            },
            (Poll::SendData { length, .. }, Some(request)) => self.send_data(length, request).await,
            (Poll::ReceiveHeaders { .. }, Some(request)) => {
                let response = match request.early.take() {
                    Some(response) => Ok(response),
                    None => receive_response(&mut request.link.response).await,
                };
                self.receive_head(response, &mut request.body)
            }
            (Poll::ReceiveData { keep, .. }, Some(InFlight { body: Some(body), .. })) => {
                self.receive_data(keep, body).await
            }
            (Poll::FindReply, _) => block_in_place(|| self.find_reply()),
            _ => self.notification.handle_transport_failure(),
        }
    }

    async fn send_head(&self) -> io::Result<InFlight> {
        let (pieces, body) = Outgoing::channel(match self.notification.kind() {
            NotificationType::ByValue => self.length,
            _ => 0,
        });
        let link = self.application.send(self.request()?.map(|()| body)).await?;
        Ok(InFlight { link, early: None, pieces, body: None })
    }

    fn request(&self) -> io::Result<Request<()>> {
        let original = OriginalRequestUrl::try_from(&*self.original).map_err(io::Error::other)?;
        let (entity, reply) = self.storage.paths(self.guard.token.session_id());
        let text = |path: &Path| path.to_str().map(str::to_owned).ok_or(io::ErrorKind::InvalidData);
        let (entity, reply) = (text(&entity)?, text(&reply)?);
        let request = match self.notification.request_by_value(original) {
            Some(request) => Some(request),
            None => self.notification.request_by_reference(
                original,
                RequestDataFileName::try_from(&*entity).map_err(io::Error::other)?,
                ResponseDataFileName::try_from(&*reply).map_err(io::Error::other)?,
            ),
        };
        let request = request.ok_or(io::ErrorKind::InvalidInput)?;
        let host = [("Host", &*self.application.authority)];
        request.to_http(self.application.target.clone(), host).map_err(io::Error::other)
    }

    /// Sends a piece of the entity. The application may respond before it has received the whole
    /// entity. A refusal then takes effect at once.
    async fn send_data(&mut self, length: u64, request: &mut InFlight) -> Handled {
        let InFlight { pieces, link, early, body } = request;
        let permit = tokio::select! {
            permit = pieces.reserve() => permit.ok(),
            response = receive_response(&mut link.response), if early.is_none() => {
                match response {
                    Ok(response) if response.status() == StatusCode::OK => {
                        *early = Some(response);
                        return Ok(());
                    }
                    response => return self.receive_head(response, body),
                }
            }
        };
        let piece = match block_in_place(|| read_piece(&mut self.entity, length)) {
            Ok(piece) if !piece.is_empty() => piece,
            _ => return self.notification.handle_storage_failure(),
        };
        let Some(permit) = permit else {
            return self.notification.handle_transport_failure();
        };
        let count = piece.len() as u64;
        permit.send(piece);
        self.notification.handle_data_sent(count, now())
    }

    fn receive_head(
        &mut self,
        response: io::Result<Response<Incoming>>,
        body: &mut Option<Incoming>,
    ) -> Handled {
        let (parts, incoming) = match response {
            Ok(response) => response.into_parts(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return self.notification.handle_unreadable();
            }
            Err(error) => {
                warn!(%error, "connection to the application failed");
                return self.notification.handle_transport_failure();
            }
        };
        match NotificationResponse::from_http(&parts) {
            Ok(decoded) => {
                let response = decoded.message;
                self.url = backend::reply_url(&response).map(|url| url.as_bytes().into());
                *body = Some(incoming);
                self.notification.handle_response(&response, now())
            }
            Err(error) => {
                warn!(%error, "response of the application is invalid");
                self.notification.handle_unreadable()
            }
        }
    }

    async fn receive_data(&mut self, keep: bool, body: &mut Incoming) -> Handled {
        let piece = match body.frame().await {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(_)) => return self.notification.handle_transport_failure(),
            None => return self.notification.handle_reply_end(now()),
        };
        if keep && block_in_place(|| self.keep(&piece)).is_err() {
            return self.notification.handle_storage_failure();
        }
        self.notification.handle_reply_data(piece.len() as u64, now())
    }

    fn keep(&mut self, piece: &[u8]) -> io::Result<()> {
        self.guard.run(|| {
            let mut reply = match self.reply.take() {
                Some(reply) => reply,
                None => self.storage.create_reply(self.guard.token.session_id())?,
            };
            reply.write_all(piece)?;
            self.reply = Some(reply);
            Ok(())
        })
    }

    fn find_reply(&mut self) -> Handled {
        match self.storage.reply(self.guard.token.session_id()) {
            Ok((_, length)) => self.notification.handle_reply_file(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.notification.handle_reply_file(None)
            }
            Err(_) => self.notification.handle_storage_failure(),
        }
    }
}

/// Waits for the head of the response. Returns `InvalidData` if it is not HTTP.
async fn receive_response(
    response: &mut JoinHandle<hyper::Result<Response<Incoming>>>,
) -> io::Result<Response<Incoming>> {
    match response.await {
        Ok(Err(error)) if error.is_parse() => {
            Err(io::Error::new(io::ErrorKind::InvalidData, error))
        }
        Ok(response) => response.map_err(io::Error::other),
        Err(error) => Err(io::Error::other(error)),
    }
}
