//! What the programs do, driven over loopback: one crate, so that what the tests share is built
//! once, and they run beside each other.

#[path = "common/application.rs"]
mod application;
#[path = "common/bits_server.rs"]
mod bits_server;
#[path = "common/driver.rs"]
mod driver;
#[path = "common/node.rs"]
mod node;
#[path = "../../../upload/pace.rs"]
mod pace;
#[path = "common/packets.rs"]
mod packets;
#[path = "../../../../tests/common/program.rs"]
mod program;
#[cfg(feature = "redis")]
#[path = "common/redis_server.rs"]
mod redis_server;
#[path = "common/selection.rs"]
mod selection;
#[path = "common/server.rs"]
mod server;
#[cfg(feature = "redis")]
#[path = "../../../redis/store.rs"]
mod store;
#[path = "common/talk.rs"]
mod talk;
#[path = "common/texts.rs"]
mod texts;
#[path = "common/uploader.rs"]
mod uploader;
#[path = "common/wait.rs"]
mod wait;
#[path = "common/wire.rs"]
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
