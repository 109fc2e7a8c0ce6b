//! The interface to the layer that interprets the fields of a head.

use super::FramingFields;

/// Receives the fields of one head in the pass that checks them.
///
/// This module knows HTTP only. The visitor recognises and stores the fields of its protocol, and
/// returns the fields that delimit the body. Each field is examined once.
pub trait HeadVisitor<'b> {
    /// The methods of most requests. Requests with other methods take longer to parse.
    const METHODS: &'static [&'static str];

    /// Creates a visitor that has received no fields.
    fn new() -> Self;

    /// Visits a field, and returns true if the visitor knows its name. A name that it knows must be a token.
    /// Returns false without storing the field otherwise: the caller checks the name, and may visit the field
    /// again.
    fn visit(&mut self, name: &'b [u8], value: &'b [u8]) -> bool;

    /// Returns the visited fields that delimit the body.
    fn framing_fields(&self) -> FramingFields<'b>;

    /// Records that Content-Length is a list of equal numbers.
    fn record_length_list(&mut self);
}
