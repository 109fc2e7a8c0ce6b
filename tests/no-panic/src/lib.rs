//! Detects at link time whether a function can panic.

/// Returns the address of a function that calls the closure. If a panic can leave it, the program refers to
/// a symbol that does not exist, and does not link. The closure has one argument.
#[macro_export]
macro_rules! entry_point {
    ($symbol:literal, $closure:expr) => {{
        struct OnPanic;
        impl Drop for OnPanic {
            fn drop(&mut self) {
                unsafe extern "C" {
                    #[link_name = $symbol]
                    fn can_panic();
                }
                unsafe { can_panic() }
            }
        }
        $crate::address_of_call($closure, || OnPanic)
    }};
}

/// Returns the address of a function that calls another one. The result of `guard` is dropped if a panic
/// passes; optimization removes this code if there is no panic.
pub fn address_of_call<A, R, F: Fn(A) -> R, G, D: Fn() -> G>(function: F, guard: D) -> *const () {
    fn call<A, R, F: Fn(A) -> R, G, D: Fn() -> G>(function: F, guard: D, arguments: A) -> R {
        let guard = guard();
        let result = function(arguments);
        core::mem::forget(guard);
        result
    }
    const { assert!(size_of::<F>() == 0 && size_of::<D>() == 0, "nothing is captured") };
    let _ = (function, guard);
    call::<A, R, F, G, D> as fn(F, D, A) -> R as *const ()
}
