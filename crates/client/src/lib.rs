//! Resumable uploads and downloads with BITS, the Background Intelligent Transfer Service of Windows.
//!
//! Uploads use the method `BITS_POST` of \[MC-BUP\], downloads use range requests to any HTTP server.
//! The state machines of [`bits_proto`] decide, and this crate moves the bytes over
//! [reqwest](https://docs.rs/reqwest), stores the state, and waits.
//!
//! ```
//! # use bits_server::{Server, sessions::MemorySessions, storage::MemoryStorage};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let bits = Server::builder().storage(MemoryStorage::new()).sessions(MemorySessions::new());
//! # let app = axum::Router::new().fallback_service(bits.build().await?.service());
//! # let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! # let url = format!("http://{}/report.bin", listener.local_addr()?);
//! # tokio::spawn(async move { axum::serve(listener, app).await });
//! # let folder = tempfile::tempdir()?;
//! # let (file, copy) = (folder.path().join("report.bin"), folder.path().join("copy.bin"));
//! # let (states, token) = (folder.path().join("states"), "token");
//! # std::fs::write(&file, "content")?;
//! use bits_client::{Client, StateDir};
//!
//! let client = Client::builder().bearer(token).rate_limit(20 << 20).build()?;
//! let states = StateDir::new(states); // or StateDir::default()
//!
//! let upload = client.upload(&url).file(&file).resume(states.clone());
//! let done = upload.progress(|it| println!("{} of {:?}", it.transferred, it.total)).send().await?;
//! println!("{} bytes are on the server", done.length);
//!
//! let download = client.download(&url).to(&copy).resume(states);
//! let done = download.progress(|it| println!("{:.0} bytes/s", it.rate)).send().await?;
//! println!("{} bytes are in {}", done.length, copy.display());
//! # assert_eq!(std::fs::read(copy)?, b"content");
//! # Ok(())
//! # }
//! ```
//!
//! # Failures
//!
//! A transfer retries transient failures with a back-off, and waits as long as Retry-After requests.
//! It continues where it stopped. After [`ClientBuilder::retries`] consecutive failures it returns
//! [`Error::Suspended`]. With [`Upload::resume`] and [`Download::resume`] its state is stored then, and
//! the same transfer continues it, also after a crash.
//!
//! | error | meaning | advice |
//! |---|---|---|
//! | [`Error::Url`], [`Error::Option`] | the call is invalid | the URL that was meant |
//! | [`Error::Unauthorized`] | other credentials are required | credentials or schemes to use |
//! | [`Error::AccessDenied`], [`Error::NotFound`], [`Error::NotBits`] | the URL is wrong or not allowed | check the URL, ask for access |
//! | [`Error::AlreadyExists`] | the destination exists | choose another one |
//! | [`Error::TooLarge`], [`Error::Full`] | a limit of the server | raise it, try again later |
//! | [`Error::Application`] | the application behind the server rejected the entity | by status and error code |
//! | [`Error::Paused`], [`Error::Suspended`] | the transfer can continue | start it again |
//! | [`Error::Changed`] | the file changed during the upload | upload it again |
//! | [`Error::Redirected`] | a redirect is not followed | use the other URL |
//! | [`Error::Tls`] | the certificate or the handshake | by reason |
//! | [`Error::Reply`] | the entity is uploaded, but not its reply fetched | |
//! | [`Error::State`], [`Error::Io`] | a local file | |
//!
//! # Connections
//!
//! HTTP/1.1 and TLS with the certificates of the system, or with
//! [`ClientBuilder::ca_certificate`]. The environment variables `http_proxy`, `https_proxy`,
//! `all_proxy` and `no_proxy` are used unless [`ClientBuilder::proxy`] or
//! [`ClientBuilder::no_proxy`] is called; proxies are HTTP or SOCKS. Authentication: Bearer, Basic and
//! Digest. URLs can have an IPv6 address with a zone, as in `http://[fe80::1%25eth0]/`.
//!
//! The crate logs with [`tracing`](https://docs.rs/tracing): each request at the level DEBUG.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod client;
mod download;
mod error;
mod http;
mod progress;
mod rate_limit;
mod restart;
mod state;
mod upload;

pub use self::client::{Client, ClientBuilder};
pub use self::download::{Download, Downloaded};
pub use self::error::{BoxError, Change, Error, Result, StopReason, error_chain};
pub use self::progress::{Phase, Progress};
pub use self::restart::RestartReason;
pub use self::state::StateDir;
pub use self::upload::{Upload, Uploaded};
pub use bits_proto::download::ByteRange;
pub use tokio_util::sync::CancellationToken;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
