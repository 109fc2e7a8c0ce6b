//! The names of the fields of downloads.

macro_rules! download_field_names {
    ($( $variant:ident $name:literal $section:literal $doc:literal, )+) => {
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
            pub fn from_name(name: &str) -> Option<Self> {
                // The length excludes most names.
                match name.len() {
                    $( len if len == $name.len() && name.eq_ignore_ascii_case($name) => {
                        Some(Self::$variant)
                    } )+
                    _ => None,
                }
            }

            /// Returns the documented name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )+
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

// In the order in which fields are written.
download_field_names! {
    AcceptEncoding "Accept-Encoding" "RFC 9110 section 12.5.3" "The content codings that the client accepts; always identity.",
    Range "Range" "RFC 9110 section 14.2" "The ranges of the entity that the client requests.",
    IfRange "If-Range" "RFC 9110 section 13.1.5" "The condition for a response with ranges instead of the whole entity.",
    IfMatch "If-Match" "RFC 9110 section 13.1.1" "The entity tags of which one must match.",
    IfNoneMatch "If-None-Match" "RFC 9110 section 13.1.2" "The entity tags of which none may match.",
    IfModifiedSince "If-Modified-Since" "RFC 9110 section 13.1.3" "The date after which the entity must have changed.",
    IfUnmodifiedSince "If-Unmodified-Since" "RFC 9110 section 13.1.4" "The date after which the entity must not have changed.",
    AcceptRanges "Accept-Ranges" "RFC 9110 section 14.3" "The range units that the server supports.",
    LastModified "Last-Modified" "RFC 9110 section 8.8.2" "The date of the last change of the entity.",
    ETag "ETag" "RFC 9110 section 8.8.3" "The entity tag.",
    ContentType "Content-Type" "RFC 9110 section 8.3" "The media type of the body.",
    ContentEncoding "Content-Encoding" "RFC 9110 section 8.4" "The content coding of the body.",
    ContentRange "Content-Range" "RFC 9110 section 14.4" "The range of the entity in the body.",
    ContentLength "Content-Length" "RFC 9110 section 8.6" "The length of the body in bytes.",
    TransferEncoding "Transfer-Encoding" "RFC 9112 section 6.1" "The framing of a body without a length.",
    RetryAfter "Retry-After" "RFC 9110 section 10.2.3" "The earliest time of a retry.",
}

impl core::fmt::Display for FieldName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
