//! A relay between client and server, which records the conversation and can cut connections.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::recording::{Connection, Recording, Side};

/// Maximum number of bytes that are passed on at once.
const PIECE: usize = 60_000;

/// Number of connections that are cut.
const CUTS: u32 = 5;

/// Decides where connections are cut.
#[derive(Debug)]
pub struct Faults {
    state: u64,
    remaining: u32,
}

impl Faults {
    /// Creates faults that depend only on the seed.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, remaining: CUTS }
    }

    /// Returns the cut of the next connection: the side, and the number of its bytes that pass.
    fn cut(&mut self) -> Option<(Side, usize)> {
        self.remaining = self.remaining.checked_sub(1)?;
        let side = if self.next().is_multiple_of(2) { Side::Client } else { Side::Server };
        let limit = match side {
            Side::Client => 3_000_000,
            Side::Server => 1_200,
        };
        Some((side, usize::try_from(self.next() % limit).unwrap_or(0)))
    }

    /// The generator SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// A relay in front of a server.
pub struct Relay {
    server: SocketAddr,
    recording: Arc<Recording>,
    faults: Mutex<Option<Faults>>,
}

impl Relay {
    /// Starts a relay, and returns its address.
    pub async fn start(
        server: SocketAddr,
        recording: Arc<Recording>,
        faults: Option<Faults>,
    ) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let relay = Arc::new(Self { server, recording, faults: Mutex::new(faults) });
        tokio::spawn(async move {
            while let Ok((client, peer)) = listener.accept().await {
                let relay = Arc::clone(&relay);
                // A connection that breaks is part of the demonstration.
                tokio::spawn(async move { drop(relay.connection(client, peer.port()).await) });
            }
        });
        Ok(address)
    }

    async fn connection(&self, client: TcpStream, port: u16) -> io::Result<()> {
        let server = TcpStream::connect(self.server).await?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let cut = self
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .and_then(Faults::cut);
        let limit = |side| cut.filter(|cut| cut.0 == side).map_or(usize::MAX, |cut| cut.1);
        let connection = Mutex::new(Connection::new(port));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // An error of one direction ends both, so that both sides see a cut connection.
        let ended = tokio::try_join!(
            self.copy(&connection, Side::Client, from_client, to_server, limit(Side::Client)),
            self.copy(&connection, Side::Server, from_server, to_client, limit(Side::Server)),
        );
        for side in [Side::Client, Side::Server] {
            self.record(&connection, side, &[], true);
        }
        ended.map(drop)
    }

    /// Passes on at most `limit` bytes, and fails after them.
    async fn copy(
        &self,
        connection: &Mutex<Connection>,
        side: Side,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        mut limit: usize,
    ) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        loop {
            let length = from.read(&mut buffer).await?;
            let passed = length.min(limit);
            limit -= passed;
            let bytes = buffer.get(..passed).unwrap_or_default();
            to.write_all(bytes).await?;
            self.record(connection, side, bytes, length == 0);
            if passed < length {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            if length == 0 {
                return to.shutdown().await;
            }
        }
    }

    fn record(&self, connection: &Mutex<Connection>, side: Side, bytes: &[u8], is_last: bool) {
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.recording.data(&mut connection, side, bytes);
        if is_last {
            self.recording.end(&mut connection, side);
        }
    }
}
