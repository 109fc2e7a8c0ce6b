//! The exchange with a server application: sends a notification, and receives the response.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Duration;

use bits_proto::backend::{self, Notification, NotificationType, Poll};
use bits_proto::field::{OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use bits_proto::message::NotificationResponse;
use bits_proto_programs::serve::fencing::SessionGuard;
use bits_proto_programs::serve::storage::Storage;
use bytes::Bytes;
use cap_std::fs::File;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::application::{Application, Link};
use crate::body::{Outgoing, read_piece};
use crate::server::now;

/// A notification in progress.
pub struct Exchange<'s> {
    application: &'s Application,
    storage: &'s Storage,
    guard: &'s SessionGuard,
    original: String,
    pub notification: Notification,
    length: u64,
    entity: File,
    in_flight: Option<InFlight>,
    /// The file that receives the body of the response.
    reply: Option<File>,
    /// The URL of a reply that the application provides itself.
    pub url: Option<Box<[u8]>>,
}

/// The request to the application.
struct InFlight {
    link: Link,
    pieces: mpsc::Sender<Bytes>,
    /// The body of the response.
    body: Option<Incoming>,
}

type Handled = Result<(), backend::EventError>;

impl<'s> Exchange<'s> {
    pub fn new(
        application: &'s Application,
        storage: &'s Storage,
        guard: &'s SessionGuard,
        original: String,
        notification: Notification,
        length: u64,
        entity: File,
    ) -> Self {
        Self {
            application,
            storage,
            guard,
            original,
            notification,
            length,
            entity,
            in_flight: None,
            reply: None,
            url: None,
        }
    }

    /// Carries out one step of the notification.
    pub async fn advance(&mut self, poll: Poll) {
        let deadline = match poll {
            Poll::SendHeaders { deadline }
            | Poll::SendData { deadline, .. }
            | Poll::ReceiveHeaders { deadline }
            | Poll::ReceiveData { deadline, .. } => deadline,
            _ => Duration::MAX,
        };
        let left = deadline.saturating_sub(now());
        match timeout(left, self.step(poll)).await {
            // Does not fail, as each input matches the step.
            Ok(Err(error)) => {
                warn!(%error, "the notification rejected an input");
                let _ = self.notification.handle_transport_failure();
            }
            Ok(Ok(())) => {}
            Err(_) => self.notification.handle_timeout(now()),
        }
    }

    async fn step(&mut self, poll: Poll) -> Handled {
        match (poll, &mut self.in_flight) {
            (Poll::SendHeaders { .. }, _) => match self.send_head().await {
                Ok(request) => {
                    self.in_flight = Some(request);
                    self.notification.handle_headers_sent(now())
                }
                Err(error) => {
                    warn!(%error, "cannot send the request to the application");
                    self.notification.handle_transport_failure()
                }
            },
            (Poll::SendData { length, .. }, Some(_)) => self.send_data(length).await,
            (Poll::ReceiveHeaders { .. }, Some(request)) => {
                let response = receive_response(&mut request.link.response).await;
                self.receive_head(response)
            }
            (Poll::ReceiveData { keep, .. }, Some(InFlight { body: Some(body), .. })) => {
                let frame = body.frame().await;
                self.receive_data(keep, frame)
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
        Ok(InFlight { link, pieces, body: None })
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
    /// entity. A refusal then takes effect at once; after a success the rest is still sent.
    async fn send_data(&mut self, length: u64) -> Handled {
        let Some(InFlight { pieces, link, .. }) = &mut self.in_flight else {
            return self.notification.handle_transport_failure();
        };
        let room = pieces.clone().reserve_owned();
        let permit = tokio::select! {
            biased;
            response = receive_response(&mut link.response), if !self.notification.is_accepted() => {
                Err(response)
            }
            permit = room => Ok(permit),
        };
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => {
                debug!("the application closed the connection before it had the whole entity");
                return self.notification.handle_transport_failure();
            }
            Err(response) => return self.receive_head(response),
        };
        let piece = match block_in_place(|| read_piece(&mut self.entity, length)) {
            Ok(piece) if !piece.is_empty() => piece,
            _ => return self.notification.handle_storage_failure(),
        };
        let count = piece.len() as u64;
        permit.send(piece);
        self.notification.handle_data_sent(count, now())
    }

    fn receive_head(&mut self, response: io::Result<Response<Incoming>>) -> Handled {
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
                if !decoded.deviations.is_empty() {
                    debug!(deviations = ?decoded.deviations, "response deviates from the protocol");
                }
                let response = decoded.message;
                self.url = backend::reply_url(&response).map(|url| url.as_bytes().into());
                if let Some(request) = &mut self.in_flight {
                    request.body = Some(incoming);
                }
                self.notification.handle_response(&response, now())
            }
            Err(error) => {
                warn!(%error, "response of the application is invalid");
                self.notification.handle_unreadable()
            }
        }
    }

    fn receive_data(
        &mut self,
        keep: bool,
        frame: Option<hyper::Result<hyper::body::Frame<Bytes>>>,
    ) -> Handled {
        let piece = match frame {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                warn!(%error, "connection to the application failed");
                return self.notification.handle_transport_failure();
            }
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
