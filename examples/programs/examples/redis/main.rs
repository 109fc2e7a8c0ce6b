//! A node of a small cluster: sessions in Redis, entities in a folder that all nodes share.
//!
//! ```sh
//! cargo run --release --example redis --features redis -- \
//!     --redis redis://127.0.0.1:6379/ --folder SHARED [--listen ADDRESS]
//! ```
//!
//! Each node takes every request, whichever node the client spoke to before, and a node that dies
//! takes nothing with it: its sessions are in Redis and its bytes in the folder, and when the time
//! of its work is over another one goes on. `bits_proto::guide::machines` says why that is safe,
//! and `axum/folder.rs` how the folder is used for it. Otherwise a node is what the program `axum`
//! is, from which it takes the handler.
//!
//! The folder belongs to the nodes of one Redis and one prefix: what lies in its `.sessions` and
//! belongs to none of their sessions is deleted.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bits_proto::server::{Policy, Session, SessionLimits, Sessions};
use bits_proto_programs::cluster::folder::Folder;
use bits_proto_programs::cluster::handler::{Server, Table, upload};
use bits_proto_programs::cluster::redis_store::{self, RedisStore};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::task::block_in_place;
use uuid::Uuid;

/// A node of a small cluster: sessions in Redis, entities in a folder that all nodes share.
#[derive(Parser)]
#[command(name = "redis", version)]
struct Arguments {
    /// Where Redis is.
    #[arg(long, value_name = "URL")]
    redis: String,
    /// What the keys in Redis begin with; the same for all nodes of a folder.
    #[arg(long, value_name = "TEXT", default_value = "{bits}:")]
    prefix: String,
    /// Where entities go; the same for all nodes, and nobody else's.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// After how long without a byte another request may take a fragment over.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    store_timeout: Duration,
    /// After how long without a word a node that puts an entity at its place counts as dead.
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = humantime::parse_duration)]
    work_timeout: Duration,
    /// After how long without a byte an upload is forgotten.
    #[arg(long, value_name = "TIME", default_value = "14d", value_parser = humantime::parse_duration)]
    session_timeout: Duration,
    /// How often to look for what is to be forgotten.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    sweep: Duration,
}

/// The table of all nodes, as one of them sees it.
struct Node(Sessions<'static, RedisStore>);

impl Table for Node {
    type Store = RedisStore;

    fn with<T>(&self, work: impl FnOnce(&mut Sessions<'static, RedisStore>) -> T) -> T {
        // Requests have connections of their own to Redis, and do not wait for one another.
        block_in_place(|| work(&mut self.0.clone()))
    }

    fn session(&self, id: Uuid) -> Result<Option<Session>, redis_store::Error> {
        block_in_place(|| self.0.store().session(id))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let policy = Policy {
        store_timeout: arguments.store_timeout,
        work_timeout: arguments.work_timeout,
        session_timeout: arguments.session_timeout,
        ..Policy::DEFAULT
    };
    let store = RedisStore::new(&arguments.redis, &arguments.prefix)?;
    let node = Node(Sessions::new(store, policy, SessionLimits::default()));
    let server = Arc::new(Server::new(node, Folder::open(arguments.folder).await?));
    let sweeper = Arc::clone(&server);
    tokio::spawn(async move { sweeper.sweep(arguments.sweep).await });
    let app = Router::new().fallback(upload::<Node>).with_state(server);
    let listener = TcpListener::bind(arguments.listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
