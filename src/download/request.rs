//! Requests for an entity, as a server receives them.

use super::field::{
    FieldName, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince, Range, RangeItem,
};
use super::fields::{Fields, Single};
use super::presence::MessageKind;
use super::{Entity, RequestHead};
use crate::error::{CheckStage, Error, ErrorKind};
use crate::field::ContentEncoding;
use crate::http1::RequestLine;

/// The method of a download request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// The response has the entity or ranges of it as its body.
    Get,
    /// The response is that to GET without the body.
    Head,
}

impl Method {
    /// Returns the method with this name. Names of methods are case-sensitive.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "GET" => Some(Self::Get),
            "HEAD" => Some(Self::Head),
            _ => None,
        }
    }

    /// Returns the name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }

    pub(super) const fn kind(self) -> MessageKind {
        match self {
            Self::Get => MessageKind::Get,
            Self::Head => MessageKind::Head,
        }
    }
}

/// [2.3] A GET or HEAD request for an entity, with its ranges and conditions.
///
/// No field makes the request invalid. A server ignores a field with an invalid value, unless that
/// could mix the bytes of two versions of the entity:
///
/// | field | invalid, or repeated with another value |
/// |---|---|
/// | Range | ignored: the response is the whole entity |
/// | If-Range | fails: the response is the whole entity |
/// | If-Match | fails: 412 |
/// | If-Unmodified-Since | invalid: ignored; repeated: fails, 412, which is stricter than HTTP |
/// | If-None-Match, If-Modified-Since | ignored |
///
/// The lists If-Match and If-None-Match may be spread over several fields.
///
/// # Example
///
/// ```
/// use bits_proto::download::Request;
/// use bits_proto::http1::{RequestLine, Version};
///
/// let line = RequestLine { method: "GET", target: "/file", version: Version::Http11 };
/// let request = Request::from_fields(line, [("Range", &b"bytes=0-99"[..])])?;
/// assert_eq!(request.range().map(|range| range.iter().count()), Some(1));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.3, 3.5.5; RFC 9110 sections 13 and 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'b> {
    method: Method,
    fields: Fields<'b>,
}

/// The fields with conditions.
const CONDITIONS: [FieldName; 5] = [
    FieldName::IfMatch,
    FieldName::IfUnmodifiedSince,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfRange,
];

/// The result of the conditions of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Precondition {
    /// The request is executed.
    Passed,
    /// The client has the entity already: 304.
    NotModified,
    /// The entity is not the one that the client expects: 412.
    Failed,
}

impl<'b> Request<'b> {
    /// Reads a request from a head.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDownload`] if the method is not GET or HEAD.
    #[inline]
    pub fn from_head(head: &RequestHead<'_, 'b>) -> Result<Self, Error> {
        Self::new(head.line_without_text(), *head.visitor())
    }

    /// Reads a request from fields that another HTTP stack has parsed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDownload`] if the method is not GET or HEAD.
    pub fn from_fields(
        line: RequestLine<'_>,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Result<Self, Error> {
        Self::new(line, Fields::from_pairs(fields))
    }

    /// Parses an [`http::Request`] or its [`Parts`](http::request::Parts).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotDownload`] if the method is not GET or HEAD.
    #[cfg(feature = "http")]
    pub fn from_http(request: &'b impl crate::http1::HttpRequest) -> Result<Self, Error> {
        Self::from_fields(request.request_line(), request.fields())
    }

    #[inline]
    fn new(line: RequestLine<'_>, fields: Fields<'b>) -> Result<Self, Error> {
        let method = Method::from_name(line.method);
        let error = || Error::peer(ErrorKind::NotDownload).at_stage(CheckStage::Method);
        Ok(Self { method: method.ok_or_else(error)?, fields })
    }

    /// Returns the method.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// Returns the requested ranges; `None` if Range is absent or ignored.
    #[must_use]
    pub fn range(&self) -> Option<Range<'b>> {
        self.range_each(|_| ())
    }

    /// Returns the requested ranges, and calls `each` with every one. If the value is ignored, some
    /// may have been passed.
    #[inline]
    pub(super) fn range_each(&self, each: impl FnMut(RangeItem)) -> Option<Range<'b>> {
        let value = self.fields.single(FieldName::Range).value()?;
        Range::decode_each(value, each).ok()
    }

    /// Evaluates the conditions for an entity, in the order of RFC 9110 section 13.2.2.
    ///
    /// If-Match takes precedence over If-Unmodified-Since, and If-None-Match over
    /// If-Modified-Since. A date condition is ignored if the entity has no date.
    #[must_use]
    pub fn precondition(&self, entity: &Entity<'_>) -> Precondition {
        let is_unchanged = match self.fields.first(FieldName::IfMatch) {
            Some(_) => self.any_line(FieldName::IfMatch, |line| {
                IfMatch::try_from(line).map(|it| it.matches(entity.tag.as_ref()))
            }),
            None => self.passes_if_unmodified_since(entity),
        };
        if !is_unchanged {
            return Precondition::Failed;
        }
        let is_known_to_client = match self.fields.first(FieldName::IfNoneMatch) {
            Some(_) => self.any_line(FieldName::IfNoneMatch, |line| {
                IfNoneMatch::try_from(line).map(|it| it.matches(entity.tag.as_ref()))
            }),
            None => self.is_unmodified_since(entity),
        };
        if is_known_to_client { Precondition::NotModified } else { Precondition::Passed }
    }

    /// Returns true if If-Range allows a response with ranges.
    #[must_use]
    pub fn allows_ranges(&self, entity: &Entity<'_>) -> bool {
        match self.fields.single(FieldName::IfRange) {
            Single::Absent => true,
            Single::Conflicting => false,
            Single::Value(value) => IfRange::try_from(value)
                .is_ok_and(|it| it.matches(entity.tag.as_ref(), entity.modified)),
        }
    }

    /// Returns true if the client accepts no content coding.
    pub(crate) fn accepts_only_identity(&self) -> bool {
        self.fields.valid::<ContentEncoding>(FieldName::AcceptEncoding).is_some()
    }

    /// Returns the lines of all conditions. `None` if there are more repeated fields than are kept.
    pub(crate) fn conditions(&self) -> Option<impl Iterator<Item = (FieldName, &'b [u8])>> {
        let lines = |field| self.fields.lines(field);
        // Repeated fields share their space, so that one field shows it for all.
        let _ = lines(FieldName::IfMatch)?;
        let lines = move |field| lines(field).into_iter().flatten().map(move |line| (field, line));
        Some(CONDITIONS.into_iter().flat_map(lines))
    }

    /// Returns true if `matches` is true for a line of a list. `false` if a line is invalid, or if
    /// there are too many lines.
    fn any_line(
        &self,
        field: FieldName,
        matches: impl Fn(&'b [u8]) -> Result<bool, Error>,
    ) -> bool {
        let mut lines = self.fields.lines(field).into_iter().flatten();
        lines
            .try_fold(false, |found, line| matches(line).map(|is_match| found || is_match))
            .unwrap_or(false)
    }

    fn passes_if_unmodified_since(&self, entity: &Entity<'_>) -> bool {
        match self.fields.single(FieldName::IfUnmodifiedSince) {
            Single::Absent => true,
            Single::Conflicting => false,
            Single::Value(value) => match (IfUnmodifiedSince::try_from(value), entity.modified) {
                (Ok(condition), Some(modified)) => condition.matches(modified),
                _ => true,
            },
        }
    }

    fn is_unmodified_since(&self, entity: &Entity<'_>) -> bool {
        let condition: Option<IfModifiedSince> = self.fields.valid(FieldName::IfModifiedSince);
        match (condition, entity.modified) {
            (Some(condition), Some(modified)) => !condition.matches(modified),
            _ => false,
        }
    }
}
