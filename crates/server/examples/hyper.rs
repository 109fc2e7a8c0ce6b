//! An upload server on hyper alone: `cargo run -p bits-server --example hyper`.

use std::error::Error;

use bits_server::Server;
use bits_server::sessions::MemorySessions;
use bits_server::storage::MemoryStorage;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bits = Server::builder()
        .storage(MemoryStorage::new())
        .sessions(MemorySessions::new())
        .build()
        .await?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/", listener.local_addr()?);
    loop {
        let (stream, peer) = listener.accept().await?;
        let service = TowerToHyperService::new(bits.service());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new());
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}
