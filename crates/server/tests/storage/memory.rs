//! `MemoryStorage`.

use bits_server::Key;
use bits_server::storage::{MemoryStorage, Storage as _, StorageError};
use bits_server::testing::{self, Upload};
use bytes::Bytes;

#[tokio::test]
async fn a_storage_in_memory_conforms() {
    let memory = MemoryStorage::new();
    let report = testing::storage(move |_| {
        let storage = memory.clone();
        async { Ok(storage) }
    });
    report.await.assert_passed();
}

#[tokio::test]
async fn a_storage_is_full_at_its_limit() {
    let storage = MemoryStorage::new().with_max_bytes(10);
    let key: Key = "e".parse().expect("a key");
    let mut upload = Upload::begin(&storage, &key, 6).await.expect("a session");
    upload.send(&storage, b"entity").await.expect("space");
    let token = upload.token();
    let mut reply = storage.write_reply(token).await.expect("a session");
    reply.write(Bytes::from_static(b"five!")).await.expect_err("full");
    reply.write(Bytes::from_static(b"four")).await.expect("space");
    assert!(is_full(&reply.write(Bytes::from_static(b"!")).await));
    drop(reply);
    // The space of a reply that was not finished is free again.
    let mut other = Upload::begin(&storage, &key, 5).await.expect("a session");
    let token = other.token();
    let mut writer = other.writer(&storage, token, 0).await.expect("a session");
    assert!(is_full(&writer.write(Bytes::from_static(b"12345")).await));
    writer.write(Bytes::from_static(b"1234")).await.expect("space");
    other.remove(&storage).await.expect("removed");
    storage.publish(upload.publication()).await.expect("published");
    upload.remove(&storage).await.expect("removed");
    assert_eq!(storage.get(&key).as_deref(), Some(&b"entity"[..]));
    assert_eq!(storage.take(&key).as_deref(), Some(&b"entity"[..]));
    assert_eq!(storage.take(&key), None);
    let mut all = Upload::begin(&storage, &key, 10).await.expect("a session");
    all.send(&storage, b"0123456789").await.expect("all space");
}

fn is_full<T>(result: &Result<T, StorageError>) -> bool {
    matches!(result, Err(StorageError::Full(_)))
}
