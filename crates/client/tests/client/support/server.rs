//! Servers with scripted answers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::bits::Bits;
use super::http::{Answer, Request};

type Handler = dyn FnMut(&Request, &mut Bits) -> Option<Answer> + Send;
type EarlyHandler = dyn FnMut(&Request) -> Option<Answer> + Send;

/// A server whose answers come from a script, or else from a plain BITS server.
pub struct Server {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    scheme: &'static str,
    _task: AbortOnDropHandle<()>,
}

struct Shared {
    handler: Mutex<Box<Handler>>,
    early: Mutex<Box<EarlyHandler>>,
    bits: Mutex<Bits>,
    log: Mutex<Vec<Request>>,
    connections: Mutex<usize>,
}

/// Prepares a server.
pub struct Builder {
    bits: Bits,
    address: &'static str,
    early: Box<EarlyHandler>,
    tls: Option<TlsAcceptor>,
    receive_buffer: Option<u32>,
}

impl Builder {
    pub fn bits(mut self, bits: Bits) -> Self {
        self.bits = bits;
        self
    }

    pub fn address(mut self, address: &'static str) -> Self {
        self.address = address;
        self
    }

    /// Answers a request before its body is read.
    pub fn early(mut self, early: impl FnMut(&Request) -> Option<Answer> + Send + 'static) -> Self {
        self.early = Box::new(early);
        self
    }

    /// Limits the number of bytes that arrive before they are read.
    pub fn receive_buffer(mut self, size: u32) -> Self {
        self.receive_buffer = Some(size);
        self
    }

    pub fn tls(mut self, acceptor: TlsAcceptor) -> Self {
        self.tls = Some(acceptor);
        self
    }

    pub async fn start(
        self,
        handler: impl FnMut(&Request, &mut Bits) -> Option<Answer> + Send + 'static,
    ) -> Server {
        let listener = listen(self.address.parse().unwrap(), self.receive_buffer);
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            handler: Mutex::new(Box::new(handler)),
            early: Mutex::new(self.early),
            bits: Mutex::new(self.bits),
            log: Mutex::default(),
            connections: Mutex::default(),
        });
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let task = tokio::spawn(accept(listener, self.tls, Arc::clone(&shared)));
        Server { address, shared, scheme, _task: AbortOnDropHandle::new(task) }
    }
}

impl Server {
    pub fn builder() -> Builder {
        Builder {
            bits: Bits::default(),
            address: "127.0.0.1:0",
            early: Box::new(|_| None),
            tls: None,
            receive_buffer: None,
        }
    }

    /// Starts a plain BITS server with some scripted answers.
    pub async fn start(
        handler: impl FnMut(&Request, &mut Bits) -> Option<Answer> + Send + 'static,
    ) -> Self {
        Self::builder().start(handler).await
    }

    /// Starts a server with only scripted answers.
    pub async fn scripted(mut handler: impl FnMut(&Request) -> Answer + Send + 'static) -> Self {
        Self::start(move |request, _| Some(handler(request))).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    pub fn bits(&self) -> Bits {
        self.shared.bits.lock().unwrap().clone()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.requests().iter().map(Request::kind).collect()
    }
}

fn listen(address: SocketAddr, receive_buffer: Option<u32>) -> TcpListener {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.unwrap();
    if let Some(size) = receive_buffer {
        socket.set_recv_buffer_size(size).unwrap();
    }
    socket.bind(address).unwrap();
    socket.listen(1024).unwrap()
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let number = {
            let mut connections = shared.connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        let (shared, tls) = (Arc::clone(&shared), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, number, &shared).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, number, &shared).await;
                    }
                }
            }
        });
    }
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, number: usize, shared: &Shared) {
    while let Some(head) = read_head(&mut stream).await {
        let mut request = Request::parse(&head, number);
        let early = (shared.early.lock().unwrap())(&request);
        let answer = match early {
            Some(answer) => {
                shared.log.lock().unwrap().push(request);
                answer
            }
            None => {
                let length = request.get("Content-Length").map_or(0, |it| it.parse().unwrap());
                request.body = vec![0; length];
                if stream.read_exact(&mut request.body).await.is_err() {
                    return;
                }
                shared.log.lock().unwrap().push(request.clone());
                let mut bits = shared.bits.lock().unwrap();
                let scripted = (shared.handler.lock().unwrap())(&request, &mut bits);
                scripted.unwrap_or_else(|| bits.answer(&request))
            }
        };
        match answer {
            Answer::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Answer::Close(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
                return;
            }
            Answer::Ignore(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return std::future::pending().await;
            }
            Answer::Hold(bytes) => {
                let _ = stream.write_all(&bytes).await;
                let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
                return;
            }
        }
    }
}

/// Reads a head with its empty line. Returns `None` at the end of the connection.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(head)
}
