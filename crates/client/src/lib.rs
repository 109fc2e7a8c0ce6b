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
//! [`Error::report`] returns the message with its causes, and [`Error::advice`] the next step for a
//! person:
//!
//! | error | meaning | advice |
//! |---|---|---|
//! | [`Error::Url`], [`Error::Option`] | the call is invalid | the URL that was meant |
//! | [`Error::Unauthorized`] | other credentials are required | credentials or schemes to use |
//! | [`Error::AccessDenied`] | the server denies access to the URL | check the folder of the URL, ask for access |
//! | [`Error::NotFound`] | the URL does not exist | check the URL |
//! | [`Error::NotBits`] | the URL accepts no uploads | check the URL and the proxies before the server |
//! | [`Error::AlreadyExists`] | the destination exists, perhaps from an earlier run | compare it with a download, or choose another one |
//! | [`Error::TooLarge`] | a limit of the server | send less, or raise the limit |
//! | [`Error::Full`] | the disk of the server is full | try again later |
//! | [`Error::Application`] | the application behind the server rejected the entity | by status and error code |
//! | [`Error::Refused`] | the server rejected a request for another reason | by status and error code |
//! | [`Error::Paused`] | the transfer was cancelled through its token | start it again |
//! | [`Error::Suspended`] | retries did not help; the cause is [`source`](std::error::Error::source) | by reason; start it again |
//! | [`Error::Aborted`] | the session was deleted on request | |
//! | [`Error::Changed`] | the file changed during the upload | upload it again |
//! | [`Error::Redirected`] | a redirect is not followed | use the other URL |
//! | [`Error::Tls`] | the certificate or the handshake | by reason |
//! | [`Error::Reply`] | the entity is uploaded, but its reply is not fetched | |
//! | [`Error::State`] | another process runs the transfer, or its folder of states is unusable | wait, or choose another folder |
//! | [`Error::Io`] | a local file | by the error of the system |
//!
//! ```no_run
//! use bits_client::{Client, Error, StateDir};
//!
//! # async fn run(client: Client, url: &str) -> Result<(), Error> {
//! match client.upload(url).file("report.bin").resume(StateDir::default()).send().await {
//!     Ok(done) => println!("{} bytes are on the server", done.length),
//!     Err(error) if error.is_resumable() => println!("{error}; the next run continues"),
//!     // Perhaps another file: do not delete this one.
//!     Err(Error::AlreadyExists { destination }) => println!("{destination} exists: use another name"),
//!     Err(error) => println!("{}. {}", error.report(), error.advice().unwrap_or_default()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Error::AlreadyExists`] does not mean that this file is on the server: another file may be at the URL. Give each
//! upload a name that no other one has, for example with a UUID that is stored beside the file. Then only an earlier
//! run of the same upload can have completed it.
//!
//! A transfer that cannot be continued starts over, for example if the file has changed since the last run.
//! [`Progress::restart_reason`] has the reason.
//!
//! # Connections
//!
//! HTTP/1.1 and TLS with the certificates of the system, or with
//! [`ClientBuilder::ca_certificate`]. The environment variables `http_proxy`, `https_proxy`,
//! `all_proxy` and `no_proxy` are used unless [`ClientBuilder::proxy`] or
//! [`ClientBuilder::no_proxy`] is called; proxies are HTTP or SOCKS. Authentication: Bearer, Basic and
//! Digest. URLs can have an IPv6 address with a zone, as in `http://[fe80::1%25eth0]/`.
//!
//! # Logging
//!
//! The crate logs with [`tracing`](https://docs.rs/tracing): requests, responses and delays at the level
//! DEBUG, restarts at INFO. Credentials and the values of additional header fields are not logged. With
//! [tracing-subscriber](https://docs.rs/tracing-subscriber) and its feature `env-filter`:
//!
//! ```no_run
//! tracing_subscriber::fmt().with_env_filter("bits_client=debug").init();
//! ```

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
pub use self::error::{BoxError, Change, Error, Result, StopReason};
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
