//! Create-Session and its Ack.

use super::MessageKind;
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Outcome, Report};
use super::value::{FieldVisitor, Value};
use crate::deviation::Deviation;
use crate::error::{ErrorKind, ValueError};
use crate::field::{
    ContentEncoding, ContentName, FieldName, HostId, HostIdFallbackTimeout, Protocol, SessionId,
    SupportedProtocols,
};

/// [2.2.2] CREATE-SESSION: starts an upload.
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
    /// The protocols that the client supports, in order of preference.
    pub supported_protocols: SupportedProtocols<'b>,
    /// The name of the entity.
    pub content_name: Option<ContentName<'b>>,
}

/// [2.2.3] Ack Response for CREATE-SESSION: the server has created a session.
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
    /// The protocol that the server selected.
    pub protocol: Protocol,
    /// The id of the new session.
    pub session_id: SessionId<'b>,
    /// The host that receives the remaining requests of the session.
    pub host_id: Option<HostId<'b>>,
    /// The time after which a client that cannot reach this host returns to the origin server. If
    /// absent, the client never returns.
    pub host_id_fallback_timeout: Option<HostIdFallbackTimeout>,
    /// The content coding that the server accepts.
    pub accept_encoding: Option<ContentEncoding>,
}

impl Default for CreateSession<'_> {
    /// Offers [`Protocol::BITS_1_5`], without a Content-Name.
    fn default() -> Self {
        Self { supported_protocols: SupportedProtocols::BITS_1_5, content_name: None }
    }
}

impl<'b> CreateSession<'b> {
    /// Visits BITS-Supported-Protocols, which only this request has.
    #[inline]
    pub(super) fn visit_protocols<V: FieldVisitor>(&self, visitor: V) -> V {
        visitor.field(FieldName::SupportedProtocols, Value::Protocols(self.supported_protocols))
    }

    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(reader: &mut Reader<'_, 'b, R>) -> Outcome<'b, Self, R> {
        const KIND: MessageKind = MessageKind::CreateSession;
        let supported_protocols = reader.protocols(KIND)?;
        let content_name = reader.optional(KIND)?;
        Ok(supported_protocols.and_then(|supported_protocols| {
            Ok(Self { supported_protocols, content_name: content_name? })
        }))
    }
}

impl<'b> CreateSessionAck<'b> {
    /// Creates an Ack without a host id, as Windows sends it by default.
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

    /// Visits the fields after BITS-Packet-Type, in the order of the presence table.
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        let host = self.host_id.as_ref().map(|host| Value::Bytes(host.as_bytes()));
        let timeout = self.host_id_fallback_timeout.map(|timeout| Value::Number(timeout.0.into()));
        visitor
            .field(FieldName::Protocol, Value::Protocol(self.protocol))
            .field(FieldName::SessionId, Value::SessionId(&self.session_id))
            .optional(FieldName::HostId, host)
            .optional(FieldName::HostIdFallbackTimeout, timeout)
            .field(FieldName::ContentLength, Value::Number(0))
            .optional(FieldName::AcceptEncoding, self.accept_encoding.map(Value::Encoding))
    }

    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(
        reader: &mut Reader<'_, 'b, R>,
        offered: Option<SupportedProtocols<'_>>,
    ) -> Outcome<'b, Self, R> {
        const KIND: MessageKind = MessageKind::CreateSessionAck;
        let protocol = Self::read_protocol(reader, offered)?;
        let session_id = reader.required(KIND)?;
        let host_id = reader.optional(KIND)?;
        let host_id_fallback_timeout = reader.optional(KIND)?;
        let accept_encoding = Self::read_accept_encoding(reader);
        Ok(protocol.and_then(|protocol| {
            Ok(Self {
                protocol,
                session_id: session_id?,
                host_id: host_id?,
                host_id_fallback_timeout: host_id_fallback_timeout?,
                accept_encoding,
            })
        }))
    }

    /// Reads the content coding that the server accepts. Records an unknown content coding, and a
    /// host id without a timeout or the reverse.
    fn read_accept_encoding<R: Report<'b>>(
        reader: &mut Reader<'_, 'b, R>,
    ) -> Option<ContentEncoding> {
        let has = |field| reader.get(field).is_some();
        let deviation = match (has(FieldName::HostId), has(FieldName::HostIdFallbackTimeout)) {
            (true, false) => Some(Deviation::HostIdWithoutTimeout),
            (false, true) => Some(Deviation::TimeoutWithoutHostId),
            (true, true) | (false, false) => None,
        };
        reader.deviations.extend(deviation);
        let coding = reader.get(FieldName::AcceptEncoding)?;
        let coding = ContentEncoding::try_from(coding).ok();
        reader.deviations.extend(coding.is_none().then_some(Deviation::UnsupportedAcceptEncoding));
        coding
    }

    /// Reads the protocol, which must be one of those offered. If the field is absent, it defaults
    /// to the only protocol offered.
    #[inline(always)]
    fn read_protocol<R: Report<'b>>(
        reader: &mut Reader<'_, 'b, R>,
        offered: Option<SupportedProtocols<'_>>,
    ) -> Outcome<'b, Protocol, R> {
        let protocol = reader.expected(|| {
            let mut protocols = offered.iter().flat_map(SupportedProtocols::iter);
            protocols.next().filter(|_| protocols.next().is_none())
        })?;
        match (protocol, offered) {
            (Ok(chosen), Some(offered)) if !offered.contains(chosen) => {
                let value = reader.get(FieldName::Protocol).unwrap_or_default();
                let error = ValueError::new(ErrorKind::NotOffered, 0);
                let error = MessageError::in_value(FieldName::Protocol, value, error);
                reader.report(error.behaviour()).map(Err)
            }
            _ => Ok(protocol),
        }
    }
}
