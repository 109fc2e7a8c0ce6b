//! The names of the fields of downloads.

use super::{line_start, text};
use crate::util::ascii_case::eq_ignore_case;

macro_rules! download_field_names {
    ($( $variant:ident $len:literal $name:literal $section:literal $doc:literal, )+) => {
        /// A field that downloads use.
        ///
        /// Names are compared ignoring ASCII case and written as documented.
        ///
        /// # Example
        ///
        /// ```
        /// use bits_proto::download::field::FieldName;
        ///
        /// assert_eq!(FieldName::from_name("etag"), Some(FieldName::ETag));
        /// assert_eq!(FieldName::ETag.as_str(), "ETag");
        /// assert_eq!(FieldName::from_name("BITS-Session-Id"), None);
        /// ```
        ///
        /// Source: \[MC-BUP\] 2.3; RFC 9110.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FieldName {
            $( #[doc = concat!($doc, " ", $section, ".")] $variant, )+
        }

        impl FieldName {
            /// All fields.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// Returns the field with this name, ignoring ASCII case.
            #[must_use]
            #[inline(always)]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::from_bytes(name.as_bytes())
            }

            #[inline(always)]
            pub(crate) fn from_bytes(name: &[u8]) -> Option<Self> {
                match name.len() {
                    $( $len if eq_ignore_case!(name, $name) => Some(Self::$variant), )+
                    _ => None,
                }
            }

            /// Returns the documented name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => const { text($name) }, )+
                }
            }

            /// Returns the end of the previous line, the name, a colon and a space.
            #[inline]
            pub(crate) const fn line_start(self) -> &'static [u8] {
                match self {
                    $( Self::$variant => {
                        const { &line_start::<{ $len + b"\r\n: ".len() }>($name) }
                    } )+
                }
            }

            /// Returns the section of HTTP that defines the field.
            ///
            /// ```
            /// use bits_proto::download::field::FieldName;
            ///
            /// assert_eq!(FieldName::Range.section(), "RFC 9110 section 14.2");
            /// ```
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$variant => $section, )+
                }
            }
        }
    };
}

// In the order in which fields are written. A name with a wrong length would never be found; a test
// looks up every name.
download_field_names! {
    AcceptEncoding 15 b"Accept-Encoding" "RFC 9110 section 12.5.3" "The content codings that the client accepts; always identity.",
    Range 5 b"Range" "RFC 9110 section 14.2" "The ranges of the entity that the client requests.",
    IfRange 8 b"If-Range" "RFC 9110 section 13.1.5" "The condition for a response with ranges instead of the whole entity.",
    IfMatch 8 b"If-Match" "RFC 9110 section 13.1.1" "The entity tags of which one must match.",
    IfNoneMatch 13 b"If-None-Match" "RFC 9110 section 13.1.2" "The entity tags of which none may match.",
    IfModifiedSince 17 b"If-Modified-Since" "RFC 9110 section 13.1.3" "The date after which the entity must have changed.",
    IfUnmodifiedSince 19 b"If-Unmodified-Since" "RFC 9110 section 13.1.4" "The date after which the entity must not have changed.",
    AcceptRanges 13 b"Accept-Ranges" "RFC 9110 section 14.3" "The range units that the server supports.",
    LastModified 13 b"Last-Modified" "RFC 9110 section 8.8.2" "The date of the last change of the entity.",
    ETag 4 b"ETag" "RFC 9110 section 8.8.3" "The entity tag.",
    ContentType 12 b"Content-Type" "RFC 9110 section 8.3" "The media type of the body.",
    ContentEncoding 16 b"Content-Encoding" "RFC 9110 section 8.4" "The content coding of the body.",
    ContentRange 13 b"Content-Range" "RFC 9110 section 14.4" "The range of the entity in the body.",
    ContentLength 14 b"Content-Length" "RFC 9110 section 8.6" "The length of the body in bytes.",
    TransferEncoding 17 b"Transfer-Encoding" "RFC 9112 section 6.1" "The framing of a body without a length.",
    RetryAfter 11 b"Retry-After" "RFC 9110 section 10.2.3" "The earliest time of a retry.",
}

impl core::fmt::Display for FieldName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
