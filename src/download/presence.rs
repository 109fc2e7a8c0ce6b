//! The presence of each field in each message: one table for parsing, writing, docs and tests.
//!
//! Four rules supplement the table:
//!
//! * Content-Length and Transfer-Encoding are also checked with the framing of every head.
//! * `Content-Encoding: identity` counts as absent.
//! * A 206 response is one with several ranges if its Content-Type is `multipart/byteranges`.
//! * The content of a response to HEAD is empty. Its fields are those of the response to GET.

use super::field::FieldName;
use crate::http1::StatusCode;

/// A message of a download, as far as its fields are concerned.
///
/// # Example
///
/// ```
/// use bits_proto::download::presence::MessageKind;
///
/// assert_eq!(MessageKind::Range.name(), "206, one range");
/// assert!(MessageKind::Get.is_request() && !MessageKind::Part.is_request());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// A GET request.
    Get,
    /// A HEAD request.
    Head,
    /// A 200 response: the whole entity.
    Whole,
    /// A 206 response with one range.
    Range,
    /// A 206 response with several ranges.
    Multipart,
    /// A 304 response.
    NotModified,
    /// A 412 response.
    PreconditionFailed,
    /// A 416 response.
    Unsatisfiable,
    /// A response with another status code. A [`Plan`](super::Plan) never has one.
    Other,
    /// The head of a part of a response with several ranges.
    Part,
}

impl MessageKind {
    /// All kinds, in the order of the columns of the table.
    pub const ALL: &'static [Self] = &[
        Self::Get,
        Self::Head,
        Self::Whole,
        Self::Range,
        Self::Multipart,
        Self::NotModified,
        Self::PreconditionFailed,
        Self::Unsatisfiable,
        Self::Other,
        Self::Part,
    ];

    /// Returns the name of the message for display.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Whole => "200",
            Self::Range => "206, one range",
            Self::Multipart => "206, several ranges",
            Self::NotModified => "304",
            Self::PreconditionFailed => "412",
            Self::Unsatisfiable => "416",
            Self::Other => "other response",
            Self::Part => "part",
        }
    }

    /// Returns true if a client sends the message, and false if a server sends it.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    /// Returns the kind of a response with this status code.
    pub(super) fn of_response(status: StatusCode, has_parts: bool) -> Self {
        match status {
            StatusCode::OK => Self::Whole,
            StatusCode::PARTIAL_CONTENT if has_parts => Self::Multipart,
            StatusCode::PARTIAL_CONTENT => Self::Range,
            StatusCode::NOT_MODIFIED => Self::NotModified,
            StatusCode::PRECONDITION_FAILED => Self::PreconditionFailed,
            StatusCode::RANGE_NOT_SATISFIABLE => Self::Unsatisfiable,
            _ => Self::Other,
        }
    }
}

/// The presence of a field in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presence {
    /// Always written. A message without the field is rejected.
    Required,
    /// Always written. A message without the field is accepted.
    Expected,
    /// Written if the sender has a value. The field may be absent.
    Optional,
    /// Never written, but read if another implementation sends it.
    Accepted,
    /// Not defined for the message: never written, and ignored.
    Ignored,
    /// Never written. A message with the field is rejected.
    Forbidden,
}

impl Presence {
    /// Returns true if the message is written with the field, provided that there is a value.
    #[must_use]
    #[inline]
    pub const fn is_written(self) -> bool {
        matches!(self, Self::Required | Self::Expected | Self::Optional)
    }
}

use Presence::{
    Accepted as A, Expected as E, Forbidden as F, Ignored as i, Optional as O, Required as R,
};

const KINDS: usize = MessageKind::ALL.len();

/// The presence table.
///
/// Rows are in the order of [`FieldName::ALL`], in which fields are written. Columns are in the order
/// of [`MessageKind::ALL`].
#[doc(hidden)]
#[rustfmt::skip]
pub const TABLE: [(FieldName, [Presence; KINDS]); FieldName::ALL.len()] = {
    use FieldName::*;
    [
        //                   requests | responses                              | part
        //                   GET HEAD | 200  206 parts  304  412  416   other
        (AcceptEncoding,    [E,  E,     i,   i,   i,   i,   i,   i,     i,       i]),
        (Range,             [O,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (IfRange,           [O,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (IfMatch,           [O,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (IfNoneMatch,       [A,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (IfModifiedSince,   [A,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (IfUnmodifiedSince, [O,  A,     i,   i,   i,   i,   i,   i,     i,       i]),
        (AcceptRanges,      [i,  i,     E,   E,   E,   E,   E,   E,     i,       i]),
        (LastModified,      [i,  i,     O,   O,   O,   O,   O,   O,     A,       i]),
        (ETag,              [i,  i,     O,   O,   O,   O,   O,   O,     A,       i]),
        (ContentType,       [i,  i,     O,   O,   R,   i,   i,   i,     i,       O]),
        (ContentEncoding,   [i,  i,     A,   A,   A,   A,   A,   A,     A,       F]),
        (ContentRange,      [i,  i,     i,   R,   F,   i,   i,   E,     i,       R]),
        (ContentLength,     [i,  i,     E,   E,   E,   i,   E,   E,     A,       i]),
        (TransferEncoding,  [F,  F,     A,   A,   A,   i,   A,   A,     A,       i]),
        (RetryAfter,        [i,  i,     A,   A,   A,   A,   A,   A,     A,       i]),
    ]
};

/// Returns the presence of `field` in messages of this kind.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::FieldName;
/// use bits_proto::download::presence::{MessageKind, Presence, of};
///
/// assert_eq!(of(MessageKind::Range, FieldName::ContentRange), Presence::Required);
/// assert_eq!(of(MessageKind::Multipart, FieldName::ContentRange), Presence::Forbidden);
/// ```
#[expect(
    clippy::indexing_slicing,
    reason = "there is a row for each field and a column for each kind"
)]
#[must_use]
#[inline]
pub const fn of(kind: MessageKind, field: FieldName) -> Presence {
    TABLE[field as usize].1[kind as usize]
}

#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
const _: () = {
    let mut index = 0;
    while index < TABLE.len() {
        assert!(TABLE[index].0 as usize == index, "rows are in the order of the fields");
        index += 1;
    }
    let mut index = 0;
    while index < KINDS {
        assert!(MessageKind::ALL[index] as usize == index, "columns are in the order of the kinds");
        index += 1;
    }
};

/// Returns true if a caller must not add the field to requests (or else to responses): the message
/// writes it or decides its absence.
pub(super) fn is_reserved(field: FieldName, in_requests: bool) -> bool {
    match field {
        // They delimit the body.
        FieldName::ContentLength | FieldName::TransferEncoding => true,
        // Only the caller knows the time.
        FieldName::RetryAfter => false,
        field => MessageKind::ALL
            .iter()
            .any(|kind| kind.is_request() == in_requests && of(*kind, field) != Presence::Ignored),
    }
}
