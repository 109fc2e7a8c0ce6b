//! The response of a server to a download request.

use super::field::{Boundary, ContentRange, Range, RangeItem};
use super::pieces::{PartHead, Pieces};
use super::presence::MessageKind;
use super::{ByteRange, Entity, Method, Precondition, Request};
use crate::http1::StatusCode;
use crate::util::digits::decimal_len;
use crate::util::setters::setters;

/// [3.5.5] The response to a GET or HEAD request: the status code, the fields, and the pieces of the
/// body.
///
/// A plan is a pure function of the request and the metadata of the entity. It neither reads the
/// entity nor allocates.
///
/// | request | response |
/// |---|---|
/// | If-Match or If-Unmodified-Since fails | 412 |
/// | If-None-Match or If-Modified-Since fails | 304 |
/// | no Range, or an invalid one, or If-Range fails | 200 with the whole entity |
/// | Range that exceeds a limit of [`PlanLimits`] | 200 with the whole entity |
/// | one range that the entity has | 206 with the range |
/// | several ranges that the entity has | 206 with `multipart/byteranges`, in the order of the request |
/// | no range that the entity has | 416 with the length of the entity |
///
/// The first matching row applies. Ranges are never merged or reordered. The response to HEAD has the
/// fields of the response to GET and no body: RFC 9110 section 14.2 ignores Range in HEAD, but
/// \[MC-BUP\] 3.5.5.2 requires the same fields.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::Boundary;
/// use bits_proto::download::{ByteRange, Entity, Piece, Plan, PlanLimits, Request};
/// use bits_proto::http1::{RequestLine, Version};
/// use bits_proto::message::NO_EXTRAS;
///
/// let line = RequestLine { method: "GET", target: "/file", version: Version::Http11 };
/// let request = Request::from_fields(line, [("Range", &b"bytes=125-199"[..])])?;
/// let boundary = Boundary::from_random(7); // from a random generator
/// let plan = Plan::new(&request, &Entity::new(1000), &PlanLimits::DEFAULT, boundary);
/// assert_eq!((plan.status().get(), plan.content_length()), (206, Some(75)));
/// assert_eq!(
///     plan.encode(&NO_EXTRAS)?.to_vec(),
///     b"HTTP/1.1 206 Partial Content\r\nAccept-Ranges: bytes\r\n\
///       Content-Range: bytes 125-199/1000\r\nContent-Length: 75\r\n\r\n"
/// );
/// let pieces: Vec<_> = plan.pieces().collect();
/// assert_eq!(pieces, [Piece::Entity(ByteRange::new(125, 199)?)]);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 3.5.5; RFC 9110 sections 13.2.2, 14 and 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Plan<'p> {
    pub(super) entity: Entity<'p>,
    pub(super) is_head: bool,
    pub(super) body: Body<'p>,
}

/// The content of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body<'p> {
    /// 304.
    NotModified,
    /// 412.
    PreconditionFailed,
    /// 416.
    Unsatisfiable,
    /// 200.
    Whole,
    /// 206 with one range.
    Range(ByteRange),
    /// 206 with several ranges.
    Multipart {
        range: Range<'p>,
        boundary: Boundary,
        /// The length of the body in bytes.
        length: u64,
    },
}

/// The limits of a [`Plan`]. A request that exceeds one is answered with the whole entity.
///
/// # Example
///
/// ```
/// use bits_proto::download::PlanLimits;
///
/// let limits = PlanLimits::DEFAULT.with_max_parts(16);
/// assert_eq!(limits.max_amplification, 2);
/// ```
///
/// Source: RFC 9110 sections 14.2 and 17.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct PlanLimits {
    /// The maximum number of ranges in a response. Windows requests up to 500. Default: 512.
    pub max_parts: u32,
    /// The maximum sum of the lengths of all ranges, as a multiple of the length of the entity.
    /// It limits what overlapping ranges can request; 0 disables ranges. The framing of parts is not
    /// counted. Default: 2.
    pub max_amplification: u64,
}

impl PlanLimits {
    /// Suitable for Windows' clients, whose ranges do not overlap.
    pub const DEFAULT: Self = Self { max_parts: 512, max_amplification: 2 };
}

impl Default for PlanLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

setters!(PlanLimits {
    with_max_parts: max_parts: u32,
    with_max_amplification: max_amplification: u64,
});

impl<'p> Plan<'p> {
    /// Creates the response to a request for an entity. `boundary` separates several ranges.
    pub fn new(
        request: &Request<'p>,
        entity: &Entity<'p>,
        limits: &PlanLimits,
        boundary: Boundary,
    ) -> Self {
        let body = match request.precondition(entity) {
            Precondition::Failed => Body::PreconditionFailed,
            Precondition::NotModified => Body::NotModified,
            Precondition::Passed if request.allows_ranges(entity) => {
                let mut totals = Totals::new(entity.length);
                match request.range_each(|item| totals.insert(item)) {
                    Some(range) => totals.body(range, entity, limits, boundary),
                    None => Body::Whole,
                }
            }
            Precondition::Passed => Body::Whole,
        };
        Self { entity: *entity, is_head: request.method() == Method::Head, body }
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self.body {
            Body::NotModified => StatusCode::NOT_MODIFIED,
            Body::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Body::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
            Body::Whole => StatusCode::OK,
            Body::Range(_) | Body::Multipart { .. } => StatusCode::PARTIAL_CONTENT,
        }
    }

    pub(super) const fn kind(&self) -> MessageKind {
        match self.body {
            Body::NotModified => MessageKind::NotModified,
            Body::PreconditionFailed => MessageKind::PreconditionFailed,
            Body::Unsatisfiable => MessageKind::Unsatisfiable,
            Body::Whole => MessageKind::Whole,
            Body::Range(_) => MessageKind::Range,
            Body::Multipart { .. } => MessageKind::Multipart,
        }
    }

    /// Returns the value of Content-Length; `None` for 304, which is sent without the field.
    ///
    /// The response to HEAD has the same value, although its body is empty.
    #[must_use]
    pub const fn content_length(&self) -> Option<u64> {
        match self.body {
            Body::NotModified => None,
            Body::PreconditionFailed | Body::Unsatisfiable => Some(0),
            Body::Whole => Some(self.entity.length),
            Body::Range(range) => Some(range.len()),
            Body::Multipart { length, .. } => Some(length),
        }
    }

    /// Returns the value of Content-Range, if the response has one.
    #[must_use]
    pub fn content_range(&self) -> Option<ContentRange> {
        match self.body {
            Body::Unsatisfiable => Some(ContentRange::unsatisfied(self.entity.length)),
            // The range was resolved against this length.
            Body::Range(range) => ContentRange::new(range, Some(self.entity.length)).ok(),
            _ => None,
        }
    }

    /// Returns an iterator over the pieces of the body, in order. It is empty for HEAD.
    ///
    /// The sum of their lengths is [`content_length`](Self::content_length).
    #[must_use]
    pub fn pieces(&self) -> Pieces<'p> {
        Pieces::new(self)
    }
}

/// The ranges of a request that the entity has, counted while they are parsed.
struct Totals {
    /// The length of the entity in bytes.
    length: u64,
    first: Option<ByteRange>,
    parts: u32,
    entity_bytes: u64,
    /// The number of digits of all offsets.
    digits: u64,
    /// True if a range requests the last bytes of the entity, however many it has.
    has_suffix: bool,
}

impl Totals {
    const fn new(length: u64) -> Self {
        Self { length, first: None, parts: 0, entity_bytes: 0, digits: 0, has_suffix: false }
    }

    #[inline(always)]
    fn insert(&mut self, item: RangeItem) {
        self.has_suffix |= matches!(item, RangeItem::Suffix { length: 1.. });
        let Some(range) = item.resolve(self.length) else { return };
        self.first = self.first.or(Some(range));
        self.parts = self.parts.saturating_add(1);
        self.entity_bytes = self.entity_bytes.saturating_add(range.len());
        self.digits = self.digits.saturating_add(digits(range));
    }

    fn body<'p>(
        self,
        range: Range<'p>,
        entity: &Entity<'p>,
        limits: &PlanLimits,
        boundary: Boundary,
    ) -> Body<'p> {
        let max_bytes = self.length.saturating_mul(limits.max_amplification);
        let Some(first) = self.first else {
            // A suffix of an empty entity is the empty entity, which no Content-Range can express.
            let is_empty = self.length == 0 && self.has_suffix;
            return if is_empty { Body::Whole } else { Body::Unsatisfiable };
        };
        if self.parts > limits.max_parts || self.entity_bytes > max_bytes {
            return Body::Whole;
        }
        if self.parts == 1 {
            return Body::Range(first);
        }
        match self.multipart_length(PartHead::new(entity, boundary, first, true), boundary) {
            Some(length) => Body::Multipart { range, boundary, length },
            None => Body::Whole,
        }
    }

    /// Returns the length of the body. All part heads differ only in the digits of the offsets, and in
    /// the line end that precedes all but the first.
    fn multipart_length(&self, first: PartHead<'_>, boundary: Boundary) -> Option<u64> {
        let without_digits = (first.len() as u64).checked_sub(self.first.map_or(0, digits))?;
        let line_ends = u64::from(self.parts.checked_sub(1)?).checked_mul(b"\r\n".len() as u64)?;
        let closing = PartHead::closing(boundary).len() as u64;
        let framing = without_digits.checked_mul(self.parts.into())?.checked_add(line_ends)?;
        framing.checked_add(self.digits)?.checked_add(closing)?.checked_add(self.entity_bytes)
    }
}

/// Returns the number of digits of the offsets of a range.
#[inline(always)]
const fn digits(range: ByteRange) -> u64 {
    decimal_len(range.first()).wrapping_add(decimal_len(range.last())) as u64
}
