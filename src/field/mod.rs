//! The fields of the protocol: one value type per file, named like the field.
//!
//! Constructors and `TryFrom` validate, so a value can always be sent. `TryFrom` accepts the same
//! values as the messages do: every value that has only one meaning. [`OriginalRequestUrl`] is the
//! exception: parsing accepts URLs that must not be sent. `Display` writes the value as
//! it is sent, without allocating.
//!
//! Every value type implements `TryFrom` for text (`&str`) and bytes (`&[u8]`). Types that own
//! their value, such as [`ContentRange`], also implement [`FromStr`](core::str::FromStr). Types
//! that borrow the input, such as [`SessionId`], cannot: `FromStr` has no lifetime for the result,
//! so that it could not borrow the text.

mod content;
mod content_encoding;
mod content_name;
mod content_range;
mod copy_file_to_destination;
mod data_file_name;
mod error_context;
mod guid;
mod host_id;
mod host_id_fallback_timeout;
mod hresult;
mod http_date;
mod original_request_url;
mod packet_type;
mod protocol;
mod received_content_range;
mod reply_url;
mod resolved_url;
mod retry_after;
mod session_id;
mod set;
mod static_response_url;
mod supported_protocols;
mod url;

use self::content::check_not_empty;
pub(crate) use self::content::{check_bytes, check_content, check_present};
pub use self::content_encoding::ContentEncoding;
pub use self::content_name::ContentName;
pub use self::content_range::{ContentRange, Overlap};
pub use self::copy_file_to_destination::CopyFileToDestination;
pub use self::data_file_name::{RequestDataFileName, ResponseDataFileName};
pub use self::error_context::ErrorContext;
pub use self::host_id::{Host, HostId, RewrittenUrl};
pub use self::host_id_fallback_timeout::HostIdFallbackTimeout;
pub use self::hresult::HResult;
pub use self::http_date::HttpDate;
pub use self::original_request_url::OriginalRequestUrl;
pub use self::packet_type::PacketType;
pub use self::protocol::Protocol;
pub use self::received_content_range::ReceivedContentRange;
pub use self::reply_url::ReplyUrl;
pub use self::resolved_url::ResolvedUrl;
#[cfg(feature = "alloc")]
pub use self::resolved_url::ResolvedUrlBuf;
pub use self::retry_after::RetryAfter;
pub use self::session_id::SessionId;
pub(crate) use self::set::FieldSet;
pub use self::static_response_url::StaticResponseUrl;
pub use self::supported_protocols::SupportedProtocols;

use crate::deviation::Deviations;
use crate::error::{Error, ValueError};
pub use crate::field_name::FieldName;

/// A value that can be parsed from one field.
pub(crate) trait Decode<'b>: Sized {
    /// The field of the value.
    const NAME: FieldName;

    /// Parses a value without outer white space, and records its deviations.
    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError>;

    /// Parses a value that passes [`check_content`], such as one of a parsed head, without checking
    /// that again.
    #[inline(always)]
    fn decode_content(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        Self::decode(value, deviations)
    }

    /// Parses a value that the caller passed, and ignores its deviations.
    fn from_wire(value: &'b [u8]) -> Result<Self, Error> {
        let mut ignored = Deviations::EMPTY;
        Self::decode(value, &mut ignored).map_err(|error| Self::NAME.value_error(value, error))
    }
}

/// Implements [`Decode::decode`] for a type with a [`Decode::decode_content`] that relies on
/// [`check_content`].
macro_rules! decode_checked {
    ($life:lifetime) => {
        fn decode(
            value: &$life [u8],
            deviations: &mut $crate::deviation::Deviations,
        ) -> Result<Self, $crate::error::ValueError> {
            $crate::field::check_content(value)?;
            Self::decode_content(value, deviations)
        }
    };
}
pub(crate) use decode_checked;

/// Implements the conversions of a value type from text and bytes, with its `from_wire`. Types
/// without a lifetime also get `FromStr`.
macro_rules! try_from_wire {
    ($type:ident) => {
        $crate::field::try_from_wire!(@try_from $type);

        impl core::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::try_from(value)
            }
        }
    };
    ($type:ident<'b>) => {
        $crate::field::try_from_wire!(@try_from $type<'b>);
    };
    (@try_from $type:ident $(<$life:lifetime>)?) => {
        impl<'b> TryFrom<&'b [u8]> for $type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b [u8]) -> Result<Self, Self::Error> {
                #[allow(unused_imports, reason = "some types have a function of their own")]
                use $crate::field::Decode as _;
                Self::from_wire(value)
            }
        }

        impl<'b, const N: usize> TryFrom<&'b [u8; N]> for $type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b [u8; N]) -> Result<Self, Self::Error> {
                Self::try_from(value.as_slice())
            }
        }

        impl<'b> TryFrom<&'b str> for $type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b str) -> Result<Self, Self::Error> {
                Self::try_from(value.as_bytes())
            }
        }
    };
}
pub(crate) use try_from_wire;

/// Implements a value type whose bytes are not interpreted: accessor, conversions, `Debug` and the
/// wire form.
macro_rules! opaque_value {
    ($type:ident $as_bytes_doc:literal) => {
        impl<'b> $type<'b> {
            #[doc = $as_bytes_doc]
            #[must_use]
            pub const fn as_bytes(&self) -> &'b [u8] {
                self.0
            }
        }

        $crate::field::try_from_wire!($type<'b>);

        impl AsRef<[u8]> for $type<'_> {
            fn as_ref(&self) -> &[u8] {
                self.0
            }
        }

        impl core::fmt::Debug for $type<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}(\"{}\")", stringify!($type), self.0.escape_ascii())
            }
        }

        impl $crate::util::sink::Wire for $type<'_> {
            #[inline]
            fn put_into<S: $crate::util::sink::Sink>(&self, sink: S) -> S {
                sink.put(self.0)
            }
        }

        $crate::util::sink::wire_display!($type<'_>);
    };
}
pub(crate) use opaque_value;

impl FieldName {
    /// Returns the error in a value of this field that the caller made from several parts.
    pub(crate) const fn caller_error(self, error: ValueError) -> Error {
        Error::caller(error.kind).in_field(self).at(Some(error.at))
    }

    /// Returns the error in a value of this field that the caller passed.
    #[cold]
    pub(crate) fn value_error(self, value: &[u8], error: ValueError) -> Error {
        self.caller_error(error).with_received(value, error.at)
    }
}
