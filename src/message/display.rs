//! Messages as one line of text, for logs.

use core::fmt;

use super::{Ack, Refusal, Request};
use crate::field::RetryAfter;

/// The kind of packet, with the session and the range where it has them. Never contains bytes that
/// end a line.
///
/// ```
/// use bits_proto::field::{ContentRange, SessionId};
/// use bits_proto::message::{Fragment, Ping, Request};
///
/// let range = ContentRange::new(0, 4891, 4892)?;
/// let fragment = Request::from(Fragment::new(SessionId::try_from("1")?, range));
/// assert_eq!(fragment.to_string(), "Fragment bytes 0-4891/4892 of session 1");
/// assert_eq!(Request::from(Ping::default()).to_string(), "Ping");
/// # Ok::<(), bits_proto::Error>(())
/// ```
impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind())?;
        if let Request::Fragment(fragment) = self {
            write!(f, " {}", fragment.content_range)?;
        }
        match self.session_id() {
            Some(session_id) => write!(f, " of session {session_id}"),
            None => Ok(()),
        }
    }
}

/// The status code and the kind of Ack, with the session and the next offset where it has them.
///
/// ```
/// use bits_proto::field::{ReceivedContentRange, SessionId};
/// use bits_proto::message::{Ack, FragmentAck, Refusal};
///
/// let ack = FragmentAck::new(SessionId::try_from("1")?, ReceivedContentRange(4892));
/// assert_eq!(Ack::from(ack).to_string(), "200 Ack for Fragment of session 1, next offset 4892");
/// let refusal = Ack::from(Refusal::session_not_found());
/// assert_eq!(refusal.to_string(), "500 with error 0x8020001F BG_E_SESSION_NOT_FOUND, context 0x5");
/// # Ok::<(), bits_proto::Error>(())
/// ```
impl fmt::Display for Ack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ack::Refused(refusal) = self {
            return refusal.fmt(f);
        }
        write!(f, "{} {}", self.status(), self.kind())?;
        if let Some(session_id) = self.session_id() {
            write!(f, " of session {session_id}")?;
        }
        match self {
            Ack::Fragment(ack) => write!(f, ", next offset {}", ack.received),
            _ => Ok(()),
        }
    }
}

/// The status code, with the error, its context and the next offset where it has them.
///
/// ```
/// use bits_proto::field::ReceivedContentRange;
/// use bits_proto::message::Refusal;
///
/// let refusal = Refusal::out_of_sync(ReceivedContentRange(128));
/// assert_eq!(refusal.to_string(), "416, next offset 128");
/// ```
impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status())?;
        if let Some(code) = self.code() {
            write!(f, " with error {}", code.with_name())?;
        }
        if let Some(context) = self.context() {
            write!(f, ", context {context}")?;
        }
        if let Some(received) = self.received() {
            write!(f, ", next offset {received}")?;
        }
        if let Some(session_id) = self.session_id() {
            write!(f, ", session {session_id}")?;
        }
        match self.retry_after() {
            Some(RetryAfter::Seconds(seconds)) => write!(f, ", retry after {seconds} s"),
            Some(RetryAfter::Date(date)) => write!(f, ", retry after {date}"),
            None => Ok(()),
        }
    }
}
