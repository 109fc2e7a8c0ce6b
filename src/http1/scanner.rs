//! When a head that arrives in pieces is worth reading again.

use crate::limits::Limits;

/// Says when a head that arrives in pieces is worth reading.
///
/// Reading begins with the first byte each time, so that a reader which tries again after every
/// byte looks at a head of `n` bytes about `n * n / 2` times. With this it looks at every byte a
/// few times at most: the end is searched for where it was not searched before, and beside that an
/// attempt is worth it only when there is twice as much as at the last one. Such attempts find
/// what is no head early, long before there is an end.
///
/// It is for one head; the next one on a connection wants a new one.
///
/// # Example
///
/// ```
/// use bits_proto::http1::{HeadScanner, Progress};
/// use bits_proto::message::{HeaderSlots, RequestHead};
///
/// let bytes = b"BITS_POST /entity HTTP/1.1\r\nBITS-Packet-Type: Ping\r\n\r\n";
/// let (mut end, mut attempts) = (HeadScanner::new(), 0);
/// for length in 1..=bytes.len() {
///     let received = &bytes[..length];
///     if !end.should_parse(received) {
///         continue; // for more bytes
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
    /// Where the empty lines end that may stand before a head.
    start: usize,
    /// Up to here there is no end.
    searched: usize,
    /// How much there was at the last attempt.
    tried: usize,
}

impl HeadScanner {
    /// For a head within the default [`Limits`].
    #[must_use]
    pub const fn new() -> Self {
        Self::within(&Limits::DEFAULT)
    }

    /// For a head within `limits`.
    #[must_use]
    pub const fn within(limits: &Limits) -> Self {
        Self { limit: limits.head_bytes, start: 0, searched: 0, tried: 0 }
    }

    /// Whether it is worth it to read `received`, which is all bytes so far. Always so when the end
    /// of the head is there, or as much as the limit allows; what is wrong before that may be
    /// noticed only at the next attempt, so that a peer which sends no more has to be timed out.
    #[must_use]
    pub fn should_parse(&mut self, received: &[u8]) -> bool {
        while received.get(self.start..).is_some_and(|rest| rest.starts_with(b"\r\n")) {
            self.start = self.start.saturating_add(2);
        }
        // An end may have begun with the last two bytes that were searched.
        let from = self.searched.saturating_sub(2).max(self.start);
        let rest = received.get(from..).unwrap_or_default();
        let is_end = rest.windows(3).any(|line_end| line_end == b"\n\r\n")
            || rest.windows(2).any(|line_end| line_end == b"\n\n");
        if is_end {
            return true;
        }
        self.searched = received.len();
        let is_enough = received.len() >= self.limit.min(self.tried.saturating_mul(2));
        if is_enough {
            self.tried = received.len();
        }
        is_enough
    }
}

impl Default for HeadScanner {
    fn default() -> Self {
        Self::new()
    }
}
