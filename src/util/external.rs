//! Calls of code outside of this crate.

/// Calls code of another crate or of the caller.
///
/// The proof that this crate cannot panic (`.ci/no-panic`) excludes that code: there, a panic of it aborts the
/// program instead of unwinding into this crate.
#[inline(always)]
pub(crate) fn external<R>(call: impl FnOnce() -> R) -> R {
    #[cfg(no_panic_proof)]
    return without_unwinding(call);
    #[cfg(not(no_panic_proof))]
    call()
}

/// Never unwinds, because of its ABI. The optimizer only knows this if the call is not inlined.
#[cfg(no_panic_proof)]
#[inline(never)]
extern "C" fn without_unwinding<R, F: FnOnce() -> R>(call: F) -> R {
    call()
}
