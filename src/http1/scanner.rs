//! Scheduling of parse attempts for a head that arrives in pieces.

use crate::limits::Limits;

/// Decides when to parse a head that arrives in pieces.
///
/// Every attempt parses from the first byte. Parsing after each byte of a head of `n` bytes would
/// therefore read about `n * n / 2` bytes. A scanner keeps the total proportional to `n`. It
/// requests an attempt when the end of the head arrives, and when the input has doubled since the
/// last attempt. The attempts before the end detect invalid input early.
///
/// Use a new scanner for each head on a connection.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{HeadScanner, Progress};
/// use bits_proto::message::{HeaderSlots, RequestHead};
///
/// let bytes = b"BITS_POST /entity HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n";
/// let (mut scanner, mut attempts) = (HeadScanner::new(), 0);
/// for length in 1..=bytes.len() {
///     let received = &bytes[..length];
///     if !scanner.should_parse(received) {
///         continue; // wait for more bytes
///     }
///     attempts += 1;
///     let mut slots = HeaderSlots::new();
///     if let Progress::Complete(head) = RequestHead::parse(received, &mut slots)? {
///         assert_eq!(head.len(), bytes.len());
///     }
/// }
/// assert_eq!(attempts, 7, "after 1, 2, 4, 8, 16 and 32 bytes, and at the end");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 section 2.2.
#[derive(Clone, Debug)]
pub struct HeadScanner {
    limit: usize,
    /// The offset of the start line, which empty lines may precede.
    start: usize,
    /// The number of bytes known not to contain the end of the head.
    searched: usize,
    /// The number of bytes at the last attempt.
    attempted: usize,
}

impl HeadScanner {
    /// Creates a scanner for a head with the default [`Limits`].
    #[must_use]
    pub const fn new() -> Self {
        Self::with_limits(&Limits::DEFAULT)
    }

    /// Creates a scanner for a head with these limits.
    #[must_use]
    pub const fn with_limits(limits: &Limits) -> Self {
        Self { limit: limits.head_bytes, start: 0, searched: 0, attempted: 0 }
    }

    /// Returns true if the caller should parse `received`, which holds all bytes so far.
    ///
    /// Always true once `received` contains the end of the head or reaches the limit. Invalid input
    /// may go unnoticed until the next attempt, so a caller needs a timeout for a peer that stops
    /// sending.
    #[must_use]
    pub fn should_parse(&mut self, received: &[u8]) -> bool {
        while received.get(self.start..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
            self.start = self.start.saturating_add(2);
        }
        // The last two bytes that were searched may be the start of the end.
        let from = self.searched.saturating_sub(2).max(self.start);
        let rest = received.get(from..).unwrap_or_default();
        let is_end = rest.windows(3).any(|line_end| line_end == b"\n\r\n")
            || rest.windows(2).any(|line_end| line_end == b"\n\n");
        if is_end {
            return true;
        }
        self.searched = received.len();
        let is_due = received.len() >= self.limit.min(self.attempted.saturating_mul(2));
        if is_due {
            self.attempted = received.len();
        }
        is_due
    }
}

impl Default for HeadScanner {
    fn default() -> Self {
        Self::new()
    }
}
