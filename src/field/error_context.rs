//! BITS-Error-Context.

use core::fmt;

use super::{FieldName, try_from_wire};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::digits::hexadecimal;
use crate::util::sink::{Sink, Wire, put_hexadecimal, wire_display};

/// [2.2.1.2] BITS-Error-Context: the component in which the error occurred.
///
/// The set of values is open: two are defined, and others are kept. The prefix is optional. In a
/// message, an empty value means that the field is absent.
///
/// ```text
/// context = [ "0x" / "x" ] 1*8HEXDIG
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotHexadecimal`], and [`ErrorKind::Empty`] unless the function returns an
/// `Option`.
///
/// # Example
///
/// ```
/// use bits_proto::field::ErrorContext;
///
/// assert_eq!("0x5".parse::<ErrorContext>()?, ErrorContext::SERVER);
/// assert_eq!(ErrorContext::REMOTE_APPLICATION.to_string(), "0x7");
/// assert_eq!(ErrorContext::parse("")?, None);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct ErrorContext(pub u32);

impl ErrorContext {
    /// `0x5`: the server.
    pub const SERVER: Self = Self(5);
    /// `0x7`: the server application that was notified of the upload.
    pub const REMOTE_APPLICATION: Self = Self(7);

    /// Returns true for the two values that are defined.
    #[must_use]
    pub const fn is_known(self) -> bool {
        matches!(self, Self::SERVER | Self::REMOTE_APPLICATION)
    }

    /// Parses the value of the field. `None` if it is empty.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotHexadecimal`] unless the value has one to eight digits.
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

    fn from_wire(value: &[u8]) -> Result<Self, Error> {
        let empty = ValueError::new(ErrorKind::Empty, 0);
        let context = Self::decode(value).and_then(|context| context.ok_or(empty));
        context.map_err(|error| FieldName::ErrorContext.value_error(value, error))
    }
}

try_from_wire!(ErrorContext);

impl From<u32> for ErrorContext {
    fn from(context: u32) -> Self {
        Self(context)
    }
}

impl From<ErrorContext> for u32 {
    fn from(context: ErrorContext) -> Self {
        context.0
    }
}

impl fmt::LowerHex for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::UpperHex for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::UpperHex::fmt(&self.0, f)
    }
}

impl Wire for ErrorContext {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        put_hexadecimal(sink, self.0, 1)
    }
}

wire_display!(ErrorContext);
