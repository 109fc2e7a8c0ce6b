//! Message framing: the length of a message body. All framing decisions are made here.
//!
//! The one exception is the rule that a Fragment's Content-Length equals the length of its range.
//! That rule belongs to the message.

use super::head::{locate, offset_of};
use super::{
    BodyLength, FieldLines, HeadVisitor, RequestLine, StatusCode, StatusLine, trim_white_space,
};
use crate::error::{Error, ErrorKind, ValueError};
use crate::field_name::FieldName;
use crate::util::ascii_case::eq_ignore_case;
use crate::util::digits;

/// The parsed framing fields of a message.
///
/// [2.2.1.1] Content-Length gives the length of every body in BITS. A reverse proxy may replace it
/// by `Transfer-Encoding: chunked` in a response.
///
/// ```text
/// Content-Length    = 1*DIGIT *( OWS "," OWS 1*DIGIT )   ; equal numbers
/// Transfer-Encoding = "chunked"                          ; ASCII case-insensitive
/// ```
///
/// A list of lengths results from a repeated field that an intermediary has joined.
///
/// # Example
///
/// ```
/// use bits_proto::http1::Framing;
///
/// let framing = Framing::from_fields([("Host", &b"h"[..]), ("content-length", b"4892")])?;
/// assert_eq!(framing.content_length, Some(4892));
/// assert_eq!(Framing::from_fields([("Content-Length", "7, 7")])?.content_length, Some(7));
/// assert!(Framing::from_fields([("Content-Length", "+1")]).is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.1; RFC 9110 section 8.6; RFC 9112 section 6.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Framing {
    /// The value of Content-Length; `None` if the field is absent.
    pub content_length: Option<u64>,
    /// The transfer coding; `None` if there is no Transfer-Encoding.
    pub transfer_encoding: Option<TransferCoding>,
}

/// The transfer coding of a message body.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{Framing, TransferCoding};
///
/// let coding = |value| Framing::from_fields([("Transfer-Encoding", value)]);
/// assert_eq!(coding("Chunked")?.transfer_encoding, Some(TransferCoding::Chunked));
/// assert_eq!(coding("gzip, chunked")?.transfer_encoding, Some(TransferCoding::Other));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 sections 6.1 and 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransferCoding {
    /// One Transfer-Encoding field with the value `chunked`.
    Chunked,
    /// Another coding, a list of codings, or several Transfer-Encoding fields.
    Other,
}

impl Framing {
    /// Parses the framing fields among fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDecimal`] or [`ErrorKind::NumberTooLarge`] for an invalid Content-Length.
    /// [`ErrorKind::ContentLengthConflict`] for two different lengths.
    pub fn from_fields<N, V>(fields: impl IntoIterator<Item = (N, V)>) -> Result<Self, Error>
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let (mut framing, mut first) = (Self::default(), None::<V>);
        for (name, value) in fields {
            let name = name.as_ref().as_bytes();
            if eq_ignore_case!(name, b"Transfer-Encoding") {
                let is_repeated = framing.transfer_encoding.is_some();
                let coding = TransferCoding::of(trim_white_space(value.as_ref()), is_repeated);
                framing.transfer_encoding = Some(coding);
            }
            if !eq_ignore_case!(name, b"Content-Length") {
                continue;
            }
            let trimmed = trim_white_space(value.as_ref());
            let length = content_length(trimmed).map_err(|error| error.at(None))?;
            if let Some(first) = first.as_ref().filter(|_| framing.content_length != Some(length)) {
                let first = trim_white_space(first.as_ref());
                return Err(FramingError::length_conflict(first, trimmed).at(None));
            }
            framing.content_length = Some(length);
            first = first.or(Some(value));
        }
        Ok(framing)
    }

    /// Returns the number of body bytes that follow a request head: Content-Length, or 0 if absent.
    #[must_use]
    pub const fn request_body(&self) -> u64 {
        match self.content_length {
            Some(length) => length,
            None => 0,
        }
    }

    /// Returns the length of the body that follows a response head.
    ///
    /// A Transfer-Encoding takes precedence over Content-Length. A 205 that has neither has no body,
    /// see RFC 9110 section 15.3.6. A body that a 205 announces is read and discarded. A response to
    /// HEAD has no body, regardless of its fields; the caller must handle that case.
    #[must_use]
    pub const fn response_body(&self, status: StatusCode) -> BodyLength {
        match (self.transfer_encoding, self.content_length) {
            _ if status.has_no_body() => BodyLength::NoBody,
            (Some(TransferCoding::Chunked), _) => BodyLength::Chunked,
            (None, Some(length)) => BodyLength::Known(length),
            (None, None) if status.get() == 205 => BodyLength::NoBody,
            (Some(TransferCoding::Other), _) | (None, None) => BodyLength::UntilClose,
        }
    }

    /// Returns true if the head announces a body of at least one byte. A body with a transfer
    /// coding may be empty.
    pub(crate) const fn announces_body(&self) -> bool {
        matches!((self.transfer_encoding, self.content_length), (None, Some(1..)))
    }
}

impl TransferCoding {
    fn of(value: &[u8], is_repeated: bool) -> Self {
        let is_chunked = eq_ignore_case!(value, b"chunked");
        if is_chunked && !is_repeated { Self::Chunked } else { Self::Other }
    }
}

/// Returns true if a response with this status code is written with Content-Length.
///
/// RFC 9110 section 8.6 forbids the field with 204.
pub(crate) const fn is_length_written(status: StatusCode) -> bool {
    status.get() != StatusCode::NO_CONTENT.get()
}

/// The values of the framing fields, collected in the pass over all fields.
#[derive(Clone, Copy, Debug, Default)]
pub struct FramingFields<'b> {
    /// The value of the first Content-Length.
    pub(crate) content_length: Option<&'b [u8]>,
    /// The value of the first Content-Length that is a different number than `content_length`.
    pub(crate) other_length: Option<&'b [u8]>,
    /// The value of the first Transfer-Encoding.
    pub(crate) transfer_encoding: Option<&'b [u8]>,
    /// The value of the second Transfer-Encoding.
    pub(crate) other_coding: Option<&'b [u8]>,
}

/// One reason to reject the framing of a message.
#[derive(Clone, Copy)]
pub(crate) struct FramingError<'b> {
    /// The field at fault.
    pub(crate) field: FieldName,
    /// The value at fault, and what is wrong with it.
    pub(crate) value: &'b [u8],
    pub(crate) error: ValueError,
    /// The first value, if the value at fault conflicts with it.
    pub(crate) first: Option<&'b [u8]>,
}

/// The transfer codings that a message may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AllowedCoding {
    /// None: requests, and responses of HTTP/1.0.
    None,
    /// `chunked`, without Content-Length: responses of HTTP/1.1.
    Chunked,
    /// Any, because the HTTP stack that received the message has decoded the body.
    Any,
}

impl<'b> FramingFields<'b> {
    /// Returns the framing of most messages, which is never rejected: at most one decimal
    /// Content-Length and no Transfer-Encoding. `None` if the fields need [`check`](Self::check).
    #[inline(always)]
    pub(crate) fn parse_simple(self) -> Option<Framing> {
        if self.other_length.is_some() || self.transfer_encoding.is_some() {
            return None;
        }
        let content_length = match self.content_length {
            Some(value) => Some(digits::decimal(value).ok()?),
            None => None,
        };
        Some(Framing { content_length, transfer_encoding: None })
    }

    /// Returns the framing. An invalid Content-Length counts as absent.
    #[cold]
    pub(crate) fn parse(self) -> Framing {
        let is_repeated = self.other_coding.is_some();
        Framing {
            content_length: self.content_length.and_then(|value| content_length(value).ok()),
            transfer_encoding: self
                .transfer_encoding
                .map(|value| TransferCoding::of(value, is_repeated)),
        }
    }

    /// Returns the reasons to reject the framing, Transfer-Encoding first.
    pub(crate) fn errors(
        &self,
        allowed: AllowedCoding,
    ) -> impl Iterator<Item = FramingError<'b>> + use<'b> {
        let is_chunked = self.parse().transfer_encoding == Some(TransferCoding::Chunked);
        let is_allowed = match allowed {
            AllowedCoding::None => false,
            AllowedCoding::Chunked => is_chunked && self.content_length.is_none(),
            AllowedCoding::Any => true,
        };
        let rejected = self.transfer_encoding.filter(|_| !is_allowed);
        let coding = rejected.map(|value| FramingError::coding(value, self.other_coding));
        let length = [self.content_length, self.other_length].into_iter().flatten();
        let mut invalid = length.filter_map(|value| content_length(value).err());
        let conflict = self.content_length.zip(self.other_length);
        let length = invalid
            .next()
            .or_else(|| conflict.map(|(first, value)| FramingError::length_conflict(first, value)));
        coding.into_iter().chain(length)
    }

    /// Returns true if Content-Length is a valid list of equal numbers.
    #[cold]
    pub(crate) fn is_length_list(&self) -> bool {
        self.content_length
            .is_some_and(|value| value.contains(&b',') && content_length(value).is_ok())
    }

    /// Returns the framing of a head that is not [simple](Self::parse_simple), or the first reason to
    /// reject it.
    #[cold]
    pub(super) fn check<V: HeadVisitor<'b>>(
        self,
        allowed: AllowedCoding,
        visitor: &mut V,
    ) -> Result<Framing, FramingError<'b>> {
        if let Some(error) = self.errors(allowed).next() {
            return Err(error);
        }
        if self.is_length_list() {
            visitor.record_length_list();
        }
        Ok(self.parse())
    }

    /// Returns the framing of a message that another HTTP stack has parsed and decoded.
    ///
    /// # Errors
    ///
    /// An invalid or ambiguous Content-Length.
    pub(crate) fn check_parsed<V: HeadVisitor<'b>>(
        &self,
        visitor: &mut V,
    ) -> Result<Framing, Error> {
        self.check(AllowedCoding::Any, visitor).map_err(|error| error.at(None))
    }
}

/// Parses a value of Content-Length.
fn content_length(value: &[u8]) -> Result<u64, FramingError<'_>> {
    digits::decimal(value).or_else(|_| length_of_list(value))
}

/// Parses a value of Content-Length that is not a number: a list of equal numbers is valid.
#[cold]
fn length_of_list(value: &[u8]) -> Result<u64, FramingError<'_>> {
    let mut items = value.split(|byte| *byte == b',');
    let first = items.next().unwrap_or_default();
    let length = item_of_list(value, first, 0)?;
    let mut end = first.len();
    for item in items {
        let start = end.saturating_add(1);
        if item_of_list(value, item, start)? != length {
            let (first, item) = (trim_white_space(first), trim_white_space(item));
            return Err(FramingError::length_conflict(first, item));
        }
        end = start.saturating_add(item.len());
    }
    Ok(length)
}

/// Parses an item of a list of lengths that begins at `start` in the value.
fn item_of_list<'b>(value: &'b [u8], item: &[u8], start: usize) -> Result<u64, FramingError<'b>> {
    digits::decimal(trim_white_space(item)).map_err(|error| {
        let space = item.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let at = start.saturating_add(space).saturating_add(error.at);
        FramingError::invalid_length(value, ValueError::new(error.kind, at))
    })
}

/// Returns true if two Content-Length values are the same number, as in `5` and `05`.
#[cold]
pub(crate) fn is_same_length(first: &[u8], second: &[u8]) -> bool {
    let number = |value| content_length(value).ok();
    first == second || number(second).is_some_and(|length| number(first) == Some(length))
}

impl<'b> FramingError<'b> {
    /// Transfer-Encoding is not allowed, or is repeated.
    const fn coding(first: &'b [u8], second: Option<&'b [u8]>) -> Self {
        let error = ValueError::new(ErrorKind::TransferEncoding, 0);
        let (value, first) = match second {
            Some(second) => (second, Some(first)),
            None => (first, None),
        };
        Self { field: FieldName::TransferEncoding, value, error, first }
    }

    /// A Content-Length value is not a number.
    const fn invalid_length(value: &'b [u8], error: ValueError) -> Self {
        Self { field: FieldName::ContentLength, value, error, first: None }
    }

    /// Two Content-Length values differ.
    const fn length_conflict(first: &'b [u8], value: &'b [u8]) -> Self {
        let error = ValueError::new(ErrorKind::ContentLengthConflict, 0);
        Self { field: FieldName::ContentLength, value, error, first: Some(first) }
    }

    /// Converts to an [`Error`] at this offset of the head.
    #[cold]
    fn at(self, offset: Option<usize>) -> Error {
        let error = Error::http(self.error.kind, offset).in_field(self.field);
        match self.first {
            Some(first) if self.field == FieldName::TransferEncoding => {
                error.with_pair(first, self.value)
            }
            Some(first) => error.with_conflict(first, self.value),
            None => error.with_received(self.value, self.error.at),
        }
    }

    /// Converts to an [`Error`] with the offset of the field in `head`.
    #[cold]
    pub(super) fn in_head(self, head: &[u8]) -> Error {
        let is_named = |name: &str| name.eq_ignore_ascii_case(self.field.as_str());
        if self.field == FieldName::TransferEncoding {
            let field = FieldLines::of_head(head).find(|(name, _)| is_named(name));
            return self.at(field.map(|(name, _)| offset_of(name, head)));
        }
        self.at(locate(head, self.value, self.error.at, is_named))
    }
}

impl<'b, V: HeadVisitor<'b>> super::Head<'_, 'b, RequestLine<'b>, V> {
    /// Returns the number of body bytes that follow; see [`Framing::request_body`].
    #[must_use]
    pub fn body_length(&self) -> u64 {
        self.framing().request_body()
    }
}

impl<'b, V: HeadVisitor<'b>> super::Head<'_, 'b, StatusLine<'b>, V> {
    /// Returns the length of the body that follows; see [`Framing::response_body`].
    #[must_use]
    pub fn body_length(&self) -> BodyLength {
        self.framing().response_body(self.line_without_text().status)
    }
}
