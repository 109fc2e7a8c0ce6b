//! Number of requests, size of records, and memory.

use std::sync::Arc;
use std::time::Duration;

use bits_server::storage::{ObjectStorage, Storage};
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use crate::driver::{Upload, content, published};
use crate::observed::Observed;

const MIB: usize = 1 << 20;

/// Uploads an entity in fragments and prints the number of requests.
async fn measure(total: usize, fragment: usize) -> (u64, u64) {
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone());
    let entity = content(3, total);
    let mut upload = Upload::begin(&storage, "entity", total as u64).await;
    println!("{total} bytes, fragments of {fragment}: begin {:?}", store.take_requests());
    for bytes in entity.chunks(fragment) {
        upload.send(&storage, bytes).await.expect("bytes");
    }
    let (requests, bytes) = (store.take_requests(), store.take_bytes());
    let record = upload.staged().0.to_string().len();
    println!(
        "  write {requests:?}, bytes {bytes:?}, saves {}, record {record}",
        upload.take_saves()
    );
    upload.publish(&storage).await.expect("the entity is published");
    println!("  publish {:?}", store.take_requests());
    upload.remove(&storage).await;
    println!("  remove {:?}", store.take_requests());
    assert!(published(&storage, "entity").await == Some(entity), "the entity has other bytes");
    println!("  read {:?}", store.take_requests());
    let left: Vec<_> = store.list(None).try_collect().await.expect("a list");
    assert_eq!(left.len(), 1, "objects are left: {left:?}");
    let count = |name| bytes.get(name).copied().unwrap_or_default();
    (count("put") + count("part"), count("get"))
}

#[tokio::test]
async fn each_byte_is_written_twice_and_read_once_at_most() {
    for (total, fragment) in [(64, 1), (64, 4), (65, 13), (40, 64), (9, 5)]
        .map(|(total, size)| (total * MIB, size * MIB))
    {
        let (written, read) = measure(total, fragment).await;
        let small = 4096 * (total / fragment + 1) as u64;
        assert!(written <= 2 * total as u64 + small, "{written} bytes written of {total}");
        assert!(read <= total as u64 + small, "{read} bytes read of {total}");
        // Fragments that are long enough are written once.
        if fragment >= 13 * MIB {
            assert!(written <= total as u64 + small, "{written} bytes written of {total}");
        }
    }
}

#[tokio::test]
async fn tiny_fragments_make_a_bounded_tail() {
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone());
    let (total, fragment) = (3 * MIB, 5 << 10);
    let entity = content(4, total);
    let mut upload = Upload::begin(&storage, "entity", total as u64).await;
    for bytes in entity.chunks(fragment) {
        upload.send(&storage, bytes).await.expect("bytes");
        let objects = store.list(None).try_collect::<Vec<_>>().await.expect("a list").len();
        // 32 long and 32 short objects, those that were joined just now, and the marker.
        assert!(objects <= 32 + 32 + 32 + 1, "{objects} objects");
        assert!(upload.staged().0.to_string().len() < 8 << 10, "the record is too long");
    }
    let written: u64 = store.take_bytes().values().sum();
    println!("{written} bytes in requests for {total}");
    upload.publish(&storage).await.expect("the entity is published");
    assert!(published(&storage, "entity").await == Some(entity), "the entity has other bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_share_the_memory() {
    const LIMIT: usize = 16 * MIB;
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone()).max_buffer(LIMIT);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100_u64 {
        let storage: Arc<dyn Storage> = Arc::new(storage.clone());
        tasks.spawn(async move {
            let (key, entity) = (format!("entity-{number}"), content(number, 6 * MIB));
            let mut upload = Upload::begin(&*storage, &key, entity.len() as u64).await;
            for fragment in entity.chunks(4 * MIB) {
                let mut writer = upload.writer(&*storage).await.expect("a writer");
                for chunk in fragment.chunks(8 << 10) {
                    writer.write(Bytes::copy_from_slice(chunk)).await.expect("bytes");
                    tokio::task::yield_now().await;
                }
                let flushed = writer.flush().await.expect("bytes");
                upload.acknowledge(flushed, fragment.len() as u64);
            }
            upload.publish(&*storage).await.expect("the entity is published");
            assert!(published(&*storage, &key).await == Some(entity), "{key} has other bytes");
        });
    }
    tasks.join_all().await;
    println!("peak {} of {LIMIT}", storage.peak_buffered());
    assert!(storage.peak_buffered() <= LIMIT, "peak {}", storage.peak_buffered());
}

#[tokio::test]
async fn a_record_of_a_large_entity_is_short() {
    // 2000 parts of S3, in the form that a record stores.
    let part = (8_u64 << 20, format!("\"{}\"", "0123456789abcdef".repeat(2)));
    let parts = vec![part; 2000];
    let length = serde_json::to_string(&parts).expect("JSON").len();
    println!("{length} bytes for 2000 parts");
    assert!(length < 128 << 10);
}

#[tokio::test]
async fn data_of_sessions_without_records_is_found_and_removed() {
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone());
    let mut upload = Upload::begin(&storage, "entity", 6).await;
    upload.send(&storage, b"abc").await.expect("bytes");
    assert!(storage.sessions(Duration::from_secs(60)).await.expect("a list").is_empty());
    let found = storage.sessions(Duration::ZERO).await.expect("a list");
    assert_eq!(found, [upload.id()]);
    store.take_requests();
    storage.remove(upload.id(), None).await.expect("the data is removed");
    assert_eq!(store.take_requests().get("abort"), Some(&1));
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.expect("a list"), []);
    assert!(upload.send(&storage, b"def").await.is_err(), "the session was removed");
}
