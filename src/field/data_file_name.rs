//! BITS-Request-DataFile-Name and BITS-Response-DataFile-Name.

use super::{Decode, FieldName, check_not_empty, decode_checked, opaque_value};
use crate::deviation::Deviations;
use crate::error::ValueError;

macro_rules! data_file_name {
    ($type:ident $name:ident $(#[$doc:meta])+) => {
        $(#[$doc])+
        ///
        /// The value is a full path in the syntax of the server's system, or a UNC path if the
        /// application runs on another host. This crate does not interpret it. The field is also
        /// recognised by the name in the text of the specification, `…-DataEntity-Name`; it is
        /// written with the name that Windows uses.
        ///
        /// ```text
        /// path = 1*( HTAB / SP / VCHAR / obs-text )   ; no white space at either end
        /// ```
        ///
        /// # Errors
        ///
        /// [`ErrorKind::Empty`](crate::error::ErrorKind::Empty),
        /// [`ErrorKind::InvalidByte`](crate::error::ErrorKind::InvalidByte).
        ///
        /// # Example
        ///
        /// ```
        #[doc = concat!("use bits_proto::field::", stringify!($type), ";")]
        ///
        #[doc = concat!("let path = ", stringify!($type), "::try_from(r\"C:\\entities\\1\")?;")]
        /// assert_eq!(path.as_bytes(), br"C:\entities\1");
        /// # Ok::<(), bits_proto::Error>(())
        /// ```
        ///
        /// Source: \[MC-BUP\] 2.2.12.2; the name from the capture in 4.2.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type<'b>(&'b [u8]);

        impl<'b> Decode<'b> for $type<'b> {
            const NAME: FieldName = FieldName::$name;

            decode_checked!('b);

            #[inline(always)]
            fn decode_content(value: &'b [u8], _: &mut Deviations) -> Result<Self, ValueError> {
                check_not_empty(value)?;
                Ok(Self(value))
            }
        }

        opaque_value!($type "Returns the bytes of the path.");
    };
}

data_file_name! {
    RequestDataFileName RequestDataFileName
    /// [2.2.12.2] BITS-Request-DataFile-Name: the path from which the server application reads the
    /// entity, in a notification by reference.
}

data_file_name! {
    ResponseDataFileName ResponseDataFileName
    /// [2.2.12.2] BITS-Response-DataFile-Name: the path to which the server application writes its
    /// reply, in a notification by reference.
}
