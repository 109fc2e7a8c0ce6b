//! Destinations for the errors that the reader of a message finds.

use core::convert::Infallible;

use super::message_error::MessageError;
use crate::util::external::external;

/// Receives every error of a message. The rules of a message are written once, in its reader, which
/// is generic over this trait: parsing stops at the first error, validation continues.
pub(crate) trait Report<'b> {
    /// The value that ends reading.
    type Stop;
    /// Replaces an invalid value after its error is reported. Has no values where the first error
    /// ends reading.
    type Invalid: Copy;

    /// Reports an error.
    fn report(&mut self, error: MessageError<'b>) -> Result<Self::Invalid, Self::Stop>;
}

/// A value of a message: valid, or invalid and reported; or the end of reading.
pub(crate) type Outcome<'b, T, R> =
    Result<Result<T, <R as Report<'b>>::Invalid>, <R as Report<'b>>::Stop>;

/// The result of a check. `Ok` means that reading continues.
pub(crate) type Checked<'b, R> = Result<(), <R as Report<'b>>::Stop>;

/// Stops at the first error.
pub(crate) struct FailFast;

impl<'b> Report<'b> for FailFast {
    type Stop = MessageError<'b>;
    type Invalid = Infallible;

    #[inline(always)]
    fn report(&mut self, error: MessageError<'b>) -> Result<Infallible, MessageError<'b>> {
        Err(error)
    }
}

/// Hands every error to a function and continues.
pub(crate) struct Collect<'c, 'b>(pub(super) &'c mut dyn FnMut(MessageError<'b>));

/// An invalid value whose error was collected.
#[derive(Clone, Copy)]
pub(crate) struct Collected;

/// A value of a message that is read with [`Collect`].
pub(crate) type Collecting<T> = Result<Result<T, Collected>, Infallible>;

impl<'b> Report<'b> for Collect<'_, 'b> {
    type Stop = Infallible;
    type Invalid = Collected;

    fn report(&mut self, error: MessageError<'b>) -> Result<Collected, Infallible> {
        external(|| (self.0)(error));
        Ok(Collected)
    }
}
