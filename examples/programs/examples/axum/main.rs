//! An upload server as part of an axum app, with sessions in memory and entities in a folder.
//!
//! ```sh
//! cargo run --release --example axum -- FOLDER [--listen ADDRESS]
//! ```
//!
//! `BITS_POST /NAME` uploads FOLDER/NAME. There is no authentication, and existing files are never
//! replaced. Bodies are written to disk as they arrive. This is the minimum that an app needs to
//! accept uploads; the program `serve` adds authentication, paths and persistent sessions.
//!
//! Only one process may use the folder: files in its `.sessions` that belong to no session of this
//! process are deleted.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::routing::{any, get};
use bits_proto::server::{Policy, Record, Session, SessionLimits, Sessions};
use bits_proto_programs::cluster::folder::Folder;
use bits_proto_programs::cluster::handler::{Server, SharedSessions, upload};
use clap::Parser;
use tokio::net::TcpListener;
use uuid::Uuid;

/// An upload server as part of an axum app, with sessions in memory and entities in a folder.
#[derive(Parser)]
#[command(name = "axum", version)]
struct Arguments {
    /// Folder for uploaded entities; no other process may use it.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Address to listen on; with port 0 the system chooses a free port.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

type Map = HashMap<Uuid, Record>;

/// The sessions of this process.
struct LocalSessions(Mutex<Sessions<'static, Map>>);

impl SharedSessions for LocalSessions {
    type Store = Map;

    fn with<T>(&self, work: impl FnOnce(&mut Sessions<'static, Map>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn session(&self, id: Uuid) -> Result<Option<Session>, Infallible> {
        Ok(self.with(|sessions| sessions.store().get(&id).map(|record| record.session)))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { folder, listen } = Arguments::parse();
    let sessions = Sessions::new(Map::new(), Policy::DEFAULT, SessionLimits::default());
    let folder = Folder::open(folder).await?;
    let server = Arc::new(Server::new(LocalSessions(Mutex::new(sessions)), folder));
    let sweeper = Arc::clone(&server);
    tokio::spawn(async move { sweeper.sweep(Duration::from_secs(60)).await });
    // `post()` would answer BITS_POST with 405, but `any()` accepts every method. The fallback
    // answers requests to all other paths with an Ack too.
    let app = Router::new()
        .route("/", get(|| async { "Upload with BITS_POST /NAME.\n" }))
        .route("/{name}", any(upload::<LocalSessions>))
        .fallback(upload::<LocalSessions>)
        .with_state(server);
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
