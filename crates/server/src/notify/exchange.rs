//! The exchange with a server application: sends a notification, and receives the response.

use std::error::Error as _;
use std::path::Path;
use std::sync::Arc;

use bits_proto::backend::{self, Notification, NotificationType, Poll};
use bits_proto::error::error_chain;
use bits_proto::field::{OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use bits_proto::message::{NO_EXTRAS, NotificationResponse};
use bits_proto::server::WorkToken;
use bytes::Bytes;
use http::{Response, Uri};
use http_body_util::BodyExt as _;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
use tracing::{debug, warn};

use super::Application;
use crate::driver::now;
use crate::server::Inner;
use crate::storage::{Entity, ReplyWriter, Staged, StagedPaths, StorageError};
use crate::{BoxError, ResponseBody};

/// Maximum number of bytes of the entity that are read at once.
const BLOCK: u64 = 256 * 1024;

/// A notification in progress.
pub(super) struct Exchange<'n> {
    application: &'n Application,
    inner: Arc<Inner>,
    token: WorkToken,
    original: String,
    pub(super) notification: Notification,
    length: u64,
    source: Source,
    in_flight: Option<InFlight>,
    /// Receives the body of the response.
    writer: Option<Box<dyn ReplyWriter>>,
    /// The URL of a reply that the application provides itself.
    pub(super) url: Option<Box<[u8]>>,
}

/// The form in which the application receives the entity.
enum Source {
    Value(Option<Box<dyn Entity>>),
    Reference(StagedPaths),
}

/// The request to the application.
struct InFlight {
    pieces: mpsc::Sender<Result<Bytes, StorageError>>,
    response: AbortOnDropHandle<reqwest::Result<reqwest::Response>>,
    /// The body of the response.
    body: Option<reqwest::Body>,
}

type Handled = Result<(), backend::EventError>;

impl<'n> Exchange<'n> {
    pub(super) async fn new(
        application: &'n Application,
        inner: &Arc<Inner>,
        token: WorkToken,
        staged: &Staged,
        length: u64,
        original: String,
    ) -> Result<Self, StorageError> {
        let storage = &inner.storage;
        let source = match application.kind {
            // An empty entity may never have been staged.
            NotificationType::ByValue if length == 0 => Source::Value(None),
            NotificationType::ByValue => {
                Source::Value(Some(storage.open_staged(token, staged, length).await?))
            }
            _ => {
                let paths = storage.paths(token, staged, length).await?;
                let none =
                    || StorageError::other("storage has no files for notification by reference");
                Source::Reference(paths.ok_or_else(none)?)
            }
        };
        let notification = Notification::new(application.kind, length, application.timeouts, now())
            .with_accepted_statuses(application.accepted_statuses);
        Ok(Self {
            application,
            inner: Arc::clone(inner),
            token,
            original,
            notification,
            length,
            source,
            in_flight: None,
            writer: None,
            url: None,
        })
    }

    /// Carries out one step of the notification.
    pub(super) async fn advance(&mut self, poll: Poll) {
        let deadline = self.notification.poll_timeout().unwrap_or(std::time::Duration::MAX);
        match timeout(deadline.saturating_sub(now()), self.step(poll)).await {
            Ok(Ok(())) => {}
            // Does not happen, as each input matches the step.
            Ok(Err(error)) => {
                warn!(%error, "the notification rejected an input");
                let _ = self.notification.handle_transport_failure();
            }
            Err(_) => self.notification.handle_timeout(now()),
        }
    }

    /// Makes a reply that was received completely the reply of the session.
    pub(super) async fn finish_reply(&mut self) -> Result<(), StorageError> {
        match self.writer.take() {
            Some(writer) => writer.finish().await,
            None => Err(StorageError::Lost(None)),
        }
    }

    async fn step(&mut self, poll: Poll) -> Handled {
        match (poll, &mut self.in_flight) {
            (Poll::SendHeaders { .. }, _) => match self.send_head() {
                Ok(request) => {
                    self.in_flight = Some(request);
                    self.notification.handle_headers_sent(now())
                }
                Err(error) => {
                    warn!(error = %error_chain(&*error), "cannot send the request to the application");
                    self.notification.handle_transport_failure()
                }
            },
            (Poll::SendData { offset, length, .. }, Some(_)) => {
                self.send_data(offset, length).await
            }
            (Poll::ReceiveHeaders { .. }, Some(request)) => {
                let response = (&mut request.response).await;
                self.receive_head(response)
            }
            (Poll::ReceiveData { keep, .. }, Some(InFlight { body: Some(body), .. })) => {
                let frame = body.frame().await;
                self.receive_data(keep, frame).await
            }
            (Poll::FindReply, _) => self.find_reply().await,
            _ => self.notification.handle_transport_failure(),
        }
    }

    fn send_head(&self) -> Result<InFlight, BoxError> {
        let (pieces, body) = ResponseBody::channel(match self.source {
            Source::Value(_) => self.length,
            Source::Reference(_) => 0,
        });
        let original = OriginalRequestUrl::try_from(&*self.original)?;
        let target = Uri::try_from(self.application.url.as_str())?;
        let head = match &self.source {
            Source::Value(_) => {
                let request = self.notification.request_by_value(original);
                request.map(|request| request.to_http(target, &NO_EXTRAS))
            }
            Source::Reference(paths) => {
                let (entity, reply) = (text(&paths.entity)?, text(&paths.reply)?);
                let request = self.notification.request_by_reference(
                    original,
                    RequestDataFileName::try_from(entity)?,
                    ResponseDataFileName::try_from(reply)?,
                );
                request.map(|request| request.to_http(target, &NO_EXTRAS))
            }
        };
        let head = head.ok_or("the notification has another type")??;
        let request = reqwest::Request::try_from(head.map(|()| reqwest::Body::wrap(body)))?;
        let response = tokio::spawn(self.application.client.execute(request));
        Ok(InFlight { pieces, response: AbortOnDropHandle::new(response), body: None })
    }

    /// Sends a piece of the entity. The application may respond before it has received the whole entity. A
    /// refusal then takes effect at once; after a success the rest is still sent.
    async fn send_data(&mut self, offset: u64, length: u64) -> Handled {
        let Some(InFlight { pieces, response, .. }) = &mut self.in_flight else {
            return self.notification.handle_transport_failure();
        };
        let permit = tokio::select! {
            biased;
            response = &mut *response, if !self.notification.is_accepted() => Err(response),
            permit = pieces.clone().reserve_owned() => Ok(permit),
        };
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            // The connection takes no more of the entity, because it failed or the response has arrived.
            Ok(Err(_)) if !self.notification.is_accepted() => {
                let response = response.await;
                return self.receive_head(response);
            }
            Ok(Err(_)) => {
                debug!("the application closed the connection before it had the whole entity");
                return self.notification.handle_transport_failure();
            }
            Err(response) => return self.receive_head(response),
        };
        let Source::Value(Some(entity)) = &mut self.source else {
            return self.notification.handle_storage_failure();
        };
        let length = usize::try_from(length.min(BLOCK)).unwrap_or(usize::MAX);
        match entity.read(offset, length).await {
            Ok(piece) if !piece.is_empty() => {
                let count = piece.len() as u64;
                permit.send(Ok(piece));
                self.notification.handle_data_sent(count, now())
            }
            read => {
                warn!(error = ?read.err(), "cannot read the entity for the application");
                self.notification.handle_storage_failure()
            }
        }
    }

    fn receive_head(
        &mut self,
        response: Result<reqwest::Result<reqwest::Response>, tokio::task::JoinError>,
    ) -> Handled {
        let response = match response {
            Ok(Ok(response)) => response,
            Ok(Err(error)) if is_invalid(&error) => {
                warn!(%error, "response of the application is not HTTP");
                return self.notification.handle_unreadable();
            }
            Ok(Err(error)) => {
                warn!(error = %error_chain(&error), "connection to the application failed");
                return self.notification.handle_transport_failure();
            }
            Err(_) => return self.notification.handle_transport_failure(),
        };
        let (parts, incoming) = Response::from(response).into_parts();
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

    async fn receive_data(
        &mut self,
        keep: bool,
        frame: Option<reqwest::Result<http_body::Frame<Bytes>>>,
    ) -> Handled {
        let piece = match frame {
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                warn!(error = %error_chain(&error), "connection to the application failed");
                return self.notification.handle_transport_failure();
            }
            None => return self.notification.handle_reply_end(now()),
        };
        let count = piece.len() as u64;
        if keep && let Err(error) = self.keep(piece).await {
            warn!(error = %error_chain(&error), "cannot store the reply of the application");
            return self.notification.handle_storage_failure();
        }
        self.notification.handle_reply_data(count, now())
    }

    async fn keep(&mut self, piece: Bytes) -> Result<(), StorageError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            writer => writer.insert(self.inner.storage.write_reply(self.token).await?),
        };
        writer.write(piece).await
    }

    async fn find_reply(&mut self) -> Handled {
        match self.inner.storage.open_reply(self.token.session_id()).await {
            Ok(reply) => {
                self.notification.handle_reply_file(reply.map(|reply| reply.metadata().length))
            }
            Err(error) => {
                warn!(error = %error_chain(&error), "cannot look for the reply of the application");
                self.notification.handle_storage_failure()
            }
        }
    }
}

fn text(path: &Path) -> Result<&str, BoxError> {
    path.to_str().ok_or_else(|| "path of the entity is not UTF-8".into())
}

/// Returns `true` if the response is not HTTP.
fn is_invalid(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
}
