//! Which message carries which field: one table that reading, the documentation and the tests share,
//! and that the tests hold writing to.
//!
//! Three things happen before the table is asked. A Transfer-Encoding is refused with the framing,
//! except on responses that another HTTP stack has read. `X-HTTP-Method-Override` is looked at with
//! the method. And either `DataFile` name makes a notification one by reference, which then needs
//! both.
//!
#![doc = include_str!("presence.md")]

use super::MessageKind;
use crate::deviation::Deviation;
use crate::field::{FieldName, bit};

/// What a message has to do with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// The message is an error without it.
    Required,
    /// The specification requires it and peers leave it out: its absence is a deviation.
    Expected,
    /// It may be there.
    Optional,
    /// It is none of the message's business: neither read nor written, nor remarked on.
    Ignored,
    /// The message does not carry it: its presence is a deviation, and it is ignored.
    Unexpected,
}

use Presence::{Expected as E, Ignored as i, Optional as O, Required as R, Unexpected as u};

const KINDS: usize = MessageKind::ALL.len();

/// The table. Rows are in the order in which the fields are written, as Microsoft's captures have
/// it; columns are in the order of [`MessageKind::ALL`].
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
        (ContentLength,         [R, R, R, R, R,   E, E, E, E, E,   E,  E, R, E]),
        (ReceivedContentRange,  [u, u, u, u, u,   u, u, E, u, u,   O,  u, u, u]),
        (ReplyUrl,              [u, u, u, u, u,   u, u, O, u, u,   u,  u, u, u]),
        (Error,                 [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (ErrorCode,             [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (ErrorContext,          [u, u, u, u, u,   u, u, u, u, u,   O,  u, u, u]),
        (AcceptEncoding,        [i, i, i, i, i,   i, O, i, i, i,   i,  i, i, i]),
        (MethodOverride,        [i, i, i, i, i,   i, i, i, i, i,   i,  i, i, i]),
        (TransferEncoding,      [i, i, i, i, i,   i, i, i, i, i,   i,  i, i, i]),
    ]
};

/// What `kind` has to do with `field`.
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
#[must_use]
pub fn of(kind: MessageKind, field: FieldName) -> Presence {
    let sets = FieldSets::of(kind);
    let holds = |set: u32| set & bit(field) != 0;
    if holds(sets.required) {
        Presence::Required
    } else if holds(sets.expected) {
        Presence::Expected
    } else if holds(sets.optional) {
        Presence::Optional
    } else if holds(sets.unexpected) {
        Presence::Unexpected
    } else {
        Presence::Ignored
    }
}

/// The deviation that a field's absence is where it is [`Presence::Expected`].
#[must_use]
pub(super) const fn absence(field: FieldName) -> Deviation {
    match field {
        FieldName::PacketType => Deviation::MissingPacketType,
        FieldName::SessionId => Deviation::MissingSessionId,
        FieldName::Protocol => Deviation::MissingProtocol,
        FieldName::ReceivedContentRange => Deviation::MissingReceived,
        _ => Deviation::MissingContentLength,
    }
}

/// One column of the table, as sets of fields.
#[derive(Clone, Copy)]
pub(super) struct FieldSets {
    pub(super) required: u32,
    pub(super) expected: u32,
    pub(super) optional: u32,
    pub(super) unexpected: u32,
}

#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
const SETS: [FieldSets; KINDS] = {
    let mut sets = [FieldSets { required: 0, expected: 0, optional: 0, unexpected: 0 }; KINDS];
    let mut row = 0;
    while row < TABLE.len() {
        let (field, columns) = TABLE[row];
        let mut kind = 0;
        while kind < KINDS {
            match columns[kind] {
                Presence::Required => sets[kind].required |= bit(field),
                Presence::Expected => sets[kind].expected |= bit(field),
                Presence::Optional => sets[kind].optional |= bit(field),
                Presence::Unexpected => sets[kind].unexpected |= bit(field),
                Presence::Ignored => {}
            }
            kind += 1;
        }
        row += 1;
    }
    sets
};

/// What Acks that grant carry.
#[expect(clippy::indexing_slicing, reason = "evaluated as a constant")]
pub(super) const GRANTS: u32 = {
    let (mut carried, mut kind) = (0, 0);
    while kind < KINDS {
        if MessageKind::ALL[kind].is_success() {
            carried |= SETS[kind].carried();
        }
        kind += 1;
    }
    carried
};

impl FieldSets {
    /// What the message has values for.
    pub(super) const fn carried(&self) -> u32 {
        self.required | self.expected | self.optional
    }

    #[inline]
    pub(super) const fn of(kind: MessageKind) -> Self {
        #[expect(clippy::indexing_slicing, reason = "there is a column for each kind")]
        SETS[kind as usize]
    }
}
