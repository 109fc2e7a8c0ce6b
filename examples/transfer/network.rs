//! The unreliable network between client and server.
//!
//! It handles one connection at a time and one message after the other. The client notices a cut
//! connection only after the server has processed the bytes that it received. So the state of the
//! server does not depend on timing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use bits_proto::field::{ContentRange, FieldName, ReceivedContentRange};
use bits_proto::http1::{StatusCode, StatusLine};
use bits_proto::message::{Ack, Extras, HeaderSlots, METHOD, Refusal, RequestHead, ResponseHead};

use crate::faults::{CurrentFault, Effect, Fault, Plan, Victim};
use crate::http::{Connection, Incoming, PIECE, Service, closes, request_len, response_len};

pub struct Network {
    server: SocketAddr,
    plan: Plan,
    current_fault: Arc<CurrentFault>,
    /// Number of messages so far.
    number: u64,
}

/// A request that is being forwarded.
struct Forwarded {
    head: Vec<u8>,
    is_packet: bool,
    body_length: u64,
    /// The range of a fragment.
    range: Option<ContentRange>,
}

impl Network {
    pub fn new(server: SocketAddr, plan: Plan, current_fault: Arc<CurrentFault>) -> Self {
        Self { server, plan, current_fault, number: 0 }
    }
}

impl Service for Network {
    fn serve(&mut self, client: &mut Connection) -> io::Result<()> {
        let mut server = None;
        while let Incoming::Head(head) = client.read_head(request_len)? {
            let server = match &mut server {
                Some(server) => server,
                none => none.insert(Connection::connect(self.server)?),
            };
            self.number += 1;
            let request = Forwarded::new(head)?;
            let fault = request.applicable(self.plan.fault(self.number));
            thread::sleep(fault.delay);
            self.current_fault.announce(fault, request.remark(&fault));
            if !request.forward(fault.effect, client, server)? {
                // Waits until the server has processed everything, before the client continues.
                let _ = server.end();
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Forwarded {
    fn new(head: Vec<u8>) -> io::Result<Self> {
        let mut slots = HeaderSlots::new();
        let parsed = RequestHead::parse(&head, &mut slots).map_err(io::Error::other)?;
        let parsed = parsed.complete().ok_or(io::ErrorKind::InvalidData)?;
        let range = FieldName::ContentRange.find_in(parsed.fields());
        let range = range.and_then(|value| ContentRange::try_from(value).ok());
        let is_packet = parsed.line().method == METHOD;
        let body_length = parsed.body_length();
        Ok(Self { head, is_packet, body_length, range })
    }

    /// Returns the fault, or a similar one that is applicable to this message.
    fn applicable(&self, fault: Fault) -> Fault {
        let effect = match fault.effect {
            Effect::CutBody(share) if self.body_length == 0 => Effect::CutResponse(share),
            Effect::OutOfSync(_) if self.range.is_none() => Effect::Pass,
            // A forged 200 cannot be distinguished from a reply.
            Effect::Forged { status: StatusCode::OK, arrives } if !self.is_packet => {
                Effect::Forged { status: StatusCode::BAD_GATEWAY, arrives }
            }
            effect => effect,
        };
        Fault { effect, ..fault }
    }

    /// Describes the fault. The description is the same in each run, so it contains no port or id.
    fn remark(&self, fault: &Fault) -> String {
        let effect = match fault.effect {
            Effect::Pass => String::new(),
            Effect::Chunk => "response sent in chunks".into(),
            Effect::CutHead(_) => "cut inside the head".into(),
            Effect::CutBody(share) => format!("cut after {} bytes", share.of(self.body_length)),
            Effect::CutResponse(_) => "response lost".into(),
            Effect::Forged { arrives: true, .. } => "response replaced".into(),
            Effect::Forged { arrives: false, .. } => "request intercepted".into(),
            Effect::OutOfSync(_) => "fragment intercepted".into(),
        };
        let victim = match fault.victim {
            Some(Victim::Client) => "client killed",
            Some(Victim::Server { .. }) => "server killed",
            None => "",
        };
        let millis = fault.delay.as_millis();
        let delay = if millis > 0 { format!("delayed {millis} ms") } else { String::new() };
        let remarks = [&effect[..], victim, &delay];
        remarks.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Forwards the request with this effect. Returns whether the connections stay open. Errors of a
    /// server that is killed are part of the fault and are ignored.
    fn forward(
        &self,
        effect: Effect,
        client: &mut Connection,
        server: &mut Connection,
    ) -> io::Result<bool> {
        match effect {
            Effect::Pass | Effect::Chunk => {
                self.forward_bytes(self.body_length, client, server)?;
                let (response, closes) = read_response(server)?;
                let is_chunked = matches!(effect, Effect::Chunk);
                client.write(&if is_chunked { in_chunks(&response)? } else { response })?;
                return Ok(!closes);
            }
            Effect::CutHead(share) => {
                let cut = share.of(self.head.len() as u64) as usize;
                let _ = server.write(&self.head[..cut]);
            }
            Effect::CutBody(share) => {
                let _ = self.forward_bytes(share.of(self.body_length), client, server);
            }
            Effect::CutResponse(share) => {
                let _ = self.forward_bytes(self.body_length, client, server);
                if let Ok((response, _)) = read_response(server) {
                    client.write(&response[..share.of(response.len() as u64) as usize])?;
                }
            }
            Effect::Forged { status, arrives: true } => {
                self.forward_bytes(self.body_length, client, server)?;
                read_response(server)?;
                client.write(&page(status))?;
            }
            Effect::Forged { status, arrives: false } => {
                client.body(self.body_length).skip(self.body_length)?;
                client.write(&page(status))?;
            }
            Effect::OutOfSync(share) => {
                client.body(self.body_length).skip(self.body_length)?;
                client.write(&self.out_of_sync(share.of(self.body_length))?)?;
            }
        }
        Ok(false)
    }

    /// Forwards the head and `length` bytes of the body.
    fn forward_bytes(
        &self,
        length: u64,
        client: &mut Connection,
        server: &mut Connection,
    ) -> io::Result<()> {
        server.write(&self.head)?;
        let mut body = client.body(length);
        let mut piece = Vec::new();
        while body.left() > 0 {
            body.read_piece(PIECE, &mut piece);
            if piece.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            server.write(&piece)?;
        }
        Ok(())
    }

    /// Returns a response with status 416 and an offset inside the fragment.
    fn out_of_sync(&self, inside: u64) -> io::Result<Vec<u8>> {
        let first = self.range.map_or(0, |range| range.first());
        let ack = Ack::from(Refusal::out_of_sync(ReceivedContentRange(first + inside)));
        let extras = Extras::from_fields(Vec::new(), [("Connection", "close")]);
        let extras = extras.map_err(io::Error::other)?;
        Ok(ack.encode(&extras).map_err(io::Error::other)?.to_vec())
    }
}

/// Reads a response with its body. Returns it, and whether the server closes the connection.
fn read_response(server: &mut Connection) -> io::Result<(Vec<u8>, bool)> {
    let Incoming::Head(mut response) = server.read_head(response_len)? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(&response, &mut slots).map_err(io::Error::other)?;
    let head = head.complete().ok_or(io::ErrorKind::InvalidData)?;
    let (length, closes) = (head.body_length().known().unwrap_or(0), closes(head.fields()));
    let mut body = Vec::new();
    server.body(length).read_piece(length, &mut body);
    response.append(&mut body);
    Ok((response, closes))
}

/// Returns the response with its body in chunks, as a reverse proxy may send it.
fn in_chunks(response: &[u8]) -> io::Result<Vec<u8>> {
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(response, &mut slots).map_err(io::Error::other)?;
    let head = head.complete().ok_or(io::ErrorKind::InvalidData)?;
    let StatusLine { status, reason, .. } = head.line();
    let mut chunked =
        format!("HTTP/1.1 {status} {reason}\r\nTransfer-Encoding: chunked\r\n").into_bytes();
    for (name, value) in
        head.fields().filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Length"))
    {
        chunked.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    chunked.extend_from_slice(b"\r\n");
    for data in response[head.len()..].chunks(1000) {
        let size = format!("{:x};extension\r\n", data.len());
        chunked.extend_from_slice(&[size.as_bytes(), data, b"\r\n"].concat());
    }
    chunked.extend_from_slice(b"0\r\nTrailer: 1\r\n\r\n");
    Ok(chunked)
}

/// Returns the response of an intermediary, which is not an Ack.
fn page(status: StatusCode) -> Vec<u8> {
    let text = "<html>This page comes from an intermediary.</html>\n";
    format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        status.reason(),
        text.len(),
    )
    .into_bytes()
}
