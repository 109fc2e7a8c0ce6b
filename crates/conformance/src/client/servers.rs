//! The servers of one case: listeners, connections and their messages.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, RequestHead};
use bits_proto::observer::SequenceRule;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::message::{Ending, Origin, Reply, Request};
use super::scenario::{BodyAction, Model, Scenario};
use super::shared::Shared;
use crate::Direction;
use crate::log::{Log, Pending};

/// An address of the same machine, for hosts in BITS-Host-Id.
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// The time for which a client may keep a connection open that the suite has closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which the suite waits for the end of connections after the client has ended.
const MAX_OPEN_TIME: Duration = Duration::from_secs(5);

/// The number of bytes that are read at once.
const READ_SIZE: usize = 16 * 1024;

/// The listeners of one case.
pub(super) struct Listeners {
    main: TcpListener,
    other: TcpListener,
    host: Option<TcpListener>,
}

impl Listeners {
    pub(super) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let main = TcpListener::bind(address).await?;
        let mut other = address;
        other.set_port(if address.port() == 0 { 0 } else { address.port().wrapping_add(1) });
        let other = TcpListener::bind(other).await?;
        let host = match address.ip() {
            IpAddr::V4(Ipv4Addr::LOCALHOST) => {
                // Not every system has this address.
                TcpListener::bind((HOST, main.local_addr()?.port())).await.ok()
            }
            _ => None,
        };
        Ok(Self { main, other, host })
    }

    pub(super) fn ports(&self) -> io::Result<(u16, u16)> {
        Ok((self.main.local_addr()?.port(), self.other.local_addr()?.port()))
    }

    /// Returns the host id at which the suite listens.
    pub(super) fn host(&self) -> Option<String> {
        self.host.as_ref().map(|_| HOST.to_string())
    }
}

/// The running servers of one case. They end when the value is dropped.
pub(super) struct Servers<M> {
    inner: Arc<Inner<M>>,
    tasks: JoinSet<()>,
}

struct Inner<M> {
    shared: Arc<Shared>,
    scenario: Scenario<M>,
    model: Mutex<M>,
    log: Arc<Mutex<Log>>,
    /// The number of open connections.
    open: watch::Sender<u32>,
    /// The signal to kill the client.
    kill: Notify,
}

impl<M: Model> Servers<M> {
    pub(super) fn start(
        listeners: Listeners,
        shared: &Arc<Shared>,
        scenario: Scenario<M>,
        model: M,
        log: &Arc<Mutex<Log>>,
    ) -> Self {
        let inner = Arc::new(Inner {
            shared: Arc::clone(shared),
            scenario,
            model: Mutex::new(model),
            log: Arc::clone(log),
            open: watch::Sender::new(0),
            kill: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(Arc::clone(&inner), listeners.main, Origin::Main));
        tasks.spawn(accept(Arc::clone(&inner), listeners.other, Origin::Other));
        if let Some(listener) = listeners.host {
            tasks.spawn(accept(Arc::clone(&inner), listener, Origin::Host));
        }
        Self { inner, tasks }
    }

    pub(super) fn model(&self) -> MutexGuard<'_, M> {
        self.inner.model()
    }

    /// Returns the signal to kill the client.
    pub(super) fn kill(&self) -> &Notify {
        &self.inner.kill
    }

    /// Waits until all connections are closed, so that the last requests of a client are recorded.
    pub(super) async fn wait_until_closed(&self) {
        let mut open = self.inner.open.subscribe();
        // A client in the same process may keep connections for its next transfer.
        let _ = timeout(MAX_OPEN_TIME, open.wait_for(|open| *open == 0)).await;
    }
}

impl<M> Servers<M> {
    /// Ends the servers, and frees their ports.
    pub(super) async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

impl<M: Model> Inner<M> {
    fn model(&self) -> MutexGuard<'_, M> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept<M: Model>(inner: Arc<Inner<M>>, listener: TcpListener, origin: Origin) {
    let mut tasks = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        if origin == Origin::Host && !inner.model().has_host() {
            continue;
        }
        let inner = Arc::clone(&inner);
        inner.open.send_modify(|open| *open += 1);
        tasks.spawn(async move {
            let number = inner.log().next_connection();
            let mut connection = Connection { inner, stream, origin, number, buffer: Vec::new() };
            // A client may disconnect at any time.
            let ended = connection.converse().await.unwrap_or(Direction::Ended);
            connection.inner.log().disconnected(number, ended);
            connection.inner.open.send_modify(|open| *open -= 1);
        });
        while tasks.try_join_next().is_some() {}
    }
}

struct Connection<M> {
    inner: Arc<Inner<M>>,
    stream: TcpStream,
    origin: Origin,
    number: u32,
    buffer: Vec<u8>,
}

impl<M: Model> Connection<M> {
    /// Handles requests until the connection ends. Returns the side that ended it.
    async fn converse(&mut self) -> io::Result<Direction> {
        loop {
            let Some((mut request, head)) = self.read_head().await? else {
                return Ok(Direction::Ended);
            };
            let target = request.target.clone();
            let pending = match request.method.as_str() {
                method @ ("GET" | "HEAD") => {
                    Pending::Download { target, is_head: method == "HEAD" }
                }
                // All packets of a case belong to one upload.
                _ => Pending::Packet { target: String::new() },
            };
            self.inner.log().observe_request(self.number, &head, &pending);
            let action = {
                let mut model = self.inner.model();
                model.record(&request);
                (self.inner.scenario.head)(&mut model, &request)
            };
            let reply = match action {
                BodyAction::Respond(reply) => reply,
                BodyAction::Read => self.answer(&mut request, usize::MAX).await?,
                BodyAction::ReadPart(length) => self.answer(&mut request, length).await?,
            };
            sleep(reply.delay).await;
            if !self.buffer.is_empty() && request.is_complete() {
                self.inner.log().record_violation(&SequenceRule::PipelinedRequest.into());
            }
            let is_head = request.method == "HEAD";
            self.send(&reply, is_head, &pending).await?;
            if reply.kills {
                self.inner.kill.notify_one();
            }
            match reply.ending {
                _ if reply.keeps_connection() => {
                    let rest = request.length - request.body.len() as u64;
                    self.read_body(rest).await?;
                }
                Ending::Stall => {
                    self.drain().await;
                    return Ok(Direction::Ended);
                }
                Ending::Reset => {
                    self.stream.set_zero_linger()?;
                    return Ok(Direction::Closed);
                }
                _ => {
                    self.close().await?;
                    return Ok(Direction::Closed);
                }
            }
        }
    }

    /// Reads up to this many bytes of the body. Returns the response.
    async fn answer(&mut self, request: &mut Request, length: usize) -> io::Result<Reply> {
        let length = request.length.min(length as u64);
        let expects =
            request.field("Expect").is_some_and(|it| it.eq_ignore_ascii_case("100-continue"));
        if expects && length > 0 && self.buffer.is_empty() {
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        request.body = self.read_body(length).await?;
        Ok((self.inner.scenario.answer)(&mut self.inner.model(), request))
    }

    /// Reads the head of a request; `None` at the end of the connection.
    async fn read_head(&mut self) -> io::Result<Option<(Request, Vec<u8>)>> {
        loop {
            match self.parse_head() {
                Ok(Some(parsed)) => return Ok(Some(parsed)),
                Ok(None) => {}
                Err(_) => {
                    self.refuse_malformed().await?;
                    return Ok(None);
                }
            }
            if self.read().await? == 0 {
                return Ok(None);
            }
        }
    }

    fn parse_head(&mut self) -> Result<Option<(Request, Vec<u8>)>, bits_proto::Error> {
        let mut slots = HeaderSlots::new();
        let Progress::Complete(head) = RequestHead::parse(&self.buffer, &mut slots)? else {
            return Ok(None);
        };
        let (request, length) = (Request::new(self.origin, &head), head.len());
        Ok(Some((request, self.buffer.drain(..length).collect())))
    }

    /// Refuses a request that is not valid HTTP. The observer reports the violation.
    async fn refuse_malformed(&mut self) -> io::Result<()> {
        let pending = Pending::Packet { target: String::new() };
        self.inner.log().observe_request(self.number, &self.buffer, &pending);
        self.send(&Reply::new(400).ending(Ending::Close), false, &pending).await?;
        self.close().await
    }

    /// Reads bytes of a body; fewer at the end of the connection.
    async fn read_body(&mut self, length: u64) -> io::Result<Vec<u8>> {
        while (self.buffer.len() as u64) < length {
            if self.read().await? == 0 {
                break;
            }
        }
        let available = self.buffer.len();
        let length = usize::try_from(length).map_or(available, |length| length.min(available));
        Ok(self.buffer.drain(..length).collect())
    }

    async fn read(&mut self) -> io::Result<usize> {
        let start = self.buffer.len();
        self.buffer.reserve(READ_SIZE);
        let count = self.stream.read_buf(&mut self.buffer).await?;
        if count > 0 {
            self.inner.shared.received.fetch_add(count as u64, Ordering::Relaxed);
            let bytes = self.buffer.get(start..).unwrap_or_default();
            self.inner.log().record(self.number, Direction::Received, bytes);
        }
        Ok(count)
    }

    async fn send(&mut self, reply: &Reply, is_head: bool, pending: &Pending) -> io::Result<()> {
        let head = reply.head();
        let sent = reply.sent.unwrap_or(usize::MAX);
        if sent >= head.len() {
            self.inner.log().observe_response(self.number, &head, pending);
        }
        if !reply.keeps_connection() {
            // The client may continue on another connection before this one is seen to end.
            self.inner.log().observe_end(self.number);
        }
        self.write(reply.before.as_bytes()).await?;
        let mut bytes = [head, reply.body_bytes(is_head)].concat();
        bytes.truncate(sent);
        self.write(&bytes).await
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.inner.shared.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.inner.log().record(self.number, Direction::Sent, bytes);
        self.stream.write_all(bytes).await
    }

    /// Closes the connection. Unread bytes would reset it, and the client might not read the response.
    async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        // A client that keeps the connection open loses it.
        let _ = timeout(CLOSE_TIMEOUT, self.drain()).await;
        Ok(())
    }

    /// Discards all bytes until the client closes the connection.
    async fn drain(&mut self) {
        while self.stream.read_buf(&mut self.buffer).await.is_ok_and(|count| count > 0) {
            self.buffer.clear();
        }
    }
}
