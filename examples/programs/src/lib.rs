//! Modules that the programs of this package share with each other and with their tests.

pub mod error_chain;
pub mod host_error;
#[cfg(feature = "tls")]
pub mod root_certs;

/// An upload handler for axum whose sessions and files several processes can share.
pub mod cluster {
    pub mod body;
    pub mod folder;
    pub mod handler;
    #[cfg(feature = "redis")]
    pub mod redis_store;
}

/// Storage of the program `serve`.
pub mod serve {
    pub mod fencing;
    pub mod folder;
    pub mod path;
    pub mod storage;
}

/// Parts of the programs `upload` and `download`.
pub mod client {
    pub mod arguments;
    pub mod connection;
    pub mod console;
    pub mod failure;
    pub mod fetch;
    pub mod http_url;
    pub mod interrupt;
    pub mod last_error;
    pub mod random;
    pub mod rate_limit;
    pub mod state_file;
    #[cfg(feature = "tls")]
    pub mod tls;
}
