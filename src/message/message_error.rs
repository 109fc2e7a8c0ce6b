//! Errors in messages, before they become an [`Error`].

use super::Head;
use crate::error::{CheckStage, Error, ErrorKind, Fault, ValueError};
use crate::field::FieldName;
use crate::http1::StartLine;
use crate::http1::framing::FramingError;

/// An error in a message, before its offset in the input is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageError<'b> {
    kind: ErrorKind,
    field: Option<FieldName>,
    place: Place<'b>,
    fault: Fault,
    stage: CheckStage,
}

#[derive(Clone, Copy, Debug)]
enum Place<'b> {
    /// In the start line; the part that is wrong.
    StartLine(&'b [u8]),
    /// In a value, at an offset.
    Value(&'b [u8], usize),
    /// In the later of two conflicting values.
    Conflict { earlier: &'b [u8], later: &'b [u8] },
    /// In a value that exceeds a limit, or differs from the number that is expected.
    Number { value: &'b [u8], expected: u64 },
    /// In the absence of a field.
    Absent,
}

impl<'b> MessageError<'b> {
    const fn new(kind: ErrorKind, field: Option<FieldName>, place: Place<'b>) -> Self {
        Self { kind, field, place, fault: Fault::PeerBytes, stage: CheckStage::Packet }
    }

    /// In the start line.
    pub(super) const fn in_start_line(kind: ErrorKind) -> Self {
        // HTTP/1.0 is the only other version that is parsed.
        let received: &[u8] = if let ErrorKind::HttpVersion = kind { b"HTTP/1.0" } else { &[] };
        Self::new(kind, None, Place::StartLine(received))
    }

    /// In the method.
    pub(super) const fn in_method(kind: ErrorKind, method: &'b str) -> Self {
        Self::new(kind, None, Place::StartLine(method.as_bytes())).at_stage(CheckStage::Method)
    }

    /// In the framing.
    pub(super) const fn in_framing(error: FramingError<'b>) -> Self {
        let FramingError { field, value: later, error, first } = error;
        let place = match first {
            Some(earlier) => Place::Conflict { earlier, later },
            None => Place::Value(later, error.at),
        };
        Self::new(error.kind, Some(field), place).at_stage(CheckStage::Http)
    }

    /// A required field is missing.
    pub(super) const fn missing(field: FieldName) -> Self {
        Self::absent(ErrorKind::MissingField, field)
    }

    /// A field is missing, with a more specific kind than [`ErrorKind::MissingField`].
    pub(super) const fn absent(kind: ErrorKind, field: FieldName) -> Self {
        Self::new(kind, Some(field), Place::Absent)
    }

    /// In a value.
    pub(super) const fn in_value(field: FieldName, value: &'b [u8], error: ValueError) -> Self {
        Self::new(error.kind, Some(field), Place::Value(value, error.at))
    }

    /// In the later of two values of one field.
    pub(super) const fn conflict(field: FieldName, earlier: &'b [u8], later: &'b [u8]) -> Self {
        Self::new(ErrorKind::ConflictingField, Some(field), Place::Conflict { earlier, later })
    }

    /// In a number that exceeds a limit, or differs from the number that is expected.
    pub(super) const fn in_number(
        kind: ErrorKind,
        field: FieldName,
        value: &'b [u8],
        expected: u64,
    ) -> Self {
        Self::new(kind, Some(field), Place::Number { value, expected })
    }

    /// In a value that is too long; the field may be one that the protocol does not define.
    pub(super) const fn in_long_value(
        field: Option<FieldName>,
        value: &'b [u8],
        limit: usize,
    ) -> Self {
        let place = Place::Number { value, expected: limit as u64 };
        Self::new(ErrorKind::ValueTooLong, field, place).at_stage(CheckStage::Limits)
    }

    pub(super) const fn at_stage(self, stage: CheckStage) -> Self {
        Self { stage, ..self }
    }

    /// The message is valid, but does not match the request.
    pub(super) const fn behaviour(self) -> Self {
        Self { fault: Fault::PeerBehaviour, ..self }
    }

    #[cold]
    fn into_error(self, offset: Option<usize>) -> Error {
        let error = Error::peer(self.kind).at(offset).with_fault(self.fault).at_stage(self.stage);
        let error = match self.field {
            Some(field) => error.in_field(field),
            None => error,
        };
        match self.place {
            Place::StartLine([]) | Place::Absent => error,
            Place::StartLine(received) => error.with_received(received, 0),
            Place::Value(value, at) => error.with_received(value, at),
            Place::Conflict { earlier, later } => error.with_conflict(earlier, later),
            // The values of other fields may be secrets.
            Place::Number { value, expected } if self.field.is_none() => {
                error.with_received_len(value.len()).with_number(expected)
            }
            Place::Number { value, expected } => {
                error.with_received(value, 0).with_number(expected)
            }
        }
    }

    /// The error in a message that was parsed from bytes.
    pub(super) fn in_head<L: StartLine<'b>>(self, head: &Head<'_, 'b, L>) -> Error {
        let (value, at) = match self.place {
            Place::StartLine(_) => return self.into_error(Some(head.start_of_line())),
            Place::Absent => return self.into_error(Some(head.end_of_fields())),
            Place::Value(value, at) => (value, at),
            Place::Conflict { later: value, .. } | Place::Number { value, .. } => (value, 0),
        };
        let is_named = |name: &str| FieldName::from_name(name) == self.field;
        self.into_error(Some(head.locate(value, at, is_named)))
    }

    /// The error in a message that was passed as pairs.
    pub(super) fn in_pairs(self) -> Error {
        self.into_error(None)
    }
}
