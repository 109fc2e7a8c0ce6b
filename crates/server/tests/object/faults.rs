//! Uploads while operations of the store fail, stall, and lose their responses at random.

use std::time::Duration;

use bits_server::storage::{ObjectStorage, Storage, StorageError};
use futures_util::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;

use crate::driver::{Upload, content, published};
use crate::observed::Observed;

const MIB: usize = 1 << 20;

/// Number of attempts of one operation.
const ATTEMPTS: usize = 50;

/// Uploads an entity. A request that fails is sent again from the acknowledged offset.
async fn upload(storage: &dyn Storage, key: &str, entity: &[u8], fragment: usize) -> Upload {
    let mut upload = Upload::begin(storage, key, entity.len() as u64).await;
    let mut failures = 0;
    while upload.acknowledged() < entity.len() {
        let first = upload.acknowledged();
        let last = entity.len().min(first + fragment);
        match upload.send(storage, &entity[first..last]).await {
            Ok(()) => failures = 0,
            Err(StorageError::Other(error)) if failures < ATTEMPTS => {
                failures += 1;
                assert!(error.to_string().contains("injected"), "{error}");
            }
            Err(error) => panic!("{key} at {first}: {error:?}"),
        }
    }
    upload
}

/// Publishes an entity, again after each failure.
async fn publish(storage: &dyn Storage, upload: &mut Upload, replaces: bool) {
    for _ in 0..ATTEMPTS {
        let publication = upload.publication().with_replaces(replaces);
        match storage.publish(publication).await {
            Ok(_) => return,
            Err(StorageError::Other(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    panic!("publication failed {ATTEMPTS} times");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_byte_is_lost_when_operations_fail() {
    let seed: Option<u64> = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| std::process::id().into());
    println!("SEED={seed}");
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..24 {
        tasks.spawn(async move {
            let store = Observed::new(InMemory::new());
            let storage = ObjectStorage::new(store.clone()).assemble_apart(number % 3 == 0);
            let (key, length) = ("entity", (number as usize * 7 % 23 + 1) * MIB + 1);
            let entity = content(number, length);
            let fragment = [MIB / 2, 3 * MIB, 9 * MIB, 20 * MIB][number as usize % 4];
            let mut first = Upload::begin(&storage, key, 3).await;
            first.send(&storage, b"old").await.expect("bytes");
            first.publish(&storage).await.expect("the entity is published");
            store.set_faults(seed + number, 3, Duration::from_millis(2));
            let begun = tokio::spawn({
                let (storage, entity) = (storage.clone(), entity.clone());
                async move {
                    let mut upload = upload(&storage, key, &entity, fragment).await;
                    publish(&storage, &mut upload, true).await;
                    upload
                }
            });
            let upload = begun.await.unwrap_or_else(|error| panic!("upload {number}: {error}"));
            store.clear_faults();
            assert!(published(&storage, key).await == Some(entity), "upload {number}");
            upload.remove(&storage).await;
            first.remove(&storage).await;
            storage.remove(upload.id(), None).await.expect("claims are removed");
            let left: Vec<_> = store.list(None).try_collect().await.expect("a list");
            assert_eq!(left.len(), 1, "objects are left: {left:?}");
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("an upload succeeds");
    }
}
