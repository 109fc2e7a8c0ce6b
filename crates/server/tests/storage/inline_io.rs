//! `FileStorage`: threads on which operations run.

use std::fmt::Debug;
use std::pin::pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use bits_server::storage::FileStorage;
use bytes::Bytes;

use super::files::{Disk, upload};

/// Takes more than a millisecond to write.
const LONG: usize = 128 << 20;

/// More threads than other tests occupy with operations at the same time.
const MANY: usize = 64;

/// Runs a test with only one thread for blocking operations.
fn run(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime
        .worker_threads(MANY)
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

/// Runs an operation, and returns if it completed on the thread of the caller: no other thread is free.
async fn is_inline<T, E: Debug>(operation: impl Future<Output = Result<T, E>>) -> bool {
    let (free, busy) = mpsc::channel::<()>();
    let blocked = tokio::task::spawn_blocking(move || busy.recv());
    let mut operation = pin!(operation);
    let first = operation.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(free);
    let is_inline = first.is_ready();
    match first {
        Poll::Ready(result) => drop(result.unwrap()),
        Poll::Pending => drop(operation.await.unwrap()),
    }
    drop(blocked.await);
    is_inline
}

#[test]
fn writes_leave_the_threads_of_the_runtime_while_the_disk_is_slow() {
    run(async {
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
    });
}

#[test]
fn a_flush_to_the_disk_never_runs_on_a_thread_of_the_runtime() {
    run(async {
        let mut disk = Disk::new(FileStorage::options().fsync(true), "e", "").await;
        let token = disk.upload.token();
        let mut writer = disk.upload.writer(&disk.storage, token, 0).await.unwrap();
        let mut inline = 0;
        for _ in 0..100 {
            inline += u32::from(is_inline(writer.write(Bytes::from_static(b"short"))).await);
            assert!(!is_inline(writer.flush()).await);
        }
        assert!(inline > 1, "writes do not become slow because flushes are");
    });
}
