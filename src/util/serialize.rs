//! Helpers for `Serialize` implementations. Errors and diagnostics are serialized for logs; they
//! cannot be deserialized.

use core::fmt::Display;

use serde::{Serialize, Serializer};

/// Implements `Serialize` with the stable `name()` of a type.
macro_rules! serialize_name {
    ($($type:ty),+) => { $(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    )+ };
}
pub(crate) use serialize_name;

/// Serializes the `Display` of a value as a string.
pub(crate) struct AsDisplay<T>(pub(crate) T);

impl<T: Display> Serialize for AsDisplay<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
