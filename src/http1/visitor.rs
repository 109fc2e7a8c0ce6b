//! The interface to the layer that interprets the fields of a head.

use super::FramingFields;

/// Receives the fields of one head in the pass that checks them.
///
/// This module knows HTTP only. The visitor recognises and stores the fields of its protocol, and
/// returns the fields that delimit the body. Each field is examined once.
pub trait HeadVisitor<'b> {
    /// Creates a visitor that has received no fields.
    fn new() -> Self;

    /// Visits all fields, in order. A malformed line ends the iteration early.
    fn visit_all(&mut self, fields: impl Iterator<Item = (&'b str, &'b [u8])>)
    -> FramingFields<'b>;

    /// Records that Content-Length is a list of equal numbers.
    fn record_length_list(&mut self);
}
