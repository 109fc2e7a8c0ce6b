//! BITS-Error-Context.

use crate::error::{Error, ValueError};
use crate::field::FieldName;
use crate::util::digits::hexadecimal;
use crate::util::sink::{Sink, Wire, put_hexadecimal, wire_display};

/// [2.2.1.2] BITS-Error-Context: who met the error.
///
/// The set is open: two values are defined, others are kept.
///
/// ```text
/// context = [ "0x" / "x" ] 1*8HEXDIG
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::ErrorContext;
///
/// assert_eq!(ErrorContext::parse("0x5")?, Some(ErrorContext::SERVER));
/// assert_eq!(ErrorContext::REMOTE_APPLICATION.to_string(), "0x7");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ErrorContext(pub u32);

impl ErrorContext {
    /// `0x5`: the server, while it worked on the message.
    pub const SERVER: Self = Self(5);
    /// `0x7`: the server application that was notified of the upload.
    pub const REMOTE_APPLICATION: Self = Self(7);

    /// Whether it is one of the two values that are defined.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self, Self::SERVER | Self::REMOTE_APPLICATION)
    }

    /// Reads the wire form. `None` for an empty value.
    ///
    /// # Errors
    ///
    /// [`NotHexadecimal`](crate::error::ErrorKind::NotHexadecimal) for anything but one to eight
    /// digits.
    pub fn parse(value: impl AsRef<[u8]>) -> Result<Option<Self>, Error> {
        let value = value.as_ref();
        Self::decode(value).map_err(|error| FieldName::ErrorContext.value_error(value, error))
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Option<Self>, ValueError> {
        if value.is_empty() {
            return Ok(None);
        }
        hexadecimal(value).map(|context| Some(Self(context)))
    }
}

impl Wire for ErrorContext {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        put_hexadecimal(sink, self.0, 1)
    }
}

wire_display!(ErrorContext);
