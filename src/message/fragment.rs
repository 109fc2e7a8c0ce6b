//! Fragment and its Ack.

use super::MessageKind;
use super::message_error::MessageError;
use super::reader::Reader;
use super::report::{Checked, Outcome, Report};
use super::value::{FieldVisitor, Value};
use crate::deviation::Deviation;
use crate::error::ErrorKind;
use crate::field::{
    ContentEncoding, ContentName, ContentRange, FieldName, PacketType, ReceivedContentRange,
    ReplyUrl, SessionId,
};

/// [2.2.6] FRAGMENT: sends a range of the entity. The bytes follow the head.
///
/// Content-Length is written from the length of the range. A request in which the two differ is
/// rejected.
///
/// ```text
/// BITS_POST target HTTP/1.1
/// BITS-Packet-Type: Fragment
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}
/// Content-Name: name               ; optional
/// Content-Range: bytes 0-4891/4892
/// Content-Encoding: identity       ; optional
/// Content-Length: 4892
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::{ContentRange, SessionId};
/// use bits_proto::message::{Fragment, Request};
///
/// let range = ContentRange::new(0, 4891, 4892)?;
/// let fragment = Fragment::new(SessionId::try_from("1")?, range);
/// assert_eq!(Request::from(fragment).content_length(), 4892);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment<'b> {
    /// The session id.
    pub session_id: SessionId<'b>,
    /// The range of the bytes that follow.
    pub content_range: ContentRange,
    /// The name of the entity.
    pub content_name: Option<ContentName<'b>>,
    /// The content coding of the bytes.
    pub content_encoding: Option<ContentEncoding>,
}

/// [2.2.7] ACK for FRAGMENT: reports the offset of the next byte that the server expects.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Packet-Type: Ack
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}
/// Content-Length: 0
/// BITS-Received-Content-Range: 4892
/// BITS-Reply-URL: url               ; upload-reply jobs, after the last fragment
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::{ContentRange, SessionId};
/// use bits_proto::message::FragmentAck;
///
/// let range = ContentRange::new(128, 212, 213)?;
/// let ack = FragmentAck::new(SessionId::try_from("1")?, range.received());
/// assert_eq!(ack.received.0, 213);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FragmentAck<'b> {
    /// The session id. Windows omits it.
    pub session_id: Option<SessionId<'b>>,
    /// The offset of the next byte to send.
    pub received: ReceivedContentRange,
    /// The URL of the reply.
    pub reply_url: Option<ReplyUrl<'b>>,
}

impl<'b> Fragment<'b> {
    /// Creates a fragment without a Content-Name.
    #[must_use]
    pub const fn new(session_id: SessionId<'b>, content_range: ContentRange) -> Self {
        Self { session_id, content_range, content_name: None, content_encoding: None }
    }

    /// Visits the fields, in the order of the presence table.
    #[inline(always)]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        let name = self.content_name.map(|name| Value::Bytes(name.as_bytes()));
        let encoding = self.content_encoding.map(Value::Encoding);
        visitor
            .field(FieldName::PacketType, Value::PacketType(PacketType::Fragment))
            .field(FieldName::SessionId, Value::SessionId(&self.session_id))
            .optional(FieldName::ContentName, name)
            .field(FieldName::ContentRange, Value::ContentRange(self.content_range))
            .optional(FieldName::ContentEncoding, encoding)
            .field(FieldName::ContentLength, Value::Number(self.content_range.len()))
    }

    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(reader: &mut Reader<'_, 'b, R>) -> Outcome<'b, Self, R> {
        const KIND: MessageKind = MessageKind::Fragment;
        let session_id = reader.session_id(KIND)?;
        let content_range = reader.required(KIND)?;
        let content_encoding = reader.optional(KIND)?;
        if let Ok(content_range) = content_range {
            Self::check_length(content_range, reader)?;
        }
        let content_name = reader.optional(KIND)?;
        Ok(session_id.and_then(|session_id| {
            Ok(Self {
                session_id,
                content_range: content_range?,
                content_name: content_name?,
                content_encoding: content_encoding?,
            })
        }))
    }

    /// Compares Content-Length with the length of the range. The reader reports an absent or
    /// invalid Content-Length.
    #[inline(always)]
    fn check_length<R: Report<'b>>(
        content_range: ContentRange,
        reader: &mut Reader<'_, 'b, R>,
    ) -> Checked<'b, R> {
        if reader.framing.content_length.is_none_or(|length| length == content_range.len()) {
            return Ok(());
        }
        let value = reader.get(FieldName::ContentLength).unwrap_or_default();
        let (kind, field) = (ErrorKind::LengthMismatch, FieldName::ContentLength);
        let error = MessageError::in_number(kind, field, value, content_range.len());
        reader.report(error).map(drop)
    }
}

impl<'b> FragmentAck<'b> {
    /// Creates an Ack without a reply URL.
    #[must_use]
    pub const fn new(session_id: SessionId<'b>, received: ReceivedContentRange) -> Self {
        Self { session_id: Some(session_id), received, reply_url: None }
    }

    /// Visits the fields after BITS-Packet-Type, in the order of the presence table.
    #[inline(always)]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visitor: V) -> V {
        let url = self.reply_url.map(|url| Value::Bytes(url.as_bytes()));
        visitor
            .optional(FieldName::SessionId, self.session_id.as_ref().map(Value::SessionId))
            .field(FieldName::ContentLength, Value::Number(0))
            .field(FieldName::ReceivedContentRange, Value::Number(self.received.0))
            .optional(FieldName::ReplyUrl, url)
    }

    #[inline(always)]
    pub(super) fn read<R: Report<'b>>(
        reader: &mut Reader<'_, 'b, R>,
        session_id: Result<Option<SessionId<'b>>, R::Invalid>,
        sent: Option<ContentRange>,
        sent_up_to: Option<u64>,
    ) -> Outcome<'b, Self, R> {
        let received = Self::read_received(reader, sent, sent_up_to)?;
        let is_early = |received: ReceivedContentRange| {
            sent.is_some_and(|sent| !sent.is_last() && received.0 != sent.total())
        };
        let reply_url = if received.is_ok_and(is_early) {
            let early = reader.get(FieldName::ReplyUrl).map(|_| Deviation::EarlyReplyUrl);
            reader.deviations.extend(early);
            Ok(None)
        } else {
            reader.optional(MessageKind::FragmentAck)?
        };
        Ok(received.and_then(|received| {
            Ok(Self { session_id: session_id?, received, reply_url: reply_url? })
        }))
    }

    /// Reads the next offset, which cannot exceed the bytes that were sent. If the field is absent,
    /// it defaults to the end of the fragment.
    #[inline(always)]
    fn read_received<R: Report<'b>>(
        reader: &mut Reader<'_, 'b, R>,
        sent: Option<ContentRange>,
        sent_up_to: Option<u64>,
    ) -> Outcome<'b, ReceivedContentRange, R> {
        let received = reader.expected(|| sent.map(|sent| sent.received()))?;
        // `None` is less than any offset.
        let max = sent.map(|sent| sent.end()).max(sent_up_to);
        match (received, max) {
            (Ok(received), Some(max)) if received.0 > max => {
                reader.report(received_beyond_sent(reader, max)).map(Err)
            }
            (received, _) => Ok(received),
        }
    }
}

/// Returns the error for an offset beyond the bytes that were sent.
pub(super) fn received_beyond_sent<'b, R: Report<'b>>(
    reader: &Reader<'_, 'b, R>,
    sent: u64,
) -> MessageError<'b> {
    let field = FieldName::ReceivedContentRange;
    let value = reader.get(field).unwrap_or_default();
    MessageError::in_number(ErrorKind::ReceivedBeyondSent, field, value, sent).behaviour()
}
