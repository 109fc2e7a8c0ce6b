//! Cancel-Session and its Ack.

use super::MessageKind;
use super::reader::Reader;
use super::report::{Outcome, Report};
use crate::field::{ContentName, SessionId};

/// [2.2.10] CANCEL-SESSION: aborts an upload. The server deletes the bytes it has received.
///
/// ```text
/// BITS_POST target HTTP/1.1
/// BITS-Packet-Type: Cancel-Session
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}
/// Content-Name: name               ; optional
/// Content-Length: 0
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::SessionId;
/// use bits_proto::message::{CancelSession, MessageKind, Request};
///
/// let request = Request::from(CancelSession::new(SessionId::try_from("1")?));
/// assert_eq!(request.kind(), MessageKind::CancelSession);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelSession<'b> {
    /// The session id.
    pub session_id: SessionId<'b>,
    /// The name of the entity.
    pub content_name: Option<ContentName<'b>>,
}

/// [2.2.11] ACK for CANCEL-SESSION: the server has cancelled the session.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Packet-Type: Ack
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}  ; Windows omits it
/// Content-Length: 0
/// ```
///
/// Source: \[MC-BUP\] 2.2.11.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CancelSessionAck<'b> {
    /// The session id. Windows omits it.
    pub session_id: Option<SessionId<'b>>,
}

impl<'b> CancelSession<'b> {
    /// Creates a request without a Content-Name.
    #[must_use]
    pub const fn new(session_id: SessionId<'b>) -> Self {
        Self { session_id, content_name: None }
    }

    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(reader: &mut Reader<'_, 'b, R>) -> Outcome<'b, Self, R> {
        const KIND: MessageKind = MessageKind::CancelSession;
        let session_id = reader.session_id(KIND)?;
        let content_name = reader.optional(KIND)?;
        Ok(session_id.and_then(|session_id| Ok(Self { session_id, content_name: content_name? })))
    }
}
