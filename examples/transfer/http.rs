//! HTTP/1.1 over a socket: heads from a buffer that grows, bodies that end where they should.

use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bits_proto::Error;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};

/// How long a socket may stand still, so that nothing hangs for ever.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an entity is in memory at a time, at each end.
pub const PIECE: u64 = 256 * 1024;

/// A connection, and what was read from it and not yet used.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What came in where a head was expected.
pub enum Incoming {
    /// A whole head.
    Head(Vec<u8>),
    /// Bytes that cannot become one.
    Unreadable(Error),
    /// The connection ended, perhaps inside a head.
    End,
}

/// How long the head at the start of the bytes is, once it is all there.
type Measure = fn(&[u8]) -> Result<Option<usize>, Error>;

pub fn request_len(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut slots = HeaderSlots::new();
    Ok(RequestHead::parse(bytes, &mut slots)?.complete().map(|head| head.len()))
}

pub fn response_len(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut slots = HeaderSlots::new();
    Ok(ResponseHead::parse(bytes, &mut slots)?.complete().map(|head| head.len()))
}

/// Whether the peer will close the connection behind this message.
pub fn closes<'b>(mut fields: impl Iterator<Item = (&'b str, &'b [u8])>) -> bool {
    fields.any(|(name, value)| {
        name.eq_ignore_ascii_case("Connection") && value.eq_ignore_ascii_case(b"close")
    })
}

impl Connection {
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        // Each message is written as a whole, and waits for nothing.
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        Self::new(TcpStream::connect_timeout(&address, PATIENCE)?)
    }

    /// Takes the next head off the connection. What was read behind it stays.
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
            // The limits on heads, which `measure` keeps, are the limit of the buffer.
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk)? {
                0 => return Ok(Incoming::End),
                read => self.buffer.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// The next `length` bytes.
    pub fn body(&mut self, length: u64) -> Body<'_> {
        Body { connection: self, left: length }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Ends what is sent, and waits until the peer has ended too: it has dealt with everything
    /// then. A server that closes at once may destroy the answer it has just sent.
    pub fn end(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let start = Instant::now();
        let mut rest = [0; 4096];
        while self.stream.read(&mut rest)? > 0 && start.elapsed() < PATIENCE {}
        Ok(())
    }
}

/// A body that is read from a connection. It gives fewer bytes than it should only if the
/// connection ends.
pub struct Body<'c> {
    connection: &'c mut Connection,
    left: u64,
}

impl Body<'_> {
    /// How many bytes have not been read.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Reads `length` bytes and throws them away.
    pub fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// Fills `piece` with the next `length` bytes, or with as many as there are before the
    /// connection ends or breaks.
    pub fn read_piece(&mut self, length: u64, piece: &mut Vec<u8>) {
        piece.clear();
        // What came before it broke has come.
        let _ = self.by_ref().take(length).read_to_end(piece);
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let out = &mut out[..most];
        if out.is_empty() {
            // To read nothing from a socket takes until there is something.
            return Ok(0);
        }
        let buffer = &mut self.connection.buffer;
        let read = if buffer.is_empty() {
            self.connection.stream.read(out)?
        } else {
            let held = most.min(buffer.len());
            out[..held].copy_from_slice(&buffer[..held]);
            buffer.drain(..held);
            held
        };
        self.left -= read as u64;
        Ok(read)
    }
}

/// Something that serves connections, one at a time.
pub trait Service: Send + 'static {
    /// Serves a connection until it ends.
    fn serve(&mut self, connection: &mut Connection) -> io::Result<()>;
}

/// A service on a thread of its own.
pub struct Running<S> {
    pub address: SocketAddr,
    stops: Arc<AtomicBool>,
    thread: JoinHandle<S>,
}

impl<S: Service> Running<S> {
    /// Starts a service on a free port of the loopback interface.
    pub fn start(mut service: S) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let stops = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&stops);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(SeqCst) {
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
        Ok(Self { address, stops, thread })
    }

    /// Stops it, once its last connection has ended, and gives it back.
    pub fn stop(self) -> io::Result<S> {
        self.stops.store(true, SeqCst);
        // It waits for a connection.
        TcpStream::connect(self.address)?;
        self.thread.join().map_err(|_| io::Error::other("a thread panicked"))
    }
}

/// Whether a socket stood still for too long: systems have two names for it.
pub fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// Whether the peer is gone, which peers may be at any time.
fn is_disconnection(error: &io::Error) -> bool {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof,
    };
    let gone = [BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof];
    is_timeout(error) || gone.contains(&error.kind())
}
