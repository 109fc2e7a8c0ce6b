//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bits_server::sessions::{MemorySessions, SessionStore as _};
use bits_server::testing;

use crate::equivalence::is_equivalent_to_a_map;
use crate::records::{load, record};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_passes_the_suite() {
    let stores = Mutex::new(HashMap::<String, Arc<MemorySessions>>::new());
    let report = testing::session_store(move |name| {
        let store = Arc::clone(stores.lock().expect("a lock").entry(name).or_default());
        async { Ok(store) }
    });
    report.await.assert_passed();
}

#[tokio::test]
async fn memory_is_equivalent_to_a_map() {
    for seed in 0..4 {
        let store = MemorySessions::new();
        is_equivalent_to_a_map([&store, &store], seed).await;
    }
}

#[tokio::test]
async fn a_replacement_moves_a_session_between_principals() {
    let store = MemorySessions::new();
    let mut record = record(1);
    assert!(store.insert(&record).await.expect("no failure"));
    for principal in [Some("b"), None, Some("a"), Some("a"), Some("b")] {
        let version = load(&store, 1).await.version;
        record.record.principal = principal.map(Into::into);
        let replaced = store.replace(&version, &record).await.expect("no failure");
        assert!(replaced.is_some(), "{principal:?}");
        for name in ["a", "b"] {
            let count = store.count(Some(name)).await.expect("no failure");
            assert_eq!(count, usize::from(principal == Some(name)), "{name} of {principal:?}");
        }
    }
}
