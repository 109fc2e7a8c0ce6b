//! Parsing of a message head from bytes.

use super::input::{HeadInput, offset_in};
use super::start_line::sealed::Raw;
use super::{FieldLines, Framing, HeadVisitor, HeaderSlots, Progress, RawSlot, StartLine};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// [2.2.1] The head of an HTTP/1.1 message, parsed in place.
///
/// ```text
/// head         = start-line CRLF *( field-line CRLF ) CRLF
/// start-line   = request-line / status-line
/// request-line = method SP request-target SP HTTP-version
/// status-line  = HTTP-version SP 3DIGIT [ SP reason-phrase ]
/// field-line   = field-name ":" OWS field-value OWS
/// ```
///
/// `L` is [`RequestLine`](super::RequestLine) or [`StatusLine`](super::StatusLine). `V` receives
/// the fields in the pass that checks them. BITS messages use
/// [`message::RequestHead`](crate::message::RequestHead) and
/// [`message::ResponseHead`](crate::message::ResponseHead).
///
/// # Example
///
/// ```
/// use bits_proto::http1::Progress;
/// use bits_proto::message::{HeaderSlots, RequestHead};
///
/// let bytes = b"BITS_POST /entity HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
/// let mut slots = HeaderSlots::new();
/// let Progress::Complete(head) = RequestHead::parse(bytes, &mut slots)? else { panic!() };
/// assert_eq!(head.line().target, "/entity");
/// assert_eq!(head.fields().next(), Some(("Host", &b"h"[..])));
/// assert_eq!(head.framing().content_length, Some(2));
/// assert_eq!(&bytes[head.len()..], b"ab");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2, 2.2.1; RFC 9112 sections 2 to 6.
#[derive(Debug)]
pub struct Head<'h, 'b, L, V> {
    bytes: &'b [u8],
    line: L,
    fields: &'h [httparse::Header<'b>],
    framing: Framing,
    visitor: &'h V,
}

impl<L: Copy, V> Clone for Head<'_, '_, L, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Copy, V> Copy for Head<'_, '_, L, V> {}

impl<'h, 'b, L: StartLine<'b>, V: HeadVisitor<'b>> Head<'h, 'b, L, V> {
    /// Parses a head with the default [`Limits`].
    ///
    /// # Errors
    ///
    /// Returns an error in these cases:
    ///
    /// * the input is not the head of an HTTP/1.1 message of this kind;
    /// * the end of the head or of the body is ambiguous;
    /// * the head exceeds a limit.
    ///
    /// Incomplete input is [`Progress::Partial`] and not an error.
    pub fn parse<const N: usize>(
        input: &'b [u8],
        slots: &'h mut HeaderSlots<'b, V, N>,
    ) -> Result<Progress<Self>, Error> {
        Self::parse_with_limits(input, slots, &Limits::DEFAULT)
    }

    /// Parses a head with these limits.
    ///
    /// # Errors
    ///
    /// See [`parse`](Self::parse).
    pub fn parse_with_limits<const N: usize>(
        input: &'b [u8],
        slots: &'h mut HeaderSlots<'b, V, N>,
        limits: &Limits,
    ) -> Result<Progress<Self>, Error> {
        let input = HeadInput::new(input, limits)?;
        let capacity = limits.fields.min(N);
        let HeaderSlots { fields: slots, visitor } = slots;
        match L::read(input.bytes, first(slots, capacity)) {
            Ok(httparse::Status::Complete(Raw { line, fields, len })) => {
                let bytes = input.bytes.get(..len).unwrap_or_default();
                let visitor = visitor.write(V::new());
                let mut lines = CheckedLines { fields: fields.iter(), bytes, bare_lf: None };
                let framing = visitor.visit_all(&mut lines);
                lines.finish()?;
                let framing = match framing.parse_simple() {
                    Some(simple) => simple,
                    None => framing
                        .check(line.allowed_coding(), visitor)
                        .map_err(|error| error.in_head(bytes, fields))?,
                };
                Ok(Progress::Complete(Self { bytes, line, fields, framing, visitor }))
            }
            Ok(httparse::Status::Partial) => input.check_partial().map(|()| Progress::Partial),
            Err(error) => Err(input.syntax_error(error, capacity, |prefix| {
                let mut slots = HeaderSlots::<V, N>::with_capacity();
                L::read(prefix, first(&mut slots.fields, capacity)).err()
            })),
        }
    }

    /// Returns the start line.
    #[must_use]
    pub const fn line(&self) -> L {
        self.line
    }

    /// Returns an iterator over all fields, in order.
    #[must_use]
    pub fn fields(&self) -> FieldLines<'h, 'b> {
        FieldLines(self.fields.iter())
    }

    /// Returns the framing fields.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Returns the length of the head in bytes. The body starts at this offset.
    #[expect(clippy::len_without_is_empty, reason = "a head is never empty")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the visitor that received the fields.
    pub(crate) const fn visitor(&self) -> &'h V {
        self.visitor
    }

    /// Returns the offset of byte `at` of `value`, the value of a field whose name matches
    /// `is_named`.
    pub(crate) fn locate(&self, value: &[u8], at: usize, is_named: impl Fn(&str) -> bool) -> usize {
        let offset = locate(self.bytes, self.fields, value, at, is_named);
        offset.unwrap_or_else(|| self.end_of_fields())
    }

    /// Returns the offset of the start line, which empty lines may precede.
    pub(crate) fn start_of_line(&self) -> usize {
        self.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
    }

    /// Returns the offset of the empty line that ends the head.
    pub(crate) const fn end_of_fields(&self) -> usize {
        self.bytes.len().saturating_sub(2)
    }
}

fn first<'s, 'b>(slots: &'s mut [RawSlot<'b>], count: usize) -> &'s mut [RawSlot<'b>] {
    slots.get_mut(..count).unwrap_or_default()
}

/// Iterator over the fields of a head that stops at a line ending in a bare LF.
struct CheckedLines<'h, 'b> {
    fields: core::slice::Iter<'h, httparse::Header<'b>>,
    bytes: &'b [u8],
    /// The offset of the first bare LF.
    bare_lf: Option<usize>,
}

impl<'b> Iterator for CheckedLines<'_, 'b> {
    type Item = (&'b str, &'b [u8]);

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        let field = self.fields.next()?;
        // A name is part of the head and follows a line end, whose CR is two bytes before it.
        let offset = offset_of(field, self.bytes);
        if self.bytes.get(offset.wrapping_sub(2)) != Some(&b'\r') {
            self.bare_lf = Some(offset.saturating_sub(1));
            return None;
        }
        Some((field.name, field.value))
    }
}

impl CheckedLines<'_, '_> {
    /// Checks the ends of the last two lines, which no field name follows.
    #[inline(always)]
    fn finish(self) -> Result<(), Error> {
        let last = self.bytes.len().saturating_sub(1);
        let offset = match (self.bare_lf, self.bytes) {
            (Some(offset), _) => offset,
            (None, [.., b'\r', b'\n', b'\r', b'\n']) => return Ok(()),
            (None, [.., b'\r', b'\n']) => last.saturating_sub(2),
            (None, _) => last,
        };
        Err(Error::http(ErrorKind::BareLineFeed, Some(offset)))
    }
}

/// Returns the offset of byte `at` of `value`, the value of a field whose name matches `is_named`.
pub(super) fn locate(
    head: &[u8],
    fields: &[httparse::Header<'_>],
    value: &[u8],
    at: usize,
    is_named: impl Fn(&str) -> bool,
) -> Option<usize> {
    let start = offset_in(head, value).or_else(|| {
        // The address of an empty value is arbitrary, so the byte after the colon is used.
        let field = fields.iter().find(|field| field.value.is_empty() && is_named(field.name))?;
        offset_of(field, head).checked_add(field.name.len())?.checked_add(1)
    });
    start.map(|start| start.saturating_add(at))
}

/// Returns the offset of a field line.
#[inline]
pub(super) fn offset_of(field: &httparse::Header<'_>, head: &[u8]) -> usize {
    field.name.as_ptr().addr().wrapping_sub(head.as_ptr().addr())
}
