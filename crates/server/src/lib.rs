//! A server for BITS uploads and downloads as a tower service.
//!
//! BITS is how Windows transfers files in the background: uploads continue after broken connections, reboots and
//! changes of network. This crate receives such uploads in any HTTP server that runs tower services, such as
//! axum and hyper. The protocol itself is implemented by [`bits_proto`].
//!
//! ```
//! use bits_server::sessions::MemorySessions;
//! use bits_server::storage::MemoryStorage;
//! use bits_server::{Completed, Deny, GIB, Limits, Parts, Principal, Server};
//! # fn machine_of(request: &Parts) -> Result<Principal, Deny> {
//! #     let name = request.headers.get("x-machine").and_then(|name| name.to_str().ok());
//! #     name.map(Principal::new).ok_or(Deny::unauthenticated("Basic"))
//! # }
//! # struct Queue;
//! # impl Queue { async fn send(&self, _: bits_server::Key) -> std::io::Result<()> { Ok(()) } }
//! # static QUEUE: Queue = Queue;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!
//! let bits = Server::builder()
//!     .storage(MemoryStorage::new()) // or FileStorage, SharedFileStorage, ObjectStorage
//!     .sessions(MemorySessions::new()) // or FileSessions, RedisSessions, ObjectSessions
//!     .limits(Limits { max_upload: Some(20 * GIB), ..Limits::default() })
//!     .authorize(async |request: &Parts| machine_of(request)) // -> Result<Principal, Deny>
//!     .destination(|principal, path| format!("{principal}/{path}")) // never escapes the storage
//!     .on_complete(|upload: Completed| async move { QUEUE.send(upload.key).await })
//!     .build()
//!     .await?; // fails early with the reason
//! let app: axum::Router = axum::Router::new().nest_service("/upload", bits.service());
//! # Ok(())
//! # }
//! ```
//!
//! A PC uploads to it with `Start-BitsTransfer -TransferType Upload report.zip http://HOST/upload/report.zip`, and so do
//! clients that use the crate `bits-client`.
//!
//! # Features
//!
//! | feature | default | enables |
//! |---|---|---|
//! | `file` | yes | `FileStorage`, `SharedFileStorage`, `FileSessions` |
//! | `object` | no | `ObjectStorage`, `ObjectSessions` |
//! | `redis` | no | `RedisSessions` |
//! | `redis-tls` | no | TLS for `RedisSessions` (`rediss://`) |
//! | `notify` | no | notification of a server application over HTTP, as IIS does |
//! | `sha256` | no | SHA-256 of each upload |
//!
//! # Storages
//!
//! A [`Storage`](storage::Storage) keeps the bytes of uploads, and the published entities. An entity is published in
//! one step when its client closes the session: readers never see a part of it. Its name is a [`Key`], which
//! never leads out of the storage. See the module [`storage`] for the storages of this crate and for the contract
//! of others.
//!
//! A storage in a folder creates the folders that a key names. With `FileStorage::options().create_folders(false)`
//! it denies entities in folders that do not exist, as IIS does.
//!
//! # Sessions
//!
//! A [`SessionStore`](sessions::SessionStore) keeps the state of uploads in progress. Any number of servers can share a
//! store, and any of them can continue any upload. See the module [`sessions`].
//!
//! A request can stall, lose its session to a later one, and resume: it never changes bytes that were acknowledged or
//! published since.
//!
//! # Access, destinations and limits
//!
//! * [`Builder::authorize`] checks every request, or [`Builder::authorize_sync`] if it decides at once. A session
//!   belongs to its [`Principal`], and does not exist for others. The requests of a client without access reveal nothing, including errors in them.
//! * [`Builder::destination`] names the entity, of uploads and of downloads: a client reads its entity at the URL
//!   that it uploaded to. With [`Builder::keep_every_upload`], any number of clients can upload to
//!   one URL.
//! * [`Limits`] bounds sizes, sessions and times. [`Builder::policy`] reaches further settings of the protocol.
//!
//! # Hooks
//!
//! [`Builder::on_complete`] is called once an upload was published, and before its client learns it. A hook that fails
//! is called again when the client retries, so no upload is lost to a full queue. It can be called twice for one
//! upload: compare [`Completed::session`].
//!
//! [`Builder::reply`] computes a reply from the uploaded bytes, which the client downloads before it closes the
//! session. With the feature `notify`, `Builder::notify` passes uploads to a server application over HTTP, as
//! IIS does.
//!
//! # Connections
//!
//! The service reads a body as fast as the storage takes it, in constant memory. Bytes are stored at
//! least once a mebibyte and every two seconds, so a broken connection loses little. A storage can choose other
//! [limits](storage::Storage::flush_limits). Work continues when an HTTP server drops the
//! handler of a request.
//!
//! A refused body is read and dropped up to [`PolicyBuf::drain_limit`](bits_proto::server::PolicyBuf). A longer one
//! closes the connection, after a moment in which the client can read the refusal. A request with
//! `Expect: 100-continue` is refused before its body is requested, if the HTTP server asks for the body when it is
//! first read, as hyper does.
//!
//! Disable limits of the HTTP server for the size and the time of request bodies: fragments can be long. axum has
//! none for services (`nest_service`, `fallback_service`), unless the application adds layers with limits.
//!
//! # Proxies
//!
//! Clients need correct URLs of replies, and server applications those of uploads. Behind a reverse proxy, set
//! [`Builder::public_url`], or [`Builder::trust_forwarded`] if there are several public URLs. A proxy must pass on the
//! method `BITS_POST`, must not buffer request bodies, and must permit bodies of the size of a fragment. For one that
//! accepts only common methods, see [`Builder::lenient`].
//!
//! # Several hosts
//!
//! Servers that share storage and sessions need none of this: any of them continues any upload. If each server has
//! its own, the host in `policy(|policy| policy.host = …)` is returned as BITS-Host-Id, and the client sends all
//! further requests of the session to it. It replaces only the name in the URL:
//!
//! * The server must be reachable by that name at the same scheme, port and path as the origin server, with a
//!   certificate for that name.
//! * Clients send their credentials to that host, so it must belong to the operator of the origin server, and
//!   [`Builder::authorize`] must return the same [`Principal`] there. Windows does so for the credentials of the job,
//!   and `bits-client` for those and its own header fields. Cookies stay with the host that set them.
//! * A reply is at the origin server, unless [`Builder::public_url`] names the host. `bits-client` sends credentials for
//!   a reply to the origin server only: if `authorize` requires some, let the origin server pass these requests on.
//! * After the fallback timeout without a connection, clients return to the origin server. It does not know the
//!   session, so they start over there. Without a timeout, they wait for the host until they give up.
//!
//! # Refusals and failures
//!
//! | cause | status | BITS-Error-Code | error of `bits-client` | client |
//! |---|---|---|---|---|
//! | credentials are missing or wrong: [`Deny::Unauthenticated`] | 401 | | `Unauthorized` | sends its credentials once |
//! | no access: [`Deny::Forbidden`], `StorageError::Denied` | 403 | `0x80070005` | `AccessDenied` | gives up |
//! | the path is no valid [`Key`], or `destination` refuses it | 403 | `0x8007007B` | `AccessDenied` | gives up |
//! | the entity exists, and [`Builder::replaces`] is not set | 403 | `0x80070050` | `AlreadyExists` | gives up |
//! | the entity exceeds [`Limits::max_upload`] | 500 | `0x80200020` | `TooLarge` | gives up |
//! | the fragment exceeds [`Limits::max_fragment`] | 413 | | | sends smaller fragments |
//! | the request is invalid, or its path is that of a folder: `StorageError::IsFolder` | 400, 411 | `0x80070057` | `Refused` | gives up |
//! | the session has expired, or belongs to another principal or path | 500 | `0x8020001F` | | starts over |
//! | bytes before the fragment are missing | 416 | | | continues at the offset |
//! | a limit of sessions, a session that is busy, a session store that fails, shutdown | 503 | | `Suspended` | retries |
//! | the body stalls or takes too long | 408 | | `Suspended` | retries |
//! | the storage or the session store is full: `StorageError::Full`, `SessionStoreError::Full` | 500 | `0x80070070` | `Full` | retries |
//! | the storage or the hook [`Builder::on_complete`] fails | 500 | | `Suspended` | retries |
//! | the closure of [`Builder::reply`] fails | 500 | `0x801901F4`, context 7 | `Application` | retries |
//! | a server application refuses or fails | its status | its code, context 7 | `Application` | by the status |
//! | staged bytes are lost: `StorageError::Lost` | 500, 404 at the end | `0x8020001F` with 500 | `NotFound` | starts over, gives up at the end |
//! | another method | 405 | | `NotBits` | gives up |
//!
//! A client that retries waits longer each time: Windows until the timeouts of its job, `bits-client` until its
//! retries are used up. Then it returns the error, and the same upload can be continued. Downloads have the
//! statuses 401, 403 and 404, and no codes; a name that is not valid does not exist.
//!
//! # Metrics
//!
//! Metrics are recorded with the crate [`metrics`](https://docs.rs/metrics), for any exporter.
//!
//! | name | kind | meaning |
//! |---|---|---|
//! | `bits_requests_active` | gauge | requests in progress |
//! | `bits_uploads_started_total` | counter | sessions that were created |
//! | `bits_uploads_finished_total` | counter | uploads that were closed by their client when they were complete |
//! | `bits_uploads_failed_total` | counter | sessions that ended otherwise, by `reason`: `cancelled`, `incomplete`, `expired`, `lost`, `other` |
//! | `bits_uploads_interrupted_total` | counter | requests whose work stopped, by `reason`: `disconnected`, `idle-timeout`, `body-timeout`, `shutdown`, `overtaken`, `storage`, `session-store`, `hook`, `application` |
//! | `bits_requests_refused_total` | counter | requests that were refused, by `reason`: `unauthenticated`, `denied`, `invalid-name`, `exists`, `too-large`, `invalid`, `session-limit` |
//! | `bits_sessions_expired_total` | counter | sessions that expired |
//! | `bits_bytes_received_total` | counter | acknowledged bytes of uploads |
//! | `bits_bytes_sent_total` | counter | bytes of downloads and replies |
//! | `bits_publication_seconds` | histogram | time for publication, including the hook |
//!
//! # Logs
//!
//! The service logs with the crate [`tracing`]. With the crate `tracing-subscriber`, `tracing_subscriber::fmt().init()`
//! writes the lines from INFO to standard output. Its feature `env-filter` selects the level:
//!
//! ```no_run
//! tracing_subscriber::fmt().with_env_filter("bits_server=debug").init();
//! ```
//!
//! | level | lines |
//! |---|---|
//! | ERROR | the session store fails |
//! | WARN | the storage, a hook or an application fails; a full storage |
//! | INFO | one for each published upload, each interrupted fragment and each refusal of the table of metrics |
//! | DEBUG | each request |
//!
//! The span of a request has the fields `method`, `path`, `packet`, `principal` and `session`; lines about failures also state the
//! number of stored `bytes`, and those about refusals `status`, `reason` and `detail`. A request causes at most one
//! line about its refusal. At most 100 refusals in ten seconds are logged at INFO. The next line states the number of
//! omitted ones as `omitted`. All refusals are counted as metrics. A first request without credentials, after which clients
//! send them, is logged at DEBUG only.
//!
//! # Shutdown
//!
//! [`Server::shutdown`] refuses new requests and waits for those in progress. The received bytes of interrupted
//! fragments are stored and recorded, and their sessions are released, so clients continue behind these bytes at
//! another node at once. A process that is killed loses no acknowledged byte either.
//! Call it before the HTTP server waits for its connections, which a slow upload keeps open. With axum:
//!
//! ```no_run
//! # use bits_server::Server;
//! # async fn serve(bits: Server, listener: tokio::net::TcpListener) -> std::io::Result<()> {
//! let app: axum::Router = axum::Router::new().nest_service("/upload", bits.service());
//! let stop = async move {
//!     let _ = tokio::signal::ctrl_c().await;
//!     bits.shutdown().await;
//! };
//! axum::serve(listener, app).with_graceful_shutdown(stop).await
//! # }
//! ```
//!
//! # Other HTTP servers
//!
//! [`Server::service`] accepts any request body and returns a [`ResponseBody`], both by the traits of `http-body`. The
//! examples `axum` and `hyper` of this package use it directly. actix-web has its own types for requests and
//! bodies: `examples/actix` in the repository contains an adapter to copy, of about 80 lines.
//!
//! ```text
//! cargo run -p bits-server --example axum
//! ```

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod access;
mod admission;
mod body;
mod builder;
mod create;
mod detach;
mod download;
mod driver;
mod error;
#[cfg(feature = "file")]
mod folder;
mod forwarded;
mod hooks;
#[cfg(feature = "file")]
mod inline_io;
mod key;
mod limits;
mod metrics;
#[cfg(feature = "notify")]
mod notify;
mod path;
mod public_url;
mod random;
mod receive;
mod refusals;
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
mod unreleased;
mod upload;
mod work;

pub use http::request::Parts;

pub use self::access::{Authorize, Deny, Principal};
pub use self::builder::Builder;
pub use self::error::{BoxError, BuildError};
pub use self::hooks::{Completed, HookResult, IntoDestination, InvalidDestination};
pub use self::key::{InvalidKey, Key};
pub use self::limits::{GIB, Limits, MIB};
#[cfg(feature = "notify")]
pub use self::notify::Notify;
pub use self::reply::{IntoReply, Reply, Upload};
pub use self::response::ResponseBody;
pub use self::server::Server;
pub use self::service::BitsService;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
