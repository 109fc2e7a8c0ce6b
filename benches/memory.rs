//! Checks that parsing, writing and state machine steps do not allocate, and prints sizes of types. The results are
//! the same in every run.
//!
//! ```sh
//! cargo bench -p bits-proto-benches --bench memory
//! ```

mod cases;

use std::alloc::System;
use std::process::ExitCode;

use cases::{Report, heads, million, sizes, steps, writing};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let mut report = Report::default();
    for head in heads::all() {
        allocates(&mut report, &format!("read/{}", head.name), || head.read());
    }
    for group in [writing::acks(), writing::fragments(), writing::plain()] {
        for mut pair in group.pairs {
            allocates(&mut report, &format!("{}/{}", group.name, pair.name), &mut pair.ours);
        }
    }
    allocates(&mut report, "step/server", steps::server_step());
    allocates(&mut report, "step/client", steps::client_step());
    sizes::print(&mut report);
    let (table, stats) = allocated(million::table);
    drop(table);
    let bytes = (stats.bytes_allocated - stats.bytes_deallocated) as f64;
    let bytes_of_a_session = bytes / million::SESSIONS as f64;
    report.line("million/bytes-of-a-session", bytes_of_a_session, million::MAX_BYTES);
    report.finish()
}

/// Prints a line for work that must not allocate.
fn allocates(report: &mut Report, name: &str, work: impl FnOnce()) {
    let ((), stats) = allocated(work);
    let count = (stats.allocations + stats.reallocations) as f64;
    report.line(&format!("allocations/{name}"), count, 0.0);
}

fn allocated<T>(work: impl FnOnce() -> T) -> (T, Stats) {
    let region = Region::new(ALLOCATOR);
    let result = work();
    (result, region.change())
}
