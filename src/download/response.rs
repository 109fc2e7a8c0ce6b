//! Responses to a download request, as a client receives them.

use super::ResponseHead;
use super::field::{ContentRange, EntityTag, FieldName, LastModified, MultipartType};
use super::fields::{Fields, Single};
use super::presence::{self, MessageKind, Presence};
use crate::error::{Error, ErrorKind, Fault};
use crate::field::RetryAfter;
use crate::http1::{BodyLength, Framing, HeadVisitor as _, StatusCode, StatusLine, TransferCoding};

/// [2.3] A response to a GET or HEAD request.
///
/// Fields with invalid values that only describe the entity count as absent. Fields that say which
/// bytes the body contains must be valid.
///
/// # Example
///
/// ```
/// use bits_proto::download::Response;
/// use bits_proto::http1::{StatusCode, StatusLine, Version};
///
/// let status = StatusCode::PARTIAL_CONTENT;
/// let line = StatusLine { version: Version::Http11, status, reason: "" };
/// let fields = [("Content-Range", &b"bytes 0-99/1000"[..]), ("Content-Length", b"100")];
/// let response = Response::from_fields(line, fields)?;
/// assert_eq!(response.entity_length(), Some(1000));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.3, 3.6.5; RFC 9110 sections 8, 14 and 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response<'b> {
    /// The status code.
    pub status: StatusCode,
    /// The length of the body, or the way to find its end. For HEAD it is that of the response to GET.
    pub body: BodyLength,
    /// The range in the body, or the length of the entity in a 416 response.
    pub content_range: Option<ContentRange>,
    /// The media type of a body with several ranges.
    pub multipart: Option<MultipartType<'b>>,
    /// The date of the last change of the entity.
    pub last_modified: Option<LastModified<'b>>,
    /// The entity tag.
    pub tag: Option<EntityTag<'b>>,
    /// True if the body has a content coding other than identity, or a transfer coding other than
    /// chunked. Its bytes are not those of the entity.
    pub is_encoded: bool,
    /// The earliest time of a retry.
    pub retry_after: Option<RetryAfter>,
}

impl<'b> Response<'b> {
    /// Reads a response from a head.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InterimResponse`] for a 1xx response, which the final response follows.
    /// [`ErrorKind::ConflictingField`] and the errors of [`ContentRange`] and [`MultipartType`] for a
    /// body whose range is unknown. [`ErrorKind::MissingField`] for a 206 response without a range.
    pub fn from_head(head: &ResponseHead<'_, 'b>) -> Result<Self, Error> {
        Self::read(head.line_without_text().status, head.framing(), head.visitor())
    }

    /// Reads a response from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// As [`from_head`](Self::from_head), and the errors of an invalid or ambiguous Content-Length.
    pub fn from_fields(
        line: StatusLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Self, Error> {
        let mut fields = Fields::from_pairs(fields);
        let framing = fields.framing_fields().check_parsed(&mut fields)?;
        Self::read(line.status, framing, &fields)
    }

    /// Parses an [`http::Response`] or its [`Parts`](http::response::Parts).
    ///
    /// # Errors
    ///
    /// As [`from_fields`](Self::from_fields).
    #[cfg(feature = "http")]
    pub fn from_http(response: &'b impl crate::http1::HttpResponse) -> Result<Self, Error> {
        Self::from_fields(response.status_line(), response.fields())
    }

    fn read(status: StatusCode, framing: Framing, fields: &Fields<'b>) -> Result<Self, Error> {
        if status.is_interim() {
            return Err(Error::peer(ErrorKind::InterimResponse));
        }
        let (content_range, multipart) = ranges(status, fields)?;
        let is_transfer_coded = framing.transfer_encoding == Some(TransferCoding::Other);
        Ok(Self {
            status,
            body: framing.response_body(status),
            content_range,
            multipart,
            last_modified: fields.valid(FieldName::LastModified),
            tag: fields.valid(FieldName::ETag),
            is_encoded: fields.is_encoded() || is_transfer_coded,
            retry_after: fields
                .first(FieldName::RetryAfter)
                .and_then(|value| RetryAfter::try_from(value).ok()),
        })
    }

    /// Returns the length of the whole entity: that of Content-Range, or the length of a 200
    /// response. `None` if it is unknown, or if the parts of the body state it.
    #[must_use]
    pub fn entity_length(&self) -> Option<u64> {
        match self.content_range {
            Some(content_range) => content_range.total(),
            None if self.status == StatusCode::OK => self.body.known(),
            None => None,
        }
    }
}

/// Returns Content-Range and the media type of a body with several ranges, as the presence table
/// defines them.
fn ranges<'b>(
    status: StatusCode,
    fields: &Fields<'b>,
) -> Result<(Option<ContentRange>, Option<MultipartType<'b>>), Error> {
    let multipart = match status {
        StatusCode::PARTIAL_CONTENT => Some(multipart(fields)),
        _ => None,
    };
    let has_parts = matches!(multipart, Some(Ok(_)));
    let kind = MessageKind::of_response(status, has_parts);
    let presence = presence::of(kind, FieldName::ContentRange);
    let content_range = match presence {
        Presence::Required | Presence::Forbidden => content_range(fields, true)?,
        // It only describes the entity.
        Presence::Ignored => None,
        _ => content_range(fields, false).ok().flatten(),
    };
    let multipart = match (presence, content_range) {
        (Presence::Forbidden, Some(_)) => {
            let error = Error::peer(ErrorKind::ConflictingField);
            return Err(error.in_download_field(FieldName::ContentRange));
        }
        (Presence::Required, Some(_)) => None,
        // The error states that the range is missing, or the error of the media type.
        _ => multipart.transpose()?,
    };
    Ok((content_range, multipart))
}

/// Returns Content-Range. It may be absent from a 416 response, and from a 206 response with several
/// parts.
fn content_range(fields: &Fields<'_>, is_partial: bool) -> Result<Option<ContentRange>, Error> {
    let field = FieldName::ContentRange;
    match fields.single(field) {
        Single::Absent => Ok(None),
        Single::Conflicting => {
            Err(Error::peer(ErrorKind::ConflictingField).in_download_field(field))
        }
        Single::Value(value) => match ContentRange::try_from(value) {
            Ok(it) if it.range().is_some() == is_partial => Ok(Some(it)),
            Ok(_) => Err(Error::peer(ErrorKind::NotContentRange)
                .in_download_field(field)
                .with_received(value, 0)),
            Err(error) => Err(error.with_fault(Fault::PeerBytes).at(None)),
        },
    }
}

/// Returns the media type of a 206 response without Content-Range.
fn multipart<'b>(fields: &Fields<'b>) -> Result<MultipartType<'b>, Error> {
    let missing = Error::peer(ErrorKind::MissingField).in_download_field(FieldName::ContentRange);
    let value = fields.single(FieldName::ContentType).value().ok_or(missing)?;
    MultipartType::try_from(value).map_err(|error| {
        let is_multipart = value.get(..10).is_some_and(|it| it.eq_ignore_ascii_case(b"multipart/"));
        if is_multipart { error.with_fault(Fault::PeerBytes).at(None) } else { missing }
    })
}
