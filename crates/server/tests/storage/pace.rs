//! `FileStorage`: threads on which operations run. An operation that completes when it is first polled runs on the
//! thread of the caller.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bits_server::storage::FileStorage;
use bytes::Bytes;

use super::files::{Disk, upload};

/// Takes more than a millisecond to write.
const LONG: usize = 128 << 20;

/// Runs an operation, and returns if it completed on the thread of the caller.
async fn is_inline<T, E: std::fmt::Debug>(operation: impl Future<Output = Result<T, E>>) -> bool {
    let mut operation = pin!(operation);
    match operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => {
            result.unwrap();
            true
        }
        Poll::Pending => {
            operation.await.unwrap();
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_leave_the_threads_of_the_runtime_while_the_disk_is_slow() {
    let mut disk = Disk::new(FileStorage::options(), "e", "").await;
    let mut other = upload(&disk.storage, "other", "").await;
    let token = disk.upload.token();
    let mut writer = disk.upload.writer(&disk.storage, token, 0).await.unwrap();
    let token = other.token();
    let mut other = other.writer(&disk.storage, token, 0).await.unwrap();
    let short = || Bytes::from_static(b"short");

    assert!(is_inline(writer.write(vec![7; LONG].into())).await);
    // Of any session.
    assert!(!is_inline(writer.write(short())).await);
    assert!(!is_inline(other.write(short())).await);
    while !is_inline(writer.write(short())).await {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flush_to_the_disk_never_runs_on_a_thread_of_the_runtime() {
    let mut disk = Disk::new(FileStorage::options().fsync(true), "e", "").await;
    let token = disk.upload.token();
    let mut writer = disk.upload.writer(&disk.storage, token, 0).await.unwrap();
    let mut inline = 0;
    for _ in 0..100 {
        inline += u32::from(is_inline(writer.write(Bytes::from_static(b"short"))).await);
        assert!(!is_inline(writer.flush()).await);
    }
    assert!(inline > 1, "writes do not become slow because flushes are");
}
