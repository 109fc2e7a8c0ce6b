//! Requests that stall inside of the store.

use std::sync::Arc;

use bits_server::storage::{ObjectStorage, Storage, StorageError};
use object_store::memory::InMemory;

use crate::driver::{Upload, content, published};
use crate::observed::Observed;

const MIB: usize = 1 << 20;

/// A part that a stalled request uploads late has the number of a part that counts.
#[tokio::test]
async fn a_part_that_arrives_late_is_replaced_by_the_acknowledged_one() {
    let store = Observed::new(InMemory::new());
    let storage: Arc<dyn Storage> = Arc::new(ObjectStorage::new(store.clone()));
    let entity = content(1, 20 * MIB);
    let mut upload = Upload::begin(&*storage, "entity", entity.len() as u64).await;

    // The first request stalls while its part is on the way.
    let stall = store.stall("part");
    let mut stalled = upload.writer(&*storage).await.expect("a writer");
    let late = tokio::spawn(async move { stalled.write(vec![0xee; 8 * MIB].into()).await });
    stall.reached.notified().await;
    upload.send(&*storage, &entity[..9 * MIB]).await.expect("the next request succeeds");
    stall.released.notify_one();
    late.await.expect("no panic").expect("the store accepts the part");

    upload.send(&*storage, &entity[9 * MIB..]).await.expect("the last request succeeds");
    upload.publish(&*storage).await.expect("the entity is published");
    assert!(published(&*storage, "entity").await == Some(entity), "the entity has other bytes");
}

/// A request that stalls before it reserves a part number cannot use the number.
#[tokio::test]
async fn an_overtaken_request_uploads_no_part() {
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone());
    let entity = content(2, 20 * MIB);
    let mut upload = Upload::begin(&storage, "entity", entity.len() as u64).await;
    let mut overtaken = upload.writer(&storage).await.expect("a writer");
    upload.send(&storage, &entity[..9 * MIB]).await.expect("the next request succeeds");
    store.take_requests();
    let error = overtaken.write(vec![0xee; 8 * MIB].into()).await.expect_err("a stale request");
    assert!(matches!(error, StorageError::Stale), "{error:?}");
    assert_eq!(store.take_requests().get("part"), None);
    let error = overtaken.flush().await.expect_err("bytes are missing");
    assert!(matches!(error, StorageError::Other(_)), "{error:?}");
}

/// A publication stalls, its session ends, and another session replaces the entity.
#[tokio::test]
async fn a_late_publication_does_not_replace_a_later_entity() {
    for apart in [false, true] {
        let store = Observed::new(InMemory::new());
        let storage = ObjectStorage::new(store.clone()).assemble_apart(apart);
        let mut first = Upload::begin(&storage, "entity", 3).await;
        first.send(&storage, b"old").await.expect("bytes");
        let stall = store.stall("complete");
        let publication = first.publication().with_replaces(true);
        let late = tokio::spawn({
            let storage = storage.clone();
            async move { storage.publish(publication).await }
        });
        stall.reached.notified().await;
        first.publish(&storage).await.expect("the entity is published");
        first.remove(&storage).await;
        let mut second = Upload::begin(&storage, "entity", 5).await;
        second.send(&storage, b"newer").await.expect("bytes");
        let publication = second.publication().with_replaces(true);
        storage.publish(publication).await.expect("the entity is replaced");
        stall.released.notify_one();
        let _ = late.await.expect("no panic");
        assert_eq!(published(&storage, "entity").await.as_deref(), Some(&b"newer"[..]));
    }
}

/// Sessions that publish one key at the same time, without replacing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_concurrent_publications_wins() {
    for round in 0..20 {
        let store = Observed::new(InMemory::new());
        store.set_stalls(round + 1, std::time::Duration::from_millis(5));
        let storage = ObjectStorage::new(store.clone());
        let mut publications = tokio::task::JoinSet::new();
        for number in 0..4_u8 {
            let mut upload = Upload::begin(&storage, "entity", 1).await;
            upload.send(&storage, &[number]).await.expect("bytes");
            let storage = storage.clone();
            publications.spawn(async move {
                loop {
                    match upload.publish(&storage).await {
                        Ok(_) => return Some(number),
                        Err(StorageError::Exists) => return None,
                        // Another session was publishing.
                        Err(StorageError::Other(_)) => {}
                        Err(error) => panic!("round {round}: {error:?}"),
                    }
                }
            });
        }
        let winners: Vec<_> = publications.join_all().await.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "round {round}");
        assert_eq!(published(&storage, "entity").await, Some(winners), "round {round}");
    }
}

/// The response to a completed publication is lost, and the publication is repeated.
#[tokio::test]
async fn a_publication_can_be_repeated() {
    let store = Observed::new(InMemory::new());
    let storage = ObjectStorage::new(store.clone());
    for (key, bytes) in [("entity", &b"bytes"[..]), ("empty", b"")] {
        let mut upload = Upload::begin(&storage, key, bytes.len() as u64).await;
        if !bytes.is_empty() {
            upload.send(&storage, bytes).await.expect("bytes");
        }
        for _ in 0..2 {
            let published = upload.publish(&storage).await.expect("the entity is published");
            let key = key.parse().expect("a valid key");
            let metadata = storage.metadata(&key).await.expect("metadata").expect("an entity");
            assert_eq!(metadata.tag, published.tag);
        }
        let mut other = Upload::begin(&storage, key, bytes.len() as u64).await;
        if !bytes.is_empty() {
            other.send(&storage, bytes).await.expect("bytes");
        }
        let error = other.publish(&storage).await.expect_err("another entity has the key");
        assert!(matches!(error, StorageError::Exists), "{error:?}");
        upload.remove(&storage).await;
        other.remove(&storage).await;
    }
}
