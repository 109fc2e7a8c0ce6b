//! The notification response from the server application.

use super::encoder::{Encoder, Start};
use super::message_error::MessageError;
use super::scan::Scan;
use super::survey::{self, Survey};
use super::value::{FieldVisitor, Value};
use super::{Decoded, MessageKind};
use crate::deviation::Deviation;
use crate::error::{Error, ErrorKind};
use crate::field::{CopyFileToDestination, FieldName, StaticResponseUrl};
use crate::http1::{Framing, Index, ResponseHead, StatusCode, StatusLine, Version};

/// [2.2.13] Notification Response from the Server Application: what became of the upload.
///
/// 200 is success, anything else the application's error, which the upload server passes on. The
/// reply is a static URL, the body, or the file that the request named.
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
/// assert!(response.encode(NO_EXTRAS)?.encoded_len() > 0);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.13; Microsoft's page on the notification protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotificationResponse<'b> {
    /// The application's verdict.
    pub status: StatusCode,
    /// A reply that exists already.
    pub static_response_url: Option<StaticResponseUrl<'b>>,
    /// Asks for the entity to be put at its destination.
    pub copy_file_to_destination: Option<CopyFileToDestination<'b>>,
    /// The length of the body in bytes; `None` when it ends with the connection, and with 204, which
    /// has none.
    pub content_length: Option<u64>,
}

impl Default for NotificationResponse<'_> {
    /// 200 and nothing else.
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
    /// When the response is not a valid one.
    pub fn from_head(head: &ResponseHead<'_, 'b>) -> Result<Decoded<Self>, Error> {
        let survey = Survey::of_head(head, usize::MAX);
        read(head.line(), head.framing(), &mut survey.scan())
            .map_err(|trouble| trouble.in_head(head))
    }

    /// Reads a response from what another HTTP stack has read.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), without offsets; and when Content-Length is in doubt. A
    /// Transfer-Encoding is the stack's affair.
    pub fn from_fields(
        line: StatusLine<'b>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Decoded<Self>, Error> {
        let mut index = Index::EMPTY;
        let (survey, framing, invalid) = Survey::of_pairs(&mut index, fields, usize::MAX);
        survey::check_lengths(framing, invalid, false)?;
        read(line, framing, &mut survey.scan()).map_err(MessageError::in_pairs)
    }

    /// Whether the application was content.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, StatusCode::OK)
    }

    /// Makes it ready to be written.
    ///
    /// # Errors
    ///
    /// When the status is an interim one, or when an extra field cannot be written or belongs to
    /// the message; see [`Encoder`].
    #[inline]
    pub fn encode<E, N, V>(&self, extras: E) -> Result<Encoder<'b, E>, Error>
    where
        E: IntoIterator<Item = (N, V)> + Clone,
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        if self.status.is_interim() {
            return Err(Error::caller(ErrorKind::InterimResponse));
        }
        Encoder::new(Start::NotificationResponse(*self), extras)
    }

    /// Shows its fields, in the order of the table.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visit: V) -> V {
        let url = self.static_response_url.map(|url| Value::Bytes(url.as_bytes()));
        let copy = self.copy_file_to_destination.map(|copy| Value::Bytes(copy.as_bytes()));
        let visit = visit
            .optional(FieldName::StaticResponseUrl, url)
            .optional(FieldName::CopyFileToDestination, copy);
        match self.content_length {
            Some(length) => visit.body_length(self.status, length),
            None => visit,
        }
    }
}

#[inline(always)]
pub(super) fn read<'b>(
    line: StatusLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
) -> Result<Decoded<NotificationResponse<'b>>, MessageError<'b>> {
    if line.status.is_interim() {
        return Err(MessageError::in_start_line(ErrorKind::InterimResponse));
    }
    scan.check_conflicts(KIND)?;
    remark(line, framing, scan);
    let message = NotificationResponse {
        status: line.status,
        static_response_url: scan.optional(KIND)?,
        copy_file_to_destination: scan.optional(KIND)?,
        // With 204 there is no body, whatever its length is said to be.
        content_length: framing.content_length.filter(|_| line.status != StatusCode::NO_CONTENT),
    };
    Ok(Decoded { message, deviations: scan.deviations })
}

/// Tells everything that is wrong with an answer, where [`read`] stops at the first.
pub(super) fn each_trouble<'b>(
    line: StatusLine<'b>,
    framing: Framing,
    scan: &mut Scan<'_, 'b>,
    each: &mut impl FnMut(MessageError<'b>),
) {
    scan.each_conflict(KIND, each);
    remark(line, framing, scan);
    scan.each_flaw(KIND, &[], each);
}

/// What is unusual, and wrong enough for nobody to refuse it.
fn remark(line: StatusLine<'_>, framing: Framing, scan: &mut Scan<'_, '_>) {
    if line.version == Version::Http10 {
        scan.deviations.insert(Deviation::Http10);
    }
    scan.record_fields(KIND);
    if !line.status.has_no_body() {
        // Its absence is remarked on, and no error.
        let _ = scan.carried(KIND, FieldName::ContentLength);
    }
    let has_body = framing.content_length.is_some_and(|length| length > 0);
    if scan.get(FieldName::StaticResponseUrl).is_some() && has_body {
        scan.deviations.insert(Deviation::UnexpectedBody);
    }
}

const KIND: MessageKind = MessageKind::NotificationResponse;
