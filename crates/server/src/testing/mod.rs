//! Conformance suites for implementations of [`Storage`](crate::storage::Storage) and
//! [`SessionStore`](crate::sessions::SessionStore).
//!
//! A suite opens the implementation under test with a closure. The closure receives a name: a new name is an
//! empty store, and a known name is the store that was opened with it before. The suite needs a Tokio runtime
//! with timers.
//!
//! # Example
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::{Arc, Mutex};
//!
//! use bits_server::sessions::MemorySessions;
//! use bits_server::testing;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // A folder, a prefix in a bucket, or a table of a database in other implementations.
//! let stores = Mutex::new(HashMap::<String, Arc<MemorySessions>>::new());
//! let report = testing::session_store(move |name| {
//!     let store = Arc::clone(stores.lock().unwrap().entry(name).or_default());
//!     async { Ok(store) }
//! });
//! report.await.assert_passed();
//! # }
//! ```

mod sessions;
mod storage;
mod suite;
mod upload;
mod work_tokens;

pub use self::sessions::session_store;
pub use self::storage::storage;
pub use self::suite::{CaseResult, Report};
pub use self::upload::Upload;
pub use self::work_tokens::WorkTokens;
