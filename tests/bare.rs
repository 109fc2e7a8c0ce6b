//! The example for devices: whole uploads without an allocation, however the bytes are split.

#[path = "../examples/bare/connection.rs"]
mod connection;
#[path = "support/counted.rs"]
mod counted;
#[path = "../examples/bare/server.rs"]
mod server;

use std::time::Duration;

use bits_proto::server::HostError;
use connection::Transport;
use counted::allocations;
use server::{Device, Server};

const SLOTS: usize = 2;
const CAPACITY: usize = 2000;

/// Memory without an allocator, with faults.
struct Flash {
    slots: [[u8; CAPACITY]; SLOTS],
    filled: [usize; SLOTS],
    firmware: [u8; CAPACITY],
    length: Option<usize>,
    now: Duration,
    ids: u8,
    is_broken: bool,
}

impl Flash {
    fn new() -> Self {
        Self {
            slots: [[0xFF; CAPACITY]; SLOTS],
            filled: [0; SLOTS],
            firmware: [0xFF; CAPACITY],
            length: None,
            now: Duration::ZERO,
            ids: 0,
            is_broken: false,
        }
    }

    fn firmware(&self) -> Option<&[u8]> {
        self.length.map(|length| &self.firmware[..length])
    }
}

impl Device for Flash {
    const CAPACITY: u64 = CAPACITY as u64;

    fn write(&mut self, slot: usize, offset: u64, bytes: &[u8]) -> Result<(), HostError> {
        if self.is_broken {
            return Err(HostError::Other);
        }
        let offset = usize::try_from(offset).map_err(|_| HostError::DiskFull)?;
        assert_eq!(offset, self.filled[slot], "written sequentially, once");
        self.filled[slot] += bytes.len();
        self.slots[slot][offset..self.filled[slot]].copy_from_slice(bytes);
        Ok(())
    }

    fn commit(&mut self, slot: usize, length: u64) -> Result<(), HostError> {
        let length = usize::try_from(length).map_err(|_| HostError::Other)?;
        assert_eq!(length, self.filled[slot]);
        self.firmware = self.slots[slot];
        self.length = Some(length);
        self.erase(slot)
    }

    fn erase(&mut self, slot: usize) -> Result<(), HostError> {
        self.filled[slot] = 0;
        Ok(())
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn random(&mut self) -> [u8; 16] {
        self.ids += 1;
        [self.ids; 16]
    }
}

/// A connection that delivers its bytes in parts of one size, and stores the responses.
struct Cut<'c> {
    incoming: &'c [u8],
    piece: usize,
    heard: [u8; 4096],
    length: usize,
}

impl Transport for Cut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> usize {
        assert!(!buffer.is_empty(), "the buffer is never full");
        let length = self.incoming.len().min(buffer.len()).min(self.piece);
        buffer[..length].copy_from_slice(&self.incoming[..length]);
        self.incoming = &self.incoming[length..];
        length
    }

    fn write(&mut self, bytes: &[u8]) {
        let end = self.length + bytes.len();
        self.heard[self.length..end].copy_from_slice(bytes);
        self.length = end;
    }
}

type Small = Server<Flash, SLOTS>;

/// Sends all bytes on a connection, and returns each response: the status, with its offset or its code. Checks that
/// nothing was allocated.
fn say(server: &mut Small, said: &[u8], piece: usize) -> Vec<String> {
    let mut cut = Cut { incoming: said, piece, heard: [0; 4096], length: 0 };
    let (count, ()) = allocations(|| server.serve(&mut cut));
    assert_eq!(count, 0, "{}", String::from_utf8_lossy(said));
    let heard = std::str::from_utf8(&cut.heard[..cut.length]).expect("text");
    let answers = heard.split_terminator("\r\n\r\n");
    answers
        .map(|head| {
            assert!(head.contains("BITS-Packet-Type: Ack\r\n"), "{head}");
            let status = head.split(' ').nth(1).expect("a status");
            let values = ["BITS-Received-Content-Range: ", "BITS-Error: ", "Connection: "];
            let values = values.iter().filter_map(|name| head.split(*name).nth(1)?.lines().next());
            [status].into_iter().chain(values).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

fn request(packet: &str, session: u8, fields: &str, body: &[u8]) -> Vec<u8> {
    let id = uuid::Builder::from_random_bytes([session; 16]).into_uuid();
    let head = format!(
        "BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: {packet}\r\n\
         BITS-Session-Id: {id:X}\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn create() -> Vec<u8> {
    b"BITS_POST /firmware HTTP/1.1\r\nHost: device\r\nBITS-Packet-Type: Create-Session\r\n\
      BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}\r\n\
      Content-Length: 0\r\n\r\n"
        .to_vec()
}

fn fragment(session: u8, first: usize, body: &[u8], total: usize) -> Vec<u8> {
    let range = format!("Content-Range: bytes {first}-{}/{total}\r\n", first + body.len() - 1);
    request("Fragment", session, &range, body)
}

fn close(session: u8) -> Vec<u8> {
    request("Close-Session", session, "", b"")
}

fn entity() -> Vec<u8> {
    (0..1500_u32).map(|number| (number * number / 7) as u8).collect()
}

#[test]
fn a_split_upload_allocates_nothing() {
    let entity = entity();
    let said = [
        create(),
        request("Ping", 1, "", b""),
        fragment(1, 100, &entity[100..200], 1500),
        fragment(1, 0, &entity[..1000], 1500),
        fragment(1, 900, &entity[900..], 1500),
        close(1),
        close(1),
    ]
    .concat();
    for piece in (1..40).chain([127, 128, 129, 1023, 1024, 1025, said.len()]) {
        let mut server = Server::new(Flash::new());
        let heard = say(&mut server, &said, piece);
        let expected = ["200", "200", "416 0", "200 1000", "200 1500", "200", "500 0x8020001F"];
        assert_eq!(heard, expected, "in pieces of {piece}");
        assert_eq!(server.device().firmware(), Some(&*entity), "in pieces of {piece}");
    }
}

#[test]
fn an_upload_goes_on_after_a_broken_connection() {
    let entity = entity();
    let whole = fragment(1, 0, &entity, 1500);
    let body = whole.len() - entity.len();
    // The connection breaks in the head, and at several places of the body.
    for length in [10, body, body + 1, body + 128, body + 700, whole.len() - 1] {
        let mut server = Server::new(Flash::new());
        say(&mut server, &create(), 64);
        assert_eq!(say(&mut server, &whole[..length], 64), [""; 0]);
        let held = length.saturating_sub(body);
        let resumed = [
            fragment(1, 1499, &entity[1499..], 1500),
            fragment(1, held / 2, &entity[held / 2..], 1500),
            close(1),
        ];
        let heard = say(&mut server, &resumed.concat(), 64);
        let offset = format!("416 {held}");
        let offset = if held == 1499 { "200 1500" } else { &offset };
        assert_eq!(heard, [offset, "200 1500", "200"], "{length}");
        assert_eq!(server.device().firmware(), Some(&*entity), "{length}");
    }
}

#[test]
fn refusals_leave_the_connection_usable_where_they_can() {
    let ping = request("Ping", 9, "", b"");
    let mut server = Server::new(Flash::new());
    let refused = [
        (fragment(9, 0, b"abc", 3), "500 0x8020001F"),
        (request("Fragment", 1, "Content-Range: bytes 0-1/2\r\n", b"abc"), "400 0x80070057"),
        (request("Dance", 1, "", b"abc"), "400 0x80070057"),
    ];
    for (request, expected) in refused {
        assert_eq!(say(&mut server, &[request, ping.clone()].concat(), 50), [expected, "200"]);
    }
    // The start of the next request is unknown.
    let chunked = request("Ping", 1, "Transfer-Encoding: chunked\r\n", b"");
    let long = request("Ping", 1, &format!("X: {}\r\n", "x".repeat(1024)), b"");
    for request in [chunked, long, b"no HTTP\r\n\r\n".to_vec()] {
        let heard = say(&mut server, &[request, ping.clone()].concat(), 50);
        assert_eq!(heard, ["400 0x80070057 close"]);
    }
}

#[test]
fn other_urls_reveal_no_sessions() {
    let ping = request("Ping", 9, "", b"");
    let mut server = Server::new(Flash::new());
    assert_eq!(say(&mut server, &create(), 50), ["200"]);
    // The first session exists, and the second one does not.
    let of_session = |session| {
        [
            fragment(session, 0, b"abc", 3),
            close(session),
            request("Cancel-Session", session, "", b""),
        ]
    };
    let requests =
        [[ping.clone(), create()].to_vec(), of_session(1).to_vec(), of_session(2).to_vec()];
    for request in requests.concat() {
        let text = String::from_utf8(request).expect("text");
        let elsewhere = text.replace("/firmware", "/f").into_bytes();
        let heard = say(&mut server, &[elsewhere, ping.clone()].concat(), 50);
        assert_eq!(heard, ["403 0x80070005", "200"], "{text}");
    }
    // The body of the refused request was not stored.
    let heard = say(&mut server, &[fragment(1, 0, b"abc", 3), close(1)].concat(), 50);
    assert_eq!(heard, ["200 3", "200"]);
}

#[test]
fn the_number_of_sessions_is_limited_and_each_has_a_slot() {
    let mut server = Server::new(Flash::new());
    assert_eq!(say(&mut server, &create().repeat(3), 50), ["200", "200", "503"]);
    let said = [
        fragment(1, 0, b"one", 6),
        fragment(2, 0, b"two", 6),
        fragment(2, 3, b"two", 6),
        fragment(1, 3, b"one", 6),
        close(2),
        create(),
    ];
    let heard = say(&mut server, &said.concat(), 50);
    assert_eq!(heard, ["200 3", "200 3", "200 6", "200 6", "200", "200"]);
    assert_eq!(server.device().firmware(), Some(&b"twotwo"[..]));
    assert_eq!(say(&mut server, &close(1), 50), ["200"]);
    assert_eq!(server.device().firmware(), Some(&b"oneone"[..]));
    // The third session is begun and abandoned. After two weeks there is space for two sessions again.
    assert_eq!(say(&mut server, &fragment(3, 0, b"abc", 6), 50), ["200 3"]);
    server.device().now += Duration::from_secs(14 * 24 * 60 * 60);
    assert_eq!(say(&mut server, &create().repeat(3), 50), ["200", "200", "503"]);
    assert_eq!(server.device().filled, [0, 0]);
}

#[test]
fn errors_of_the_device_are_answered() {
    let mut server = Server::new(Flash::new());
    let large = request("Fragment", 1, "Content-Range: bytes 0-1/2001\r\n", b"ab");
    assert_eq!(say(&mut server, &[create(), large].concat(), 50), ["200", "500 0x80200020"]);
    server.device().is_broken = true;
    assert_eq!(say(&mut server, &fragment(1, 0, b"abc", 3), 50), ["500 close"]);
    server.device().is_broken = false;
    let heard = say(&mut server, &[fragment(1, 0, b"abc", 3), close(1)].concat(), 50);
    assert_eq!(heard, ["200 3", "200"]);
    assert_eq!(server.device().firmware(), Some(&b"abc"[..]));
}
