//! The recorded packets of a conversation, in the format of libpcap.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use etherparse::PacketBuilder;

/// Link type: packets begin with their IP header.
const RAW_IP: u32 = 101;

/// Maximum number of bytes in a packet.
const SEGMENT: usize = 60_000;

/// Addresses of documentation networks, since the client sees the address of the relay.
const CLIENT: [u8; 4] = [192, 0, 2, 1];
const SERVER: [u8; 4] = [192, 0, 2, 80];

/// The packets of all connections.
#[derive(Debug)]
pub struct Recording(Mutex<Vec<u8>>);

impl Default for Recording {
    fn default() -> Self {
        let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0x0004_0000, RAW_IP];
        Self(Mutex::new(header.iter().flat_map(|word| word.to_le_bytes()).collect()))
    }
}

/// One side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Server,
}

/// A recorded connection: the next sequence numbers of both sides, and whether they have ended.
#[derive(Debug)]
pub struct Connection {
    port: u16,
    client: (u32, bool),
    server: (u32, bool),
}

impl Connection {
    /// Creates a connection with the port of the client.
    pub const fn new(port: u16) -> Self {
        Self { port, client: (1, false), server: (1, false) }
    }
}

impl Recording {
    /// Records bytes that one side sent.
    pub fn data(&self, connection: &mut Connection, side: Side, bytes: &[u8]) {
        for segment in bytes.chunks(SEGMENT) {
            self.packet(connection, side, segment, false);
        }
    }

    /// Records that one side sends no more bytes, once.
    pub fn end(&self, connection: &mut Connection, side: Side) {
        self.packet(connection, side, &[], true);
    }

    fn packet(&self, connection: &mut Connection, side: Side, bytes: &[u8], is_last: bool) {
        let Connection { port, client, server } = connection;
        let (ip, tcp, own, peer) = match side {
            Side::Client => ((CLIENT, SERVER), (*port, 80), client, server),
            Side::Server => ((SERVER, CLIENT), (80, *port), server, client),
        };
        if own.1 {
            return;
        }
        let mut packet =
            PacketBuilder::ipv4(ip.0, ip.1, 64).tcp(tcp.0, tcp.1, own.0, 65_535).ack(peer.0);
        if is_last {
            packet = packet.fin();
        }
        let mut written = Vec::with_capacity(packet.size(bytes.len()));
        // A vector accepts all bytes, and a segment fits in a packet.
        if packet.write(&mut written, bytes).is_err() {
            return;
        }
        *own = (own.0.wrapping_add(bytes.len() as u32 + u32::from(is_last)), is_last);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let length = written.len() as u32;
        let header = [time.as_secs() as u32, time.subsec_micros(), length, length];
        let mut packets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        packets.extend(header.iter().flat_map(|word| word.to_le_bytes()));
        packets.extend(written);
    }

    /// Returns the file.
    pub fn packets(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
