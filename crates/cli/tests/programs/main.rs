//! Tests of the program over loopback. They are one crate, so that shared code is built once and the
//! tests run in parallel.

#[path = "support/application.rs"]
mod application;
#[path = "support/bits_server.rs"]
mod bits_server;
#[path = "support/download_server.rs"]
mod download_server;
#[path = "support/driver.rs"]
mod driver;
#[path = "support/http_client.rs"]
mod http_client;
#[path = "support/node.rs"]
mod node;
#[path = "support/packets.rs"]
mod packets;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "support/proxy_client.rs"]
mod proxy_client;
#[path = "support/raw_client.rs"]
mod raw_client;
#[path = "support/server.rs"]
mod server;
#[path = "support/text_client.rs"]
mod text_client;
#[path = "support/uploader.rs"]
mod uploader;

use bits_proto_test_tools::{installed, wait};

mod conformance;
mod conformance_page;
mod conformance_storages;
mod download;
mod download_failures;
mod download_resume;
mod download_servers;
mod messages;
mod proxies_guide;
mod proxies_uploads;
mod redis_cluster;
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
mod upload;
mod upload_failures;
mod upload_refusals;
mod upload_reply;
mod upload_resume;
mod upload_serve;
mod upload_tls;
mod upload_to_serve;
