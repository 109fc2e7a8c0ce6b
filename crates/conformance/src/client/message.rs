//! Requests of the client and responses of the suite.

use std::time::{Duration, Instant};

use bits_proto::field::{ContentRange, PacketType};
use bits_proto::message::RequestHead;

/// The server that receives a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The server in the URL of the transfer.
    Main,
    /// Another server.
    Other,
    /// The host that BITS-Host-Id names.
    Host,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) origin: Origin,
    /// Time at which its head was complete.
    pub(super) at: Instant,
    pub(super) method: String,
    /// The target in origin form, also of a request to a proxy.
    pub(super) target: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The length of the body according to the head.
    pub(super) length: u64,
}

impl Request {
    pub(super) fn new(origin: Origin, head: &RequestHead<'_, '_>) -> Self {
        let text = |(name, value): (&str, &[u8])| {
            (name.to_owned(), String::from_utf8_lossy(value).trim().to_owned())
        };
        Self {
            origin,
            at: Instant::now(),
            method: head.line().method.into(),
            target: origin_form(head.line().target).into(),
            fields: head.fields().map(text).collect(),
            body: Vec::new(),
            length: head.body_length(),
        }
    }

    /// Returns the value of the first field with this name.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the packet type; `None` for a request without a valid one.
    pub(super) fn packet(&self) -> Option<PacketType> {
        PacketType::try_from(self.field("BITS-Packet-Type")?).ok()
    }

    pub(super) fn is(&self, packet: PacketType) -> bool {
        self.packet() == Some(packet)
    }

    pub(super) fn range(&self) -> Option<ContentRange> {
        ContentRange::try_from(self.field("Content-Range")?).ok()
    }

    /// Returns true if the whole body has arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.body.len() as u64 == self.length
    }

    /// Returns the credentials of a scheme in a field such as Authorization.
    pub(super) fn credentials(&self, name: &str, scheme: &str) -> Option<&str> {
        let value = self.field(name)?;
        let found = value.split(' ').next().unwrap_or_default();
        found.eq_ignore_ascii_case(scheme).then_some(value)
    }

    /// Returns true if the request has credentials.
    pub(super) fn has_credentials(&self) -> bool {
        self.field("Authorization").is_some()
            || self.field("Proxy-Authorization").is_some()
            || self.field("Cookie").is_some()
    }
}

/// Removes scheme and authority from the target of a request to a proxy.
pub(super) fn origin_form(target: &str) -> &str {
    let path = target.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    path.unwrap_or(target)
}

/// Returns the time from an instant to the next request.
pub(super) fn pause(requests: &[Request], from: Instant) -> Option<Duration> {
    let next = requests.iter().find(|request| request.at > from)?;
    Some(next.at - from)
}

/// The way in which the end of a body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// Content-Length.
    Length,
    /// A Content-Length that is this much longer than the body.
    LongLength(u64),
    /// One chunk for each of these many bytes.
    Chunked(usize),
    /// The end of the connection.
    UntilClose,
}

/// The state of the connection after a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Keep,
    /// The connection is closed, as the response announces.
    Close,
    /// The connection is closed without an announcement.
    CloseSilently,
    /// The connection ends with a reset.
    Reset,
    /// The connection stays open, and nothing more is sent.
    Stall,
}

/// The text of each [`Reply::page`].
pub(super) const PAGE: &str = "The page of a proxy.";

/// A response.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) version: &'static str,
    pub(super) status: u16,
    pub(super) fields: Vec<(String, String)>,
    /// Between a name and its value.
    pub(super) separator: &'static str,
    pub(super) body: Vec<u8>,
    pub(super) framing: Framing,
    /// Bytes before the response, such as an interim one.
    pub(super) before: &'static str,
    pub(super) delay: Duration,
    /// The number of bytes that are sent before the connection ends, if not all of them are.
    pub(super) sent: Option<usize>,
    pub(super) ending: Ending,
    /// The client is killed after the response.
    pub(super) kills: bool,
}

impl Reply {
    pub(super) fn new(status: u16) -> Self {
        Self {
            version: "HTTP/1.1",
            status,
            fields: Vec::new(),
            separator: ": ",
            body: Vec::new(),
            framing: Framing::Length,
            before: "",
            delay: Duration::ZERO,
            sent: None,
            ending: Ending::Keep,
            kills: false,
        }
    }

    /// An Ack.
    pub(super) fn ack(status: u16) -> Self {
        Self::new(status).field("BITS-Packet-Type", "Ack")
    }

    /// An Ack with an error of the server.
    pub(super) fn refusal(status: u16, code: &str) -> Self {
        Self::ack(status)
            .field("BITS-Error", code)
            .field("BITS-Error-Code", code)
            .field("BITS-Error-Context", "0x5")
    }

    /// A response that a proxy makes.
    pub(super) fn page(status: u16) -> Self {
        let page = format!("<html><body><h1>{status}</h1>{PAGE}</body></html>\n");
        Self::new(status).field("Content-Type", "text/html").body(page)
    }

    /// No response: the connection ends.
    pub(super) fn lost() -> Self {
        Self { sent: Some(0), ending: Ending::Close, ..Self::new(200) }
    }

    /// No response: the connection is reset.
    pub(super) fn reset() -> Self {
        Self { ending: Ending::Reset, ..Self::lost() }
    }

    /// No response, on a connection that stays open.
    pub(super) fn silence() -> Self {
        Self { ending: Ending::Stall, ..Self::lost() }
    }

    /// Kills the client after the response.
    pub(super) const fn kill(mut self) -> Self {
        self.kills = true;
        self
    }

    /// Adds a field behind the others.
    pub(super) fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
        self
    }

    /// Changes the value of a field if the response has it.
    pub(super) fn change(mut self, name: &str, change: impl Fn(&str) -> String) -> Self {
        for (_, value) in self.fields.iter_mut().filter(|(it, _)| it.eq_ignore_ascii_case(name)) {
            *value = change(value);
        }
        self
    }

    /// Changes the spelling of all names.
    pub(super) fn names(mut self, spell: impl Fn(&str) -> String) -> Self {
        self.fields.iter_mut().for_each(|(name, _)| *name = spell(name));
        self
    }

    pub(super) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) const fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    pub(super) const fn ending(mut self, ending: Ending) -> Self {
        self.ending = ending;
        self
    }

    /// Sends this many bytes of the body only.
    pub(super) fn cut(mut self, length: usize) -> Self {
        self.sent = Some(self.head().len() + length);
        self
    }

    pub(super) const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    pub(super) const fn before(mut self, bytes: &'static str) -> Self {
        self.before = bytes;
        self
    }

    pub(super) const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Returns true if the client may send the next request on the same connection.
    pub(super) fn keeps_connection(&self) -> bool {
        self.ending == Ending::Keep && self.framing != Framing::UntilClose
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let mut text = format!("{} {} Status\r\n", self.version, self.status);
        for (name, value) in &self.fields {
            text.push_str(&format!("{name}{}{value}\r\n", self.separator));
        }
        match self.framing {
            // A response with this status has no body.
            Framing::Length if self.status == 204 => {}
            Framing::Length => text.push_str(&self.content_length(0)),
            Framing::LongLength(more) => text.push_str(&self.content_length(more)),
            Framing::Chunked(_) => text.push_str("Transfer-Encoding: chunked\r\n"),
            Framing::UntilClose => {}
        }
        if self.ending == Ending::Close && self.version == "HTTP/1.1" {
            text.push_str("Connection: close\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }

    fn content_length(&self, more: u64) -> String {
        format!("Content-Length: {}\r\n", self.body.len() as u64 + more)
    }

    /// Returns the body as it is sent; that of a response to HEAD is empty.
    pub(super) fn body_bytes(&self, is_head: bool) -> Vec<u8> {
        let Framing::Chunked(size) = self.framing else {
            return if is_head { Vec::new() } else { self.body.clone() };
        };
        let mut bytes = Vec::new();
        for chunk in self.body.chunks(size.max(1)) {
            bytes.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\n\r\n");
        if is_head { Vec::new() } else { bytes }
    }
}
