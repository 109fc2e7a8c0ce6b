//! A server for BITS uploads and downloads as a tower service.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod body;
mod builder;
mod download;
mod driver;
mod error;
#[cfg(feature = "file")]
mod folder;
mod forwarded;
mod hooks;
mod key;
mod limits;
mod metrics;
#[cfg(feature = "notify")]
mod notify;
mod path;
mod public_url;
mod receive;
mod reply;
mod response;
mod server;
mod service;
pub mod sessions;
#[cfg(feature = "sha256")]
mod sha256;
pub mod storage;
mod sweep;
pub mod testing;
mod upload;
mod work;

pub use http::request::Parts;

pub use self::access::{Authorize, Deny, Principal};
pub use self::builder::{BuildError, Builder};
pub use self::error::BoxError;
pub use self::hooks::{Completed, HookResult, IntoDestination, InvalidDestination};
pub use self::key::{InvalidKey, Key};
pub use self::limits::Limits;
#[cfg(feature = "notify")]
pub use self::notify::Notify;
pub use self::reply::{IntoReply, Reply, Upload};
pub use self::response::ResponseBody;
pub use self::server::Server;
pub use self::service::BitsService;
