//! Reading a head from bytes.

use super::index::Index;
use super::start_line::sealed::Raw;
use super::window::{Window, offset_in};
use super::{Fields, Framing, HeaderSlots, Progress, RequestLine, Slot, StartLine, StatusLine};
use crate::error::Error;
use crate::field::FieldName;
use crate::limits::Limits;

/// [2.2.1] The head of an HTTP/1.1 message, read in place.
///
/// ```text
/// head         = start-line CRLF *( field-line CRLF ) CRLF
/// start-line   = request-line / status-line
/// request-line = method SP request-target SP HTTP-version
/// status-line  = HTTP-version SP 3DIGIT [ SP reason-phrase ]
/// field-line   = field-name ":" OWS field-value OWS
/// ```
///
/// Use it as [`RequestHead`] or [`ResponseHead`].
///
/// # Example
///
/// ```
/// use bits_proto::http1::{Progress, RequestHead, HeaderSlots};
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
#[derive(Clone, Copy, Debug)]
pub struct Head<'h, 'b, L> {
    bytes: &'b [u8],
    line: L,
    fields: &'h [httparse::Header<'b>],
    framing: Framing,
    index: &'h Index<'b>,
}

/// The head of a request.
pub type RequestHead<'h, 'b> = Head<'h, 'b, RequestLine<'b>>;

/// The head of a response.
pub type ResponseHead<'h, 'b> = Head<'h, 'b, StatusLine<'b>>;

impl<'h, 'b, L: StartLine<'b>> Head<'h, 'b, L> {
    /// Reads a head within the default [`Limits`].
    ///
    /// # Errors
    ///
    /// When the input is not the head of an HTTP/1.1 message of this kind, leaves its end in
    /// doubt, or exceeds a limit; never because it is incomplete.
    pub fn parse<const N: usize>(
        input: &'b [u8],
        slots: &'h mut HeaderSlots<'b, N>,
    ) -> Result<Progress<Self>, Error> {
        Self::parse_within(input, slots, &Limits::DEFAULT)
    }

    /// Reads a head within `limits`.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_within<const N: usize>(
        input: &'b [u8],
        slots: &'h mut HeaderSlots<'b, N>,
        limits: &Limits,
    ) -> Result<Progress<Self>, Error> {
        let window = Window::open(input, limits)?;
        let room = limits.fields.min(N);
        let HeaderSlots { fields: slots, index } = slots;
        match L::read(window.bytes, first(slots, room)) {
            Ok(httparse::Status::Complete(Raw { line, fields, len })) => {
                let bytes = window.bytes.get(..len).unwrap_or_default();
                let index = index.write(Index::EMPTY);
                let framing = index.fill(bytes, fields)?;
                Ok(Progress::Complete(Self { bytes, line, fields, framing, index }))
            }
            Ok(httparse::Status::Partial) => window.partial().map(|()| Progress::Partial),
            Err(error) => Err(window.refused(error, room, |prefix| {
                let mut slots = HeaderSlots::<N>::with_capacity();
                L::read(prefix, first(&mut slots.fields, room)).err()
            })),
        }
    }

    /// The start line.
    #[must_use]
    pub const fn line(&self) -> L {
        self.line
    }

    /// All fields, in order.
    #[must_use]
    pub fn fields(&self) -> Fields<'h, 'b> {
        Fields(self.fields.iter())
    }

    /// What the head says about the body.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The length of the head in bytes; the body starts here.
    #[expect(clippy::len_without_is_empty, reason = "a head is never empty")]
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What the fields say that the protocol knows.
    pub(crate) const fn index(&self) -> &'h Index<'b> {
        self.index
    }

    /// Where byte `at` of `value`, the value of this field, stands in the head.
    pub(crate) fn locate(&self, name: Option<FieldName>, value: &[u8], at: usize) -> usize {
        offset_in(self.bytes, value)
            .or_else(|| {
                // An empty value may point anywhere; the place behind its colon stands for it.
                let mut fields = self.fields.iter();
                let field = fields.find(|field| {
                    field.value.is_empty() && FieldName::from_name(field.name) == name
                })?;
                let start = offset_in(self.bytes, field.name.as_bytes())?;
                start.checked_add(field.name.len())?.checked_add(1)
            })
            .map_or_else(|| self.end_of_fields(), |offset| offset.saturating_add(at))
    }

    /// Where the start line stands, behind the empty lines that may come before it.
    pub(crate) fn start_of_line(&self) -> usize {
        self.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
    }

    /// Where the empty line stands that ends the head.
    pub(crate) const fn end_of_fields(&self) -> usize {
        self.bytes.len().saturating_sub(2)
    }
}

impl RequestHead<'_, '_> {
    /// How many bytes of body follow; without a Content-Length, none.
    #[must_use]
    pub fn body_length(&self) -> u64 {
        self.framing.content_length.unwrap_or_default()
    }
}

impl ResponseHead<'_, '_> {
    /// How many bytes of body follow; `None` when the body ends with the connection.
    ///
    /// Interim responses, 204 and 304 have no body, whatever Content-Length says. Nor has the
    /// answer to a HEAD, which this crate cannot know.
    #[must_use]
    pub fn body_length(&self) -> Option<u64> {
        if self.line.status.has_no_body() { Some(0) } else { self.framing.content_length }
    }
}

fn first<'s, 'b>(slots: &'s mut [Slot<'b>], room: usize) -> &'s mut [Slot<'b>] {
    slots.get_mut(..room).unwrap_or_default()
}
