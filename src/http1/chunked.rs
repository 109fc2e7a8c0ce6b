//! Decoding of bodies that are sent in chunks.

use httparse::Status;

use crate::error::{Error, ErrorKind};
use crate::limits::Limits;

/// Decodes a body with the transfer coding `chunked`, in pieces of any size.
///
/// The decoder copies no data and needs a fixed amount of memory. A body has the same data, end and
/// error however its bytes are split. Extensions and trailers are skipped.
///
/// ```text
/// chunked-body = *( chunk-size [ chunk-ext ] CRLF chunk-data CRLF )
///                last-chunk *( field-line CRLF ) CRLF
/// last-chunk   = 1*16"0" [ chunk-ext ] CRLF
/// chunk-size   = 1*16HEXDIG
/// chunk-ext    = OWS ";" *( HTAB / SP / VCHAR / obs-text )
/// ```
///
/// [`BodyLength::Chunked`](super::BodyLength::Chunked) says that a response has such a body. Use a
/// new decoder for each body. If the connection ends before [`ChunkedPart::End`], the body is
/// incomplete.
///
/// # Example
///
/// ```
/// use bits_proto::deviation::Deviation;
/// use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart, Progress};
/// use bits_proto::message::{Ack, AckContext, HeaderSlots, ResponseHead};
///
/// let bytes = b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nTransfer-Encoding: chunked\r\n\r\n\
///     2\r\nOK\r\n1;name=value\r\n\n\r\n0\r\n\r\nHTTP/1.1 ";
/// let mut slots = HeaderSlots::new();
/// let Progress::Complete(head) = ResponseHead::parse(bytes, &mut slots)? else { panic!() };
/// let ack = Ack::from_head(&head, &AckContext::Ping)?;
/// assert!(ack.deviations.contains(Deviation::ChunkedResponse));
/// assert_eq!(head.body_length(), BodyLength::Chunked);
///
/// let (mut decoder, mut body) = (ChunkedDecoder::new(), Vec::new());
/// let mut rest = &bytes[head.len()..];
/// loop {
///     match decoder.decode(rest)? {
///         ChunkedPart::Data { data, consumed } => {
///             body.extend_from_slice(data);
///             rest = &rest[consumed..];
///         }
///         ChunkedPart::Partial => panic!("read more bytes into `rest`"),
///         ChunkedPart::End { consumed } => {
///             rest = &rest[consumed..];
///             break;
///         }
///     }
/// }
/// assert_eq!(body, b"OK\n");
/// assert_eq!(rest, b"HTTP/1.1 ", "the next response");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 section 7.1.
#[derive(Clone, Debug)]
pub struct ChunkedDecoder {
    limits: Limits,
    state: State,
    /// The digits of the chunk size, with room for CR LF behind them.
    size: [u8; MAX_DIGITS + 2],
    digits: usize,
    /// The number of bytes in the current chunk size line, or in the trailers.
    length: usize,
    /// The sizes of all chunks so far.
    body: u64,
    /// The number of bytes consumed.
    offset: usize,
}

/// The number of hexadecimal digits that always fit a `u64`.
const MAX_DIGITS: usize = 16;

/// One step of a [`ChunkedDecoder`].
///
/// # Example
///
/// ```
/// use bits_proto::http1::{ChunkedDecoder, ChunkedPart};
///
/// let mut decoder = ChunkedDecoder::new();
/// assert_eq!(decoder.decode(b"5\r")?, ChunkedPart::Partial);
/// assert_eq!(decoder.decode(b"\nab")?, ChunkedPart::Data { data: b"ab", consumed: 3 });
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ChunkedPart<'b> {
    /// Data of the body. Call [`decode`](ChunkedDecoder::decode) again with the input after the
    /// consumed bytes.
    Data {
        /// At least one byte of the body.
        data: &'b [u8],
        /// The number of input bytes up to the end of `data`.
        consumed: usize,
    },
    /// The whole input was consumed. More bytes are needed.
    Partial,
    /// The body is complete. Input after the consumed bytes belongs to the next message.
    End {
        /// The number of input bytes up to the end of the body.
        consumed: usize,
    },
}

/// The next byte, or the next bytes, that the decoder expects.
#[derive(Clone, Copy, Debug)]
enum State {
    /// A digit of a chunk size, or what follows the digits.
    Size,
    /// White space after a chunk size, and the semicolon of an extension.
    WhiteSpace,
    /// An extension, and CR.
    Extension,
    /// LF after a chunk size or an extension.
    SizeEnd,
    /// This number of bytes of a chunk.
    Data(u64),
    /// CR after the data.
    DataEnd,
    /// LF after the data.
    ChunkEnd,
    /// The first byte of a trailer, or CR of the empty line.
    TrailerStart,
    /// A trailer, and CR.
    Trailer,
    /// LF after a trailer.
    TrailerEnd,
    /// LF of the empty line.
    BodyEnd,
    /// Nothing: the body is complete.
    End,
    /// Nothing: the body is invalid.
    Failed(Error),
}

impl ChunkedDecoder {
    /// Creates a decoder with the default [`Limits`].
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limits(&Limits::DEFAULT)
    }

    /// Creates a decoder with these limits.
    #[must_use]
    pub const fn with_limits(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            state: State::Size,
            size: [0; MAX_DIGITS + 2],
            digits: 0,
            length: 0,
            body: 0,
            offset: 0,
        }
    }

    /// Decodes the next bytes of the body, up to the first data or the end of the body.
    ///
    /// # Errors
    ///
    /// The offset of an error counts from the first byte of the body. Every further call returns
    /// the same error.
    ///
    /// * [`ErrorKind::ChunkSize`] for a chunk size other than 1 to 16 hexadecimal digits;
    /// * [`ErrorKind::ChunkEnd`] for anything but CR LF at the end of a chunk, and for a CR without
    ///   LF;
    /// * [`ErrorKind::BareLineFeed`] for a line that ends in LF without CR;
    /// * [`ErrorKind::InvalidByte`] for a control character in an extension or a trailer;
    /// * [`ErrorKind::ChunkLineTooLong`], [`ErrorKind::TrailersTooLarge`] and
    ///   [`ErrorKind::BodyTooLarge`] for input beyond a limit.
    pub fn decode<'b>(&mut self, input: &'b [u8]) -> Result<ChunkedPart<'b>, Error> {
        let mut consumed = 0_usize;
        loop {
            let rest = input.get(consumed..).unwrap_or_default();
            match self.state {
                State::End => return Ok(ChunkedPart::End { consumed }),
                State::Failed(error) => return Err(error),
                _ => {}
            }
            let Some(byte) = rest.first() else { return Ok(ChunkedPart::Partial) };
            if let State::Data(remaining) = self.state {
                let data = self.take_data(rest, remaining);
                consumed = consumed.saturating_add(data.len());
                return Ok(ChunkedPart::Data { data, consumed });
            }
            self.state = self.next(*byte).unwrap_or_else(State::Failed);
            consumed = consumed.saturating_add(1);
            self.offset = self.offset.saturating_add(1);
        }
    }

    /// Returns the bytes of the current chunk, of which `remaining` are missing.
    fn take_data<'b>(&mut self, input: &'b [u8], remaining: u64) -> &'b [u8] {
        let available = usize::try_from(remaining).unwrap_or(usize::MAX);
        let data = input.get(..available).unwrap_or(input);
        self.offset = self.offset.saturating_add(data.len());
        self.state = match remaining.saturating_sub(data.len() as u64) {
            0 => State::DataEnd,
            remaining => State::Data(remaining),
        };
        data
    }

    /// Returns the state after one byte outside the data.
    fn next(&mut self, byte: u8) -> Result<State, Error> {
        self.check_length()?;
        let is_sized = self.digits > 0;
        match (self.state, byte) {
            (State::Size, b'\r') if is_sized => Ok(State::SizeEnd),
            (State::Size | State::WhiteSpace, b';') if is_sized => Ok(State::Extension),
            (State::Size | State::WhiteSpace, b' ' | b'\t') if is_sized => Ok(State::WhiteSpace),
            (State::Size, digit) if digit.is_ascii_hexdigit() => self.insert_digit(digit),
            (State::Extension, b'\r') => Ok(State::SizeEnd),
            (State::Extension, byte) if is_text(byte) => Ok(State::Extension),
            (State::SizeEnd, b'\n') => self.start_chunk(),
            (State::DataEnd, b'\r') => Ok(State::ChunkEnd),
            (State::ChunkEnd, b'\n') => Ok(State::Size),
            (State::TrailerStart, b'\r') => Ok(State::BodyEnd),
            (State::Trailer, b'\r') => Ok(State::TrailerEnd),
            (State::TrailerStart | State::Trailer, byte) if is_text(byte) => Ok(State::Trailer),
            (State::TrailerEnd, b'\n') => Ok(State::TrailerStart),
            (State::BodyEnd, b'\n') => Ok(State::End),
            (_, byte) => Err(self.unexpected(byte)),
        }
    }

    /// Counts one more byte of a line with a chunk size, or of the trailers.
    fn check_length(&mut self) -> Result<(), Error> {
        let Limits { chunk_line_bytes, trailer_bytes, .. } = self.limits;
        let (limit, kind) = match self.state {
            State::Size | State::WhiteSpace | State::Extension | State::SizeEnd => {
                (chunk_line_bytes, ErrorKind::ChunkLineTooLong)
            }
            State::TrailerStart | State::Trailer | State::TrailerEnd | State::BodyEnd => {
                (trailer_bytes, ErrorKind::TrailersTooLarge)
            }
            _ => return Ok(()),
        };
        if self.length >= limit {
            return Err(self.error(kind).with_number(limit as u64));
        }
        self.length = self.length.saturating_add(1);
        Ok(())
    }

    fn insert_digit(&mut self, digit: u8) -> Result<State, Error> {
        let slots = self.size.get_mut(..MAX_DIGITS).unwrap_or_default();
        match slots.get_mut(self.digits) {
            Some(slot) => *slot = digit,
            None => return Err(self.error(ErrorKind::ChunkSize).with_received(&[digit], 0)),
        }
        self.digits = self.digits.saturating_add(1);
        Ok(State::Size)
    }

    /// Returns the state after a line with a chunk size.
    fn start_chunk(&mut self) -> Result<State, Error> {
        for (slot, byte) in self.size.iter_mut().skip(self.digits).zip(*b"\r\n") {
            *slot = byte;
        }
        let Ok(Status::Complete((_, size))) = httparse::parse_chunk_size(&self.size) else {
            return Err(self.error(ErrorKind::ChunkSize));
        };
        let limit = self.limits.chunked_body_bytes;
        match self.body.checked_add(size).filter(|body| *body <= limit) {
            Some(body) => self.body = body,
            None => return Err(self.error(ErrorKind::BodyTooLarge).with_number(limit)),
        }
        (self.digits, self.length) = (0, 0);
        Ok(if size == 0 { State::TrailerStart } else { State::Data(size) })
    }

    /// An error at the next byte.
    const fn error(&self, kind: ErrorKind) -> Error {
        Error::http(kind, Some(self.offset))
    }

    /// The error for a byte that the state does not allow.
    #[cold]
    fn unexpected(&self, byte: u8) -> Error {
        let kind = match (self.state, byte) {
            (State::SizeEnd | State::ChunkEnd | State::TrailerEnd | State::BodyEnd, _) => {
                ErrorKind::ChunkEnd
            }
            (_, b'\n') => return self.error(ErrorKind::BareLineFeed),
            (State::DataEnd, _) => ErrorKind::ChunkEnd,
            (State::Extension | State::TrailerStart | State::Trailer, _) => ErrorKind::InvalidByte,
            _ => ErrorKind::ChunkSize,
        };
        self.error(kind).with_received(&[byte], 0)
    }
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self::new()
    }
}

/// `HTAB / SP / VCHAR / obs-text`, all but control characters
const fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}
