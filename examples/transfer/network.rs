//! The network between client and server, where faults happen.
//!
//! It takes one connection at a time and one message after the other, and hands each to its fate.
//! The client learns that a connection is broken only when the server has dealt with what it got
//! of it; so what the server holds does not depend on who was faster.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use bits_proto::field::{ContentRange, FieldName, ReceivedContentRange};
use bits_proto::http1::StatusCode;
use bits_proto::message::{Ack, HeaderSlots, METHOD, Refusal, RequestHead, ResponseHead};

use crate::faults::{Effect, Fates, Fault, Plan, Victim};
use crate::http::{Connection, Incoming, PIECE, Service, closes, request_len, response_len};

pub struct Network {
    server: SocketAddr,
    plan: Plan,
    fates: Arc<Fates>,
    /// How many messages there were.
    number: u64,
}

/// A request on its way.
struct Passing {
    head: Vec<u8>,
    is_packet: bool,
    body_length: u64,
    /// What a fragment brings.
    range: Option<ContentRange>,
}

impl Network {
    pub fn new(server: SocketAddr, plan: Plan, fates: Arc<Fates>) -> Self {
        Self { server, plan, fates, number: 0 }
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
            let passing = Passing::new(head)?;
            let fault = passing.possible(self.plan.fault(self.number));
            thread::sleep(fault.delay);
            self.fates.announce(fault, passing.remark(&fault));
            if !passing.meet(fault.effect, client, server)? {
                // Whatever the server still does about it is done before the client can go on.
                let _ = server.end();
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Passing {
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

    /// The fault, or the next best for this message.
    fn possible(&self, fault: Fault) -> Fault {
        let effect = match fault.effect {
            Effect::CutBody(share) if self.body_length == 0 => Effect::CutAnswer(share),
            Effect::OutOfSync(_) if self.range.is_none() => Effect::Pass,
            // Nothing tells that page from a reply.
            Effect::Instead { status: StatusCode::OK, arrives } if !self.is_packet => {
                Effect::Instead { status: StatusCode::BAD_GATEWAY, arrives }
            }
            effect => effect,
        };
        Fault { effect, ..fault }
    }

    /// What is said of the fault, which has to be the same each time: nothing of ports and ids.
    fn remark(&self, fault: &Fault) -> String {
        let effect = match fault.effect {
            Effect::Pass => String::new(),
            Effect::CutHead(_) => "cut inside the head".into(),
            Effect::CutBody(share) => format!("cut after {} bytes", share.of(self.body_length)),
            Effect::CutAnswer(_) => "answer lost".into(),
            Effect::Instead { arrives: true, .. } => "answer replaced".into(),
            Effect::Instead { arrives: false, .. } => "request kept, and answered".into(),
            Effect::OutOfSync(_) => "fragment kept, and answered".into(),
        };
        let victim = match fault.victim {
            Some(Victim::Client) => "client killed",
            Some(Victim::Server { .. }) => "server killed",
            None => "",
        };
        let millis = fault.delay.as_millis();
        let delay = if millis > 0 { format!("{millis} ms late") } else { String::new() };
        let remarks = [&effect[..], victim, &delay];
        remarks.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Whether the connections live on. While the server is being killed it takes nothing more,
    /// which is no reason to stop: what happens to it is its part of the fault.
    fn meet(
        &self,
        effect: Effect,
        client: &mut Connection,
        server: &mut Connection,
    ) -> io::Result<bool> {
        match effect {
            Effect::Pass => {
                self.pass_on(self.body_length, client, server)?;
                let (answer, closes) = read_answer(server)?;
                client.write(&answer)?;
                return Ok(!closes);
            }
            Effect::CutHead(share) => {
                let cut = share.of(self.head.len() as u64) as usize;
                let _ = server.write(&self.head[..cut]);
            }
            Effect::CutBody(share) => {
                let _ = self.pass_on(share.of(self.body_length), client, server);
            }
            Effect::CutAnswer(share) => {
                let _ = self.pass_on(self.body_length, client, server);
                if let Ok((answer, _)) = read_answer(server) {
                    client.write(&answer[..share.of(answer.len() as u64) as usize])?;
                }
            }
            Effect::Instead { status, arrives: true } => {
                self.pass_on(self.body_length, client, server)?;
                read_answer(server)?;
                client.write(&page(status))?;
            }
            Effect::Instead { status, arrives: false } => {
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

    /// Passes on the head and `length` bytes of the body.
    fn pass_on(
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

    /// A 416 as of somebody who stands inside the fragment.
    fn out_of_sync(&self, inside: u64) -> io::Result<Vec<u8>> {
        let first = self.range.map_or(0, |range| range.first());
        let ack = Ack::from(Refusal::out_of_sync(ReceivedContentRange(first + inside)));
        let head = ack.encode([("Connection", "close")]).map_err(io::Error::other)?;
        Ok(head.to_vec())
    }
}

/// An answer with its body, and whether the server closes the connection behind it.
fn read_answer(server: &mut Connection) -> io::Result<(Vec<u8>, bool)> {
    let Incoming::Head(mut answer) = server.read_head(response_len)? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let mut slots = HeaderSlots::new();
    let head = ResponseHead::parse(&answer, &mut slots).map_err(io::Error::other)?;
    let head = head.complete().ok_or(io::ErrorKind::InvalidData)?;
    let (length, closes) = (head.body_length().unwrap_or(0), closes(head.fields()));
    let mut body = Vec::new();
    server.body(length).read_piece(length, &mut body);
    answer.append(&mut body);
    Ok((answer, closes))
}

/// What a proxy answers by itself: no Ack.
fn page(status: StatusCode) -> Vec<u8> {
    let text = "<html>Something between you and the server speaks.</html>\n";
    format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        status.reason(),
        text.len(),
    )
    .into_bytes()
}
