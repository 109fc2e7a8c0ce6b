//! Memory for extra fields.

use crate::error::{Error, ErrorKind};

/// Memory for [`Extras`](super::Extras): an array, a borrowed slice, or with the feature `alloc` a
/// vector, which grows.
///
/// This trait cannot be implemented by other crates.
pub trait ExtrasStorage: Storage {}

impl<T: Storage> ExtrasStorage for T {}

/// The methods of [`ExtrasStorage`], which are not public.
pub trait Storage {
    /// Returns all bytes, used or not.
    fn bytes(&self) -> &[u8];

    /// Returns all bytes, of which there are at least `needed`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::BufferTooSmall`] if there are fewer and the storage cannot grow.
    fn reserve(&mut self, needed: usize) -> Result<&mut [u8], Error>;
}

/// Implements the trait for storage that does not grow.
macro_rules! fixed_storage {
    ($([$($parameters:tt)*] $type:ty),+) => { $(
        impl<$($parameters)*> Storage for $type {
            #[inline(always)]
            fn bytes(&self) -> &[u8] {
                self
            }

            fn reserve(&mut self, needed: usize) -> Result<&mut [u8], Error> {
                if self.len() < needed {
                    return Err(Error::caller(ErrorKind::BufferTooSmall { needed }));
                }
                Ok(self)
            }
        }
    )+ };
}

fixed_storage!([const N: usize] [u8; N], [] &mut [u8]);

#[cfg(feature = "alloc")]
impl Storage for alloc::vec::Vec<u8> {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        self
    }

    fn reserve(&mut self, needed: usize) -> Result<&mut [u8], Error> {
        if self.len() < needed {
            self.resize(needed, 0);
        }
        Ok(self)
    }
}
