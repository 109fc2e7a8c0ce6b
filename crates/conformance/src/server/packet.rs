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

/// Formats a range for Content-Range.
pub(super) fn content_range(range: &Range<u64>, total: u64) -> String {
    format!("bytes {}-{}/{total}", range.start, range.end.saturating_sub(1))
}
