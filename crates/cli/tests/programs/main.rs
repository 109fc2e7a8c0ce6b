//! Tests of the program over loopback. They are one crate, so that shared code is built once and the
//! tests run in parallel.

#[path = "support/bits_server.rs"]
mod bits_server;
#[path = "support/download_server.rs"]
mod download_server;
#[path = "support/installed.rs"]
mod installed;
#[path = "support/proxy.rs"]
#[expect(dead_code, reason = "some of it is for tests of other programs")]
mod proxy;
#[path = "support/proxy_client.rs"]
#[expect(dead_code, reason = "some of it is for tests of other programs")]
mod proxy_client;
#[path = "support/uploader.rs"]
mod uploader;
#[path = "support/wait.rs"]
mod wait;

mod download;
mod download_failures;
mod download_resume;
mod download_servers;
mod messages;
mod upload;
mod upload_failures;
mod upload_refusals;
mod upload_reply;
mod upload_resume;
mod upload_tls;
