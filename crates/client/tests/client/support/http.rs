//! Requests and responses as text.

/// A request that a server received.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The number of the connection, from 1.
    pub connection: usize,
}

impl Request {
    /// Parses a head with its empty line.
    pub fn parse(head: &[u8], connection: usize) -> Self {
        let head = String::from_utf8_lossy(head).into_owned();
        let mut lines = head.trim_end().split("\r\n");
        let mut line = lines.next().unwrap_or_default().split(' ');
        let mut next = || line.next().unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        });
        Self {
            method: next(),
            target: next(),
            fields: fields.collect(),
            body: Vec::new(),
            connection,
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(it, _)| it.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Returns the packet type, or the method of another request.
    pub fn kind(&self) -> String {
        self.get("BITS-Packet-Type").unwrap_or(&self.method).to_ascii_lowercase()
    }

    /// Returns first and last byte of Content-Range, and the length of the entity.
    pub fn range(&self) -> Option<(usize, usize, usize)> {
        let (range, total) = self.get("Content-Range")?.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
    }
}

/// Actions of a server after a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Sends these bytes, and waits for the next request.
    Send(Vec<u8>),
    /// Sends these bytes, and closes the connection.
    Close(Vec<u8>),
    /// Sends these bytes, and does nothing until the client closes the connection.
    Hold(Vec<u8>),
    /// Sends these bytes, and neither reads nor closes the connection.
    Ignore(Vec<u8>),
}

impl Answer {
    /// Returns the bytes to send.
    pub fn into_bytes(self) -> Vec<u8> {
        match self {
            Self::Send(bytes) | Self::Close(bytes) | Self::Hold(bytes) | Self::Ignore(bytes) => {
                bytes
            }
        }
    }

    /// Replaces a part of the text.
    pub fn replace(self, from: &str, to: &str) -> Self {
        self.map(|bytes| String::from_utf8_lossy(&bytes).replacen(from, to, 1).into_bytes())
    }

    /// Sends the body in one chunk.
    pub fn chunked(self) -> Self {
        self.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let fields = head.split("\r\n").filter(|line| !line.starts_with("Content-Length"));
            let head = fields.collect::<Vec<_>>().join("\r\n");
            let chunk = if body.is_empty() {
                String::new()
            } else {
                format!("{:x}\r\n{body}\r\n", body.len())
            };
            format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n").into_bytes()
        })
    }

    fn map(self, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Self {
        match self {
            Self::Send(bytes) => Self::Send(change(bytes)),
            Self::Close(bytes) => Self::Close(change(bytes)),
            Self::Hold(bytes) => Self::Hold(change(bytes)),
            Self::Ignore(bytes) => Self::Ignore(change(bytes)),
        }
    }
}

/// Returns a response with Content-Length.
pub fn answer(status: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut text = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
    Answer::Send([text.as_bytes(), body].concat())
}

/// Returns an Ack.
pub fn ack(status: &str, fields: &[(&str, &str)]) -> Answer {
    answer(status, &[&[("BITS-Packet-Type", "Ack")], fields].concat(), b"")
}
