//! The counts of everything that occurred, compared with everything that the library defines.

mod exceptions;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;

use bits_proto::deviation::Deviation;
use bits_proto::observer::{DownloadRule, SequenceRule};
use bits_proto::state_machine::StateMachine;
use bits_proto::transitions::take;
use bits_proto::{backend, client, download, observer, server};

use crate::support::tally;
use exceptions::EXCEPTIONS;

/// Number of occurrences by group and name.
#[derive(Default)]
pub struct Counts(BTreeMap<(&'static str, String), u64>);

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        for (key, count) in other.0 {
            *self.0.entry(key).or_default() += count;
        }
    }
}

impl Counts {
    /// Returns everything that occurred in this thread, with 0 for a legal pair of state and event that did not.
    pub fn of_thread() -> Self {
        let mut all = Self(tally::finish());
        all.add_machine::<server::State>("session");
        all.add_machine::<client::State>("upload");
        all.add_machine::<client::Exchange>("exchange of an upload");
        all.add_machine::<backend::State>("notification");
        all.add_machine::<download::State>("download");
        all.add_machine::<download::Exchange>("exchange of a download");
        all.add_machine::<observer::State>("observer");
        all
    }

    fn add_machine<S: StateMachine>(&mut self, group: &'static str) {
        let counts = take::<S>();
        for (row, state) in S::STATES.iter().enumerate() {
            for event in state.expected() {
                let column = S::EVENTS.iter().position(|it| *it == event).expect("an event");
                let count = counts.get(row * S::EVENTS.len() + column).copied().unwrap_or(0);
                self.0.insert((group, format!("{state}, {event}")), count);
            }
        }
    }

    /// Prints all counts, and checks that exactly the exceptions do not occur.
    pub fn check(mut self) {
        self.add_variants();
        let mut groups = BTreeMap::<_, (usize, u64)>::new();
        for ((group, name), count) in &self.0 {
            println!("{group}: {name}: {count}");
            let (names, sum) = groups.entry(group).or_default();
            *names += usize::from(*count > 0);
            *sum += count;
        }
        for (group, (names, sum)) in groups {
            println!("{group}: {names} of its items occurred, {sum} times");
        }
        let mut exceptions = BTreeMap::new();
        for it in EXCEPTIONS {
            exceptions
                .extend(it.names.iter().map(|name| ((it.group, name.to_string()), it.reason)));
        }
        let is_missing = |(key, count): &(_, &u64)| **count == 0 && !exceptions.contains_key(*key);
        let missing: Vec<_> = self.0.iter().filter(is_missing).map(|(key, _)| key).collect();
        assert!(missing.is_empty(), "did not occur: {missing:#?}");
        for (key, reason) in &exceptions {
            let count = self.0.get(key).unwrap_or_else(|| panic!("no such item: {key:?}"));
            assert_eq!(*count, 0, "{key:?} occurred, although {reason}");
        }
    }

    /// Adds everything that the library defines, and checks that nothing else occurred.
    fn add_variants(&mut self) {
        let mut known = Vec::new();
        known.extend(Deviation::ALL.iter().map(|it| ("deviation", format!("{it:?}"))));
        known.extend(SequenceRule::ALL.iter().map(|it| ("rule of sequence", format!("{it:?}"))));
        known.extend(DownloadRule::ALL.iter().map(|it| ("rule of downloads", format!("{it:?}"))));
        for (group, path, name) in sources::ENUMS {
            known.extend(sources::variants(path, name).into_iter().map(|it| (*group, it)));
        }
        let groups: BTreeSet<_> = known.iter().map(|(group, _)| *group).collect();
        let is_unknown =
            |key: &&(&'static str, String)| groups.contains(key.0) && !known.contains(key);
        let others: Vec<_> = self.0.keys().filter(is_unknown).collect();
        assert!(others.is_empty(), "counted, but not defined in src/: {others:#?}");
        for key in known {
            self.0.entry(key).or_default();
        }
    }
}
