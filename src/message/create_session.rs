//! Create-Session and its Ack.

use super::MessageKind;
use super::message_error::MessageError;
use super::scan::Scan;
use super::value::{FieldVisitor, Value};
use crate::deviation::Deviation;
use crate::error::{ErrorKind, ValueError};
use crate::field::{
    ContentEncoding, ContentName, FieldName, HostId, HostIdFallbackTimeout, Protocol, SessionId,
    SupportedProtocols,
};

/// [2.2.2] CREATE-SESSION: begins an upload.
///
/// ```text
/// BITS_POST target HTTP/1.1
/// BITS-Packet-Type: Create-Session
/// BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}
/// Content-Name: name              ; optional
/// Content-Length: 0
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::SupportedProtocols;
/// use bits_proto::message::CreateSession;
///
/// let create = CreateSession::default();
/// assert_eq!(create.supported_protocols, SupportedProtocols::BITS_1_5);
/// ```
///
/// Source: \[MC-BUP\] 2.2.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateSession<'b> {
    /// The protocols the client can speak, the most preferred first.
    pub supported_protocols: SupportedProtocols<'b>,
    /// The entity's name.
    pub content_name: Option<ContentName<'b>>,
}

/// [2.2.3] Ack Response for CREATE-SESSION: the session is there.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Packet-Type: Ack
/// BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}
/// BITS-Host-Id: host                      ; optional
/// BITS-Host-Id-Fallback-Timeout: seconds  ; with a host
/// Content-Length: 0
/// Accept-encoding: identity               ; optional
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::{Protocol, SessionId};
/// use bits_proto::message::CreateSessionAck;
///
/// let ack = CreateSessionAck::new(Protocol::BITS_1_5, SessionId::from_random([1; 16]));
/// assert!(ack.host_id.is_none());
/// ```
///
/// Source: \[MC-BUP\] 2.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateSessionAck<'b> {
    /// The protocol the server chose.
    pub protocol: Protocol,
    /// The session's id.
    pub session_id: SessionId<'b>,
    /// The host to send everything else to.
    pub host_id: Option<HostId<'b>>,
    /// For how long to try that host. Without it a client never returns to the origin.
    pub host_id_fallback_timeout: Option<HostIdFallbackTimeout>,
    /// The content coding the server takes.
    pub accept_encoding: Option<ContentEncoding>,
}

impl Default for CreateSession<'_> {
    /// Offers [`Protocol::BITS_1_5`] and gives no name.
    fn default() -> Self {
        Self { supported_protocols: SupportedProtocols::BITS_1_5, content_name: None }
    }
}

impl<'b> CreateSession<'b> {
    /// Shows the field that no other request has.
    #[inline]
    pub(super) fn visit_protocols<V: FieldVisitor>(&self, visit: V) -> V {
        visit.field(FieldName::SupportedProtocols, Value::Protocols(self.supported_protocols))
    }

    #[inline(always)]
    pub(super) fn read(scan: &mut Scan<'_, 'b>) -> Result<Self, MessageError<'b>> {
        const KIND: MessageKind = MessageKind::CreateSession;
        Ok(Self { supported_protocols: scan.protocols(KIND)?, content_name: scan.optional(KIND)? })
    }
}

impl<'b> CreateSessionAck<'b> {
    /// What Windows answers when no other host is configured.
    #[must_use]
    pub const fn new(protocol: Protocol, session_id: SessionId<'b>) -> Self {
        Self {
            protocol,
            session_id,
            host_id: None,
            host_id_fallback_timeout: None,
            accept_encoding: Some(ContentEncoding::Identity),
        }
    }

    /// Shows its fields behind the packet type, in the order of the table.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visit: V) -> V {
        let host = self.host_id.as_ref().map(|host| Value::Bytes(host.as_str().as_bytes()));
        let timeout = self.host_id_fallback_timeout.map(|timeout| Value::Number(timeout.0.into()));
        visit
            .field(FieldName::Protocol, Value::Protocol(self.protocol))
            .field(FieldName::SessionId, Value::SessionId(&self.session_id))
            .optional(FieldName::HostId, host)
            .optional(FieldName::HostIdFallbackTimeout, timeout)
            .field(FieldName::ContentLength, Value::Number(0))
            .optional(FieldName::AcceptEncoding, self.accept_encoding.map(Value::Encoding))
    }

    #[inline(always)]
    pub(super) fn read(
        scan: &mut Scan<'_, 'b>,
        offered: Option<SupportedProtocols<'_>>,
    ) -> Result<Self, MessageError<'b>> {
        const KIND: MessageKind = MessageKind::CreateSessionAck;
        let protocol = Self::read_protocol(scan, offered)?;
        let session_id = scan.required(KIND)?;
        let host_id: Option<HostId<'_>> = scan.optional(KIND)?;
        let timeout: Option<HostIdFallbackTimeout> = scan.optional(KIND)?;
        let accept_encoding = Self::remark(scan);
        Ok(Self {
            protocol,
            session_id,
            host_id,
            host_id_fallback_timeout: timeout,
            accept_encoding,
        })
    }

    /// What is unusual about fields that need no reading, or go together. The content coding that
    /// the server takes.
    pub(super) fn remark(scan: &mut Scan<'_, 'b>) -> Option<ContentEncoding> {
        let has = |field| scan.get(field).is_some();
        let deviation = match (has(FieldName::HostId), has(FieldName::HostIdFallbackTimeout)) {
            (true, false) => Some(Deviation::HostIdWithoutTimeout),
            (false, true) => Some(Deviation::TimeoutWithoutHostId),
            (true, true) | (false, false) => None,
        };
        scan.deviations.extend(deviation);
        let coding = scan.get(FieldName::AcceptEncoding)?;
        let coding = ContentEncoding::try_from(coding).ok();
        scan.deviations.extend(coding.is_none().then_some(Deviation::UnsupportedAcceptEncoding));
        coding
    }

    /// The protocol must be one that was offered; if none is named, the only one that was.
    pub(super) fn read_protocol(
        scan: &mut Scan<'_, 'b>,
        offered: Option<SupportedProtocols<'_>>,
    ) -> Result<Protocol, MessageError<'b>> {
        let chosen: Option<Protocol> = scan.optional(MessageKind::CreateSessionAck)?;
        match (chosen, offered) {
            (Some(chosen), Some(offered)) if !offered.contains(chosen) => {
                let value = scan.get(FieldName::Protocol).unwrap_or_default();
                let flaw = ValueError::new(ErrorKind::NotOffered, 0);
                Err(MessageError::in_value(FieldName::Protocol, value, flaw).behaviour())
            }
            (Some(chosen), _) => Ok(chosen),
            (None, offered) => {
                let mut offered = offered.iter().flat_map(SupportedProtocols::iter);
                match (offered.next(), offered.next()) {
                    (Some(only), None) => Ok(only),
                    _ => Err(MessageError::missing(FieldName::Protocol)),
                }
            }
        }
    }
}
