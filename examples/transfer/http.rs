//! HTTP/1.1 over a socket: incremental parsing of heads, bodies of known length, and bodies in
//! chunks.

use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bits_proto::Error;
use bits_proto::http1::{ChunkedDecoder, ChunkedPart};
use bits_proto::limits::Limits;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};

/// Timeout for reading and writing.
pub const IO_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of bytes of an entity in memory, at each end.
pub const PIECE: u64 = 256 * 1024;

/// A connection and its received bytes that are not yet consumed.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Result of reading a head.
pub enum Incoming {
    /// A complete head.
    Head(Vec<u8>),
    /// Invalid bytes.
    Unreadable(Error),
    /// The connection ended, possibly inside a head.
    End,
}

/// Returns the length of the head at the beginning of the bytes, if it is complete.
type Measure = fn(&[u8]) -> Result<Option<usize>, Error>;

pub fn request_len(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut slots = HeaderSlots::new();
    Ok(RequestHead::parse(bytes, &mut slots)?.complete().map(|head| head.len()))
}

pub fn response_len(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut slots = HeaderSlots::new();
    Ok(ResponseHead::parse(bytes, &mut slots)?.complete().map(|head| head.len()))
}

/// Returns whether the peer closes the connection after this message.
pub fn closes<'b>(mut fields: impl Iterator<Item = (&'b str, &'b [u8])>) -> bool {
    fields.any(|(name, value)| {
        name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case(b"close")
    })
}

impl Connection {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(IO_TIMEOUT))?;
        stream.set_write_timeout(Some(IO_TIMEOUT))?;
        // Each message is written as a whole, so there is nothing to coalesce.
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect_timeout(&address, IO_TIMEOUT)?)
    }

    /// Reads the next head. Bytes after it remain in the buffer.
    pub fn read_head(&mut self, measure: Measure) -> io::Result<Incoming> {
        loop {
            match measure(&self.buffer) {
                Ok(Some(length)) => {
                    let rest = self.buffer.split_off(length);
                    return Ok(Incoming::Head(std::mem::replace(&mut self.buffer, rest)));
                }
                Ok(None) => {}
                Err(error) => return Ok(Incoming::Unreadable(error)),
            }
            // `measure` limits the length of heads, and thereby the buffer.
            match self.receive() {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Ok(Incoming::End);
                }
                received => received?,
            }
        }
    }

    /// Reads a body that is sent in chunks. A body of more than `max` bytes is an error.
    pub fn read_chunked(&mut self, max: u64) -> io::Result<Vec<u8>> {
        let limits = Limits::DEFAULT.with_chunked_body_bytes(max);
        let (mut decoder, mut body) = (ChunkedDecoder::with_limits(&limits), Vec::new());
        loop {
            match decoder.decode(&self.buffer).map_err(io::Error::other)? {
                ChunkedPart::Data { data, consumed } => {
                    body.extend_from_slice(data);
                    self.buffer.drain(..consumed);
                }
                ChunkedPart::Partial => {
                    self.buffer.clear();
                    self.receive()?;
                }
                ChunkedPart::End { consumed } => {
                    self.buffer.drain(..consumed);
                    return Ok(body);
                }
            }
        }
    }

    /// Adds received bytes to the buffer.
    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                self.buffer.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }

    /// Returns a reader for the next `length` bytes.
    pub fn body(&mut self, length: u64) -> Body<'_> {
        Body { connection: self, left: length }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Shuts down the sending side and waits until the peer closes the connection. If the server
    /// closed it at once, the peer might lose the response.
    pub fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let start = Instant::now();
        let mut rest = [0; 4096];
        while self.stream.read(&mut rest)? > 0 && start.elapsed() < IO_TIMEOUT {}
        Ok(())
    }
}

/// A body that is read from a connection. It is shorter than its length only if the connection
/// ends.
pub struct Body<'c> {
    connection: &'c mut Connection,
    left: u64,
}

impl Body<'_> {
    /// Returns the number of unread bytes.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Reads and discards `length` bytes.
    pub fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Fills `piece` with the next `length` bytes, or with fewer if the connection ends or fails.
    pub fn read_piece(&mut self, length: u64, piece: &mut Vec<u8>) {
        piece.clear();
        // `read_to_end` keeps the bytes before an error.
        let _ = self.by_ref().take(length).read_to_end(piece);
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let out = &mut out[..most];
        if out.is_empty() {
            // Reading zero bytes from a socket may block.
            return Ok(0);
        }
        let buffer = &mut self.connection.buffer;
        let read = if buffer.is_empty() {
            self.connection.stream.read(out)?
        } else {
            let buffered = most.min(buffer.len());
            out[..buffered].copy_from_slice(&buffer[..buffered]);
            buffer.drain(..buffered);
            buffered
        };
        self.left -= read as u64;
        Ok(read)
    }
}

/// A service that handles one connection at a time.
pub trait Service: Send + 'static {
    /// Serves a connection until it ends.
    fn serve(&mut self, connection: &mut Connection) -> io::Result<()>;
}

/// A service that runs on its own thread.
pub struct Running<S> {
    pub address: SocketAddr,
    is_stopped: Arc<AtomicBool>,
    thread: JoinHandle<S>,
}

impl<S: Service> Running<S> {
    /// Starts a service on a free port of the loopback interface.
    pub fn start(mut service: S) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let is_stopped = Arc::new(AtomicBool::new(false));
        let must_stop = Arc::clone(&is_stopped);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if must_stop.load(SeqCst) {
                    break;
                }
                let served = stream.and_then(Connection::new);
                let served = served.and_then(|mut connection| service.serve(&mut connection));
                match served {
                    Err(error) if !is_disconnection(&error) => eprintln!("transfer: {error}"),
                    _ => {}
                }
            }
            service
        });
        Ok(Self { address, is_stopped, thread })
    }

    /// Stops the service after its last connection, and returns it.
    pub fn stop(self) -> io::Result<S> {
        self.is_stopped.store(true, SeqCst);
        // Wakes up the thread, which waits for a connection.
        TcpStream::connect(self.address)?;
        self.thread.join().map_err(|_| io::Error::other("a thread panicked"))
    }
}

/// Returns whether a read or write timed out. The error kind depends on the system.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// Returns whether the peer has disconnected, which is not a failure of the service.
fn is_disconnection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    let gone = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
    is_timeout(error) || gone.contains(&error.kind())
}
