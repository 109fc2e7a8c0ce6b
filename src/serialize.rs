//! Errors and what else is only told, as records for logs and for machines. They are written and
//! not read back: what is acted on is the value itself.

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind};
use crate::message::MessageKind;
use crate::observer::{SequenceRule, Severity, Violation};
use crate::state_machine::{IllegalEvent, StateMachine};

/// What has a stable name is that name.
macro_rules! by_name {
    ($($type:ty)+) => { $(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    )+ };
}

by_name!(Deviation ErrorKind MessageKind SequenceRule Severity);

impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("Error", 7)?;
        record.serialize_field("kind", &self.kind())?;
        record.serialize_field("field", &self.field())?;
        record.serialize_field("offset", &self.offset())?;
        record.serialize_field("section", self.section())?;
        record.serialize_field("fault", &self.fault())?;
        record.serialize_field("stage", &self.stage())?;
        record.serialize_field("message", &AsDisplay(self))?;
        record.end()
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let error = match self {
            Self::Message(error) => Some(error),
            Self::Deviation(_) | Self::Sequence(_) => None,
        };
        let mut record = serializer.serialize_struct("Violation", 6)?;
        record.serialize_field("rule", self.rule())?;
        record.serialize_field("severity", &self.severity())?;
        record.serialize_field("section", self.section())?;
        record.serialize_field("field", &error.and_then(Error::field))?;
        record.serialize_field("offset", &error.and_then(Error::offset))?;
        record.serialize_field("message", &AsDisplay(self))?;
        record.end()
    }
}

impl<M: StateMachine> Serialize for IllegalEvent<M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut record = serializer.serialize_struct("IllegalEvent", 3)?;
        record.serialize_field("state", &AsDisplay(self.state))?;
        record.serialize_field("got", &AsDisplay(self.got))?;
        record.serialize_field("message", &AsDisplay(self))?;
        record.end()
    }
}

impl Serialize for Deviations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// What is shown, as a text.
struct AsDisplay<T>(T);

impl<T: core::fmt::Display> Serialize for AsDisplay<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
