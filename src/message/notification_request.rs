//! The notification request to the server application.

use super::encoder::{AnyMessage, Encoder};
use super::extras::{Extras, ExtrasStorage};
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Outcome, Report};
use super::source::{self, HeadSource, ParsedFields};
use super::value::{FieldVisitor, Value};
use super::{Decoded, Fields, MessageKind, RequestHead, presence};
use crate::deviation::Deviation;
use crate::error::{CheckStage, Error, ErrorKind};
use crate::field::{FieldName, OriginalRequestUrl, RequestDataFileName, ResponseDataFileName};
use crate::http1::HeadVisitor as _;
use crate::http1::framing::AllowedCoding;
use crate::http1::{RequestLine, RequestTarget, Version};

/// [2.2.12] Notification Request to the Server Application: an upload is complete.
///
/// The upload server sends it to the application with the method POST. It is not a BITS packet and has
/// no packet type. By reference it names two paths; by value its body is the entity.
///
/// ```text
/// POST target HTTP/1.1
/// BITS-Original-Request-URL: url
/// BITS-Request-DataFile-Name: path    ; by reference
/// BITS-Response-DataFile-Name: path   ; by reference
/// Content-Length: 0                   ; by value, the entity's length
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::OriginalRequestUrl;
/// use bits_proto::http1::RequestTarget;
/// use bits_proto::message::{NO_EXTRAS, NotifiedEntity, NotificationRequest};
///
/// let request = NotificationRequest {
///     original_request_url: OriginalRequestUrl::try_from("http://origin.example/dir/entity")?,
///     entity: NotifiedEntity::ByValue { content_length: 80_000 },
/// };
/// let head = request.encode(RequestTarget::try_from("/app")?, &NO_EXTRAS)?;
/// let mut buffer = [0; 128];
/// let written = head.write(&mut buffer)?;
/// assert_eq!(
///     &buffer[..written],
///     b"POST /app HTTP/1.1\r\n\
///       BITS-Original-Request-URL: http://origin.example/dir/entity\r\n\
///       Content-Length: 80000\r\n\r\n",
/// );
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.12; the capture in 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationRequest<'b> {
    /// The destination URL of the upload.
    pub original_request_url: OriginalRequestUrl<'b>,
    /// The entity that was uploaded.
    pub entity: NotifiedEntity<'b>,
}

/// The way the server application gets the entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotifiedEntity<'b> {
    /// `NOTIFICATION_BY_REFERENCE`: the application opens a file.
    ByReference {
        /// The path of the entity.
        request: RequestDataFileName<'b>,
        /// The path for the reply.
        response: ResponseDataFileName<'b>,
    },
    /// `NOTIFICATION_BY_VALUE`: the application reads the body.
    ByValue {
        /// The length of the body in bytes.
        content_length: u64,
    },
}

impl<'b> NotificationRequest<'b> {
    /// Returns true if a request claims to be a notification: a POST with one of its fields.
    #[must_use]
    pub fn is_notification(
        line: &RequestLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> bool {
        line.method == "POST"
            && fields.into_iter().any(|(name, _)| {
                matches!(
                    FieldName::from_name(name),
                    Some(
                        FieldName::OriginalRequestUrl
                            | FieldName::RequestDataFileName
                            | FieldName::ResponseDataFileName
                    )
                )
            })
    }

    /// Reads a notification from a head.
    ///
    /// # Errors
    ///
    /// An error if the request is not a POST or not a valid notification. The server application
    /// answers with any failure status.
    pub fn from_head(head: &RequestHead<'_, 'b>) -> Result<Decoded<Self>, Error> {
        source::parse(&HeadSource { head, max_value: usize::MAX }, read)
    }

    /// Reads a notification from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets. Ambiguous framing is an error too.
    pub fn from_fields(
        line: RequestLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        source::parse(&ParsedFields::collect(&mut slot, line, fields, usize::MAX), read)
    }

    /// Returns the kind of notification: by reference or by value.
    #[must_use]
    pub const fn kind(&self) -> MessageKind {
        match self.entity {
            NotifiedEntity::ByReference { .. } => MessageKind::NotificationByReference,
            NotifiedEntity::ByValue { .. } => MessageKind::NotificationByValue,
        }
    }

    /// Prepares the head for writing: the request line with `target`, the fields of the message, and
    /// `extras` such as Host.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReservedExtra`] if an extra field belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<'e>(
        &'e self,
        target: RequestTarget<'e>,
        extras: &'e Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'e>, Error> {
        Encoder::new(AnyMessage::NotificationRequest(target, self), extras)
    }

    /// Visits the fields, in the order of the presence table.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        let url = Value::Bytes(self.original_request_url.as_bytes());
        let visitor = visitor.field(FieldName::OriginalRequestUrl, url);
        let (visitor, content_length) = match &self.entity {
            NotifiedEntity::ByReference { request, response } => {
                let visitor = visitor
                    .field(FieldName::RequestDataFileName, Value::Bytes(request.as_bytes()))
                    .field(FieldName::ResponseDataFileName, Value::Bytes(response.as_bytes()));
                (visitor, 0)
            }
            NotifiedEntity::ByValue { content_length } => (visitor, *content_length),
        };
        visitor.field(FieldName::ContentLength, Value::Number(content_length))
    }
}

/// Reads a notification.
#[inline(always)]
pub(super) fn read<'b, R: Report<'b>>(
    line: RequestLine<'b>,
    reader: &mut Reader<'_, 'b, R>,
) -> Outcome<'b, NotificationRequest<'b>, R> {
    reader.check_framing(AllowedCoding::None)?;
    if line.version != Version::Http11 {
        let error = MessageError::in_start_line(ErrorKind::HttpVersion);
        reader.report(error.at_stage(CheckStage::Http))?;
    }
    if line.method != "POST" {
        reader.report(MessageError::in_method(ErrorKind::NotPost, line.method))?;
    }
    let kind = kind_of(reader);
    reader.check_conflicts(presence::fields(kind).carried(), CheckStage::Limits)?;
    reader.record_fields(kind);
    if let Err(missing) = reader.carried(kind, FieldName::ContentLength) {
        reader.report(missing.at_stage(CheckStage::Length))?;
    }
    let original_request_url = reader.required(kind)?;
    let content_length = reader.framing.request_body();
    let entity = if kind == MessageKind::NotificationByReference {
        if content_length > 0 {
            reader.deviations.insert(Deviation::UnexpectedBody);
        }
        let request = reader.required(kind)?;
        let response = reader.required(kind)?;
        request.and_then(|request| Ok(NotifiedEntity::ByReference { request, response: response? }))
    } else {
        Ok(NotifiedEntity::ByValue { content_length })
    };
    Ok(original_request_url.and_then(|original_request_url| {
        Ok(NotificationRequest { original_request_url, entity: entity? })
    }))
}

/// Returns the kind of a notification: either file name makes it one by reference.
fn kind_of<'b, R: Report<'b>>(reader: &Reader<'_, 'b, R>) -> MessageKind {
    let has = |field| reader.get(field).is_some();
    if has(FieldName::RequestDataFileName) || has(FieldName::ResponseDataFileName) {
        MessageKind::NotificationByReference
    } else {
        MessageKind::NotificationByValue
    }
}
