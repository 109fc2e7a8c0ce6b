//! The presence of each field in each message: one table for parsing, writing, docs and tests.
//!
//! Four rules precede the table:
//!
//! * Transfer-Encoding is checked with the framing. A response may have it; on an Ack and on a
//!   notification response it replaces Content-Length.
//! * The options may require the Content-Length of a packet without a body.
//! * `X-HTTP-Method-Override` is checked with the method.
//! * A notification with at least one of the `DataFile` names is one by reference, which requires
//!   both.

use super::MessageKind;
use crate::deviation::Deviation;
use crate::field::{FieldName, FieldSet};

/// The presence of a field in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Presence {
    /// A message without the field is rejected.
    Required,
    /// The specification requires the field, but peers omit it. Its absence is a deviation.
    Expected,
    /// The field may be absent.
    Optional,
    /// The field is not defined for the message; it is ignored and never written.
    Ignored,
    /// The field belongs to other messages. Its presence is a deviation, and its value is ignored.
    Unexpected,
}

use Presence::{Expected as E, Ignored as i, Optional as O, Required as R, Unexpected as u};

const KINDS: usize = MessageKind::ALL.len();

/// The presence table.
///
/// Rows are in the order in which fields are written, which is that of Microsoft's captures.
/// Columns are in the order of [`MessageKind::ALL`].
#[doc(hidden)]
#[rustfmt::skip]
pub const TABLE: [(FieldName, [Presence; KINDS]); FieldName::ALL.len()] = {
    use FieldName::*;
    [
        //                       requests       | Acks             | refusal | notifications
        //                       Pi Cr Fr Cl Ca   Pi Cr Fr Cl Ca   Re  Rf Va Rs
        (PacketType,            [R, R, R, R, R,   R, R, R, R, R,   E,  u, u, u]),
        (SupportedProtocols,    [u, R, u, u, u,   u, u, u, u, u,   u,  u, u, u]),
        (Protocol,              [u, u, u, u, u,   u, E, u, u, u,   u,  u, u, u]),
        (SessionId,             [i, u, R, R, R,   i, R, E, E, E,   O,  u, u, u]),
        (HostId,                [u, u, u, u, u,   u, O, u, u, u,   u,  u, u, u]),
        (HostIdFallbackTimeout, [u, u, u, u, u,   u, O, u, u, u,   u,  u, u, u]),
        (OriginalRequestUrl,    [u, u, u, u, u,   u, u, u, u, u,   u,  R, R, u]),
        (RequestDataFileName,   [u, u, u, u, u,   u, u, u, u, u,   u,  R, u, u]),
        (ResponseDataFileName,  [u, u, u, u, u,   u, u, u, u, u,   u,  R, u, u]),
        (StaticResponseUrl,     [u, u, u, u, u,   u, u, u, u, u,   u,  u, u, O]),
        (CopyFileToDestination, [u, u, u, u, u,   u, u, u, u, u,   u,  u, u, O]),
        (ContentName,           [O, O, O, O, O,   i, i, i, i, i,   i,  i, i, i]),
        (ContentRange,          [i, i, R, i, i,   i, i, i, i, i,   i,  i, i, i]),
        (ContentEncoding,       [i, i, O, i, i,   i, i, i, i, i,   i,  i, i, i]),
        (ContentLength,         [E, E, R, E, E,   E, E, E, E, E,   E,  E, R, E]),
        (ReceivedContentRange,  [u, u, u, u, u,   u, u, E, u, u,   O,  u, u, u]),
        (ReplyUrl,              [u, u, u, u, u,   u, u, O, u, u,   u,  u, u, u]),
        (Error,                 [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (ErrorCode,             [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (ErrorContext,          [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (RetryAfter,            [i, i, i, i, i,   i, i, i, i, i,   O,  i, i, i]),
        (AcceptEncoding,        [i, i, i, i, i,   i, O, i, i, i,   i,  i, i, i]),
        (MethodOverride,        [i, i, i, i, i,   i, i, i, i, i,   i,  i, i, i]),
        (TransferEncoding,      [i, i, i, i, i,   i, i, i, i, i,   i,  i, i, i]),
    ]
};

/// Returns the presence of `field` in messages of this kind.
///
/// # Example
///
/// ```
/// use bits_proto::field::FieldName;
/// use bits_proto::message::MessageKind;
/// use bits_proto::message::presence::{Presence, of};
///
/// assert_eq!(of(MessageKind::Fragment, FieldName::ContentRange), Presence::Required);
/// assert_eq!(of(MessageKind::FragmentAck, FieldName::SessionId), Presence::Expected);
/// ```
#[doc(hidden)]
#[must_use]
pub fn of(kind: MessageKind, field: FieldName) -> Presence {
    let sets = fields(kind);
    if sets.required.contains(field) {
        Presence::Required
    } else if sets.expected.contains(field) {
        Presence::Expected
    } else if sets.optional.contains(field) {
        Presence::Optional
    } else if sets.unexpected.contains(field) {
        Presence::Unexpected
    } else {
        Presence::Ignored
    }
}

/// Returns the deviation that records the absence of an [`Expected`](Presence::Expected) field.
#[doc(hidden)]
#[must_use]
pub const fn absence(field: FieldName) -> Deviation {
    match field {
        FieldName::PacketType => Deviation::MissingPacketType,
        FieldName::SessionId => Deviation::MissingSessionId,
        FieldName::Protocol => Deviation::MissingProtocol,
        FieldName::ReceivedContentRange => Deviation::MissingReceived,
        _ => Deviation::MissingContentLength,
    }
}

/// Returns true if an empty value of this field means that the field is absent.
#[cold]
#[doc(hidden)]
#[must_use]
pub const fn is_absent_when_empty(field: FieldName) -> bool {
    matches!(
        field,
        FieldName::Error
            | FieldName::ErrorCode
            | FieldName::ErrorContext
            | FieldName::ReplyUrl
            | FieldName::StaticResponseUrl
    )
}

/// One column of the table, as one set of fields for each presence.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) required: FieldSet,
    pub(super) expected: FieldSet,
    pub(super) optional: FieldSet,
    pub(super) unexpected: FieldSet,
}

impl Column {
    const EMPTY: Self = Self {
        required: FieldSet::EMPTY,
        expected: FieldSet::EMPTY,
        optional: FieldSet::EMPTY,
        unexpected: FieldSet::EMPTY,
    };

    /// Returns the fields that the message may contain.
    pub(super) const fn carried(&self) -> FieldSet {
        self.required.union(self.expected).union(self.optional)
    }

    /// Returns the fields that a caller must not add: those that the message may contain or that
    /// belong to other messages, and those that change the framing.
    pub(super) const fn reserved(&self) -> FieldSet {
        let framing = FieldSet::of(FieldName::ContentLength).with(FieldName::TransferEncoding);
        self.carried().union(self.unexpected).union(framing)
    }
}

/// Returns the column of the table for a message.
#[inline]
pub(super) const fn fields(kind: MessageKind) -> Column {
    #[expect(clippy::indexing_slicing, reason = "there is a column for each kind")]
    COLUMNS[kind as usize]
}

#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
const COLUMNS: [Column; KINDS] = {
    let mut columns = [Column::EMPTY; KINDS];
    let mut row = 0;
    while row < TABLE.len() {
        let (field, presences) = TABLE[row];
        let mut kind = 0;
        while kind < KINDS {
            match presences[kind] {
                Presence::Required => columns[kind].required.insert(field),
                Presence::Expected => columns[kind].expected.insert(field),
                Presence::Optional => columns[kind].optional.insert(field),
                Presence::Unexpected => columns[kind].unexpected.insert(field),
                Presence::Ignored => {}
            }
            kind += 1;
        }
        row += 1;
    }
    columns
};

/// The fields that any successful Ack may contain.
#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
pub(super) const SUCCESS_FIELDS: FieldSet = {
    let (mut carried, mut kind) = (FieldSet::EMPTY, 0);
    while kind < KINDS {
        if MessageKind::ALL[kind].is_success() {
            carried = carried.union(COLUMNS[kind].carried());
        }
        kind += 1;
    }
    carried
};
