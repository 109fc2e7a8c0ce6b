//! Counts values that occur during a test, by the names of their variants.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Number of occurrences by group and variant.
pub type Tally = BTreeMap<(&'static str, String), u64>;

thread_local! {
    static TALLY: RefCell<Option<Tally>> = const { RefCell::new(None) };
}

/// Starts to count in the current thread. Nothing is counted before.
pub fn start() {
    TALLY.set(Some(Tally::new()));
}

/// Returns the counts of the current thread, and stops counting.
pub fn finish() -> Tally {
    TALLY.take().unwrap_or_default()
}

/// Counts a value in a group.
pub fn note(group: &'static str, value: &impl Debug) {
    TALLY.with_borrow_mut(|tally| {
        let Some(tally) = tally else { return };
        let text = format!("{value:?}");
        let end = text.find(|letter: char| !letter.is_ascii_alphanumeric());
        let variant = text[..end.unwrap_or(text.len())].to_string();
        *tally.entry((group, variant)).or_default() += 1;
    });
}
