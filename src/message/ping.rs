//! Ping and its Ack.

use super::MessageKind;
use super::reader::Reader;
use super::report::{Outcome, Report};
use crate::field::ContentName;

/// [2.2.4] PING: checks that the server is available.
///
/// A client also uses it to connect and authenticate before it sends bytes. The server answers with
/// 200 in every state, and ignores a session id.
///
/// ```text
/// BITS_POST target HTTP/1.1
/// BITS-Packet-Type: Ping
/// Content-Length: 0
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::message::{MessageKind, Ping, Request};
///
/// assert_eq!(Request::from(Ping::default()).kind(), MessageKind::Ping);
/// ```
///
/// Source: \[MC-BUP\] 2.2.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ping<'b> {
    /// The name of the entity. Windows omits it.
    pub content_name: Option<ContentName<'b>>,
}

/// [2.2.5] ACK for PING: the server is available. It has no fields of its own.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Packet-Type: Ack
/// Content-Length: 0
/// ```
///
/// Source: \[MC-BUP\] 2.2.5.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PingAck;

impl<'b> Ping<'b> {
    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(reader: &mut Reader<'_, 'b, R>) -> Outcome<'b, Self, R> {
        let content_name = reader.optional(MessageKind::Ping)?;
        Ok(content_name.map(|content_name| Self { content_name }))
    }
}
