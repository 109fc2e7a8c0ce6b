//! The conformance suite finds each broken promise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bits_server::testing::{self, Report};

use crate::faulty::Fault::{self, *};
use crate::faulty::Faulty;

/// Each fault with a case that finds it.
const FAULTS: [(Fault, &str); 35] = [
    (CheckFails, "check_succeeds"),
    (InsertOverwrites, "insert_keeps_an_existing_session"),
    (InsertOverwritesSilently, "insert_keeps_an_existing_session"),
    (InsertIsNotAtomic, "one_of_concurrent_inserts_wins"),
    (LoadOmitsData, "load_returns_all_fields"),
    (LoadOmitsReplyUrl, "load_returns_all_fields"),
    (DataIsLimited, "large_data_is_stored"),
    (ReplaceIgnoresVersion, "replace_rejects_a_stale_version"),
    (ReplaceInserts, "replace_of_a_missing_session_is_none"),
    (ReplaceIsNotAtomic, "concurrent_increments_are_not_lost"),
    (ReplaceKeepsStaged, "load_returns_all_fields"),
    (EqualReplaceKeepsVersion, "versions_do_not_repeat"),
    (VersionsRepeat, "versions_do_not_repeat"),
    (VersionsOutliveSessions, "versions_end_with_the_session"),
    (RemoveIgnoresVersion, "remove_rejects_a_stale_version"),
    (RemoveOfMissingFails, "remove_is_idempotent"),
    (RemoveDoesNothing, "remove_deletes_the_session"),
    (RemoveIsNotAtomic, "replace_and_remove_exclude_each_other"),
    (CountNeverShrinks, "count_follows_changes"),
    (CountIncludesReplaces, "count_follows_changes"),
    (CountIncludesRejectedInserts, "rejected_changes_are_not_counted"),
    (CountIgnoresPrincipal, "count_is_by_principal"),
    (CountIgnoresCase, "principals_are_exact"),
    (CountEndsAtNul, "principals_are_exact"),
    (ExpiredExcludesBoundary, "expired_includes_its_boundary"),
    (ExpiredIsEarly, "expired_includes_its_boundary"),
    (ExpiredIsRounded, "expired_is_never_early"),
    (ExpiredIgnoresMax, "expired_respects_its_maximum"),
    (ExpiredIgnoresReplace, "expired_follows_replace"),
    (ExpiredOverflows, "expired_accepts_any_time"),
    (ReopeningForgets, "sessions_are_kept"),
    (ReopeningRepeatsVersions, "versions_are_kept"),
    (DroppedChangesBlock, "a_dropped_replace_is_complete_or_absent"),
    (DroppedReplaceIsTorn, "a_dropped_replace_is_complete_or_absent"),
    (DroppedQueriesBlock, "dropped_queries_have_no_effect"),
];

async fn run(fault: Fault) -> Report {
    let stores = Mutex::new(HashMap::<String, Arc<Faulty>>::new());
    let report = testing::session_store(move |name| {
        let mut stores = stores.lock().expect("a lock");
        if fault == ReopeningForgets {
            stores.remove(&name);
        }
        let store = stores.entry(name).or_insert_with(|| Arc::new(Faulty::new(fault)));
        store.reopen();
        let store = Arc::clone(store);
        async { Ok(store) }
    });
    report.await
}

/// The clock is paused, so that the suite does not wait for queries that remain wrong.
#[tokio::test(start_paused = true)]
async fn the_suite_finds_each_fault() {
    for (fault, case) in FAULTS {
        let report = run(fault).await;
        let found = report.failures().any(|failure| failure.name == case);
        assert!(found, "{fault:?} must fail {case}: {report}");
        let text = report.to_string();
        assert!(text.contains(&format!("\n{case}: ")), "{text}");
    }
}

/// The wrapper itself has no fault that the suite would find instead.
#[tokio::test(start_paused = true)]
async fn most_cases_pass_in_spite_of_a_fault() {
    for (fault, _) in FAULTS {
        let report = run(fault).await;
        let (failures, all) = (report.failures().count(), report.results().len());
        assert!(failures > 0 && failures < all, "{fault:?}: {report}");
    }
    assert_eq!(run(DataIsLimited).await.failures().count(), 1);
    assert_eq!(run(CheckFails).await.failures().count(), 1);
}
