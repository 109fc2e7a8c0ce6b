//! The fields: one value type a file, named as the field it holds. This floor knows values and no
//! messages.
//!
//! Every type is made by a constructor or a `TryFrom` that validates, cannot hold what cannot be
//! sent, and is written without allocation by its `Display`. What the `TryFrom`s accept is what
//! messages accept: everything that can mean only one thing.

mod content_encoding;
mod content_name;
mod content_range;
mod copy_file_to_destination;
mod data_file_name;
mod error_context;
mod found;
mod guid;
mod host_id;
mod host_id_fallback_timeout;
mod hresult;
mod name;
mod original_request_url;
mod packet_type;
mod protocol;
mod received_content_range;
mod reply_url;
mod session_id;
mod static_response_url;
mod supported_protocols;
mod url;

pub use self::content_encoding::ContentEncoding;
pub use self::content_name::ContentName;
pub use self::content_range::{ContentRange, Overlap};
pub use self::copy_file_to_destination::CopyFileToDestination;
pub use self::data_file_name::{RequestDataFileName, ResponseDataFileName};
pub use self::error_context::ErrorContext;
pub(crate) use self::found::{Found, Seen, bit};
pub use self::host_id::{Host, HostId, RewrittenUrl};
pub use self::host_id_fallback_timeout::HostIdFallbackTimeout;
pub use self::hresult::HResult;
pub use self::name::FieldName;
pub use self::original_request_url::OriginalRequestUrl;
pub use self::packet_type::PacketType;
pub use self::protocol::Protocol;
pub use self::received_content_range::ReceivedContentRange;
pub use self::reply_url::ReplyUrl;
pub use self::session_id::SessionId;
pub use self::static_response_url::StaticResponseUrl;
pub use self::supported_protocols::SupportedProtocols;
pub use self::url::ResolvedUrl;

use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};

/// A value that can be read from the wire form of one field.
pub(crate) trait Decode<'b>: Sized {
    /// The field it is the value of.
    const NAME: FieldName;

    /// Reads a value without outer white space, and records what is unusual about it.
    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError>;
}

/// Implements the public ways into a value type: `TryFrom` bytes, an array of them, or text.
macro_rules! try_from_wire {
    ($($type:ident $(<$life:lifetime>)?),+) => { $(
        impl<'b> TryFrom<&'b [u8]> for $crate::field::$type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b [u8]) -> Result<Self, Self::Error> {
                let mut ignored = $crate::deviation::Deviations::EMPTY;
                <Self as $crate::field::Decode<'b>>::decode(value, &mut ignored)
                    .map_err(|error| <Self as $crate::field::Decode<'b>>::NAME.value_error(value, error))
            }
        }

        impl<'b, const N: usize> TryFrom<&'b [u8; N]> for $crate::field::$type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b [u8; N]) -> Result<Self, Self::Error> {
                Self::try_from(value.as_slice())
            }
        }

        impl<'b> TryFrom<&'b str> for $crate::field::$type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b str) -> Result<Self, Self::Error> {
                Self::try_from(value.as_bytes())
            }
        }
    )+ };
}
pub(crate) use try_from_wire;

/// Implements what all values have that are bytes to hand through: access, `Debug`, wire form, and
/// the ways in.
macro_rules! opaque_value {
    ($type:ident $what:literal) => {
        impl<'b> $crate::field::$type<'b> {
            #[doc = $what]
            #[must_use]
            pub const fn as_bytes(&self) -> &'b [u8] {
                self.0
            }
        }

        $crate::field::try_from_wire!($type<'b>);

        impl core::fmt::Debug for $crate::field::$type<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}(\"{}\")", stringify!($type), self.0.escape_ascii())
            }
        }

        impl $crate::util::sink::Wire for $crate::field::$type<'_> {
            #[inline]
            fn put_into<S: $crate::util::sink::Sink>(&self, sink: S) -> S {
                sink.put(self.0)
            }
        }

        $crate::util::sink::wire_display!($crate::field::$type<'_>);
    };
}
pub(crate) use opaque_value;

/// Whether every byte is one of ASCII from `LOW` to `~`, eight at a time: in a byte that is none
/// the highest bit is set, or becomes so when `LOW` is taken away or one is added.
#[inline(always)]
fn is_ascii_from<const LOW: u8>(value: &[u8]) -> bool {
    const HIGHEST: u64 = u64::from_le_bytes([0x80; 8]);
    let flags = |word: &[u8]| {
        let word = word.try_into().map_or(u64::MAX, u64::from_le_bytes);
        let below = word.wrapping_sub(const { u64::from_le_bytes([LOW; 8]) });
        word | below | word.wrapping_add(const { u64::from_le_bytes([1; 8]) })
    };
    let Some(last) = value.last_chunk::<8>() else {
        return value.iter().all(|byte| (LOW..=b'~').contains(byte));
    };
    // The last word overlaps the one before, so that no bytes are left over.
    value.chunks_exact(8).fold(flags(last), |all, word| all | flags(word)) & HIGHEST == 0
}

/// Every byte must be `fine`; those of ASCII from `LOW` to `~` are.
#[inline]
pub(crate) fn check_bytes<const LOW: u8>(
    value: &[u8],
    fine: impl Fn(u8) -> bool,
) -> Result<(), ValueError> {
    if is_ascii_from::<LOW>(value) {
        return Ok(());
    }
    match value.iter().position(|byte| !fine(*byte)) {
        Some(at) => Err(ValueError::new(ErrorKind::InvalidByte, at)),
        None => Ok(()),
    }
}

/// Whether a value is visible ASCII, with spaces inside: most are, and it is seen at once. Of what
/// is not only [`check_content`] knows whether it is wrong.
#[inline(always)]
pub(crate) fn is_plain(value: &[u8]) -> bool {
    let is_blank = |byte: Option<&u8>| byte == Some(&b' ');
    is_ascii_from::<b' '>(value) && !is_blank(value.first()) && !is_blank(value.last())
}

/// `*( HTAB / SP / VCHAR / obs-text )` with no white space at either end: what a header field can
/// carry and bring back unchanged.
#[inline]
pub(crate) fn check_content(value: &[u8]) -> Result<(), ValueError> {
    check_bytes::<b' '>(value, |byte| (byte >= b' ' && byte != 0x7F) || byte == b'\t')?;
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if blank(value.first()) {
        return Err(ValueError::new(ErrorKind::InvalidByte, 0));
    }
    if blank(value.last()) {
        return Err(ValueError::new(ErrorKind::InvalidByte, value.len().saturating_sub(1)));
    }
    Ok(())
}

/// [`check_content`] of a value that must not be empty.
pub(crate) fn check_present(value: &[u8]) -> Result<(), ValueError> {
    if value.is_empty() {
        return Err(ValueError::new(ErrorKind::Empty, 0));
    }
    check_content(value)
}
