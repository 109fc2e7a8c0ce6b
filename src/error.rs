//! Errors: the rule that was broken, where, and which side is at fault.
//!
//! The whole crate uses one [`Error`] type. It is small and `Copy`, and holds:
//!
//! * the [kind](ErrorKind) of rule that was broken,
//! * the field with the error, and the byte offset in the input,
//! * the section of \[MC-BUP\] that states the rule,
//! * the side at [fault](Fault): the peer's bytes, the peer's behaviour, or the caller,
//! * an excerpt of the value that was received, and the limit that was exceeded.
//!
//! An incomplete head is not an error; see [`Progress`](crate::http1::Progress).

mod kind;

use core::fmt;

pub use self::kind::ErrorKind;
use self::kind::Tag;
use crate::field_name::{AnyFieldName, FieldName, download};
use crate::util::excerpt::Excerpt;

/// A rule of the protocol that was broken.
///
/// # Example
///
/// ```
/// use bits_proto::error::{ErrorKind, Fault};
/// use bits_proto::field::ContentRange;
///
/// let error = ContentRange::try_from(b"bytes 0-10/10").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::LastBeyondTotal);
/// assert_eq!(error.field(), Some("Content-Range"));
/// assert_eq!(error.received(), Some(&b"bytes 0-10/10"[..]));
/// assert_eq!(error.section(), "2.2.6.1");
/// assert_eq!(error.fault(), Fault::Caller);
/// assert_eq!(
///     error.to_string(),
///     "Content-Range: last byte must be less than the total length, \
///      received \"bytes 0-10/10\" (byte 6, [MC-BUP] 2.2.6.1)"
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error {
    /// The offset in the input, or [`NO_OFFSET`].
    offset: usize,
    /// The length of the received value.
    received_len: usize,
    /// The number in the text of the kind: a limit, a length, or a status code.
    number: u64,
    excerpt: Excerpt,
    tag: Tag,
    field: Option<AnyFieldName>,
    fault: Fault,
    stage: CheckStage,
}

/// The value of `offset` if it is unknown.
const NO_OFFSET: usize = usize::MAX;

// Errors must not make the results of parsing larger.
const _: () = assert!(size_of::<Error>() <= 72, "an error is small");

impl Error {
    /// An error in the input of a peer.
    pub(crate) const fn peer(kind: ErrorKind) -> Self {
        let number = match kind {
            ErrorKind::BufferTooSmall { needed } => needed as u64,
            _ => 0,
        };
        Self {
            offset: NO_OFFSET,
            received_len: 0,
            number,
            excerpt: Excerpt::EMPTY,
            tag: kind.tag(),
            field: None,
            fault: Fault::PeerBytes,
            stage: CheckStage::Packet,
        }
    }

    /// An error in the syntax of a head, outside the known fields.
    pub(crate) const fn http(kind: ErrorKind, offset: Option<usize>) -> Self {
        Self { stage: CheckStage::Http, ..Self::peer(kind) }.at(offset)
    }

    /// An error in a request of the caller.
    pub(crate) const fn caller(kind: ErrorKind) -> Self {
        Self { fault: Fault::Caller, ..Self::peer(kind) }
    }

    pub(crate) const fn at(self, offset: Option<usize>) -> Self {
        let offset = match offset {
            Some(offset) => offset,
            None => NO_OFFSET,
        };
        Self { offset, ..self }
    }

    pub(crate) const fn in_field(self, field: FieldName) -> Self {
        Self { field: Some(AnyFieldName::upload(field)), ..self }
    }

    pub(crate) const fn in_download_field(self, field: download::FieldName) -> Self {
        Self { field: Some(AnyFieldName::download(field)), ..self }
    }

    pub(crate) const fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    pub(crate) const fn at_stage(self, stage: CheckStage) -> Self {
        Self { stage, ..self }
    }

    /// Adds the limit, or the other number that the text of the kind contains.
    pub(crate) const fn with_number(self, number: u64) -> Self {
        Self { number, ..self }
    }

    /// Adds an excerpt of the received value around the offset `at` in it.
    #[cold]
    pub(crate) fn with_received(self, value: &[u8], at: usize) -> Self {
        Self { received_len: value.len(), excerpt: Excerpt::new(value, at), ..self }
            .with_limit_of_value(at)
    }

    /// Adds the length of the received value, but no part of it.
    pub(crate) const fn with_received_len(self, received_len: usize) -> Self {
        Self { received_len, ..self }
    }

    /// Adds excerpts of two conflicting values, or of one that conflicts with an unknown one.
    #[cold]
    pub(crate) fn with_conflict(self, earlier: &[u8], later: &[u8]) -> Self {
        if earlier == later {
            return self.with_received(later, 0);
        }
        self.with_pair(earlier, later)
    }

    /// Adds excerpts of the values of two fields, which may be equal.
    #[cold]
    pub(crate) fn with_pair(self, earlier: &[u8], later: &[u8]) -> Self {
        Self { received_len: later.len(), excerpt: Excerpt::conflict(earlier, later), ..self }
    }

    const fn is_in(&self, field: FieldName) -> bool {
        matches!(self.field, Some(it) if it.is(AnyFieldName::upload(field)))
    }

    /// Adds the limit of those kinds whose limit depends on the field alone.
    const fn with_limit_of_value(self, at: usize) -> Self {
        match self.tag {
            // The error is at the first byte beyond the limit.
            Tag::TooLong => self.with_number(at as u64),
            Tag::NumberTooLarge if self.is_in(FieldName::HostIdFallbackTimeout) => {
                self.with_number(u32::MAX as u64)
            }
            Tag::NumberTooLarge => self.with_number(u64::MAX),
            _ => self,
        }
    }

    /// Returns the rule that was broken.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.tag.kind(self.number as usize)
    }

    /// Returns the documented name of the field with the error.
    ///
    /// `None` if the error is in the start line, or in a field that the protocol does not define.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        match self.field {
            Some(field) => Some(field.as_str()),
            None => None,
        }
    }

    /// Returns the section of \[MC-BUP\] that states the rule.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match (self.tag, self.field, self.fault) {
            (Tag::NotDownload | Tag::NotDelimiter | Tag::InsecureRedirect, ..) => "2.3",
            (Tag::ReservedExtra, ..) | (_, None, Fault::Caller) => "2.2",
            (_, None, _) => "2.2.1",
            (_, Some(field), _) => field.section(),
        }
    }

    /// Returns the offset of the error in the input, in bytes.
    ///
    /// For a head parsed from bytes, the input is the head; the offset of a missing field is that
    /// of the empty line at the end of the head. For a single value, the input is the value.
    /// `None` for messages passed as pairs of name and value, which are not one input.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        match self.offset {
            NO_OFFSET => None,
            offset => Some(offset),
        }
    }

    /// Returns the side at fault.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// Returns the check of the request that failed; see [`CheckStage`].
    #[must_use]
    pub const fn stage(&self) -> CheckStage {
        self.stage
    }

    /// Returns an excerpt of the received value: at most 40 bytes, around the error.
    ///
    /// Of two conflicting values it is the earlier one, at most 20 bytes. `None` if there was no
    /// value, or if its field is not one of the protocol's: such a value may be a secret. For
    /// [`ErrorKind::ExtraName`] and [`ErrorKind::ExtraValue`] it is the name of the extra field.
    #[must_use]
    pub fn received(&self) -> Option<&[u8]> {
        self.excerpt.first().map(|value| value.bytes)
    }

    /// Returns an excerpt of the later of two conflicting values: at most 20 bytes.
    #[must_use]
    pub fn conflicting(&self) -> Option<&[u8]> {
        self.excerpt.second().map(|value| value.bytes)
    }

    /// Returns the limit that was exceeded: a number of bytes or fields, or the largest number
    /// that is allowed.
    #[must_use]
    pub const fn limit(&self) -> Option<u64> {
        match self.tag {
            Tag::HeadTooLarge
            | Tag::TooManyFields
            | Tag::ChunkLineTooLong
            | Tag::TrailersTooLarge
            | Tag::BodyTooLarge
            | Tag::ValueTooLong
            | Tag::TooLong
            | Tag::NumberTooLarge
            | Tag::UnexpectedBody
            | Tag::ReceivedBeyondSent => Some(self.number),
            _ => None,
        }
    }

    /// Returns true if the description contains the name of the field.
    const fn names_field(&self) -> bool {
        matches!(self.tag, Tag::TransferEncoding | Tag::NotAnAck | Tag::OutOfSyncWithoutOffset)
    }

    /// Writes the rule with its numbers, without the received value.
    fn fmt_rule(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match (self.tag, self.limit()) {
            (Tag::HeadTooLarge, Some(limit)) => {
                write!(f, "message head exceeds the limit of {limit} bytes")
            }
            (Tag::TooManyFields, Some(limit)) => {
                write!(f, "number of fields exceeds the limit of {limit}")
            }
            (Tag::ChunkLineTooLong, Some(limit)) => {
                write!(f, "line with a chunk size exceeds the limit of {limit} bytes")
            }
            (Tag::TrailersTooLarge, Some(limit)) => {
                write!(f, "trailers exceed the limit of {limit} bytes")
            }
            (Tag::BodyTooLarge, Some(limit)) => {
                write!(f, "chunked body exceeds the limit of {limit} bytes")
            }
            (Tag::NumberTooLarge, Some(limit)) => {
                write!(f, "number exceeds the maximum of {limit}")
            }
            (Tag::ReceivedBeyondSent, Some(sent)) => {
                write!(f, "offset exceeds the {sent} bytes sent")
            }
            (Tag::UnexpectedBody, Some(limit)) => {
                write!(f, "expected at most {limit} because this packet has no body")
            }
            (Tag::LengthMismatch, _) => {
                write!(f, "expected {number}, the length of Content-Range")
            }
            (Tag::NotStatus, _) => {
                write!(f, "expected a status code from 100 to 999, received {number}")
            }
            (Tag::NotRefusal, _) => write!(f, "status code {number} is not a refusal"),
            _ => fmt::Display::fmt(&self.kind(), f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_conflict = self.excerpt.second().is_some();
        if let Some(field) = self.field.filter(|_| is_conflict || !self.names_field()) {
            write!(f, "{}: ", field.as_str())?;
        }
        match (self.tag, self.excerpt.first(), self.excerpt.second()) {
            (Tag::TransferEncoding, Some(earlier), Some(later)) => {
                write!(f, "received several fields, {earlier} and {later}, expected at most one")?;
            }
            (_, Some(earlier), Some(later)) => {
                write!(f, "conflicting values {earlier} and {later}")?;
            }
            (Tag::ValueTooLong | Tag::TooLong, ..) => {
                let (length, limit) = (self.received_len, self.number);
                write!(f, "value of {length} bytes exceeds the limit of {limit}")?;
            }
            (Tag::ExtraValue, Some(name), _) => {
                write!(f, "value of the extra field {name} contains a control character ")?;
                f.write_str("or outer white space")?;
            }
            (_, Some(received), _) if !received.bytes.is_empty() => {
                self.fmt_rule(f)?;
                write!(f, ", received {received}")?;
            }
            _ => self.fmt_rule(f)?,
        }
        f.write_str(" (")?;
        if let Some(offset) = self.offset() {
            write!(f, "byte {offset}, ")?;
        }
        write!(f, "[MC-BUP] {})", self.section())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut error = f.debug_struct("Error");
        error.field("kind", &self.kind()).field("field", &self.field());
        error.field("offset", &self.offset()).field("section", &self.section());
        error.field("fault", &self.fault).field("stage", &self.stage);
        error.field("message", &format_args!("{self}")).finish()
    }
}

impl core::error::Error for Error {}

/// The side at fault for an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Fault {
    /// The peer sent bytes that are not a valid message.
    PeerBytes,
    /// The peer sent a valid message that does not match an earlier one.
    PeerBehaviour,
    /// The caller of this crate requested a message that cannot be sent.
    Caller,
}

/// The checks of a request, in the order in which a server performs them.
///
/// The first check that fails determines the response. The crate performs all checks but
/// [`Access`](Self::Access), which is the embedder's. A client without access must not learn
/// whether a session exists: if `error.stage() > CheckStage::Access`, check access before sending
/// the refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum CheckStage {
    /// HTTP syntax, version and framing.
    Http,
    /// The method.
    Method,
    /// The packet type.
    PacketType,
    /// The sizes and duplicates of fields.
    Limits,
    /// Content-Length, and whether a body is allowed.
    Length,
    /// The client's right to upload, checked by the embedder.
    Access,
    /// The session id.
    Session,
    /// The fields of the packet.
    Packet,
}

/// An error in one value, without its field, position and fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueError {
    pub(crate) kind: ErrorKind,
    /// Offset within the value.
    pub(crate) at: usize,
}

impl ValueError {
    pub(crate) const fn new(kind: ErrorKind, at: usize) -> Self {
        Self { kind, at }
    }
}

#[cfg(feature = "serde")]
crate::util::serialize::serialize_name!(ErrorKind);

#[cfg(feature = "serde")]
impl serde::Serialize for Error {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let mut record = serializer.serialize_struct("Error", 7)?;
        record.serialize_field("kind", &self.kind())?;
        record.serialize_field("field", &self.field())?;
        record.serialize_field("offset", &self.offset())?;
        record.serialize_field("section", self.section())?;
        record.serialize_field("fault", &self.fault())?;
        record.serialize_field("stage", &self.stage())?;
        record.serialize_field("message", &crate::util::serialize::AsDisplay(self))?;
        record.end()
    }
}

/// Returns the message of an error with those of its sources, separated by colons and without
/// repetitions.
///
/// # Example
///
/// ```
/// use bits_proto::error::error_chain;
///
/// let error = std::io::Error::other("number".parse::<u8>().unwrap_err());
/// assert_eq!(error_chain(&error), "invalid digit found in string");
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn error_chain(error: &dyn core::error::Error) -> alloc::string::String {
    use alloc::string::ToString as _;

    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let of_cause = cause.to_string();
        // Many libraries repeat the cause in the text of an error.
        if !text.contains(&of_cause) {
            text.push_str(": ");
            text.push_str(&of_cause);
        }
        source = cause.source();
    }
    text
}
