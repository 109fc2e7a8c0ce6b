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

/// Parts of the program `upload`.
pub mod upload {
    pub mod console;
    pub mod rate_limit;
}
