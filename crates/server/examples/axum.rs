//! An upload server in an axum application: `cargo run -p bits-server --example axum`.
//!
//! On a PC with Windows: `Start-BitsTransfer -TransferType Upload report.zip http://HOST:3000/upload/report.zip`.

use std::error::Error;

use axum::Router;
use axum::routing::get;
use bits_server::sessions::FileSessions;
use bits_server::storage::FileStorage;
use bits_server::{Completed, GIB, Limits, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bits = Server::builder()
        .storage(FileStorage::open("uploads")?)
        .sessions(FileSessions::open("sessions")?)
        .limits(Limits { max_upload: Some(20 * GIB), ..Limits::default() })
        .on_complete(|upload: Completed| async move {
            println!("{} from {}: {} bytes", upload.key, upload.principal, upload.length);
        })
        .build()
        .await?;
    let app = Router::new()
        .route("/", get(async || "upload to /upload/NAME"))
        .nest_service("/upload", bits.service());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}/upload/", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
