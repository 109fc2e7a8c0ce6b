//! The kinds of errors: one table of names and descriptions.

use core::fmt;

macro_rules! error_kinds {
    ($( $(#[$doc:meta])* $kind:ident $name:literal => $description:literal, )+) => {
        /// The rule that was broken. Later versions may add kinds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $(
                #[doc = concat!("*", $description, ".*")]
                ///
                $(#[$doc])*
                $kind,
            )+
            /// *buffer too small.* Nothing was written.
            BufferTooSmall {
                /// The number of bytes that the output takes.
                needed: usize,
            },
        }

        impl ErrorKind {
            /// Every kind, for tables and tests.
            pub const ALL: &'static [Self] = &[
                $( Self::$kind, )+
                Self::BufferTooSmall { needed: 0 },
            ];

            /// Returns a stable kebab-case name, for logs and programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )+
                    Self::BufferTooSmall { .. } => "buffer-too-small",
                }
            }

            /// Returns the kind without its number, which [`Error`](super::Error) keeps elsewhere.
            pub(super) const fn tag(self) -> Tag {
                match self {
                    $( Self::$kind => Tag::$kind, )+
                    Self::BufferTooSmall { .. } => Tag::BufferTooSmall,
                }
            }
        }

        /// An [`ErrorKind`] in one byte.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[expect(clippy::enum_variant_names, reason = "they are the names of kinds")]
        pub(super) enum Tag {
            $( $kind, )+
            BufferTooSmall,
        }

        impl Tag {
            /// Returns the kind; `needed` is the number of [`ErrorKind::BufferTooSmall`].
            pub(super) const fn kind(self, needed: usize) -> ErrorKind {
                match self {
                    $( Self::$kind => ErrorKind::$kind, )+
                    Self::BufferTooSmall => ErrorKind::BufferTooSmall { needed },
                }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $( Self::$kind => f.write_str($description), )+
                    Self::BufferTooSmall { needed } => {
                        write!(f, "buffer too small, {needed} bytes needed")
                    }
                }
            }
        }
    };
}

error_kinds! {
    // The head of a message.
    /// The offset is that of the first byte that cannot be parsed.
    Syntax "syntax" => "malformed HTTP/1.1 message head",
    /// Lines end in CR LF. A server that also accepts LF may disagree with a proxy about the head.
    BareLineFeed "bare-line-feed" => "line ends in LF without CR",
    /// See [`Limits::head_bytes`](crate::limits::Limits::head_bytes).
    HeadTooLarge "head-too-large" => "message head exceeds the size limit",
    /// See [`Limits::fields`](crate::limits::Limits::fields).
    TooManyFields "too-many-fields" => "number of fields exceeds the limit",
    /// Requests must be HTTP/1.1.
    HttpVersion "http-version" => "expected HTTP/1.1",
    /// The framing of the protocol is Content-Length; a reverse proxy may send a response in chunks.
    TransferEncoding "transfer-encoding" => "Transfer-Encoding is allowed only as chunked, in an HTTP/1.1 response without Content-Length",
    /// Two readers of such a head would disagree about the end of the message.
    ContentLengthConflict "content-length-conflict" => "conflicting values of Content-Length",

    // A body that is sent in chunks.
    /// White space is allowed only before an extension.
    ChunkSize "chunk-size" => "expected a chunk size of 1 to 16 hexadecimal digits",
    /// Every chunk, every chunk size and every trailer ends in CR LF.
    ChunkEnd "chunk-end" => "expected CR LF after a chunk, a chunk size or a trailer",
    /// See [`Limits::chunk_line_bytes`](crate::limits::Limits::chunk_line_bytes).
    ChunkLineTooLong "chunk-line-too-long" => "line with a chunk size exceeds the length limit",
    /// See [`Limits::trailer_bytes`](crate::limits::Limits::trailer_bytes).
    TrailersTooLarge "trailers-too-large" => "trailers exceed the size limit",
    /// See [`Limits::chunked_body_bytes`](crate::limits::Limits::chunked_body_bytes).
    BodyTooLarge "body-too-large" => "chunked body exceeds the length limit",

    // Requests.
    /// Notifications are POST requests.
    NotPost "not-post" => "expected method POST",
    /// The method is neither `BITS_POST` nor an alternative that
    /// [`ParseOptions`](crate::message::ParseOptions) allow.
    NotBits "not-bits" => "expected method BITS_POST",
    /// The message has no meaning without the field.
    MissingField "missing-field" => "required field is missing",
    /// Equal duplicates are a [deviation](crate::deviation); different ones are ambiguous.
    ConflictingField "conflicting-field" => "conflicting values",
    /// See [`ParseOptions::max_value`](crate::message::ParseOptions::max_value).
    ValueTooLong "value-too-long" => "value exceeds the length limit",
    /// A request is a Ping, Create-Session, Fragment, Close-Session or Cancel-Session.
    UnknownPacketType "unknown-packet-type" => "expected the packet type of a request",
    /// Only a Fragment and a notification by value have a body. The limit is
    /// [`ParseOptions::max_ignored_body`](crate::message::ParseOptions::max_ignored_body).
    UnexpectedBody "unexpected-body" => "length exceeds the limit of a packet that has no body",
    /// The body of a Fragment has exactly the length of its range.
    LengthMismatch "length-mismatch" => "expected the length of Content-Range",

    // Acks.
    /// The response may be a web page of a server that answers every request with 200.
    NotAnAck "not-an-ack" => "2xx response without BITS-Packet-Type",
    /// The final response follows it.
    InterimResponse "interim-response" => "expected a final response, received an interim (1xx) response",
    /// Responses have the packet type Ack.
    WrongPacketType "wrong-packet-type" => "expected the packet type Ack",
    /// The server may choose only a protocol from the list in the Create-Session request.
    NotOffered "not-offered" => "expected a protocol that was offered",
    /// A server cannot hold more bytes than it was sent.
    ReceivedBeyondSent "received-beyond-sent" => "offset exceeds the number of bytes sent",
    /// The client cannot continue without the offset.
    OutOfSyncWithoutOffset "out-of-sync-without-offset" => "416 response without BITS-Received-Content-Range",

    // The grammar of one field.
    /// The field requires a value.
    Empty "empty" => "value is empty",
    /// The documentation of the field's type states the limit.
    TooLong "too-long" => "value exceeds the length limit of its field",
    /// The byte is a control character, or white space in the wrong place.
    InvalidByte "invalid-byte" => "value contains a byte that is not allowed",
    /// A sign or white space is not allowed.
    NotDecimal "not-decimal" => "expected decimal digits",
    /// The maximum is 18446744073709551615, or 4294967295 for a timeout.
    NumberTooLarge "number-too-large" => "number exceeds the maximum",
    /// The digits may follow the prefix `0x`.
    NotHexadecimal "not-hexadecimal" => "expected 1 to 8 hexadecimal digits",
    /// The forms are those of RFC 9110 section 5.6.7, and the years are 1601 to 9999.
    NotHttpDate "not-http-date" => "expected an HTTP date",
    /// Retry-After is a number of seconds or a date.
    NotRetryAfter "not-retry-after" => "expected a number of seconds or an HTTP date",
    /// Zero means "no error".
    ZeroErrorCode "zero-error-code" => "expected an error code other than zero",
    /// A GUID has five groups of digits, and may be in braces.
    NotGuid "not-guid" => "expected a GUID of 32 hexadecimal digits",
    /// The list is empty, or spread over too many fields.
    ProtocolCount "protocol-count" => "expected 1 to 100 protocols in at most 4 fields",
    /// The value has a different form, or other bytes around it.
    NotByteRange "not-byte-range" => "expected 'bytes FIRST-LAST/TOTAL'",
    /// A range contains at least one byte.
    FirstBeyondLast "first-beyond-last" => "first byte must not exceed the last byte",
    /// The last byte of an entity of N bytes is N - 1.
    LastBeyondTotal "last-beyond-total" => "last byte must be less than the total length",
    /// The field is optional, and identity is the only encoding.
    UnsupportedEncoding "unsupported-encoding" => "expected the identity encoding",
    /// A scheme, user, path or query is not allowed.
    NotHost "not-host" => "expected a host name or an IP address",
    /// The URL starts with `http://` or `https://` and a host.
    NotAbsoluteUrl "not-absolute-url" => "expected an absolute http or https URL",
    /// URLs with other schemes are never followed.
    UnsupportedScheme "unsupported-scheme" => "expected the scheme http or https",

    // Downloads.
    /// Other methods do not download.
    NotDownload "not-download" => "expected method GET or HEAD",
    /// The value has a different form, another unit, or no range.
    NotRangeList "not-range-list" => "expected 'bytes=' and a list of ranges",
    /// The value has a different form, or not the one that belongs to the status code.
    NotContentRange "not-content-range" => "expected 'bytes FIRST-LAST/TOTAL' or 'bytes */TOTAL'",
    /// A tag is a text in quotes, after `W/` if it is weak.
    NotEntityTag "not-entity-tag" => "expected an entity tag in quotes",
    /// The boundary is missing, repeated, or has other characters.
    NotMultipart "not-multipart" => "expected multipart/byteranges with a boundary of 1 to 70 characters",
    /// Other bytes are where a part must end or begin.
    NotDelimiter "not-delimiter" => "expected the boundary between two parts",
    /// The content of an https URL is not fetched without encryption.
    InsecureRedirect "insecure-redirect" => "redirect from https to http is not allowed",

    // Requests of the caller.
    /// Other URLs are resolved against the destination.
    NotDestination "not-destination" => "destination must be an absolute http or https URL",
    /// 2xx statuses mean success, 1xx are interim, and 416 requires an offset.
    NotRefusal "not-refusal" => "status code is not a refusal",
    /// A status code has three digits.
    NotStatus "not-status" => "expected a status code from 100 to 999",
    /// A request target has at least one byte and no spaces.
    NotTarget "not-target" => "request target must be visible ASCII",
    /// Framing, and the fields of this and of other messages, are not extra fields.
    ReservedExtra "reserved-extra" => "field belongs to the protocol and cannot be an extra",
    /// A field name is a token: letters, digits and some punctuation.
    ExtraName "extra-name" => "name of the extra field is not a token",
    /// CR, LF or NUL would end the field or start another message.
    ExtraValue "extra-value" => "value of the extra field contains a control character or outer white space",
}
