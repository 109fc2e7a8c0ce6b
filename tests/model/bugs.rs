//! Planted bugs: each property is violated by one, and the checker finds it.

use std::collections::BTreeSet;

use bits_proto::client::Mode;
use bits_proto::server::{CommitAt, OverlapRule};
use stateright::{Checker as _, Expectation, HasDiscoveries, Model as _};

use crate::world::config::{Bug, Config, Faults};
use crate::world::properties::*;
use crate::world::{Checked, properties};

/// The bugs, the property that each violates, and a configuration in which it occurs.
fn planted() -> Vec<(Bug, &'static str, Config)> {
    let plain = Config { faults: Faults::ALL, budget: 2, ..Config::PLAIN };
    let strict = Config { overlap: OverlapRule::Refuse, ..plain };
    let early = Config { commit_at: CommitAt::LastFragment, ..plain };
    // Later bugs are found sooner without faults.
    let short = Config { total: 1, fragment: 1, ..Config::PLAIN };
    let with_reply = Config { mode: Mode::UploadReply, commit_at: CommitAt::LastFragment, ..short };
    vec![
        (Bug::Untrimmed, IN_PLACE, plain),
        (Bug::OffsetOfSent, NOT_AHEAD, strict),
        (Bug::StoredAgain, STORED_ONCE, plain),
        (Bug::NotifiedAgain, NOTIFIED_ONCE, Config { notification: true, ..plain }),
        (Bug::CommittedEarly, WHOLE, plain),
        (Bug::WrongOffset, STORED, strict),
        (Bug::StoredTooFar, NO_GAPS, plain),
        (Bug::CommittedAgain, COMMITTED_ONCE, early),
        (Bug::DiscardedCommitted, NOT_DISCARDED, with_reply),
        (Bug::Unanswered, ANSWERED, short),
        (Bug::WorkNotSaved, ANSWERED_ONCE, plain),
        (Bug::ServedAfterEnd, STAYS_ENDED, plain),
        (Bug::ReplyDeleted, REPLY_KEPT, with_reply),
        (Bug::Overstated, REPORTS, plain),
        (Bug::NotPersisted, REMEMBERED, plain),
        (Bug::NotCommitted, COMMITTED, short),
        (Bug::ClosedUnknown, UPLOADED_ONCE, short),
        (Bug::CommittedAtLast, NOT_EARLY, plain),
        (Bug::NotDiscarded, CLEAN, plain),
        (Bug::NothingAcked, ENDS, plain),
    ]
}

#[test]
fn each_planted_bug_is_found() {
    let mut missed = Vec::new();
    for (bug, rule, config) in planted() {
        let config = Config { bug: Some(bug), ..config };
        let until_found = HasDiscoveries::AnyOf(BTreeSet::from([rule]));
        let checker = Checked::new(config).checker().finish_when(until_found).spawn_bfs().join();
        match checker.discovery(rule) {
            None => missed.push(bug),
            Some(path) => {
                println!("{bug:?} in {} steps violates: {rule}", path.into_actions().len());
            }
        }
    }
    assert!(missed.is_empty(), "not found: {missed:?}");
}

#[test]
fn each_property_is_violated_by_a_planted_bug() {
    let violated: BTreeSet<_> = planted().into_iter().map(|(_, rule, _)| rule).collect();
    let rules = properties::all().into_iter().filter(|it| it.expectation == Expectation::Always);
    assert_eq!(rules.map(|it| it.name).collect::<BTreeSet<_>>(), violated);
}
