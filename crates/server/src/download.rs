//! GET and HEAD of published entities and of replies, answered by a [`Plan`].

use std::time::{Duration, SystemTime};

use bits_proto::download::field::{Boundary, ContentType, EntityTag};
use bits_proto::download::{ByteRange, Entity as PlanEntity, Piece, Pieces, Plan, Request};
use bits_proto::error::error_chain;
use bits_proto::field::HttpDate;
use bits_proto::message::NO_EXTRAS;
use bits_proto::server::Reply;
use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span, debug, field, warn};
use uuid::Uuid;

use crate::path::RequestPath;
use crate::response::empty;
use crate::server::Inner;
use crate::storage::{Entity, Metadata, StorageError};
use crate::{BoxError, Principal, ResponseBody, metrics};

/// Maximum number of bytes that are read at once.
const BLOCK: u64 = 256 * 1024;

impl Inner {
    /// Answers GET and HEAD.
    pub(crate) async fn download(
        &self,
        parts: &Parts,
        path: RequestPath,
        principal: &Principal,
    ) -> Response<ResponseBody> {
        let found = match path {
            RequestPath::Entity(path) => match (self.destination)(principal, &path) {
                Ok(key) => self.storage.open(&key).await.map_err(BoxError::from),
                Err(why) => {
                    debug!(%why, "destination is invalid");
                    Ok(None)
                }
            },
            RequestPath::Reply(session) => self.reply(session, principal).await,
            RequestPath::Invalid(why) => {
                debug!(why, "path is invalid");
                Ok(None)
            }
        };
        let planned =
            found.and_then(|entity| entity.map(|entity| self.planned(entity, parts)).transpose());
        match planned {
            Ok(Some(response)) => response,
            Ok(None) => empty(StatusCode::NOT_FOUND),
            // A client cannot distinguish a name that leads out of the storage from a missing entity.
            Err(error) if is_denied(&error) => empty(StatusCode::NOT_FOUND),
            Err(error) => {
                warn!(error = %error_chain(&*error), "cannot read the entity");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// Opens a reply. Only the principal that uploaded the entity may read it.
    async fn reply(
        &self,
        session: Uuid,
        principal: &Principal,
    ) -> Result<Option<Box<dyn Entity>>, BoxError> {
        Span::current().record("session", field::display(session));
        let Some(found) = self.sessions.load(session).await? else { return Ok(None) };
        let record = &found.record.record;
        let is_kept = record.session.notified().is_some_and(|it| it.reply == Reply::Kept);
        if record.principal.as_deref() != principal.name() || !is_kept {
            return Ok(None);
        }
        Ok(self.storage.open_reply(session).await?)
    }

    fn planned(
        &self,
        entity: Box<dyn Entity>,
        parts: &Parts,
    ) -> Result<Response<ResponseBody>, BoxError> {
        let metadata = entity.metadata();
        let tag = metadata.tag.as_deref().map(|tag| format!("\"{tag}\""));
        let described = PlanEntity::new(metadata.length)
            .with_modified(last_modified(metadata, SystemTime::now()))
            .with_tag(tag.as_deref().and_then(|tag| EntityTag::try_from(tag).ok()))
            .with_content_type(ContentType::try_from("application/octet-stream").ok());
        let request = Request::from_http(parts)?;
        let boundary = Boundary::from_random(u128::from_ne_bytes(crate::random::bytes()?));
        let plan = Plan::new(&request, &described, &self.plan_limits, boundary);
        let head = plan.to_http(&NO_EXTRAS)?;
        debug!(status = head.status().as_u16(), bytes = plan.content_length(), "download answered");
        let reader = Reader::new(entity, plan.pieces());
        Ok(head.map(|()| self.body(reader)))
    }

    /// Returns the body. It ends with an error if the entity cannot be read.
    fn body(&self, mut reader: Reader) -> ResponseBody {
        if reader.left == 0 {
            return ResponseBody::EMPTY;
        }
        let (sender, body) = ResponseBody::channel(reader.left);
        let interrupt = self.interrupt.clone();
        let sending = async move {
            tokio::select! {
                () = reader.send(sender) => {}
                () = interrupt.cancelled() => {}
            }
        };
        self.tasks.spawn(sending.in_current_span());
        body
    }
}

fn is_denied(error: &BoxError) -> bool {
    matches!(error.downcast_ref(), Some(StorageError::IsFolder | StorageError::Denied(_)))
}

/// Returns the date of an entity. A date in the future is left out: two versions of an entity in one second
/// have dates that differ by a second, so the later date may still be in the future.
fn last_modified(metadata: &Metadata, now: SystemTime) -> Option<HttpDate> {
    let since_epoch = metadata.modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = Duration::from_secs(since_epoch.as_secs());
    let is_past = SystemTime::UNIX_EPOCH + seconds <= now;
    let date = HttpDate::from_unix_seconds(i64::try_from(since_epoch.as_secs()).ok()?);
    date.filter(|_| is_past)
}

/// Reads the body of a response from one open entity.
struct Reader {
    entity: Box<dyn Entity>,
    pieces: std::vec::IntoIter<Part>,
    /// The number of bytes left in the body.
    left: u64,
}

/// A piece of the body that does not borrow from the request.
enum Part {
    Framing(Bytes),
    Range(ByteRange),
}

impl Reader {
    fn new(entity: Box<dyn Entity>, pieces: Pieces<'_>) -> Self {
        let left = pieces.clone().map(|piece| piece.len()).sum();
        let owned = |piece| match piece {
            Piece::Entity(range) => Some(Part::Range(range)),
            Piece::Framing(head) => Some(Part::Framing(head.to_vec().into())),
            _ => None,
        };
        let pieces = pieces.filter_map(owned).collect::<Vec<_>>().into_iter();
        Self { entity, pieces, left }
    }

    async fn send(&mut self, sender: mpsc::Sender<Result<Bytes, StorageError>>) {
        let mut sent = 0;
        while let Some(part) = self.pieces.next() {
            let is_sent = match part {
                Part::Framing(bytes) => {
                    sent += bytes.len() as u64;
                    sender.send(Ok(bytes)).await.is_ok()
                }
                Part::Range(range) => self.send_range(range, &sender, &mut sent).await,
            };
            if !is_sent {
                break;
            }
        }
        metrics::bytes_sent(sent);
        debug!(bytes = sent, "response sent");
    }

    /// Returns `false` if the response has ended early.
    async fn send_range(
        &mut self,
        range: ByteRange,
        sender: &mpsc::Sender<Result<Bytes, StorageError>>,
        sent: &mut u64,
    ) -> bool {
        let (mut offset, mut left) = (range.first(), range.len());
        while left > 0 {
            let length = usize::try_from(left.min(BLOCK)).unwrap_or(usize::MAX);
            let block = match self.entity.read(offset, length).await {
                Ok(block) if block.is_empty() => Err(StorageError::Lost(None)),
                read => read,
            };
            let read = match &block {
                Ok(block) => block.len() as u64,
                Err(error) => {
                    warn!(bytes = *sent, error = %error_chain(error), "response ends early");
                    0
                }
            };
            if sender.send(block).await.is_err() || read == 0 {
                return false;
            }
            (offset, left, *sent) = (offset + read, left.saturating_sub(read), *sent + read);
        }
        true
    }
}
