//! Parsing of a message head from bytes.

use core::fmt;
use core::mem::MaybeUninit;

use super::fast_path::Unusual;
use super::input::{HeadInput, offset_in};
use super::start_line::sealed::{NotUsual, Raw};
use super::{FieldLines, Framing, HeadVisitor, HeaderSlots, Progress, StartLine, fast_path};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::util::external::external;

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
pub struct Head<'h, 'b, L, V> {
    bytes: &'b [u8],
    /// The start line, without its text if the fast path parsed it.
    line: L,
    /// The request target or the reason phrase.
    text: &'b [u8],
    framing: Framing,
    visitor: &'h V,
}

impl<L: Copy, V> Clone for Head<'_, '_, L, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'b, L: StartLine<'b> + fmt::Debug, V: HeadVisitor<'b>> fmt::Debug for Head<'_, 'b, L, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = f.debug_struct("Head");
        head.field("line", &self.line()).field("fields", &self.fields());
        head.field("framing", &self.framing).finish_non_exhaustive()
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
        let bytes = input.get(..limits.head_bytes).unwrap_or(input);
        let visitor = slots.visitor.write(V::new());
        let (line, text, lines) = match L::read_usual(bytes, V::METHODS) {
            Ok(usual) => usual,
            Err(NotUsual::Partial) => return Self::check_partial(input, limits),
            Err(NotUsual::Other) => return Self::parse_with_httparse::<N>(input, visitor, limits),
        };
        match fast_path::visit_fields(lines, bytes, limits.fields.min(N), visitor) {
            Ok(rest) => {
                Self::complete(bytes, bytes.len().saturating_sub(rest.len()), line, text, visitor)
            }
            Err(rest) => Self::parse_rest::<N>(input, (line, text, rest), visitor, limits),
        }
    }

    /// Parses a head with httparse alone. Tests compare the result with that of
    /// [`parse_with_limits`](Self::parse_with_limits).
    ///
    /// # Errors
    ///
    /// See [`parse`](Self::parse).
    #[doc(hidden)]
    pub fn parse_without_fast_path<const N: usize>(
        input: &'b [u8],
        slots: &'h mut HeaderSlots<'b, V, N>,
        limits: &Limits,
    ) -> Result<Progress<Self>, Error> {
        Self::parse_with_httparse::<N>(input, slots.visitor.write(V::new()), limits)
    }

    /// Checks an incomplete head that is valid so far.
    #[cold]
    fn check_partial(input: &'b [u8], limits: &Limits) -> Result<Progress<Self>, Error> {
        HeadInput::new(input, limits)?.check_partial().map(|()| Progress::Partial)
    }

    /// Parses a head after the lines that have the usual form. httparse decides about the rest, or, if it
    /// rejects that, about the whole head.
    #[cold]
    fn parse_rest<const N: usize>(
        input: &'b [u8],
        (line, text, rest): (L, &'b [u8], Unusual<'b>),
        visitor: &'h mut V,
        limits: &Limits,
    ) -> Result<Progress<Self>, Error> {
        let head = HeadInput::new(input, limits)?;
        let mut slots = [httparse::EMPTY_HEADER; N];
        let slots = slots.get_mut(..rest.max_fields).unwrap_or_default();
        match external(|| httparse::parse_headers(rest.lines, slots)) {
            Ok(httparse::Status::Complete((len, fields))) => {
                let start = head.bytes.len().saturating_sub(rest.lines.len());
                let len = start.saturating_add(len);
                visit(fields, head.bytes.get(..len).unwrap_or_default(), visitor)?;
                Self::complete(head.bytes, len, line, text, visitor)
            }
            Ok(httparse::Status::Partial) => head.check_partial().map(|()| Progress::Partial),
            Err(_) => Self::parse_with_httparse::<N>(input, visitor, limits),
        }
    }

    /// Parses a head in any form.
    #[cold]
    fn parse_with_httparse<const N: usize>(
        input: &'b [u8],
        visitor: &'h mut V,
        limits: &Limits,
    ) -> Result<Progress<Self>, Error> {
        let input = HeadInput::new(input, limits)?;
        let mut slots = [const { MaybeUninit::uninit() }; N];
        let slots = slots.get_mut(..limits.fields.min(N)).unwrap_or_default();
        let max_fields = slots.len();
        match L::read(input.bytes, slots) {
            Ok(httparse::Status::Complete(Raw { line, fields, len })) => {
                *visitor = V::new();
                visit(fields, input.bytes.get(..len).unwrap_or_default(), visitor)?;
                Self::complete(input.bytes, len, line, line.text().as_bytes(), visitor)
            }
            Ok(httparse::Status::Partial) => input.check_partial().map(|()| Progress::Partial),
            Err(error) => {
                Err(input.syntax_error(error, max_fields, |prefix| L::read(prefix, slots).err()))
            }
        }
    }

    /// Checks the framing of a complete head, the first `len` bytes.
    #[inline(always)]
    fn complete(
        bytes: &'b [u8],
        len: usize,
        line: L,
        text: &'b [u8],
        visitor: &'h mut V,
    ) -> Result<Progress<Self>, Error> {
        let bytes = bytes.get(..len).unwrap_or_default();
        let fields = visitor.framing_fields();
        let framing = match fields.parse_simple() {
            Some(simple) => simple,
            None => fields
                .check(line.allowed_coding(), visitor)
                .map_err(|error| error.in_head(bytes))?,
        };
        Ok(Progress::Complete(Self { bytes, line, text, framing, visitor }))
    }

    /// Returns the start line.
    #[must_use]
    pub fn line(&self) -> L {
        // Text that httparse accepted is UTF-8, and other text is ASCII.
        self.line.with_text(core::str::from_utf8(self.text).unwrap_or_default())
    }

    /// Returns the start line, possibly with an empty request target or reason phrase.
    #[inline(always)]
    pub(crate) fn line_without_text(&self) -> L {
        self.line
    }

    /// Returns an iterator over all fields, in order.
    #[must_use]
    pub fn fields(&self) -> FieldLines<'b> {
        FieldLines::of_head(self.bytes)
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

    /// Returns the bytes of the head.
    pub(crate) const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// Returns the visitor that received the fields.
    pub(crate) const fn visitor(&self) -> &'h V {
        self.visitor
    }

    /// Returns the offset of byte `at` of `value`, the value of a field whose name matches
    /// `is_named`.
    pub(crate) fn locate(&self, value: &[u8], at: usize, is_named: impl Fn(&str) -> bool) -> usize {
        let offset = locate(self.bytes, value, at, is_named);
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

/// Visits the fields that httparse found, and checks that every line of the head ends in CR LF.
fn visit<'b, V: HeadVisitor<'b>>(
    fields: &[httparse::Header<'b>],
    head: &[u8],
    visitor: &mut V,
) -> Result<(), Error> {
    let bare_line_feed = |offset| Err(Error::http(ErrorKind::BareLineFeed, Some(offset)));
    for field in fields {
        // A name is part of the head and follows a line end, whose CR is two bytes before it.
        let offset = offset_of(field.name, head);
        if head.get(offset.wrapping_sub(2)) != Some(&b'\r') {
            return bare_line_feed(offset.saturating_sub(1));
        }
        visitor.visit(field.name.as_bytes(), field.value);
    }
    // No field name follows the last two lines.
    let last = head.len().saturating_sub(1);
    match head {
        [.., b'\r', b'\n', b'\r', b'\n'] => Ok(()),
        [.., b'\r', b'\n'] => bare_line_feed(last.saturating_sub(2)),
        _ => bare_line_feed(last),
    }
}

/// Returns the offset of byte `at` of `value`, the value of a field whose name matches `is_named`.
pub(super) fn locate(
    head: &[u8],
    value: &[u8],
    at: usize,
    is_named: impl Fn(&str) -> bool,
) -> Option<usize> {
    let start = offset_in(head, value).or_else(|| {
        // The address of an empty value is arbitrary, so the byte after the colon is used.
        let mut fields = FieldLines::of_head(head);
        let (name, _) = fields.find(|(name, value)| value.is_empty() && is_named(name))?;
        offset_of(name, head).checked_add(name.len())?.checked_add(1)
    });
    start.map(|start| start.saturating_add(at))
}

/// Returns the offset of a field line from its name.
#[inline]
pub(super) fn offset_of(name: &str, head: &[u8]) -> usize {
    name.as_ptr().addr().wrapping_sub(head.as_ptr().addr())
}
