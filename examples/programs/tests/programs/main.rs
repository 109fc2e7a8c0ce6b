//! Tests of the programs over loopback. They are one crate, so that shared code is built once and the
//! tests run in parallel.

#[path = "support/application.rs"]
mod application;
#[path = "../../../../crates/cli/tests/programs/support/bits_server.rs"]
#[expect(dead_code, reason = "some of it is for tests of `bits`")]
mod bits_server;
#[path = "support/driver.rs"]
mod driver;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "../../../../crates/cli/tests/programs/support/installed.rs"]
mod installed;
#[path = "support/node.rs"]
mod node;
#[path = "support/packets.rs"]
mod packets;
#[path = "../../../../crates/cli/tests/programs/support/proxy.rs"]
#[expect(dead_code, reason = "some of it is for tests of `bits`")]
mod proxy;
#[path = "../../../../crates/cli/tests/programs/support/proxy_client.rs"]
#[expect(dead_code, reason = "some of it is for tests of `bits`")]
mod proxy_client;
#[path = "support/raw_client.rs"]
mod raw_client;
#[cfg(feature = "redis")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/selection.rs"]
mod selection;
#[path = "support/server.rs"]
mod server;
#[path = "support/text_client.rs"]
mod text_client;
#[path = "support/old_client.rs"]
mod uploader;
#[path = "../../../../crates/cli/tests/programs/support/wait.rs"]
mod wait;

mod axum_app;
mod download_serve;
mod proxies_guide;
mod proxies_uploads;
mod redis_cluster;
mod redis_store;
mod serve_acceptance;
mod serve_access;
mod serve_clients;
mod serve_crashes;
mod serve_download_clients;
mod serve_downloads;
mod serve_fetches;
mod serve_full;
mod serve_heads;
mod serve_limits;
mod serve_many;
mod serve_notifies;
mod serve_paths;
mod serve_policies;
mod serve_refusals;
mod serve_store;
mod serve_tls;
mod serve_uploads;
mod upload_serve;
mod upload_to_serve;
