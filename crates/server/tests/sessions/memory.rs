//! Sessions in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use bits_server::sessions::MemorySessions;
use bits_server::testing;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_passes_the_suite() {
    let stores = Mutex::new(HashMap::<String, Arc<MemorySessions>>::new());
    let report = testing::session_store(move |name| {
        let store = Arc::clone(stores.lock().expect("a lock").entry(name).or_default());
        async { Ok(store) }
    });
    report.await.assert_passed();
}
