//! Messages on a connection: incremental parsing of heads, and bodies of known length.

use bits_proto::Error;
use bits_proto::http1::HeadScanner;
use bits_proto::limits::Limits;
use bits_proto::message::{Ack, Extras, HeaderSlots, RequestHead};
use bits_proto::server::{Policy, UnreadBody};

use super::server::Closed;

/// Maximum length of a head, in bytes.
const HEAD: usize = 1024;

/// Maximum number of fields in a head.
pub const FIELDS: usize = 24;

pub const LIMITS: Limits = Limits::DEFAULT.with_head_bytes(HEAD).with_fields(FIELDS);

/// Maximum number of bytes of a body in memory.
pub const PIECE: usize = 128;

/// Maximum length of an Ack, in bytes.
const ACK: usize = 320;
/// Room for Connection.
const EXTRAS: usize = 32;

/// The interface of a network driver.
pub trait Transport {
    /// Reads available bytes into the buffer. Returns 0 at the end of the connection.
    fn read(&mut self, buffer: &mut [u8]) -> usize;

    /// Writes all bytes, unless the connection has ended.
    fn write(&mut self, bytes: &[u8]);
}

/// A connection and its received bytes that are not yet consumed.
pub struct Connection<'t, T> {
    transport: &'t mut T,
    pub buffer: [u8; HEAD],
    filled: usize,
    /// Number of unread bytes of the body.
    left: u64,
}

impl<'t, T: Transport> Connection<'t, T> {
    pub const fn new(transport: &'t mut T) -> Self {
        Self { transport, buffer: [0; HEAD], filled: 0, left: 0 }
    }

    /// Reads until the buffer begins with a complete head. The inner error reports an invalid head.
    pub fn fill(&mut self) -> Result<Result<(), Error>, Closed> {
        let mut end = HeadScanner::with_limits(&LIMITS);
        loop {
            let received = self.buffer.get(..self.filled).ok_or(Closed)?;
            if end.should_parse(received) {
                let mut slots = HeaderSlots::<FIELDS>::with_capacity();
                match RequestHead::parse_with_limits(received, &mut slots, &LIMITS) {
                    Ok(head) if head.complete().is_some() => return Ok(Ok(())),
                    Ok(_) => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
            let room = self.buffer.get_mut(self.filled..).ok_or(Closed)?;
            match self.transport.read(room) {
                0 => return Err(Closed),
                read => self.filled = self.filled.saturating_add(read),
            }
        }
    }

    /// Consumes the head, which is followed by a body of this length.
    pub fn take_head(&mut self, length: usize, body: u64) {
        self.consume(length);
        self.left = body;
    }

    fn consume(&mut self, length: usize) {
        let length = length.min(self.filled);
        self.buffer.copy_within(length..self.filled, 0);
        self.filled = self.filled.saturating_sub(length);
    }

    /// Reads the next bytes of the body, at most `most` and at most [`PIECE`]. Returns none at the end
    /// of the connection.
    pub fn next<'p>(&mut self, most: u64, piece: &'p mut [u8; PIECE]) -> &'p [u8] {
        let most = usize::try_from(most.min(self.left)).unwrap_or(PIECE).min(PIECE);
        let room = piece.get_mut(..most).unwrap_or_default();
        let read = if self.filled == 0 && most > 0 {
            self.transport.read(room)
        } else {
            let buffered = self.buffer.get(..self.filled.min(most)).unwrap_or_default();
            room.iter_mut().zip(buffered).for_each(|(to, from)| *to = *from);
            let length = buffered.len();
            self.consume(length);
            length
        };
        self.left = self.left.saturating_sub(read as u64);
        piece.get(..read).unwrap_or_default()
    }

    /// Reads and discards `length` bytes of the body.
    pub fn skip(&mut self, mut length: u64) {
        while length > 0 {
            let read = self.next(length, &mut [0; PIECE]).len();
            if read == 0 {
                return;
            }
            length = length.saturating_sub(read as u64);
        }
    }

    /// Sends an answer, after reading the rest of the body if the connection stays open.
    pub fn send(
        &mut self,
        ack: &Ack<'_>,
        rest: UnreadBody,
        policy: &Policy<'_>,
    ) -> Result<(), Closed> {
        let mut extras = Extras::new([0; EXTRAS]);
        match rest {
            UnreadBody::None | UnreadBody::Drain(_) => self.skip(self.left),
            _ => extras.push("Connection", "close")?,
        }
        let mut bytes = [0; ACK];
        let length = policy.encode(ack, &extras)?.write(&mut bytes)?;
        self.transport.write(bytes.get(..length).ok_or(Closed)?);
        if matches!(rest, UnreadBody::None | UnreadBody::Drain(_)) { Ok(()) } else { Err(Closed) }
    }
}
