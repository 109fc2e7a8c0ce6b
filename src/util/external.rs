//! Calls of code that cannot panic, although the optimizer cannot prove it.

/// Calls code of another crate. In the proof that this crate cannot panic, a panic of that code never returns.
#[inline(always)]
pub(crate) fn external<R>(call: impl FnOnce() -> R) -> R {
    #[cfg(no_panic_proof)]
    let guard = Endless;
    let result = call();
    #[cfg(no_panic_proof)]
    core::mem::forget(guard);
    result
}

#[cfg(no_panic_proof)]
struct Endless;

#[cfg(no_panic_proof)]
impl Drop for Endless {
    fn drop(&mut self) {
        loop {
            core::hint::spin_loop();
        }
    }
}
