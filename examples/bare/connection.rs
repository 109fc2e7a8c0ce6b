//! Messages on a connection: heads that come in pieces, bodies that end where they should.

use bits_proto::Error;
use bits_proto::http1::HeadScanner;
use bits_proto::limits::Limits;
use bits_proto::message::{Ack, HeaderSlots, NO_EXTRAS, RequestHead};
use bits_proto::server::{Policy, UnreadBody};

use super::server::Over;

/// How long a head may be, in bytes.
const HEAD: usize = 1024;

/// How many fields a head may have.
pub const FIELDS: usize = 24;

pub const LIMITS: Limits = Limits { head_bytes: HEAD, fields: FIELDS };

/// How much of a body is in memory at a time, in bytes.
pub const PIECE: usize = 128;

/// How long an Ack may be, in bytes.
const ACK: usize = 320;

/// A connection, as a driver has it.
pub trait Transport {
    /// Reads what there is, up to the length of the buffer; 0 when the connection is over.
    fn read(&mut self, buffer: &mut [u8]) -> usize;

    /// Writes all of it, if the connection is not over.
    fn write(&mut self, bytes: &[u8]);
}

/// A connection, and what was read from it and not yet used.
pub struct Connection<'t, T> {
    transport: &'t mut T,
    pub buffer: [u8; HEAD],
    filled: usize,
    /// How many bytes of a body are still to be read.
    left: u64,
}

impl<'t, T: Transport> Connection<'t, T> {
    pub const fn new(transport: &'t mut T) -> Self {
        Self { transport, buffer: [0; HEAD], filled: 0, left: 0 }
    }

    /// Reads until there is a head, which the buffer begins with then; an error if there will be
    /// none.
    pub fn fill(&mut self) -> Result<Result<(), Error>, Over> {
        let mut end = HeadScanner::within(&LIMITS);
        loop {
            let received = self.buffer.get(..self.filled).ok_or(Over)?;
            if end.should_parse(received) {
                let mut slots = HeaderSlots::<FIELDS>::with_capacity();
                match RequestHead::parse_within(received, &mut slots, &LIMITS) {
                    Ok(head) if head.complete().is_some() => return Ok(Ok(())),
                    Ok(_) => {}
                    Err(error) => return Ok(Err(error)),
                }
            }
            let room = self.buffer.get_mut(self.filled..).ok_or(Over)?;
            match self.transport.read(room) {
                0 => return Err(Over),
                read => self.filled = self.filled.saturating_add(read),
            }
        }
    }

    /// The head is read, and so long a body begins behind it.
    pub fn take_head(&mut self, length: usize, body: u64) {
        self.consume(length);
        self.left = body;
    }

    fn consume(&mut self, length: usize) {
        let length = length.min(self.filled);
        self.buffer.copy_within(length..self.filled, 0);
        self.filled = self.filled.saturating_sub(length);
    }

    /// The next bytes of the body, at most so many and no more than there is room for; none if the
    /// connection is over.
    pub fn next<'p>(&mut self, most: u64, piece: &'p mut [u8; PIECE]) -> &'p [u8] {
        let most = usize::try_from(most.min(self.left)).unwrap_or(PIECE).min(PIECE);
        let room = piece.get_mut(..most).unwrap_or_default();
        let read = if self.filled == 0 && most > 0 {
            self.transport.read(room)
        } else {
            let there = self.buffer.get(..self.filled.min(most)).unwrap_or_default();
            room.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
            let length = there.len();
            self.consume(length);
            length
        };
        self.left = self.left.saturating_sub(read as u64);
        piece.get(..read).unwrap_or_default()
    }

    /// Reads so many bytes of the body and throws them away.
    pub fn skip(&mut self, mut length: u64) {
        while length > 0 {
            let read = self.next(length, &mut [0; PIECE]).len();
            if read == 0 {
                return;
            }
            length = length.saturating_sub(read as u64);
        }
    }

    /// Sends an answer, behind what nobody has read of the body.
    pub fn send(
        &mut self,
        ack: &Ack<'_>,
        rest: UnreadBody,
        policy: &Policy<'_>,
    ) -> Result<(), Over> {
        let mut bytes = [0; ACK];
        let length = match rest {
            UnreadBody::Close => {
                policy.encode(ack, [("Connection", "close")])?.write(&mut bytes)?
            }
            UnreadBody::None | UnreadBody::Drain(_) => {
                self.skip(self.left);
                policy.encode(ack, NO_EXTRAS)?.write(&mut bytes)?
            }
        };
        self.transport.write(bytes.get(..length).ok_or(Over)?);
        if rest == UnreadBody::Close { Err(Over) } else { Ok(()) }
    }
}
