//! Conformance suite for [`Storage`].

mod checks;
mod fencing;
mod keys;
mod publication;
mod replies;
mod sessions;
mod uploads;

use std::sync::Arc;

use super::suite::{self, Case, Opener, Report};
use crate::BoxError;
use crate::storage::Storage;

/// A case of this suite.
type StorageCase = Case<dyn Storage>;

/// Opens the storage under test.
type Storages = Opener<dyn Storage>;

/// Tests a [`Storage`].
///
/// `open` receives the name of a storage. A new name is an empty storage, and a known name is the storage that
/// was opened with it before, also while that is open: the suite acts as several nodes. For a storage that only
/// one process can open, `open` returns an [`Arc`] of the one that is open.
///
/// Entities remain when the suite ends, so use a new folder or bucket for each run.
///
/// # Example
///
/// ```
/// use bits_server::storage::MemoryStorage;
/// use bits_server::testing;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // A storage in memory ends with its process, so all cases share one.
/// let memory = MemoryStorage::new();
/// testing::storage(move |_| {
///     let storage = memory.clone();
///     async { Ok(storage) }
/// })
/// .await
/// .assert_passed();
/// # }
/// ```
pub async fn storage<S, F, O>(open: F) -> Report
where
    S: Storage,
    F: Fn(String) -> O + Send + Sync + 'static,
    O: Future<Output = Result<S, BoxError>> + Send + 'static,
{
    let open = move |name| -> suite::BoxFuture<Result<Arc<dyn Storage>, BoxError>> {
        let opened = open(name);
        Box::pin(async { Ok(Arc::new(opened.await?) as Arc<dyn Storage>) })
    };
    let cases = [
        uploads::CASES,
        publication::CASES,
        keys::CASES,
        fencing::CASES,
        replies::CASES,
        sessions::CASES,
    ];
    suite::run(&cases, Arc::new(open)).await
}
