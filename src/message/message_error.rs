//! Something wrong with a message, on its way to an [`Error`].

use crate::error::{CheckStage, Error, ErrorKind, Fault, ValueError};
use crate::field::FieldName;
use crate::http1::{Head, StartLine};

/// Something wrong, before it is known where in the input it stands.
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
    StartLine,
    Value(&'b [u8], usize),
    Nowhere,
}

impl<'b> MessageError<'b> {
    const fn new(kind: ErrorKind, field: Option<FieldName>, place: Place<'b>) -> Self {
        Self { kind, field, place, fault: Fault::PeerBytes, stage: CheckStage::Packet }
    }

    /// In the start line.
    pub(super) const fn in_start_line(kind: ErrorKind) -> Self {
        Self::new(kind, None, Place::StartLine)
    }

    /// A field that has to be there and is not.
    pub(super) const fn missing(field: FieldName) -> Self {
        Self::absent(ErrorKind::MissingField, field)
    }

    /// The same, where its absence means something of its own.
    pub(super) const fn absent(kind: ErrorKind, field: FieldName) -> Self {
        Self::new(kind, Some(field), Place::Nowhere)
    }

    /// In a value.
    pub(super) const fn in_value(field: FieldName, value: &'b [u8], flaw: ValueError) -> Self {
        Self::new(flaw.kind, Some(field), Place::Value(value, flaw.at))
    }

    /// In a value that is too long, perhaps of a field that the protocol does not know.
    pub(super) const fn in_long_value(field: Option<FieldName>, value: &'b [u8]) -> Self {
        Self::new(ErrorKind::ValueTooLong, field, Place::Value(value, 0))
            .at_stage(CheckStage::Limits)
    }

    pub(super) const fn at_stage(self, stage: CheckStage) -> Self {
        Self { stage, ..self }
    }

    /// Well-formed, but not what may follow the request.
    pub(super) const fn behaviour(self) -> Self {
        Self { fault: Fault::PeerBehaviour, ..self }
    }

    /// Whether the field alone would have been fine: it is wrong beside the request, or beside the
    /// status.
    pub(super) fn needs_request(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::NotOffered
                | ErrorKind::ReceivedBeyondSent
                | ErrorKind::OutOfSyncWithoutOffset
                // Where the presence table only expects it.
                | ErrorKind::MissingField
        )
    }

    /// The field, if it is its absence that is wrong.
    pub(super) fn field_missing(&self) -> Option<FieldName> {
        self.field.filter(|_| self.kind == ErrorKind::MissingField)
    }

    fn into_error(self, offset: Option<usize>) -> Error {
        Error {
            kind: self.kind,
            field: self.field.map(FieldName::as_str),
            section: self.field.map_or("2.2.1", FieldName::section),
            offset,
            fault: self.fault,
            stage: self.stage,
        }
    }

    /// The error in a message that was read from bytes.
    pub(super) fn in_head<L: StartLine<'b>>(self, head: &Head<'_, 'b, L>) -> Error {
        let offset = match (self.place, self.field) {
            (Place::StartLine, _) => head.start_of_line(),
            (Place::Nowhere, _) => head.end_of_fields(),
            (Place::Value(value, at), field) => head.locate(field, value, at),
        };
        self.into_error(Some(offset))
    }

    /// The error in a message that came as pairs.
    pub(super) fn in_pairs(self) -> Error {
        self.into_error(None)
    }
}
