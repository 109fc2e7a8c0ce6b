//! BITS-Request-DataFile-Name and BITS-Response-DataFile-Name.

use super::{Decode, FieldName, check_present, opaque_value};
use crate::deviation::Deviations;
use crate::error::ValueError;

macro_rules! data_file_name {
    ($type:ident $name:ident $(#[$doc:meta])+) => {
        $(#[$doc])+
        ///
        /// A full path as the server's system writes it, or a UNC path where the application runs
        /// on another host: opaque bytes to this crate. Read under the name that is on the wire
        /// and under the `…-DataEntity-Name` of the specification's text; written as on the wire.
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
        /// Source: \[MC-BUP\] 2.2.12.2; the spelling from the capture in 4.2.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $type<'b>(&'b [u8]);

        impl<'b> Decode<'b> for $type<'b> {
            const NAME: FieldName = FieldName::$name;

            fn decode(value: &'b [u8], _: &mut Deviations) -> Result<Self, ValueError> {
                check_present(value)?;
                Ok(Self(value))
            }
        }

        opaque_value!($type "The bytes of the path.");
    };
}

data_file_name! {
    RequestDataFileName RequestDataFileName
    /// [2.2.12.2] BITS-Request-DataFile-Name: where the server application finds the entity, when
    /// it is notified by reference.
}

data_file_name! {
    ResponseDataFileName ResponseDataFileName
    /// [2.2.12.2] BITS-Response-DataFile-Name: where the server application puts its reply, when
    /// it is notified by reference.
}
