//! `MemoryStorage`.

use bits_server::storage::MemoryStorage;
use bits_server::testing;

#[tokio::test]
async fn a_storage_in_memory_conforms() {
    let memory = MemoryStorage::new();
    let report = testing::storage(move |_| {
        let storage = memory.clone();
        async { Ok(storage) }
    });
    report.await.assert_passed();
}
