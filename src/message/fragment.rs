//! Fragment and its Ack.

use super::MessageKind;
use super::message_error::MessageError;
use super::scan::Scan;
use super::value::{FieldVisitor, Value};
use crate::deviation::Deviation;
use crate::error::ErrorKind;
use crate::field::{
    ContentEncoding, ContentName, ContentRange, FieldName, ReceivedContentRange, ReplyUrl,
    SessionId,
};
use crate::http1::Framing;

/// [2.2.6] FRAGMENT: a range of the entity's bytes, which follow the head.
///
/// Content-Length is the length of the range, so it is not a field of its own: written from the
/// range, and refused where it differs.
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
    /// The session.
    pub session_id: SessionId<'b>,
    /// Which bytes follow.
    pub content_range: ContentRange,
    /// The entity's name.
    pub content_name: Option<ContentName<'b>>,
    /// The content coding of the bytes.
    pub content_encoding: Option<ContentEncoding>,
}

/// [2.2.7] ACK for FRAGMENT: how far the server has come.
///
/// ```text
/// HTTP/1.1 200 OK
/// BITS-Packet-Type: Ack
/// BITS-Session-Id: {A0FF5911-4144-45B3-BF27-27AFC8EC8A67}
/// Content-Length: 0
/// BITS-Received-Content-Range: 4892
/// BITS-Reply-URL: url               ; upload-reply, last fragment
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
    /// The session; Windows leaves it out.
    pub session_id: Option<SessionId<'b>>,
    /// The offset of the next byte to send.
    pub received: ReceivedContentRange,
    /// Where the reply is.
    pub reply_url: Option<ReplyUrl<'b>>,
}

impl<'b> Fragment<'b> {
    /// A fragment without a name.
    #[must_use]
    pub const fn new(session_id: SessionId<'b>, content_range: ContentRange) -> Self {
        Self { session_id, content_range, content_name: None, content_encoding: None }
    }

    /// Shows the fields that no other request has.
    #[inline]
    pub(super) fn visit_range<V: FieldVisitor>(&self, visit: V) -> V {
        visit
            .field(FieldName::ContentRange, Value::ContentRange(self.content_range))
            .optional(FieldName::ContentEncoding, self.content_encoding.map(Value::Encoding))
    }

    #[inline(always)]
    pub(super) fn read(
        framing: Framing,
        scan: &mut Scan<'_, 'b>,
    ) -> Result<Self, MessageError<'b>> {
        const KIND: MessageKind = MessageKind::Fragment;
        let session_id = scan.session_id(KIND)?;
        let content_range: ContentRange = scan.required(KIND)?;
        let content_encoding = scan.optional(KIND)?;
        Self::check_length(content_range, framing, scan)?;
        Ok(Self { session_id, content_range, content_name: scan.optional(KIND)?, content_encoding })
    }

    /// The body holds the range, no more and no less.
    #[inline(always)]
    fn check_length(
        content_range: ContentRange,
        framing: Framing,
        scan: &Scan<'_, 'b>,
    ) -> Result<(), MessageError<'b>> {
        if framing.content_length == Some(content_range.len()) {
            return Ok(());
        }
        let value = scan.get(FieldName::ContentLength).unwrap_or_default();
        let (kind, field) = (ErrorKind::LengthMismatch, FieldName::ContentLength);
        Err(MessageError::in_number(kind, field, value, content_range.len()))
    }

    /// Whether the length contradicts the range, where both can be read.
    pub(super) fn length_trouble(
        framing: Framing,
        scan: &mut Scan<'_, 'b>,
    ) -> Option<MessageError<'b>> {
        let content_range: ContentRange = scan.optional(MessageKind::Fragment).ok()??;
        framing.content_length?;
        Self::check_length(content_range, framing, scan).err()
    }
}

impl<'b> FragmentAck<'b> {
    /// An Ack without a reply.
    #[must_use]
    pub const fn new(session_id: SessionId<'b>, received: ReceivedContentRange) -> Self {
        Self { session_id: Some(session_id), received, reply_url: None }
    }

    /// Shows its fields behind the packet type, in the order of the table.
    #[inline]
    pub(super) fn visit_fields<V: FieldVisitor>(&self, visit: V) -> V {
        let url = self.reply_url.map(|url| Value::Bytes(url.as_bytes()));
        visit
            .optional(FieldName::SessionId, self.session_id.as_ref().map(Value::SessionId))
            .field(FieldName::ContentLength, Value::Number(0))
            .field(FieldName::ReceivedContentRange, Value::Number(self.received.0))
            .optional(FieldName::ReplyUrl, url)
    }

    #[inline(always)]
    pub(super) fn read(
        scan: &mut Scan<'_, 'b>,
        session_id: Option<SessionId<'b>>,
        sent: Option<ContentRange>,
        sent_up_to: Option<u64>,
    ) -> Result<Self, MessageError<'b>> {
        const KIND: MessageKind = MessageKind::FragmentAck;
        let field = FieldName::ReceivedContentRange;
        let received: Option<ReceivedContentRange> = scan.optional(KIND)?;
        let received = received.or(sent.map(|sent| sent.received()));
        let received = received.ok_or(MessageError::missing(field))?;
        // `None` is less than any offset.
        let most = sent.map(|sent| sent.end()).max(sent_up_to);
        if let Some(most) = most.filter(|most| received.0 > *most) {
            return Err(beyond(scan, most));
        }
        let is_early = sent.is_some_and(|sent| !sent.is_last() && received.0 != sent.total());
        let reply_url = if is_early && scan.get(FieldName::ReplyUrl).is_some() {
            scan.deviations.insert(Deviation::EarlyReplyUrl);
            None
        } else {
            scan.optional(KIND)?
        };
        Ok(Self { session_id, received, reply_url })
    }
}

/// An offset that the server cannot have reached.
pub(super) fn beyond<'b>(scan: &Scan<'_, 'b>, sent: u64) -> MessageError<'b> {
    let field = FieldName::ReceivedContentRange;
    let value = scan.get(field).unwrap_or_default();
    MessageError::in_number(ErrorKind::ReceivedBeyondSent, field, value, sent).behaviour()
}
