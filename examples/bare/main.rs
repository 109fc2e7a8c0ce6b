//! An upload server for a device without an allocator, and an example conversation.
//!
//! ```sh
//! cargo run --release --example bare
//! ```
//!
//! The server consists of `server.rs` and `connection.rs`, which need only `core`. This file
//! simulates the hardware: a network that delivers small pieces and disconnects in the middle of a
//! fragment, and two slots of flash memory. The program prints the conversation and exits with 0 if
//! the device has received the entity.

mod connection;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use bits_proto::server::HostError;
use connection::Transport;
use server::{Device, Server};

const ENTITY: &[u8] = b"the next firmware, signed";

/// The requests of a client, by connection. The first connection ends in the middle of a fragment.
/// On the second one the client sends the rest, and the server stores only the new bytes.
const CONVERSATION: [&[&str]; 2] = [
    &[
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Create-Session\r\n\
         BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n\
         Content-Length: 0\r\n\r\n",
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Fragment\r\n\
         BITS-Session-Id: {07070707-0707-4707-8707-070707070707}\r\n\
         Content-Range: bytes 0-24/25\r\nContent-Length: 25\r\n\r\nthe next fi",
    ],
    &[
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Fragment\r\n\
         BITS-Session-Id: {07070707-0707-4707-8707-070707070707}\r\n\
         Content-Range: bytes 20-24/25\r\nContent-Length: 5\r\n\r\nigned",
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Fragment\r\n\
         BITS-Session-Id: {07070707-0707-4707-8707-070707070707}\r\n\
         Content-Range: bytes 9-24/25\r\nContent-Length: 16\r\n\r\nfirmware, signed",
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Close-Session\r\n\
         BITS-Session-Id: {07070707-0707-4707-8707-070707070707}\r\n\
         Content-Length: 0\r\n\r\n",
    ],
];

fn main() -> ExitCode {
    let mut server: Server<_, 2> = Server::new(Memory::default());
    for (number, requests) in CONVERSATION.into_iter().enumerate() {
        println!("-- connection {}", number + 1);
        server.serve(&mut Network::new(requests));
        println!("-- end of connection");
    }
    let firmware = server.device().firmware.as_deref();
    println!("firmware: {}", firmware.map_or("none".into(), String::from_utf8_lossy));
    if firmware == Some(ENTITY) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A connection on which a client sends fixed requests, regardless of the responses.
struct Network {
    incoming: Vec<u8>,
    read: usize,
    /// Requests that are not yet printed.
    requests: std::slice::Iter<'static, &'static str>,
}

impl Network {
    /// Number of bytes that arrive at a time.
    const PIECE: usize = 7;

    fn new(requests: &'static [&'static str]) -> Self {
        Self { incoming: requests.concat().into(), read: 0, requests: requests.iter() }
    }
}

impl Transport for Network {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        let rest = &self.incoming[self.read..];
        let length = rest.len().min(buffer.len()).min(Self::PIECE);
        buffer[..length].copy_from_slice(&rest[..length]);
        self.read += length;
        length
    }

    fn write(&mut self, bytes: &[u8]) {
        self.requests.next().iter().for_each(|request| show('>', request.as_bytes()));
        show('<', bytes);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.requests.by_ref().for_each(|request| show('>', request.as_bytes()));
    }
}

fn show(direction: char, message: &[u8]) {
    String::from_utf8_lossy(message).lines().for_each(|line| println!("{direction} {line}"));
    println!();
}

/// Two slots of flash memory, and the firmware for the next start.
#[derive(Default)]
struct Memory {
    slots: [Vec<u8>; 2],
    firmware: Option<Vec<u8>>,
}

impl Device for Memory {
    const CAPACITY: u64 = 1024;

    fn write(&mut self, slot: usize, offset: u64, bytes: &[u8]) -> Result<(), HostError> {
        let offset = usize::try_from(offset).map_err(|_| HostError::DiskFull)?;
        self.slots[slot].resize(offset, 0xFF);
        self.slots[slot].extend_from_slice(bytes);
        Ok(())
    }

    fn commit(&mut self, slot: usize, length: u64) -> Result<(), HostError> {
        println!("-- slot {slot} with {length} bytes becomes the firmware\n");
        self.firmware = Some(std::mem::take(&mut self.slots[slot]));
        Ok(())
    }

    fn erase(&mut self, slot: usize) -> Result<(), HostError> {
        self.slots[slot].clear();
        Ok(())
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }

    fn random(&mut self) -> [u8; 16] {
        // A device uses its hardware. Here the id is fixed, as the requests of the client contain it.
        [7; 16]
    }
}
