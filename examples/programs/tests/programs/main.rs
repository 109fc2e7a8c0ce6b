//! Tests of the programs over loopback. They are one crate, so that shared code is built once and the
//! tests run in parallel.

#[path = "../../../../crates/cli/tests/programs/support/installed.rs"]
mod installed;
#[path = "../../../../crates/cli/tests/programs/support/node.rs"]
#[expect(dead_code, reason = "it is for other tests too")]
mod node;
#[path = "../../../../crates/cli/tests/programs/support/packets.rs"]
mod packets;
#[path = "../../../../crates/cli/tests/programs/support/raw_client.rs"]
mod raw_client;
#[cfg(feature = "redis")]
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/selection.rs"]
mod selection;
#[path = "../../../../crates/cli/tests/programs/support/wait.rs"]
mod wait;

mod axum_app;
mod redis_store;
