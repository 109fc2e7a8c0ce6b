//! Requests, as exact bytes.

use std::ops::Range;

/// The protocol of uploads.
pub(super) const PROTOCOL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

/// A request that is written exactly as it is, valid or not.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) version: &'static str,
    /// Names and values in order. The names may have any spelling.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    /// Between a name and its value.
    pub(super) separator: &'static str,
    pub(super) body: Vec<u8>,
}

impl Packet {
    /// A request without a body.
    pub(super) fn new(method: &str, target: &str, host: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            version: "HTTP/1.1",
            fields: vec![("Host".into(), host.into())],
            separator: ": ",
            body: Vec::new(),
        }
    }

    /// Adds a field behind the others.
    pub(super) fn add(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.fields.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Changes the value of a field, or adds it.
    pub(super) fn set(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        match self.fields.iter_mut().find(|(it, _)| it.eq_ignore_ascii_case(name)) {
            Some((_, old)) => {
                *old = value.as_ref().to_vec();
                self
            }
            None => self.add(name, value),
        }
    }

    pub(super) fn remove(mut self, name: &str) -> Self {
        self.fields.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body, and leaves Content-Length as it is.
    pub(super) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub(super) fn head(&self) -> Vec<u8> {
        let mut bytes =
            format!("{} {} {}\r\n", self.method, self.target, self.version).into_bytes();
        for (name, value) in &self.fields {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(self.separator.as_bytes());
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }
}

/// The bytes of an entity. Each entity has its own, and each offset differs from its neighbours, so
/// misplaced bytes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) seed: u64,
    pub(super) length: u64,
}

impl Content {
    /// Returns the eight bytes at eight times this index.
    fn word(self, index: u64) -> [u8; 8] {
        let mixed = (self.seed ^ index).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (mixed ^ (mixed >> 32)).to_be_bytes()
    }

    pub(super) fn bytes(self, range: Range<u64>) -> Vec<u8> {
        let (first, last) = (range.start / 8, range.end.div_ceil(8));
        let mut bytes = (first..last).flat_map(|index| self.word(index)).collect::<Vec<_>>();
        bytes.drain(..(range.start % 8) as usize);
        bytes.truncate((range.end - range.start) as usize);
        bytes
    }

    pub(super) fn all(self) -> Vec<u8> {
        self.bytes(0..self.length)
    }

    /// Different bytes for the same entity.
    pub(super) fn other(self) -> Self {
        Self { seed: !self.seed, ..self }
    }
}

/// Formats a range for Content-Range.
pub(super) fn content_range(range: &Range<u64>, total: u64) -> String {
    format!("bytes {}-{}/{total}", range.start, range.end.saturating_sub(1))
}
