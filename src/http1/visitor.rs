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

    /// Visits a field. Returns true if the visitor knows the name, which need not be a token otherwise.
    fn visit(&mut self, name: &'b [u8], value: &'b [u8]) -> bool;

    /// Returns the visited fields that delimit the body.
    fn framing_fields(&self) -> FramingFields<'b>;

    /// Records that Content-Length is a list of equal numbers.
    fn record_length_list(&mut self);
}
