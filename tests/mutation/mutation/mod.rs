//! One changed cell of a table, or one changed limit. The functions that the build script has edited call these.
//!
//! The variable `BITS_MUTATION` names the change: table, cell and new value, separated by tabs. With
//! `BITS_MUTATION_RECORD` instead, the cells that a process looks up are written to a file.

mod cells;

pub use cells::*;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

/// A change: the cell of the table gets the value with this number.
struct Change {
    table: String,
    cell: u64,
    value: u64,
}

static CHANGE: LazyLock<Option<Change>> = LazyLock::new(|| {
    let text = std::env::var("BITS_MUTATION").ok()?;
    let mut words = text.split('\t');
    let table = words.next().expect("a table").to_string();
    let mut number = || words.next().expect("a number").parse().expect("a number");
    Some(Change { table, cell: number(), value: number() })
});

/// Cells that were looked up, and the file with one line for each.
struct Record {
    file: File,
    cells: Mutex<BTreeSet<(&'static str, u64)>>,
}

static RECORD: LazyLock<Option<Record>> = LazyLock::new(|| {
    let path = std::env::var_os("BITS_MUTATION_RECORD")?;
    let file = File::create(path).expect("a file");
    Some(Record { file, cells: Mutex::default() })
});

/// Number of lookups after which a test does not end.
static MAX_LOOKUPS: LazyLock<u64> = LazyLock::new(|| {
    let number = std::env::var("BITS_MUTATION_LOOKUPS");
    number.map_or(u64::MAX, |number| number.parse().expect("a number"))
});

static LOOKUPS: AtomicU64 = AtomicU64::new(0);

/// Returns the number of the new value if this cell is changed.
fn changed(table: &'static str, cell: u64) -> Option<u64> {
    if let Some(record) = &*RECORD {
        note(record, table, cell);
    }
    let change = CHANGE.as_ref()?;
    let lookups = LOOKUPS.fetch_add(1, Ordering::Relaxed);
    assert!(lookups < *MAX_LOOKUPS, "{lookups} lookups in tables: the test does not end");
    (change.cell == cell && change.table == table).then_some(change.value)
}

thread_local! {
    /// Cells that the thread has looked up, by the address of the table's name.
    static SEEN: RefCell<HashSet<(usize, u64)>> = RefCell::default();
}

/// Writes a line for a cell that is looked up for the first time, and for each doubled number of lookups.
fn note(record: &Record, table: &'static str, cell: u64) {
    let lookups = LOOKUPS.fetch_add(1, Ordering::Relaxed) + 1;
    if lookups.is_power_of_two() {
        writeln!(&record.file, "lookups\t{lookups}").expect("a file");
    }
    let is_new = SEEN.with_borrow_mut(|seen| seen.insert((table.as_ptr() as usize, cell)));
    if !is_new {
        return;
    }
    let mut cells = record.cells.lock().unwrap_or_else(PoisonError::into_inner);
    if cells.insert((table, cell)) {
        writeln!(&record.file, "{table}\t{cell}").expect("a file");
    }
}

/// Returns the number of the cell in this row and column.
#[must_use]
pub const fn at(row: usize, column: usize) -> u64 {
    row as u64 * 1000 + column as u64
}

/// Returns the value of a cell: `value`, or the one that `nth` returns for the number of the new value.
pub fn cell<T>(table: &'static str, cell: u64, value: T, nth: impl FnOnce(usize) -> T) -> T {
    match changed(table, cell) {
        Some(number) => nth(usize::try_from(number).expect("the number of a value")),
        None => value,
    }
}

/// Returns the value of a limit, which is also its cell.
pub fn limit<T: Limit>(name: &'static str, value: T) -> T {
    changed(name, value.number()).map_or(value, T::from_number)
}

/// A type of limits.
pub trait Limit: Copy {
    /// Returns the limit as a number.
    fn number(self) -> u64;

    /// Returns the limit that this number represents.
    fn from_number(number: u64) -> Self;
}

macro_rules! numbers {
    ($($type:ty)*) => {
        $(
            impl Limit for $type {
                fn number(self) -> u64 {
                    u64::try_from(self).expect("a number of 64 bits")
                }

                fn from_number(number: u64) -> Self {
                    Self::try_from(number).expect("a number of this type")
                }
            }
        )*
    };
}

numbers!(u32 u64 usize i64);

impl Limit for Duration {
    fn number(self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }

    fn from_number(number: u64) -> Self {
        Self::from_millis(number)
    }
}
