//! What the programs do, driven over loopback: one crate, so that what the tests share is built
//! once, and they run beside each other.

#[path = "support/application.rs"]
mod application;
#[path = "support/bits_server.rs"]
mod bits_server;
#[path = "support/driver.rs"]
mod driver;
#[path = "support/node.rs"]
mod node;
#[path = "support/packets.rs"]
mod packets;
#[cfg(feature = "redis")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/selection.rs"]
mod selection;
#[path = "support/server.rs"]
mod server;
#[path = "support/talk.rs"]
mod talk;
#[path = "support/texts.rs"]
mod texts;
#[path = "support/uploader.rs"]
mod uploader;
#[path = "support/wait.rs"]
mod wait;
#[path = "support/wire.rs"]
mod wire;

mod axum_app;
mod redis_cluster;
mod redis_store;
mod serve_access;
mod serve_clients;
mod serve_crashes;
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
mod upload_reply;
mod upload_resume;
mod upload_serve;
mod upload_tls;
mod upload_to_serve;
