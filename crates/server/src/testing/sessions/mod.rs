//! Conformance suite for [`SessionStore`].

mod cancellation;
mod changes;
mod concurrency;
mod queries;
mod records;

use std::sync::Arc;

use super::suite::{self, Case, Opener, Report};
use crate::BoxError;
use crate::sessions::SessionStore;

/// A case of this suite.
type StoreCase = Case<dyn SessionStore>;

/// Opens the store under test.
type Stores = Opener<dyn SessionStore>;

/// Tests a [`SessionStore`].
///
/// `open` receives the name of a store. A new name is an empty store, and a known name is the store that was
/// opened with it before. A store that is [exclusive](SessionStore::is_exclusive) is never open twice, unless
/// an operation that was dropped is still running: then wait in `open`. A store that keeps nothing returns an
/// `Arc` of the store that was opened before.
///
/// Stores remain when the suite ends, so use a new folder, prefix or database for each run.
///
/// # Example
///
/// See the documentation of the [module](crate::testing).
pub async fn session_store<S, F, O>(open: F) -> Report
where
    S: SessionStore,
    F: Fn(String) -> O + Send + Sync + 'static,
    O: Future<Output = Result<S, BoxError>> + Send + 'static,
{
    let open = move |name| -> suite::BoxFuture<Result<Arc<dyn SessionStore>, BoxError>> {
        let opened = open(name);
        Box::pin(async { Ok(Arc::new(opened.await?) as Arc<dyn SessionStore>) })
    };
    let cases = [changes::CASES, queries::CASES, concurrency::CASES, cancellation::CASES];
    suite::run(&cases, Arc::new(open)).await
}
