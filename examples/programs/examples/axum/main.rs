//! An upload server inside an axum app: sessions in memory, entities in a folder.
//!
//! ```sh
//! cargo run --release --example axum -- FOLDER [--listen ADDRESS]
//! ```
//!
//! `BITS_POST /NAME` uploads FOLDER/NAME, for anybody who asks, and nothing that is there already
//! is replaced. Bodies go to disk as they arrive. It is what an app needs to take uploads and no
//! more; the program `serve` asks for credentials, takes whole paths, and outlives its process.
//!
//! The folder is one process's alone: what lies in its `.sessions` and belongs to no session of this
//! process is deleted.

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
use bits_proto_programs::cluster::handler::{Server, Table, upload};
use clap::Parser;
use tokio::net::TcpListener;
use uuid::Uuid;

/// An upload server inside an axum app: sessions in memory, entities in a folder.
#[derive(Parser)]
#[command(name = "axum", version)]
struct Arguments {
    /// Where entities go; no other process may use it.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Where to listen; port 0 is any that is free.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

type Map = HashMap<Uuid, Record>;

/// The table of one process.
struct Shared(Mutex<Sessions<'static, Map>>);

impl Table for Shared {
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
    let table = Sessions::new(Map::new(), Policy::DEFAULT, SessionLimits::default());
    let folder = Folder::open(folder).await?;
    let server = Arc::new(Server::new(Shared(Mutex::new(table)), folder));
    let sweeper = Arc::clone(&server);
    tokio::spawn(async move { sweeper.sweep(Duration::from_secs(60)).await });
    // `post()` is for POST alone, and answers 405 to the verb: `any()` and a fallback let it by.
    // Under the fallback, whatever a client asks for is answered with an Ack.
    let app = Router::new()
        .route("/", get(|| async { "Upload with BITS_POST /NAME.\n" }))
        .route("/{name}", any(upload::<Shared>))
        .fallback(upload::<Shared>)
        .with_state(server);
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
