//! The way of notifications from the double to the application that the suite plays.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::double::Fault;

/// The number of times that a notification is delivered.
pub enum Delivery {
    Never,
    Once,
    Twice,
}

/// Receives notifications and passes them on.
pub struct Application {
    /// The URL that the server notifies.
    pub url: String,
    /// The address of the suite.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Application {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Application {
    pub async fn start(fault: Option<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let address = unused_address();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service_fn(move |it| pass_on(it, address, fault));
                let http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(http);
            }
        });
        Self { url, address, task }
    }
}

/// Returns an address of the loopback network that no other test uses.
fn unused_address() -> SocketAddr {
    static PORT: AtomicU16 = AtomicU16::new(9000);
    let [.., second, third, fourth] = std::process::id().to_be_bytes();
    let port = PORT.fetch_add(1, Ordering::Relaxed);
    SocketAddr::from((Ipv4Addr::new(127, second.max(1), third, fourth.clamp(1, 254)), port))
}

async fn pass_on(
    request: Request<Incoming>,
    address: SocketAddr,
    fault: Option<Fault>,
) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let mut request = Request::from_parts(parts, body);
    let delivery = match fault {
        Some(Fault::Notifies(change)) => change(&mut request),
        _ => Delivery::Once,
    };
    if matches!(delivery, Delivery::Never) {
        return Ok(Response::new(Full::default()));
    }
    if matches!(delivery, Delivery::Twice) {
        deliver(address, request.clone()).await?;
    }
    Ok(deliver(address, request).await?.map(Full::new))
}

/// Sends a notification and receives the response.
pub async fn deliver(
    address: SocketAddr,
    mut request: Request<Bytes>,
) -> io::Result<Response<Bytes>> {
    request.headers_mut().remove("Content-Length");
    request.headers_mut().insert("Host", "localhost".parse().expect("a host"));
    let stream = TokioIo::new(TcpStream::connect(address).await?);
    let (mut sender, connection) = handshake(stream).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let response = sender.send_request(request.map(Full::new)).await.map_err(io::Error::other)?;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(Response::from_parts(parts, body))
}
