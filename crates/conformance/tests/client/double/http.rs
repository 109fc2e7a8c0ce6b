//! HTTP as the double speaks it: requests as text, and responses that the core parses.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart, Progress};
use bits_proto::message::{HeaderSlots, ResponseHead};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A request.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Host and port of the connection.
    pub authority: String,
    pub method: String,
    pub target: String,
    pub fields: Fields,
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Sent {
    /// Reads a head that the core has written.
    pub fn parse(authority: &str, head: &[u8], body: Vec<u8>) -> Self {
        let head = String::from_utf8_lossy(head).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let mut line = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
        let fields = lines.filter_map(|line| line.split_once(": "));
        Self {
            authority: authority.into(),
            method: line.next().unwrap_or_default(),
            target: line.next().unwrap_or_default(),
            fields: fields.map(|(name, value)| (name.into(), value.into())).collect(),
            body,
            at: Instant::now(),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        get(&self.fields, name)
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        set(&mut self.fields, name, value);
    }

    /// Compares the packet type, or the method.
    pub fn is(&self, kind: &str) -> bool {
        self.get("BITS-Packet-Type").unwrap_or(&self.method) == kind
    }

    /// A packet of another type in the same session.
    pub fn packet(&self, kind: &str) -> Self {
        let mut packet = Self { body: Vec::new(), ..self.clone() };
        for name in ["Content-Range", "Content-Name", "BITS-Supported-Protocols"] {
            packet.set(name, "");
        }
        packet.method = "BITS_POST".into();
        packet.set("BITS-Packet-Type", kind);
        packet.set("Content-Length", "0");
        packet
    }

    /// A fragment in the same session, whose body is one byte.
    pub fn fragment(&self, range: &str) -> Self {
        let mut packet = self.packet("Fragment");
        packet.set("Content-Range", range);
        packet.set("Content-Length", "1");
        packet.body = vec![b'x'];
        packet
    }

    /// A download of another URL.
    pub fn get_from(&self, url: &str) -> Self {
        let (authority, target) = split_url(url);
        let fields = vec![("Host".to_owned(), authority.clone())];
        Self { authority, target, method: "GET".into(), fields, body: Vec::new(), at: self.at }
    }

    /// Returns the first byte, the last byte and the total of Content-Range.
    pub fn range(&self) -> Option<[u64; 3]> {
        let (range, total) = self.get("Content-Range")?.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some([first.parse().ok()?, last.parse().ok()?, total.parse().ok()?])
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        [text.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// A response.
#[derive(Clone, Debug)]
pub struct Received {
    pub status: u16,
    pub fields: Fields,
    pub body: Vec<u8>,
    /// False if the connection ended before the whole body arrived.
    pub is_complete: bool,
    /// The head as it arrived.
    pub head: String,
    /// Interim responses came first.
    pub has_interim: bool,
}

impl Received {
    pub fn get(&self, name: &str) -> Option<&str> {
        get(&self.fields, name)
    }

    /// Sets a field; an empty value removes it.
    pub fn set(&mut self, name: &str, value: &str) {
        set(&mut self.fields, name, value);
    }

    /// Returns true if the head has this text, in this spelling.
    pub fn has(&self, text: &str) -> bool {
        self.head.contains(text)
    }

    /// Returns the fields for the core.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes()))
    }
}

/// Open connections by host and port.
#[derive(Default)]
pub struct Connections(HashMap<String, TcpStream>);

impl Connections {
    /// Sends a request and receives its response; `None` if the connection fails.
    pub async fn exchange(&mut self, sent: &Sent) -> Option<Received> {
        // Some cases are about servers that never respond.
        let is_stalled =
            ["/stall.", "/connection.silent"].iter().any(|it| sent.target.contains(it));
        let limit = Duration::from_secs(if is_stalled { 1 } else { 20 });
        let exchange = self.try_exchange(sent);
        tokio::time::timeout(limit, exchange).await.ok()?.ok()
    }

    async fn try_exchange(&mut self, sent: &Sent) -> io::Result<Received> {
        let mut stream = match self.0.remove(&sent.authority) {
            Some(stream) if is_usable(&stream) => stream,
            _ => TcpStream::connect(&sent.authority).await?,
        };
        // A server may respond before it has read the whole request.
        let written = stream.write_all(&sent.bytes()).await;
        let (received, is_reusable) = receive(&mut stream, sent.method == "HEAD").await?;
        // More bytes than announced are another request, which has another response.
        let is_exact =
            sent.get("Content-Length").is_none_or(|it| it == sent.body.len().to_string());
        if is_reusable && is_exact && written.is_ok() {
            self.0.insert(sent.authority.clone(), stream);
        }
        Ok(received)
    }
}

/// Returns true if the server has neither closed the connection nor sent anything since.
fn is_usable(stream: &TcpStream) -> bool {
    let blocked = stream.try_read(&mut [0]).err().map(|error| error.kind());
    blocked == Some(io::ErrorKind::WouldBlock)
}

/// Receives a response. Returns true if the connection can be used again.
async fn receive(stream: &mut TcpStream, is_head: bool) -> io::Result<(Received, bool)> {
    let (mut buffer, mut has_interim) = (Vec::new(), false);
    loop {
        let Some((length, mut received, body_length)) = parse(&buffer)? else {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let head = buffer.drain(..length).collect::<Vec<_>>();
        received.head = String::from_utf8_lossy(&head).into_owned();
        if received.status < 200 {
            has_interim = true;
            continue;
        }
        received.has_interim = has_interim;
        let body_length = if is_head { BodyLength::Known(0) } else { body_length };
        (received.body, received.is_complete) = body(stream, buffer, body_length).await;
        let closes = received.get("Connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        let is_reusable = received.is_complete
            && !closes
            && body_length != BodyLength::UntilClose
            && received.head.starts_with("HTTP/1.1");
        return Ok((received, is_reusable));
    }
}

/// Parses the head of a response: its length, its fields, and the length of the body.
fn parse(buffer: &[u8]) -> io::Result<Option<(usize, Received, BodyLength)>> {
    let mut slots = HeaderSlots::new();
    let parsed = ResponseHead::parse(buffer, &mut slots);
    let Progress::Complete(head) = parsed.map_err(|error| io::Error::other(error.to_string()))?
    else {
        return Ok(None);
    };
    let text = |(name, value): (&str, &[u8])| {
        (name.to_owned(), String::from_utf8_lossy(value).trim().to_owned())
    };
    let received = Received {
        status: head.line().status.get(),
        fields: head.fields().map(text).collect(),
        body: Vec::new(),
        is_complete: false,
        head: String::new(),
        has_interim: false,
    };
    Ok(Some((head.len(), received, head.body_length())))
}

/// Reads a body. Returns true if it is complete.
async fn body(stream: &mut TcpStream, mut buffer: Vec<u8>, length: BodyLength) -> (Vec<u8>, bool) {
    match length {
        BodyLength::Known(length) => loop {
            if buffer.len() as u64 >= length {
                return (buffer, true);
            }
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return (buffer, false);
            }
        },
        BodyLength::UntilClose => loop {
            match stream.read_buf(&mut buffer).await {
                Ok(0) => return (buffer, true),
                Ok(_) => {}
                Err(_) => return (buffer, false),
            }
        },
        BodyLength::Chunked => chunked(stream, buffer).await,
        _ => (Vec::new(), true),
    }
}

async fn chunked(stream: &mut TcpStream, mut buffer: Vec<u8>) -> (Vec<u8>, bool) {
    let (mut decoder, mut body) = (ChunkedDecoder::new(), Vec::new());
    loop {
        let consumed = match decoder.decode(&buffer) {
            Ok(ChunkedPart::Data { data, consumed }) => {
                body.extend_from_slice(data);
                consumed
            }
            Ok(ChunkedPart::End { .. }) => return (body, true),
            Ok(ChunkedPart::Partial) => {
                buffer.clear();
                if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                    return (body, false);
                }
                0
            }
            Err(_) => return (body, false),
        };
        buffer.drain(..consumed);
    }
}

/// Splits an absolute URL into host with port, and target.
pub fn split_url(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    (authority.into(), format!("/{path}"))
}

type Fields = Vec<(String, String)>;

fn get<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    let found = fields.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    fields.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
    if !value.is_empty() {
        fields.push((name.into(), value.into()));
    }
}
