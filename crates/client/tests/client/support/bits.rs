//! A plain BITS server in memory.

use super::http::{Answer, Request, ack, answer};

pub const SESSION: &str = "{11111111-2222-3333-4444-555555555555}";
pub const SESSION_NOT_FOUND: [(&str, &str); 2] =
    [("BITS-Error-Code", "0x8020001F"), ("BITS-Error-Context", "0x5")];

/// The state of the server.
#[derive(Clone, Debug, Default)]
pub struct Bits {
    pub data: Vec<u8>,
    pub created: u32,
    pub closed: bool,
    pub cancelled: bool,
    pub reply_url: Option<String>,
    pub reply: Vec<u8>,
}

impl Bits {
    /// Returns a server that has a reply at this URL.
    pub fn with_reply(url: &str, reply: &[u8]) -> Self {
        Self { reply_url: Some(url.into()), reply: reply.into(), ..Self::default() }
    }

    pub fn answer(&mut self, request: &Request) -> Answer {
        match request.kind().as_str() {
            "create-session" => {
                self.created += 1;
                self.data.clear();
                let protocol = "{7df0354d-249b-430f-820d-3d2a9bef4931}";
                ack("200 OK", &[("BITS-Protocol", protocol), ("BITS-Session-Id", SESSION)])
            }
            "ping" => ack("200 OK", &[]),
            "fragment" => self.fragment(request),
            "close-session" => {
                self.closed = true;
                ack("200 OK", &[("BITS-Session-Id", SESSION)])
            }
            "cancel-session" => {
                self.cancelled = true;
                ack("200 OK", &[("BITS-Session-Id", SESSION)])
            }
            "get" if self.reply_url.is_some() => answer("200 OK", &[], &self.reply),
            _ => answer("404 Not Found", &[], b""),
        }
    }

    fn fragment(&mut self, request: &Request) -> Answer {
        let (first, _, total) = request.range().expect("a range");
        if first <= self.data.len() {
            self.data.truncate(first);
            self.data.extend_from_slice(&request.body);
        }
        let received = self.data.len().to_string();
        let mut fields =
            vec![("BITS-Session-Id", SESSION), ("BITS-Received-Content-Range", &*received)];
        if let Some(url) = self.reply_url.as_deref().filter(|_| self.data.len() == total) {
            fields.push(("BITS-Reply-URL", url));
        }
        ack("200 OK", &fields)
    }
}
