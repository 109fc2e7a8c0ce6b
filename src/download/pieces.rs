//! The pieces of a response body.

use core::fmt;
use core::iter::FusedIterator;

use super::field::{Boundary, ContentRange, ContentType, RangeItems};
use super::plan::Body;
use super::{ByteRange, Entity, Plan};
use crate::error::Error;
#[cfg(feature = "alloc")]
use crate::util::sink::write_to_vec;
use crate::util::sink::{LenSink, Sink, Wire, wire_display, write_to_slice};

/// One piece of a response body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Piece<'p> {
    /// Bytes between the ranges.
    Framing(PartHead<'p>),
    /// A range of the entity.
    Entity(ByteRange),
}

impl Piece<'_> {
    /// Returns the length in bytes; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a piece is never empty")]
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Framing(head) => head.len() as u64,
            Self::Entity(range) => range.len(),
        }
    }
}

/// The bytes before a part of a response with several ranges, or after the last part.
///
/// ```text
/// part-head = [ CRLF ] "--" boundary CRLF
///             [ "Content-Type: " media-type CRLF ]
///             "Content-Range: bytes " first "-" last "/" total CRLF CRLF
/// closing   = CRLF "--" boundary "--" CRLF
/// ```
///
/// Source: RFC 9110 section 14.6; RFC 2046 section 5.1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PartHead<'p> {
    boundary: Boundary,
    /// The range of the part, or `None` after the last part.
    content_range: Option<ContentRange>,
    content_type: Option<ContentType<'p>>,
    /// True if nothing precedes the boundary.
    is_first: bool,
}

impl<'p> PartHead<'p> {
    pub(super) fn new(
        entity: &Entity<'p>,
        boundary: Boundary,
        range: ByteRange,
        is_first: bool,
    ) -> Self {
        // The range was resolved against this length.
        let content_range = ContentRange::new(range, Some(entity.length)).ok();
        Self { boundary, content_range, content_type: entity.content_type, is_first }
    }

    pub(super) const fn closing(boundary: Boundary) -> Self {
        Self { boundary, content_range: None, content_type: None, is_first: false }
    }

    /// Returns the length in bytes; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a part head is never empty")]
    #[must_use]
    pub fn len(&self) -> usize {
        self.put_into(LenSink(0)).0
    }

    /// Writes the bytes to the start of `buffer` and returns their number.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`](crate::error::ErrorKind::BufferTooSmall) with the required length. The buffer is unchanged.
    pub fn write(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        write_to_slice(self, buffer)
    }

    /// Writes the bytes to a new vector.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn to_vec(&self) -> alloc::vec::Vec<u8> {
        write_to_vec(self, self.len())
    }
}

impl Wire for PartHead<'_> {
    #[inline(always)]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        let sink = if self.is_first { sink } else { sink.put(b"\r\n") };
        let sink = self.boundary.put_into(sink.put(b"--"));
        let Some(content_range) = self.content_range else { return sink.put(b"--\r\n") };
        let sink = match self.content_type {
            Some(content_type) => content_type.put_into(sink.put(b"\r\nContent-Type: ")),
            None => sink,
        };
        content_range.put_into(sink.put(b"\r\nContent-Range: ")).put(b"\r\n\r\n")
    }
}

wire_display!(PartHead<'_>);

impl fmt::Debug for PartHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content_range {
            Some(content_range) => write!(f, "PartHead({content_range})"),
            None => f.write_str("PartHead(closing)"),
        }
    }
}

/// Iterator over the pieces of a response body.
#[derive(Clone, Debug)]
pub struct Pieces<'p> {
    entity: Entity<'p>,
    rest: Rest<'p>,
}

/// The pieces that are left.
#[derive(Clone, Debug)]
enum Rest<'p> {
    Nothing,
    Entity(ByteRange),
    Multipart { items: RangeItems<'p>, boundary: Boundary, is_first: bool, next: Option<ByteRange> },
}

impl<'p> Pieces<'p> {
    pub(super) fn new(plan: &Plan<'p>) -> Self {
        let rest = match plan.body {
            _ if plan.is_head => Rest::Nothing,
            Body::NotModified | Body::PreconditionFailed | Body::Unsatisfiable => Rest::Nothing,
            Body::Whole => ByteRange::whole(plan.entity.length).map_or(Rest::Nothing, Rest::Entity),
            Body::Range(range) => Rest::Entity(range),
            Body::Multipart { range, boundary, .. } => {
                Rest::Multipart { items: range.iter(), boundary, is_first: true, next: None }
            }
        };
        Self { entity: plan.entity, rest }
    }
}

impl<'p> Iterator for Pieces<'p> {
    type Item = Piece<'p>;

    fn next(&mut self) -> Option<Piece<'p>> {
        match &mut self.rest {
            Rest::Nothing => None,
            Rest::Entity(range) => {
                let piece = Piece::Entity(*range);
                self.rest = Rest::Nothing;
                Some(piece)
            }
            Rest::Multipart { items, boundary, is_first, next } => {
                if let Some(range) = next.take() {
                    return Some(Piece::Entity(range));
                }
                let boundary = *boundary;
                let Some(range) = items.find_map(|item| item.resolve(self.entity.length)) else {
                    self.rest = Rest::Nothing;
                    return Some(Piece::Framing(PartHead::closing(boundary)));
                };
                let head = PartHead::new(&self.entity, boundary, range, *is_first);
                (*is_first, *next) = (false, Some(range));
                Some(Piece::Framing(head))
            }
        }
    }
}

impl FusedIterator for Pieces<'_> {}
