//! The names of the fields, and finding them in any letter case.

use crate::error::{Error, ValueError};
use crate::util::ascii_case::eq_ignore_case;

const fn text(bytes: &'static [u8]) -> &'static str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => "",
    }
}

/// `CRLF name ":" SP`
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a constant")]
const fn line_start<const LENGTH: usize>(name: &[u8]) -> [u8; LENGTH] {
    let mut line = [0; LENGTH];
    (line[0], line[1]) = (b'\r', b'\n');
    (line[LENGTH - 2], line[LENGTH - 1]) = (b':', b' ');
    let mut at = 0;
    while at < name.len() {
        line[at + 2] = name[at];
        at += 1;
    }
    line
}

macro_rules! field_names {
    ($(
        $len:literal {
            $( $variant:ident $name:literal $section:literal $doc:literal ),*
            $(; $( $spelling:literal $found:ident ),+ )?
        }
    )+) => {
        /// A field that the protocol defines or gives a meaning to.
        ///
        /// Names are compared without regard to case, as HTTP has it, and written as documented.
        ///
        /// # Example
        ///
        /// ```
        /// use bits_proto::field::FieldName;
        ///
        /// assert_eq!(FieldName::from_name("bits-session-id"), Some(FieldName::SessionId));
        /// assert_eq!(FieldName::SessionId.as_str(), "BITS-Session-Id");
        /// assert_eq!(FieldName::from_name("BITS-Package-Type"), None);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FieldName {
            $($( #[doc = concat!($doc, " \\[MC-BUP\\] ", $section, ".")] $variant, )*)+
        }

        impl FieldName {
            /// Every field.
            pub const ALL: &'static [Self] = &[$($( Self::$variant, )*)+];

            /// Finds the field with this name, or with another spelling of it that is in use:
            /// the text's `BITS-Request-DataEntity-Name` and `BITS-Response-DataEntity-Name`, and
            /// the misspelling `BITS-Recieved-Content-Range`.
            #[must_use]
            #[inline]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::from_name_and_spelling(name).map(|(field, _)| field)
            }

            /// The same, with whether it is spelt as documented but for the case of its letters.
            #[inline(always)]
            pub(crate) fn from_name_and_spelling(name: &str) -> Option<(Self, bool)> {
                let name = name.as_bytes();
                match name.len() {
                    $( $len => {
                        $( if eq_ignore_case!(name, $name) { return Some((Self::$variant, true)); } )*
                        $($( if eq_ignore_case!(name, $spelling) { return Some((Self::$found, false)); } )+)?
                        None
                    } )+
                    _ => None,
                }
            }

            /// The name as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($( Self::$variant => const { text($name) }, )*)+
                }
            }

            /// The name as it begins a line, behind the end of the line before.
            pub(crate) const fn line_start(self) -> &'static [u8] {
                match self {
                    $($( Self::$variant => {
                        const { &line_start::<{ $len + b"\r\n: ".len() }>($name) }
                    } )*)+
                }
            }

            /// The section of \[MC-BUP\] that defines the field, or gives it its meaning.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $($( Self::$variant => $section, )*)+
                }
            }
        }
    };
}

// Grouped by length, which is what is looked at first. A name in the wrong group would never be
// found; a test looks every one up.
field_names! {
    10 {
        Error b"BITS-Error" "2.2.1.2" "The error code, as the specification's text calls it."
    }
    12 {
        HostId b"BITS-Host-Id" "2.2.3.2" "The host to send everything else to.",
        ContentName b"Content-Name" "2.2.1.1" "The name of the entity."
    }
    13 {
        Protocol b"BITS-Protocol" "2.2.3.2" "The protocol the server chose.",
        ContentRange b"Content-Range" "2.2.6.1" "Which bytes of the entity a Fragment holds."
    }
    14 {
        ReplyUrl b"BITS-Reply-URL" "2.2.7.2" "Where the reply to the upload is.",
        ContentLength b"Content-Length" "2.2.1.1" "How many bytes of body follow."
    }
    15 {
        SessionId b"BITS-Session-Id" "2.2.1.2" "The session a packet belongs to.",
        ErrorCode b"BITS-Error-Code" "2.2.1.2" "The error code, as Microsoft's pages call it.",
        AcceptEncoding b"Accept-encoding" "2.2.3.1" "The content codings the server takes."
    }
    16 {
        PacketType b"BITS-Packet-Type" "2.2.1.2" "What a message is.",
        ContentEncoding b"Content-Encoding" "2.2.6.1" "The coding of a Fragment's body."
    }
    17 {
        TransferEncoding b"Transfer-Encoding" "2.2.1.1" "Refused, but where another HTTP stack has dealt with it and the response is no Ack."
    }
    18 {
        ErrorContext b"BITS-Error-Context" "2.2.1.2" "Who met the error."
    }
    22 {
        MethodOverride b"X-HTTP-Method-Override" "2.2.1" "The verb, where a proxy refuses it."
    }
    24 {
        SupportedProtocols b"BITS-Supported-Protocols" "2.2.2.2" "The protocols a client offers.",
        StaticResponseUrl b"BITS-Static-Response-URL" "2.2.13.2" "A reply that exists already."
    }
    25 {
        OriginalRequestUrl b"BITS-Original-Request-URL" "2.2.12.2" "The destination URL."
    }
    26 {
        RequestDataFileName b"BITS-Request-DataFile-Name" "2.2.12.2" "Where the entity is."
    }
    27 {
        ReceivedContentRange b"BITS-Received-Content-Range" "2.2.7.2" "The next offset expected.",
        ResponseDataFileName b"BITS-Response-DataFile-Name" "2.2.12.2" "Where the reply belongs.";
        b"BITS-Recieved-Content-Range" ReceivedContentRange
    }
    28 {
        ;
        b"BITS-Request-DataEntity-Name" RequestDataFileName
    }
    29 {
        HostIdFallbackTimeout b"BITS-Host-Id-Fallback-Timeout" "2.2.3.2"
            "After how many seconds without the host a client returns to the origin.",
        CopyFileToDestination b"BITS-Copy-File-To-Destination" "2.2.13.2"
            "Asks for the entity to be put at its destination.";
        b"BITS-Response-DataEntity-Name" ResponseDataFileName
    }
}

impl FieldName {
    /// The first value that `fields` has for this field, if any.
    ///
    /// For looking at a message that is no valid packet; a message that is read says more.
    #[must_use]
    pub fn find_in<'b>(
        self,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Option<&'b [u8]> {
        let mut fields = fields.into_iter();
        fields.find(|(name, _)| Self::from_name(name) == Some(self)).map(|(_, value)| value)
    }

    /// An error in a value of this field that the caller made from several parts.
    pub(crate) const fn caller_error(self, error: ValueError) -> Error {
        Error::caller(error.kind).in_field(self).at(Some(error.at))
    }

    /// An error in a value of this field that the caller passed.
    #[cold]
    pub(crate) fn value_error(self, value: &[u8], error: ValueError) -> Error {
        self.caller_error(error).with_received(value, error.at)
    }
}

impl core::fmt::Display for FieldName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
