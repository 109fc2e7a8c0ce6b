//! Conformance suites for implementations of [`Storage`](crate::storage::Storage) and
//! [`SessionStore`](crate::sessions::SessionStore).
