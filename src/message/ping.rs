//! Ping and its Ack.

use super::MessageKind;
use super::reader::Reader;
use super::report::{Outcome, Report};
use crate::field::ContentName;

/// [2.2.4] PING: is the server there?
///
/// Also makes a connection and settles its authentication before there are bytes to send. Answered
/// with 200 whatever the state of any session; a session id on it is ignored.
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
    /// The entity's name; Windows sends none here.
    pub content_name: Option<ContentName<'b>>,
}

/// [2.2.5] ACK for PING: the server is there. It carries nothing.
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
