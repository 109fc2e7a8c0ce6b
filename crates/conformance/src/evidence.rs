//! The bytes that were sent and received.

use std::fmt;

use serde::{Serialize, Serializer};

/// The largest number of bytes of one message that is kept as evidence.
const MAX_KEPT: usize = 4096;

/// The direction of a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Direction {
    /// The suite sent the bytes.
    Sent,
    /// The suite received the bytes.
    Received,
    /// The suite closed the connection.
    Closed,
    /// The peer closed the connection.
    Ended,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Closed => "closed by the suite",
            Self::Ended => "closed by the peer",
        })
    }
}

/// Bytes that passed on a connection, or its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Message {
    /// The number of the connection, which is unique in its case.
    pub connection: u32,
    /// The direction.
    pub direction: Direction,
    /// The first 4096 bytes. In JSON, bytes other than visible ASCII are escaped as in Rust.
    #[serde(serialize_with = "escaped", rename = "text")]
    pub bytes: Vec<u8>,
    /// The number of bytes, including those that are not kept.
    pub length: u64,
}

impl Message {
    pub(crate) fn new(connection: u32, direction: Direction, bytes: &[u8]) -> Self {
        let kept = bytes.get(..MAX_KEPT).unwrap_or(bytes);
        Self { connection, direction, bytes: kept.to_vec(), length: bytes.len() as u64 }
    }

    /// Appends bytes in the same direction.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let kept = MAX_KEPT.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(bytes.get(..kept).unwrap_or(bytes));
        self.length += bytes.len() as u64;
    }
}

/// Writes the direction, and the bytes as lines of escaped text.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.connection, self.direction)?;
        for line in self.bytes.split_inclusive(|byte| *byte == b'\n') {
            write!(f, "\n    {}", line.escape_ascii())?;
        }
        let missing = self.length - self.bytes.len() as u64;
        if missing > 0 {
            write!(f, "\n    ({missing} more bytes)")?;
        }
        Ok(())
    }
}

fn escaped<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&bytes.escape_ascii())
}
