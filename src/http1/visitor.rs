//! The interface between the pass that checks the fields of a head and the layer that knows what
//! the fields mean.

use super::FramingFields;

/// Receives the fields of one head in the pass that checks them.
///
/// This module knows HTTP only. The visitor recognises the fields of its protocol, remembers what
/// it needs, and hands back the ones that delimit the body. So every field is looked at once.
pub trait HeadVisitor<'b> {
    /// Creates a visitor that has seen no field.
    fn new() -> Self;

    /// Visits all fields, in order. A malformed line ends the iteration early.
    fn visit_all(&mut self, fields: impl Iterator<Item = (&'b str, &'b [u8])>)
    -> FramingFields<'b>;
}
