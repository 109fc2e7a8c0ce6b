//! Requests as faults see them.

use http::request::Parts;
use http::{HeaderValue, Response};
use hyper::body::Bytes;

/// A request of the past to the same path, and its response.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// In lower case.
    pub packet: String,
    /// Of the request, or that of the response to Create-Session.
    pub session: String,
    pub range: Option<[u64; 3]>,
    pub status: u16,
}

/// A request.
pub struct Seen<'a> {
    pub parts: &'a Parts,
    pub past: &'a [Past],
    /// The packet type of the request before on the same connection.
    pub previous: &'a str,
}

impl Seen<'_> {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Returns the packet type in lower case.
    pub fn packet(&self) -> String {
        self.field("BITS-Packet-Type").unwrap_or_default().to_ascii_lowercase()
    }

    pub fn is(&self, packet: &str) -> bool {
        self.packet() == packet
    }

    pub fn range(&self) -> Option<[u64; 3]> {
        range(self.field("Content-Range")?)
    }

    pub fn session(&self) -> &str {
        self.field("BITS-Session-Id").unwrap_or_default()
    }

    /// Compares with the total length in the request, or in the requests before it.
    pub fn of(&self, total: u64) -> bool {
        self.range().map_or_else(|| is_of(self.past, total), |range| range[2] == total)
    }

    /// Returns true for a fragment with this first byte and total length.
    pub fn is_fragment(&self, first: u64, total: u64) -> bool {
        self.range().is_some_and(|range| range[0] == first && range[2] == total)
    }

    pub fn has(&self, name: &str) -> bool {
        self.parts.headers.contains_key(name)
    }

    /// An Ack with success.
    pub fn ack(&self) -> Response<Bytes> {
        let ack = Response::builder().header("BITS-Packet-Type", "Ack");
        ack.header("BITS-Session-Id", self.session()).body(Bytes::new()).expect("a response")
    }

    /// An Ack for a fragment.
    pub fn ack_of(&self, received: u64) -> Response<Bytes> {
        let mut ack = self.ack();
        ack.headers_mut().insert("BITS-Received-Content-Range", HeaderValue::from(received));
        ack
    }
}

/// Compares with the total length in earlier requests.
pub fn is_of(past: &[Past], total: u64) -> bool {
    past.iter().any(|it| it.range.is_some_and(|range| range[2] == total))
}

/// Returns true if a packet of this type was accepted.
pub fn has(past: &[Past], packet: &str) -> bool {
    past.iter().any(|it| it.packet == packet && it.status == 200)
}

pub fn range(value: &str) -> Option<[u64; 3]> {
    let (range, total) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some([first.parse().ok()?, last.parse().ok()?, total.parse().ok()?])
}
