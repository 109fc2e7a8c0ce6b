//! Checks that parsing, writing and state machine steps do not allocate, and prints sizes of types. The results are
//! the same in every run.
//!
//! ```sh
//! cargo bench -p bits-proto-benches --bench memory
//! ```

mod cases;

use std::alloc::System;
use std::process::ExitCode;

use cases::{heads, line, million, sizes, steps, writing};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let mut is_over = false;
    for head in heads::all() {
        is_over |= allocates(&format!("read/{}", head.name), || head.read());
    }
    for group in [writing::acks(), writing::fragments(), writing::plain()] {
        for mut pair in group.pairs {
            is_over |= allocates(&format!("{}/{}", group.name, pair.name), &mut pair.ours);
        }
    }
    is_over |= allocates("step/server", steps::server_step());
    is_over |= allocates("step/client", steps::client_step());
    is_over |= sizes::print();
    let (table, stats) = allocated(million::table);
    drop(table);
    let bytes = (stats.bytes_allocated - stats.bytes_deallocated) as f64;
    let bytes_of_a_session = bytes / million::SESSIONS as f64;
    is_over |= line("million/bytes-of-a-session", bytes_of_a_session, million::MAX_BYTES);
    if is_over { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints a line for work that must not allocate. Returns true if it does.
fn allocates(name: &str, work: impl FnOnce()) -> bool {
    let ((), stats) = allocated(work);
    line(&format!("allocations/{name}"), (stats.allocations + stats.reallocations) as f64, 0.0)
}

fn allocated<T>(work: impl FnOnce() -> T) -> (T, Stats) {
    let region = Region::new(ALLOCATOR);
    let result = work();
    (result, region.change())
}
