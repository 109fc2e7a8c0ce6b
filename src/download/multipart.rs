//! Reading of a response with several ranges.

use core::fmt;

use super::field::{ContentRange, MAX_BOUNDARY, MultipartType};
use super::part_head::PartHeadBuffer;
use crate::error::{Error, ErrorKind};
use crate::util::inline_str::InlineStr;

/// Incremental reader of a `multipart/byteranges` body.
///
/// The input may be split anywhere. Data is returned as slices of the input. The memory is fixed:
/// only the head of a part is copied, if it is split. The length of a part comes from its
/// Content-Range and never from a search for the boundary, so the entity may contain the boundary.
///
/// ```text
/// body      = *2CRLF delimiter *( CRLF part-head data CRLF delimiter ) "--" [ CRLF ]
/// delimiter = "--" boundary
/// part-head = *( field-line CRLF ) CRLF                     ; with a Content-Range
/// ```
///
/// Up to two CRLF may precede the first delimiter, and names may be in any case. A part without
/// Content-Type is accepted. Everything else that differs from the grammar is an error: the bytes
/// might be those of other ranges.
///
/// # Errors
///
/// The first error is final: every later call returns it too.
///
/// * [`ErrorKind::NotDelimiter`]: other bytes in place of a delimiter.
/// * [`ErrorKind::Syntax`], [`ErrorKind::BareLineFeed`]: a malformed part head.
/// * [`ErrorKind::HeadTooLarge`]: a part head of more than 512 bytes.
/// * [`ErrorKind::TooManyFields`]: a part head of more than 16 fields.
/// * [`ErrorKind::MissingField`], [`ErrorKind::ConflictingField`], and the errors of
///   [`ContentRange`]: a part without a valid range.
/// * [`ErrorKind::UnsupportedEncoding`]: a part with another Content-Encoding than identity.
///
/// # Example
///
/// ```
/// use bits_proto::download::field::MultipartType;
/// use bits_proto::download::{MultipartEvent, MultipartReader};
///
/// let content_type = MultipartType::try_from("multipart/byteranges; boundary=b")?;
/// let mut body = &b"--b\r\nContent-Range: bytes 2-4/9\r\n\r\ncde\r\n--b--\r\n"[..];
/// let mut reader = MultipartReader::new(content_type);
/// let mut received = Vec::new();
/// while !body.is_empty() {
///     let read = reader.read(body)?;
///     match read.event {
///         Some(MultipartEvent::Part(part)) => assert_eq!(part.total(), Some(9)),
///         Some(MultipartEvent::Data { offset, bytes }) => received.push((offset, bytes.to_vec())),
///         Some(MultipartEvent::End) | None => {}
///         # _ => {}
///     }
///     body = &body[read.consumed..];
/// }
/// assert!(reader.is_complete());
/// assert_eq!(received, [(2, b"cde".to_vec())]);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 14.6; RFC 2046 section 5.1; \[MC-BUP\] 3.6.5.2.4.2.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MultipartReader {
    boundary: InlineStr<MAX_BOUNDARY>,
    state: State,
    /// The number of bytes read so far, for the offsets of errors.
    position: u64,
    head: PartHeadBuffer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum State {
    /// Before the first delimiter, with the number of bytes of CRLF so far.
    Preamble {
        line_ends: u8,
    },
    /// In a delimiter, after this number of bytes of `CRLF "--" boundary`.
    Delimiter {
        matched: usize,
    },
    /// After a delimiter, where CRLF or `--` follows.
    AfterDelimiter,
    /// After a delimiter and one hyphen.
    Closing,
    /// After the CR that ends a delimiter.
    PartHead,
    Data {
        offset: u64,
        remaining: u64,
    },
    /// After the last delimiter, with the number of bytes of CRLF so far.
    Epilogue {
        line_end: u8,
    },
    Failed(Error),
}

/// The result of reading: the number of bytes that were consumed, and the event that they complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct MultipartRead<'i> {
    /// The number of bytes of the input that were consumed. Pass the rest to the next call.
    pub consumed: usize,
    /// The event; `None` if more input is needed.
    pub event: Option<MultipartEvent<'i>>,
}

/// An event of a [`MultipartReader`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MultipartEvent<'i> {
    /// A part begins. Its range is never absent.
    Part(ContentRange),
    /// The next bytes of the entity.
    Data {
        /// The offset in the entity.
        offset: u64,
        /// The bytes; at least one.
        bytes: &'i [u8],
    },
    /// The last delimiter was read.
    End,
}

impl MultipartReader {
    /// Creates a reader for the body of a response with this Content-Type.
    #[must_use]
    pub fn new(content_type: MultipartType<'_>) -> Self {
        // The type limits the length of a boundary.
        let boundary = InlineStr::new(content_type.boundary());
        Self {
            boundary: boundary.unwrap_or(InlineStr::EMPTY),
            state: State::Preamble { line_ends: 0 },
            position: 0,
            head: PartHeadBuffer::EMPTY,
        }
    }

    /// Reads from the start of `input`, up to the end of the next event.
    ///
    /// An input of more than one event takes several calls. All of the input is consumed unless an
    /// event is returned.
    ///
    /// # Errors
    ///
    /// The errors of the type. Their offset is that in the body.
    pub fn read<'i>(&mut self, input: &'i [u8]) -> Result<MultipartRead<'i>, Error> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        let mut rest = input;
        loop {
            let event = match (self.state, rest) {
                (_, []) => return Ok(MultipartRead { consumed: input.len(), event: None }),
                (State::Data { offset, remaining }, _) => {
                    let (bytes, tail) = split_at_most(rest, remaining);
                    rest = tail;
                    self.advance_data(offset, remaining, bytes.len() as u64);
                    Some(MultipartEvent::Data { offset, bytes })
                }
                _ => match self.step(rest) {
                    Ok((read, event)) => {
                        rest = rest.get(read..).unwrap_or_default();
                        event
                    }
                    Err(error) => {
                        self.state = State::Failed(error);
                        return Err(error);
                    }
                },
            };
            if event.is_some() {
                let consumed = input.len().saturating_sub(rest.len());
                return Ok(MultipartRead { consumed, event });
            }
        }
    }

    /// Returns true if the last part and the delimiter after it were read: the body may end.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        matches!(self.state, State::Epilogue { line_end: 0 | 2 })
    }

    fn advance_data(&mut self, offset: u64, remaining: u64, taken: u64) {
        self.position = self.position.saturating_add(taken);
        // No step saturates: the range fits a `u64`, and at most `remaining` bytes are taken.
        self.state = match remaining.saturating_sub(taken) {
            0 => State::Delimiter { matched: 0 },
            remaining => State::Data { offset: offset.saturating_add(taken), remaining },
        };
    }

    /// Reads bytes outside of the data: a piece of a delimiter, of a line in a part head, or one byte.
    /// Returns their number and the event that they complete.
    fn step(&mut self, input: &[u8]) -> Result<(usize, Option<MultipartEvent<'static>>), Error> {
        let (mut read, mut event) = (1, None);
        self.state = match (self.state, input.first()) {
            (State::Preamble { line_ends: line_ends @ (0 | 2) }, Some(b'\r'))
            | (State::Preamble { line_ends: line_ends @ (1 | 3) }, Some(b'\n')) => {
                State::Preamble { line_ends: line_ends.saturating_add(1) }
            }
            // The CRLF of the first delimiter is optional, and its first hyphen was read.
            (State::Preamble { line_ends: 0 | 2 | 4 }, Some(b'-')) => {
                State::Delimiter { matched: 3 }
            }
            (State::Delimiter { matched }, _) => {
                let expected = self.delimiter_from(matched);
                read = equal_bytes(expected, input);
                if read < expected.len().min(input.len()) {
                    return Err(self.unexpected(read));
                }
                match matched.saturating_add(read) {
                    matched if self.delimiter_from(matched).is_empty() => State::AfterDelimiter,
                    matched => State::Delimiter { matched },
                }
            }
            (State::AfterDelimiter, Some(b'\r')) => State::PartHead,
            (State::AfterDelimiter, Some(b'-')) => State::Closing,
            (State::Closing, Some(b'-')) => {
                event = Some(MultipartEvent::End);
                State::Epilogue { line_end: 0 }
            }
            (State::Epilogue { line_end: 0 }, Some(b'\r')) => State::Epilogue { line_end: 1 },
            (State::Epilogue { line_end: 1 }, Some(b'\n')) => State::Epilogue { line_end: 2 },
            (State::PartHead, _) => {
                let (taken, head) = self.head.push(input);
                read = taken;
                let last = read.saturating_sub(1);
                match head.map_err(|error| error.at(self.unexpected(last).offset()))? {
                    None => State::PartHead,
                    Some(content_range) => {
                        event = Some(MultipartEvent::Part(content_range));
                        State::of_part(content_range)
                    }
                }
            }
            _ => return Err(self.unexpected(0)),
        };
        self.position = self.position.saturating_add(read as u64);
        Ok((read, event))
    }

    /// Returns the error for an unexpected byte, `ahead` bytes after the current position.
    fn unexpected(&self, ahead: usize) -> Error {
        let position = usize::try_from(self.position).unwrap_or(usize::MAX);
        let offset = position.saturating_add(ahead).min(usize::MAX.saturating_sub(1));
        Error::peer(ErrorKind::NotDelimiter).at(Some(offset))
    }

    /// Returns a part of `CRLF "--" boundary` that starts at an offset; empty after its end.
    fn delimiter_from(&self, at: usize) -> &[u8] {
        let boundary = self.boundary.as_bytes();
        match START.get(at..) {
            Some(start @ [_, ..]) => start,
            _ => at.checked_sub(START.len()).and_then(|at| boundary.get(at..)).unwrap_or_default(),
        }
    }
}

impl State {
    /// Returns the state at the start of the data of a part.
    const fn of_part(content_range: ContentRange) -> Self {
        match content_range.range() {
            Some(range) => Self::Data { offset: range.first(), remaining: range.len() },
            // A part always has a range.
            None => Self::Delimiter { matched: 0 },
        }
    }
}

impl fmt::Debug for MultipartReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reader = f.debug_struct("MultipartReader");
        reader.field("boundary", &self.boundary).field("state", &self.state);
        reader.field("position", &self.position).finish()
    }
}

/// The start of a delimiter, before the boundary.
const START: &[u8] = b"\r\n--";

/// Returns the length of the common prefix.
fn equal_bytes(expected: &[u8], input: &[u8]) -> usize {
    expected.iter().zip(input).take_while(|(expected, byte)| expected == byte).count()
}

fn split_at_most(input: &[u8], length: u64) -> (&[u8], &[u8]) {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    input.split_at_checked(length).unwrap_or((input, &[]))
}
