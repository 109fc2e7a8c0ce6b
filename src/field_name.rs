//! The names of fields: the vocabulary that all layers share.

pub(crate) mod download;

use core::num::NonZeroU8;

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
        /// A field that the protocol defines or uses.
        ///
        /// Names are compared ignoring ASCII case and written as documented.
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
            /// All fields.
            pub const ALL: &'static [Self] = &[$($( Self::$variant, )*)+];

            /// Other spellings that are recognised, with their fields.
            #[doc(hidden)]
            pub const OTHER_SPELLINGS: &'static [(&'static str, Self)] =
                &[$($($( (text($spelling), Self::$found), )+)?)+];

            /// Returns the field with this name, ignoring ASCII case.
            ///
            /// Other spellings in use are recognised too: `BITS-Request-DataEntity-Name` and
            /// `BITS-Response-DataEntity-Name` from the text of \[MC-BUP\], and the misspelling
            /// `BITS-Recieved-Content-Range`.
            #[must_use]
            #[inline]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::from_name_and_spelling(name.as_bytes()).map(|(field, _)| field)
            }

            /// Returns the field with this name, and whether it is the documented spelling.
            #[inline(always)]
            pub(crate) fn from_name_and_spelling(name: &[u8]) -> Option<(Self, bool)> {
                match name.len() {
                    $( $len => {
                        $( if eq_ignore_case!(name, $name) { return Some((Self::$variant, true)); } )*
                        $($( if eq_ignore_case!(name, $spelling) { return Some((Self::$found, false)); } )+)?
                        None
                    } )+
                    _ => None,
                }
            }

            /// Returns the documented name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($( Self::$variant => const { text($name) }, )*)+
                }
            }

            /// Returns the end of the previous line, the name, a colon and a space.
            pub(crate) const fn line_start(self) -> &'static [u8] {
                match self {
                    $($( Self::$variant => {
                        const { &line_start::<{ $len + b"\r\n: ".len() }>($name) }
                    } )*)+
                }
            }

            /// Returns the section of \[MC-BUP\] that defines or uses the field.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $($( Self::$variant => $section, )*)+
                }
            }
        }
    };
}

// Grouped by length, which is compared first. A name in the wrong group would never be found; a test
// looks up every name.
field_names! {
    10 {
        Error b"BITS-Error" "2.2.1.2" "The error code; the name in the text of the specification."
    }
    11 {
        RetryAfter b"Retry-After" "2.2.1" "The earliest time of the next request."
    }
    12 {
        HostId b"BITS-Host-Id" "2.2.3.2" "The host to send all further packets to.",
        ContentName b"Content-Name" "2.2.1.1" "The name of the entity."
    }
    13 {
        Protocol b"BITS-Protocol" "2.2.3.2" "The protocol that the server chose.",
        ContentRange b"Content-Range" "2.2.6.1" "The range of the entity that a Fragment carries."
    }
    14 {
        ReplyUrl b"BITS-Reply-URL" "2.2.7.2" "The URL of the reply.",
        ContentLength b"Content-Length" "2.2.1.1" "The length of the body in bytes."
    }
    15 {
        SessionId b"BITS-Session-Id" "2.2.1.2" "The session of a packet.",
        ErrorCode b"BITS-Error-Code" "2.2.1.2" "The error code; the name in Microsoft's documentation.",
        AcceptEncoding b"Accept-encoding" "2.2.3.1" "The content codings that the server accepts."
    }
    16 {
        PacketType b"BITS-Packet-Type" "2.2.1.2" "The packet type.",
        ContentEncoding b"Content-Encoding" "2.2.6.1" "The coding of a Fragment's body."
    }
    17 {
        TransferEncoding b"Transfer-Encoding" "2.2.1.1" "Allowed only in responses: as `chunked`, or if another HTTP stack has decoded the body."
    }
    18 {
        ErrorContext b"BITS-Error-Context" "2.2.1.2" "The origin of the error: the server or the application."
    }
    22 {
        MethodOverride b"X-HTTP-Method-Override" "2.2.1" "The method, where a proxy rejects `BITS_POST`."
    }
    24 {
        SupportedProtocols b"BITS-Supported-Protocols" "2.2.2.2" "The protocols that a client offers.",
        StaticResponseUrl b"BITS-Static-Response-URL" "2.2.13.2" "A reply that exists already."
    }
    25 {
        OriginalRequestUrl b"BITS-Original-Request-URL" "2.2.12.2" "The destination URL."
    }
    26 {
        RequestDataFileName b"BITS-Request-DataFile-Name" "2.2.12.2" "The path of the entity."
    }
    27 {
        ReceivedContentRange b"BITS-Received-Content-Range" "2.2.7.2" "The next offset expected.",
        ResponseDataFileName b"BITS-Response-DataFile-Name" "2.2.12.2" "The path for the reply.";
        b"BITS-Recieved-Content-Range" ReceivedContentRange
    }
    28 {
        ;
        b"BITS-Request-DataEntity-Name" RequestDataFileName
    }
    29 {
        HostIdFallbackTimeout b"BITS-Host-Id-Fallback-Timeout" "2.2.3.2"
            "The number of seconds without the host after which a client returns to the origin server.",
        CopyFileToDestination b"BITS-Copy-File-To-Destination" "2.2.13.2"
            "A request to copy the entity to its destination.";
        b"BITS-Response-DataEntity-Name" ResponseDataFileName
    }
}

impl FieldName {
    /// Returns the first value of this field in `fields`.
    ///
    /// Meant for messages that are not valid packets. A parsed message has typed values.
    #[must_use]
    pub fn find_in<'b>(
        self,
        fields: impl IntoIterator<Item = (&'b str, &'b [u8])>,
    ) -> Option<&'b [u8]> {
        let mut fields = fields.into_iter();
        fields.find(|(name, _)| Self::from_name(name) == Some(self)).map(|(_, value)| value)
    }
}

impl core::fmt::Display for FieldName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A field of an upload or of a download, in one byte: errors are small.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct AnyFieldName(NonZeroU8);

#[expect(clippy::indexing_slicing, reason = "the index is compared with the length")]
impl AnyFieldName {
    const DOWNLOADS: u8 = 128;

    pub(crate) const fn upload(field: FieldName) -> Self {
        Self(NonZeroU8::MIN.saturating_add(field as u8))
    }

    pub(crate) const fn download(field: download::FieldName) -> Self {
        Self(NonZeroU8::MIN.saturating_add(Self::DOWNLOADS.saturating_add(field as u8)))
    }

    /// Returns the documented name.
    pub(crate) const fn as_str(self) -> &'static str {
        let downloads = download::FieldName::ALL;
        match (self.as_upload(), self.index().wrapping_sub(Self::DOWNLOADS) as usize) {
            (Some(field), _) => field.as_str(),
            (None, index) if index < downloads.len() => downloads[index].as_str(),
            // There is no other number.
            (None, _) => "",
        }
    }

    /// Returns the section of [MC-BUP] that defines or uses the field. For all fields of downloads it
    /// is the one that refers to HTTP.
    pub(crate) const fn section(self) -> &'static str {
        match self.as_upload() {
            Some(field) => field.section(),
            None => "2.3",
        }
    }

    pub(crate) const fn is(self, other: Self) -> bool {
        self.0.get() == other.0.get()
    }

    const fn as_upload(self) -> Option<FieldName> {
        let (uploads, index) = (FieldName::ALL, self.index() as usize);
        if index < uploads.len() { Some(uploads[index]) } else { None }
    }

    const fn index(self) -> u8 {
        self.0.get().wrapping_sub(1)
    }
}

const _: () = assert!(
    FieldName::ALL.len() < AnyFieldName::DOWNLOADS as usize && download::FieldName::ALL.len() < 127,
    "every field has its own number"
);
