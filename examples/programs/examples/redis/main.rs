//! A node of a small cluster, with sessions in Redis and entities in a folder that all nodes share.
//!
//! ```sh
//! cargo run --release --example redis --features redis -- \
//!     --redis redis://127.0.0.1:6379/ --folder SHARED [--listen ADDRESS]
//! ```
//!
//! Each node handles every request, regardless of the node that handled earlier ones. Nothing is
//! lost if a node crashes: its sessions are in Redis and its bytes are in the folder, and another
//! node takes over when the work token expires. `bits_proto::guide::machines` explains why this is
//! safe, and `cluster::folder` in the library of this package how the folder is used. The program
//! shares its handler with the program `axum`.
//!
//! The folder belongs to the nodes with one Redis and one prefix: files in its `.sessions` that
//! belong to none of their sessions are deleted.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bits_proto::server::{Policy, Session, SessionLimits, Sessions};
use bits_proto_programs::cluster::folder::Folder;
use bits_proto_programs::cluster::handler::{Server, SharedSessions, upload};
use bits_proto_programs::cluster::redis_store::{self, RedisStore};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::task::block_in_place;
use uuid::Uuid;

/// A node of a small cluster, with sessions in Redis and entities in a folder that all nodes share.
#[derive(Parser)]
#[command(name = "redis", version)]
struct Arguments {
    /// URL of Redis.
    #[arg(long, value_name = "URL")]
    redis: String,
    /// Prefix of the keys in Redis; must be the same for all nodes of a folder.
    #[arg(long, value_name = "TEXT", default_value = "{bits}:")]
    prefix: String,
    /// Folder for uploaded entities, shared by all nodes and no other program.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Address to listen on; with port 0 the system chooses a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Time without a stored byte after which another request may take over a fragment.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    store_timeout: Duration,
    /// Time without a renewal after which a node that publishes an entity counts as crashed.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    work_timeout: Duration,
    /// Time without a stored byte after which a session expires.
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = humantime::parse_duration)]
    session_timeout: Duration,
    /// Interval for deleting expired sessions.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    sweep: Duration,
}

/// The sessions of all nodes.
struct RedisSessions(Sessions<'static, RedisStore>);

impl SharedSessions for RedisSessions {
    type Store = RedisStore;

    fn with<T>(&self, work: impl FnOnce(&mut Sessions<'static, RedisStore>) -> T) -> T {
        // Each request uses its own connection to Redis and does not wait for other requests.
        block_in_place(|| work(&mut self.0.clone()))
    }

    fn session(&self, id: Uuid) -> Result<Option<Session>, redis_store::Error> {
        block_in_place(|| self.0.store().session(id))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let policy = Policy::DEFAULT
        .with_store_timeout(arguments.store_timeout)
        .with_work_timeout(arguments.work_timeout)
        .with_session_timeout(arguments.session_timeout);
    let store = RedisStore::new(&arguments.redis, &arguments.prefix)?;
    let sessions = RedisSessions(Sessions::new(store, policy, SessionLimits::default()));
    let server = Arc::new(Server::new(sessions, Folder::open(arguments.folder).await?));
    let sweeper = Arc::clone(&server);
    tokio::spawn(async move { sweeper.sweep(arguments.sweep).await });
    let app = Router::new().fallback(upload::<RedisSessions>).with_state(server);
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
