//! Tells a server application that an entity is whole, and keeps its reply.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use bits_proto::backend::{
    self, Notification, NotificationError, NotificationType, Outcome, Poll, Timeouts,
};
use bits_proto::field::{OriginalRequestUrl, ReplyUrl, RequestDataFileName, ResponseDataFileName};
use bits_proto::message::NotificationResponse;
use bits_proto::server::{HostError, Notified, Reply, SessionsError, WorkToken};
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
use crate::server::{Server, now};
use crate::upload::StepResult;
use bits_proto_programs::host_error::host_error;
use bits_proto_programs::serve::fencing::SessionGuard;
use bits_proto_programs::serve::storage::Storage;

impl Server {
    /// Tells the application, and the session what it said.
    pub async fn notify(&self, guard: &SessionGuard, parts: &Parts) -> StepResult {
        let turn = guard.token;
        let mut telling = match block_in_place(|| self.prepare(guard, parts)) {
            Ok(telling) => telling,
            Err(error) => {
                warn!(%error, "the application cannot be told");
                let error = host_error(&error);
                return block_in_place(|| self.table().handle_failed(turn, error));
            }
        };
        match telling.until_over().await {
            Ok(outcome) => {
                info!(?outcome, "the application was told");
                let kept = reply_path(turn.session_id());
                block_in_place(|| self.told(turn, outcome, telling.url.as_deref(), &kept))
            }
            Err(refused) => {
                warn!(%refused, "the application was not told");
                let error =
                    HostError::Application { status: refused.status(), code: Some(refused.code()) };
                block_in_place(|| self.table().handle_failed(turn, error))
            }
        }
    }

    fn prepare<'s>(&'s self, guard: &'s SessionGuard, parts: &Parts) -> io::Result<Telling<'s>> {
        // An application was there when the policy was made.
        let application = self.application.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let session = guard.token.session_id();
        let length = self.total(session)?;
        let (entity, _) = guard.run(|| {
            self.storage.remove_reply(session)?;
            self.storage.finish(session, length)?;
            self.storage.stored(session)
        })?;
        Ok(Telling {
            application,
            storage: &self.storage,
            guard,
            original: original_url(parts),
            notification: Notification::new(application.kind, length, Timeouts::DEFAULT, now()),
            length,
            entity,
            reply: None,
            url: None,
        })
    }

    fn told(
        &self,
        turn: WorkToken,
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
        let notified = Notified { copy_to_destination: outcome.copy_to_destination, reply };
        let url = url.map(ReplyUrl::try_from).transpose();
        let url = url.map_err(|error| SessionsError::Store(io::Error::other(error)))?;
        self.table().handle_notified(turn, notified, url, now())
    }
}

/// The destination URL, as far as the server knows how clients call it.
fn original_url(parts: &Parts) -> String {
    let host = parts.uri.authority().map(|authority| authority.as_str());
    let host = host.or_else(|| parts.headers.get(HOST).and_then(|host| host.to_str().ok()));
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    match host {
        Some(host) => format!("http://{host}{target}"),
        None => target.to_owned(),
    }
}

/// One notification, while it is going on.
struct Telling<'s> {
    application: &'s Application,
    storage: &'s Storage,
    guard: &'s SessionGuard,
    original: String,
    notification: Notification,
    length: u64,
    entity: File,
    /// Where the body of the response goes.
    reply: Option<File>,
    /// The URL that the application gave.
    url: Option<Box<[u8]>>,
}

/// A request on its way to the application.
struct Sent {
    link: Link,
    /// A response that came before all was sent.
    early: Option<Response<Incoming>>,
    pieces: mpsc::Sender<Bytes>,
    /// The body of the response.
    body: Option<Incoming>,
}

type Polled = Result<(), backend::EventError>;

impl Telling<'_> {
    /// Does what the notification asks for until it is over.
    async fn until_over(&mut self) -> Result<Outcome, NotificationError> {
        let mut sent = None;
        loop {
            let poll = self.notification.poll();
            let deadline = match poll {
                Poll::SendHeaders { deadline }
                | Poll::SendData { deadline, .. }
                | Poll::ReceiveHeaders { deadline }
                | Poll::ReceiveData { deadline, .. } => deadline,
                Poll::FindReply => Duration::MAX,
                Poll::Complete(outcome) => return Ok(outcome),
                Poll::Failed(refused) => return Err(refused),
                other => {
                    warn!(?other, "unknown step of the notification");
                    return Err(NotificationError::Storage);
                }
            };
            let left = deadline.saturating_sub(now());
            let polled = match timeout(left, self.step(poll, &mut sent)).await {
                Ok(polled) => polled,
                Err(_) => {
                    self.notification.handle_timeout(now());
                    continue;
                }
            };
            // What is reported fits what was asked for.
            polled.map_err(|error| {
                warn!(%error, "the notification did not take a report");
                NotificationError::Storage
            })?;
        }
    }

    async fn step(&mut self, poll: Poll, sent: &mut Option<Sent>) -> Polled {
        match (poll, sent) {
            (Poll::SendHeaders { .. }, sent) => match self.send_head().await {
                Ok(begun) => {
                    *sent = Some(begun);
                    self.notification.handle_headers_sent(now())
                }
                Err(error) => {
                    warn!(%error, "the application cannot be reached");
                    self.notification.handle_transport_failure()
                }
            },
            (Poll::SendData { length, .. }, Some(sent)) => self.send_data(length, sent).await,
            (Poll::ReceiveHeaders { .. }, Some(sent)) => {
                let response = match sent.early.take() {
                    Some(response) => Ok(response),
                    None => received(&mut sent.link.response).await,
                };
                self.receive_head(response, &mut sent.body)
            }
            (Poll::ReceiveData { keep, .. }, Some(Sent { body: Some(body), .. })) => {
                self.receive_data(keep, body).await
            }
            (Poll::FindReply, _) => block_in_place(|| self.find_reply()),
            _ => self.notification.handle_transport_failure(),
        }
    }

    async fn send_head(&self) -> io::Result<Sent> {
        let (pieces, body) = Outgoing::channel(match self.notification.kind() {
            NotificationType::ByValue => self.length,
            _ => 0,
        });
        let link = self.application.send(self.request()?.map(|()| body)).await?;
        Ok(Sent { link, early: None, pieces, body: None })
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

    /// Sends a piece of the entity. The application may answer before it has it all: a refusal
    /// counts at once.
    async fn send_data(&mut self, length: u64, sent: &mut Sent) -> Polled {
        let Sent { pieces, link, early, body } = sent;
        let permit = tokio::select! {
            permit = pieces.reserve() => permit.ok(),
            response = received(&mut link.response), if early.is_none() => {
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
    ) -> Polled {
        let (parts, incoming) = match response {
            Ok(response) => response.into_parts(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return self.notification.handle_unreadable();
            }
            Err(error) => {
                warn!(%error, "the connection to the application failed");
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
                warn!(%error, "the application's response cannot be read");
                self.notification.handle_unreadable()
            }
        }
    }

    async fn receive_data(&mut self, keep: bool, body: &mut Incoming) -> Polled {
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

    fn find_reply(&mut self) -> Polled {
        match self.storage.reply(self.guard.token.session_id()) {
            Ok((_, length)) => self.notification.handle_reply_file(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.notification.handle_reply_file(None)
            }
            Err(_) => self.notification.handle_storage_failure(),
        }
    }
}

/// The head of the response. What is not HTTP is invalid data.
async fn received(
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
