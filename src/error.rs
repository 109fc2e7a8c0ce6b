//! What can be wrong with a message, where, and whose fault it is.
//!
//! One [`Error`] type serves the whole crate. It is small, `Copy`, and says five things: the
//! [kind](ErrorKind) of rule that was broken, the field it was broken in, the byte offset in the
//! input where that can be known, the section of \[MC-BUP\] that states the rule, and the
//! [fault](Fault): the peer's bytes, the peer's behaviour, or our caller.
//!
//! An incomplete head is not an error; see [`Progress`](crate::http1::Progress).

use core::fmt;

/// A rule that was broken.
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
/// assert_eq!(error.section(), "2.2.6.1");
/// assert_eq!(error.fault(), Fault::Caller);
/// assert_eq!(
///     error.to_string(),
///     "Content-Range: the last byte lies outside the total length (byte 6, [MC-BUP] 2.2.6.1)"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Error {
    pub(crate) kind: ErrorKind,
    pub(crate) field: Option<&'static str>,
    pub(crate) section: &'static str,
    pub(crate) offset: Option<usize>,
    pub(crate) fault: Fault,
    pub(crate) stage: CheckStage,
}

impl Error {
    /// An error in the shape of the head itself, which belongs to no field.
    pub(crate) const fn http(kind: ErrorKind, offset: Option<usize>) -> Self {
        Self {
            kind,
            field: None,
            section: "2.2.1",
            offset,
            fault: Fault::PeerBytes,
            stage: CheckStage::Http,
        }
    }

    /// An error in what the caller asked to be written.
    pub(crate) const fn caller(kind: ErrorKind) -> Self {
        Self {
            kind,
            field: None,
            section: "2.2",
            offset: None,
            fault: Fault::Caller,
            stage: CheckStage::Packet,
        }
    }

    /// Which rule was broken.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The documented name of the field at fault, where one is.
    #[must_use]
    pub const fn field(&self) -> Option<&'static str> {
        self.field
    }

    /// The section of \[MC-BUP\] that states the rule.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        self.section
    }

    /// Where in the input the rule was broken, in bytes from its start.
    ///
    /// For a head read from bytes the input is the head; a field that is absent is reported at the
    /// empty line that ends the head. For a single value the input is the value. `None` for a
    /// message that came in as name and value pairs, which have no place in one input.
    #[must_use]
    pub const fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        self.fault
    }

    /// How far a server had come in checking the request; see [`CheckStage`].
    #[must_use]
    pub const fn stage(&self) -> CheckStage {
        self.stage
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} (", self.kind)?;
        if let Some(offset) = self.offset {
            write!(f, "byte {offset}, ")?;
        }
        write!(f, "[MC-BUP] {})", self.section)
    }
}

impl core::error::Error for Error {}

/// Whose fault an [`Error`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Fault {
    /// The peer sent bytes that are not a message.
    PeerBytes,
    /// The peer sent a well-formed message that does not fit what went before it.
    PeerBehaviour,
    /// The caller of this crate asked for something that cannot be sent.
    Caller,
}

/// The order in which a server checks a request; the first check that fails is the one answered.
///
/// The crate checks everything but access, which only the host can judge. Where the order matters
/// to the host (an intruder should learn nothing about sessions), it asks for
/// `error.stage() > CheckStage::Access` and checks access before it sends the refusal.
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
    /// Sizes and duplicates of fields.
    Limits,
    /// Content-Length and whether a body may follow.
    Length,
    /// Whether the client may do this at all: the host's check.
    Access,
    /// The session id.
    Session,
    /// The packet's own fields.
    Packet,
}

macro_rules! error_kinds {
    ($( $(#[$doc:meta])* $kind:ident $name:literal => $sentence:literal, )+) => {
        /// The rules that can be broken. Open: a later version may name more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(
                #[doc = concat!("*", $sentence, ".*")]
                ///
                $(#[$doc])*
                $kind,
            )+
            /// *The buffer is too small.* Nothing was written.
            BufferTooSmall {
                /// How many bytes the message takes.
                needed: usize,
            },
        }

        impl ErrorKind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [Self] = &[
                $( Self::$kind, )+
                Self::BufferTooSmall { needed: 0 },
            ];

            /// A stable kebab-case name, for logs and for machines.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )+
                    Self::BufferTooSmall { .. } => "buffer-too-small",
                }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$kind => f.write_str($sentence), )+
                    Self::BufferTooSmall { needed } => {
                        write!(f, "the buffer is too small: the message takes {needed} bytes")
                    }
                }
            }
        }
    };
}

error_kinds! {
    // The head.
    /// The offset is that of the first byte that fits nowhere.
    Syntax "syntax" => "this is not the head of an HTTP/1.1 message",
    /// Lines end in CR LF; a server that also takes LF disagrees with its proxies about the head.
    BareLineFeed "bare-line-feed" => "a line ends in LF without CR",
    /// See [`Limits`](crate::limits::Limits).
    HeadTooLarge "head-too-large" => "the head is larger than the limit",
    /// See [`Limits`](crate::limits::Limits).
    TooManyFields "too-many-fields" => "the head has more fields than the limit",
    /// Only HTTP/1.1 is taken from a client.
    HttpVersion "http-version" => "the HTTP version must be 1.1",
    /// Every message of the protocol is framed by Content-Length alone.
    TransferEncoding "transfer-encoding" => "this protocol never uses a transfer coding",
    /// Two readers of such a head would disagree about where it ends.
    ContentLengthConflict "content-length-conflict" => "two lengths contradict each other",

    // The request.
    /// Notifications are plain POSTs.
    NotPost "not-post" => "the method of a notification is POST",
    /// Neither `BITS_POST` nor an alternative that the policy allows.
    NotBits "not-bits" => "the method is not BITS_POST",
    /// The message cannot be understood without it.
    MissingField "missing-field" => "the field is missing",
    /// Equal duplicates are a deviation; different ones have no meaning.
    ConflictingField "conflicting-field" => "the field appears twice with different values",
    /// See [`ParseOptions::max_value`](crate::message::ParseOptions::max_value).
    ValueTooLong "value-too-long" => "the value is longer than the limit of 4096 bytes or the one set",
    /// A request is one of Ping, Create-Session, Fragment, Close-Session and Cancel-Session.
    UnknownPacketType "unknown-packet-type" => "the packet type is not one a client sends",
    /// Only a Fragment and a notification by value carry a body.
    UnexpectedBody "unexpected-body" => "this packet has no body, but its length is not zero",
    /// A Fragment's body holds its range, no more and no less.
    LengthMismatch "length-mismatch" => "the body's length differs from that of Content-Range",

    // The Ack.
    /// It may be a web page that answers everything with 200.
    NotAnAck "not-an-ack" => "a success without a packet type is not an Ack",
    /// The final response follows it.
    InterimResponse "interim-response" => "an interim (1xx) response answers nothing",
    /// Responses carry the packet type Ack.
    WrongPacketType "wrong-packet-type" => "the packet type of a response must be Ack",
    /// The server may choose only from the list in the Create-Session.
    NotOffered "not-offered" => "the server chose a protocol that was not offered",
    /// A server cannot hold more than it was sent.
    ReceivedBeyondSent "received-beyond-sent" => "the offset lies beyond what was sent",
    /// Nothing is known about where to go on.
    OutOfSyncWithoutOffset "out-of-sync-without-offset" => "a 416 without an offset to go on at cannot be acted on",

    // The grammar of one field.
    /// A value is needed here.
    Empty "empty" => "the value is empty",
    /// The field's type says how long it may be.
    TooLong "too-long" => "the value is too long",
    /// Control characters, or white space where there must be none.
    InvalidByte "invalid-byte" => "the value holds a byte that is not allowed there",
    /// Digits and nothing else: no sign, no white space.
    NotDecimal "not-decimal" => "digits are expected",
    /// The largest number is 18446744073709551615, or 4294967295 for a timeout.
    NumberTooLarge "number-too-large" => "the number is too large",
    /// One to eight hexadecimal digits after an optional `0x`.
    NotHexadecimal "not-hexadecimal" => "one to eight hexadecimal digits are expected",
    /// 32 hexadecimal digits in five groups, in braces.
    NotGuid "not-guid" => "a GUID in braces is expected",
    /// At least one, at most 100, in at most four fields.
    ProtocolCount "protocol-count" => "a list of 1 to 100 protocols is expected",
    /// `bytes FIRST-LAST/TOTAL` and nothing else.
    NotByteRange "not-byte-range" => "'bytes FIRST-LAST/TOTAL' is expected",
    /// A range holds at least one byte.
    FirstBeyondLast "first-beyond-last" => "the first byte lies beyond the last",
    /// The last byte of an entity of N bytes is N - 1.
    LastBeyondTotal "last-beyond-total" => "the last byte lies outside the total length",
    /// Only identity, which may be left out.
    UnsupportedEncoding "unsupported-encoding" => "only the identity encoding is supported",
    /// A host alone: no scheme, user, path or query.
    NotHost "not-host" => "a host name or an IP address is expected",
    /// `http://` or `https://`, a host, and what follows.
    NotAbsoluteUrl "not-absolute-url" => "an absolute http or https URL is expected",
    /// The scheme of another protocol is never followed.
    UnsupportedScheme "unsupported-scheme" => "only http and https URLs are supported",

    // What a caller asks for.
    /// Everything is resolved against it, so it has to be whole.
    NotDestination "not-destination" => "the destination is not an absolute http or https URL",
    /// 200 and 201 are successes, 1xx are interim, and 416 needs an offset.
    NotRefusal "not-refusal" => "the status cannot be that of a refusal",
    /// From 100 to 999.
    NotStatus "not-status" => "a status code has three digits",
    /// Visible ASCII without spaces, at least one byte.
    NotTarget "not-target" => "the request target is not visible ASCII",
    /// Framing and the fields of the protocol are written from the message's values.
    ReservedExtra "reserved-extra" => "this field is written from the message and cannot be an extra",
    /// A field name is a token: letters, digits and a few marks.
    ExtraName "extra-name" => "the name of the extra field is not a token",
    /// CR, LF and NUL would end the field, or start another message.
    ExtraValue "extra-value" => "the value of the extra field holds a control character or outer white space",
}

/// A flaw in one value, before it is known in which field, where, and whose fault it is.
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
