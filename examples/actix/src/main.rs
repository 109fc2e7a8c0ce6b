//! An upload server in an actix-web application: `cargo run -p bits-server-actix`.
//!
//! actix-web has its own types for requests and bodies, which stay on one thread. The function `bits` is an adapter to
//! copy: it passes a request on to the service, and the response back.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::error::{ErrorBadGateway, ErrorBadRequest, PayloadError};
use actix_web::http::{StatusCode, header};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use bits_server::sessions::MemorySessions;
use bits_server::storage::{MemoryStorage, StorageError};
use bits_server::{BitsService, ResponseBody, Server};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;
use tower::ServiceExt as _;

/// Path below which the service is reachable.
const PREFIX: &str = "/upload";

#[actix_web::main]
async fn main() -> io::Result<()> {
    let server = Server::builder()
        .storage(MemoryStorage::new())
        .sessions(MemorySessions::new())
        .build()
        .await
        .map_err(io::Error::other)?;
    let service = server.service();
    println!("listening on http://127.0.0.1:3000{PREFIX}/");
    HttpServer::new(move || {
        let uploads = web::resource(format!("{PREFIX}/{{path:.*}}")).to(bits);
        App::new().app_data(web::Data::new(service.clone())).service(uploads)
    })
    .bind(("127.0.0.1", 3000))?
    .run()
    .await?;
    server.shutdown().await;
    Ok(())
}

async fn bits(
    service: web::Data<BitsService>,
    request: HttpRequest,
    payload: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let path = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
    let mut converted = http::Request::builder().method(request.method().as_str()).uri(path);
    for (name, value) in request.headers() {
        converted = converted.header(name.as_str(), value.as_bytes());
    }
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or_default();
    let converted = converted.body(Incoming::new(payload, length)).map_err(ErrorBadRequest)?;
    let Ok(response) = service.get_ref().clone().oneshot(converted).await;

    let (parts, body) = response.into_parts();
    let status = StatusCode::from_u16(parts.status.as_u16()).map_err(ErrorBadGateway)?;
    let mut converted = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        // actix-web writes the length of the body.
        if name != http::header::CONTENT_LENGTH {
            converted.append_header((name.as_str(), value.as_bytes()));
        }
    }
    if parts.headers.contains_key(http::header::CONNECTION) {
        converted.force_close();
    }
    let length = parts.headers.get(http::header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    Ok(converted.body(Outgoing { body, length: length.unwrap_or_default() }))
}

/// A request body, which a task on the thread of actix-web reads.
struct Incoming {
    pieces: mpsc::Receiver<Result<Bytes, PayloadError>>,
    left: u64,
}

impl Incoming {
    fn new(mut payload: web::Payload, length: u64) -> Self {
        let (sender, pieces) = mpsc::channel(1);
        actix_web::rt::spawn(async move {
            while let Some(piece) = payload.next().await {
                if sender.send(piece).await.is_err() {
                    return;
                }
            }
        });
        Self { pieces, left: length }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let piece = std::task::ready!(self.pieces.poll_recv(cx));
        Poll::Ready(piece.map(|piece| {
            let piece = piece.map_err(io::Error::other)?;
            self.left = self.left.saturating_sub(piece.len() as u64);
            Ok(Frame::data(piece))
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A response body. The response to HEAD has a length and no bytes.
struct Outgoing {
    body: ResponseBody,
    length: u64,
}

impl MessageBody for Outgoing {
    type Error = StorageError;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, StorageError>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        Poll::Ready(frame.map(|frame| Ok(frame?.into_data().unwrap_or_default())))
    }
}
