//! The values of the fields of downloads: one value type per file, named like the field.
//!
//! Constructors and `TryFrom` validate, so a value can always be sent. Types that own their value
//! also implement [`FromStr`](core::str::FromStr). `Display` writes the value as it is sent.
//!
//! An invalid value in a request is not an error of the request: the server ignores the field or
//! treats its condition as failed, as the type states.

mod content_range;
mod content_type;
mod entity_tag;
mod entity_tags;
mod if_match;
mod if_modified_since;
mod if_none_match;
mod if_range;
mod if_unmodified_since;
mod last_modified;
mod multipart_type;
mod range;

pub use self::content_range::ContentRange;
pub use self::content_type::ContentType;
pub use self::entity_tag::EntityTag;
pub use self::if_match::IfMatch;
pub use self::if_modified_since::IfModifiedSince;
pub use self::if_none_match::IfNoneMatch;
pub use self::if_range::IfRange;
pub use self::if_unmodified_since::IfUnmodifiedSince;
pub use self::last_modified::LastModified;
pub(crate) use self::multipart_type::MAX_BOUNDARY;
pub use self::multipart_type::{Boundary, MultipartType};
pub use self::range::{Range, RangeItem, RangeItems};
pub use crate::field_name::download::FieldName;

use crate::error::{Error, ValueError};

/// Implements the conversions of a value type from text and bytes, with its `decode`. Types that
/// keep the received bytes also get `AsRef` and `Debug`, and types that own their value `FromStr`.
macro_rules! value_type {
    ($type:ident<'b>: $field:expr) => {
        $crate::download::field::value_type!(@conversions $type<'b>: $field);

        impl AsRef<[u8]> for $type<'_> {
            fn as_ref(&self) -> &[u8] {
                self.as_bytes()
            }
        }

        impl core::fmt::Debug for $type<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({})", stringify!($type), self.as_bytes().escape_ascii())
            }
        }
    };
    (@owned $type:ident: $field:expr) => {
        $crate::download::field::value_type!(@conversions $type: $field);

        impl core::str::FromStr for $type {
            type Err = $crate::error::Error;

            fn from_str(value: &str) -> Result<Self, Self::Err> {
                Self::try_from(value)
            }
        }
    };
    (@conversions $type:ident $(<$life:lifetime>)?: $field:expr) => {
        impl<'b> TryFrom<&'b [u8]> for $type $(<$life>)? {
            type Error = $crate::error::Error;

            fn try_from(value: &'b [u8]) -> Result<Self, Self::Error> {
                Self::decode(value).map_err(|error| {
                    $crate::download::field::value_error($field, value, error)
                })
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
use value_type;

/// Returns the error in a value of this field that the caller passed.
#[cold]
fn value_error(field: FieldName, value: &[u8], error: ValueError) -> Error {
    let located = Error::caller(error.kind).in_download_field(field).at(Some(error.at));
    located.with_received(value, error.at)
}
