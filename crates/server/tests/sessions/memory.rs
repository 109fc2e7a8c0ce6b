//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bits_server::sessions::MemorySessions;
use bits_server::testing;

use crate::equivalence::is_equivalent_to_a_map;

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
