//! The notification response from the server application.

use super::encoder::{AnyMessage, Encoder};
use super::extras::{Extras, ExtrasStorage};
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Outcome, Report};
use super::source::{self, HeadSource, ParsedFields};
use super::value::{FieldVisitor, Value};
use super::{Decoded, Fields, MessageKind, ResponseHead, presence};
use crate::deviation::Deviation;
use crate::error::{CheckStage, Error, ErrorKind};
use crate::field::{CopyFileToDestination, FieldName, StaticResponseUrl};
use crate::http1::HeadVisitor as _;
use crate::http1::framing::AllowedCoding;
use crate::http1::{StatusCode, StatusLine, Version};

/// [2.2.13] Notification Response from the Server Application.
///
/// 200 is success. Any other 2xx is a success too, with the deviation
/// [`ApplicationSuccess`](Deviation::ApplicationSuccess); a server can insist on 200 with
/// [`AcceptedStatuses`](crate::backend::AcceptedStatuses). Any other status is an error of the
/// application, which the upload server passes on to the client. The reply is a static URL, the
/// body, or the file that the request named.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Static-Response-URL: url       ; optional
/// BITS-Copy-File-To-Destination: 1    ; optional
/// Content-Length: 0                   ; by value, the reply's length
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::StaticResponseUrl;
/// use bits_proto::message::{NO_EXTRAS, NotificationResponse};
///
/// let response = NotificationResponse {
///     static_response_url: Some(StaticResponseUrl::try_from("https://app.example/reply")?),
///     ..NotificationResponse::default()
/// };
/// assert!(response.is_success());
/// assert!(response.encode(&NO_EXTRAS)?.encoded_len() > 0);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.13; Microsoft's page on the notification protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationResponse<'b> {
    /// The status code.
    pub status: StatusCode,
    /// The URL of a reply that exists already.
    pub static_response_url: Option<StaticResponseUrl<'b>>,
    /// A request to copy the entity to its destination.
    pub copy_file_to_destination: Option<CopyFileToDestination<'b>>,
    /// The length of the body in bytes. `None` if the body is sent in chunks or ends with the
    /// connection. In a response that was read with status 204 or 205, it is 0: a 204 has no body,
    /// and one that a 205 announces is read and discarded.
    pub content_length: Option<u64>,
}

impl Default for NotificationResponse<'_> {
    /// Creates a response with status 200, without a reply.
    fn default() -> Self {
        Self {
            status: StatusCode::OK,
            static_response_url: None,
            copy_file_to_destination: None,
            content_length: Some(0),
        }
    }
}

impl<'b> NotificationResponse<'b> {
    /// Reads a response from a head.
    ///
    /// # Errors
    ///
    /// An error if the response is invalid.
    pub fn from_head(head: &ResponseHead<'_, 'b>) -> Result<Decoded<Self>, Error> {
        source::parse(&HeadSource { head, max_value: usize::MAX }, read)
    }

    /// Reads a response from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets. An ambiguous Content-Length is an error
    /// too. Transfer-Encoding is never an error, because the stack has decoded the body.
    pub fn from_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Decoded<Self>, Error> {
        let mut slot = Fields::new();
        source::parse(&ParsedFields::collect(&mut slot, line, fields, usize::MAX), read)
    }

    /// Returns true if the application accepted the upload: for any 2xx.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// Prepares the head for writing: the status line, the fields of the message, and `extras`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InterimResponse`] if the status is an interim one, and
    /// [`ErrorKind::ReservedExtra`] if an extra field belongs to the message; see [`Encoder`].
    #[inline]
    pub fn encode<'e>(
        &'e self,
        extras: &'e Extras<impl ExtrasStorage>,
    ) -> Result<Encoder<'e>, Error> {
        if self.status.is_interim() {
            return Err(Error::caller(ErrorKind::InterimResponse));
        }
        Encoder::new(AnyMessage::NotificationResponse(self), extras)
    }

    /// Visits the fields, in the order of the presence table.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        let url = self.static_response_url.map(|url| Value::Bytes(url.as_bytes()));
        let copy = self.copy_file_to_destination.map(|copy| Value::Bytes(copy.as_bytes()));
        let visitor = visitor
            .optional(FieldName::StaticResponseUrl, url)
            .optional(FieldName::CopyFileToDestination, copy);
        match self.content_length {
            Some(length) => visitor.body_length(self.status, length),
            None => visitor,
        }
    }
}

/// Reads a response of a server application.
#[inline(always)]
pub(super) fn read<'b, R: Report<'b>>(
    line: StatusLine<'b>,
    reader: &mut Reader<'_, 'b, R>,
) -> Outcome<'b, NotificationResponse<'b>, R> {
    const KIND: MessageKind = MessageKind::NotificationResponse;
    reader.check_framing(AllowedCoding::Any)?;
    if line.status.is_interim() {
        let error = MessageError::in_start_line(ErrorKind::InterimResponse);
        return reader.report(error).map(Err);
    }
    reader.check_conflicts(presence::fields(KIND).carried(), CheckStage::Limits)?;
    if line.version == Version::Http10 {
        reader.deviations.insert(Deviation::Http10);
    }
    if line.status.is_success() && line.status != StatusCode::OK {
        reader.deviations.insert(Deviation::ApplicationSuccess);
    }
    reader.record_fields(KIND);
    if !line.status.has_no_body() {
        reader.record_length(KIND);
    }
    let has_static_url = reader.get(FieldName::StaticResponseUrl).is_some();
    if has_static_url && reader.framing.announces_body() {
        reader.deviations.insert(Deviation::UnexpectedBody);
    }
    let static_response_url = reader.optional(KIND)?;
    let copy_file_to_destination = reader.optional(KIND)?;
    let content_length = match line.status {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT => Some(0),
        // The length of a chunked body is unknown, regardless of Content-Length.
        _ if reader.framing.transfer_encoding.is_some() => None,
        _ => reader.framing.content_length,
    };
    Ok(static_response_url.and_then(|static_response_url| {
        Ok(NotificationResponse {
            status: line.status,
            static_response_url,
            copy_file_to_destination: copy_file_to_destination?,
            content_length,
        })
    }))
}
