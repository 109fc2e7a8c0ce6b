//! Suites over a store in memory.

use std::collections::HashMap;
use std::sync::Mutex;

use bits_server::sessions::ObjectSessions;
use bits_server::storage::{ObjectStorage, Storage};
use bits_server::testing;
use object_store::memory::InMemory;

use crate::observed::Observed;

/// Returns a function that returns the store of a name.
fn stores() -> impl Fn(String) -> Observed<InMemory> {
    let stores = Mutex::new(HashMap::<String, Observed<InMemory>>::new());
    move |name| stores.lock().expect("a lock").entry(name).or_default().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_in_memory_conform() {
    let stores = stores();
    let report = testing::session_store(move |name| {
        let sessions = ObjectSessions::new(stores(name)).prefix("logs/");
        async { Ok(sessions) }
    });
    report.await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_in_memory_conform() {
    let stores = stores();
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(stores(name)).prefix("logs/");
        async { Ok(storage) }
    });
    report.await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_that_are_assembled_apart_conform() {
    let stores = stores();
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(stores(name)).assemble_apart(true);
        assert!(storage.can_read_staged());
        async { Ok(storage) }
    });
    report.await.assert_passed();
}
