//! An upload session from the side of the client.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::answer::Answer;
use super::connection::Connection;
use super::entry::{Outcome, Stop};
use super::packet::{Packet, content_range};
use super::shared::Shared;
use crate::content::Content;
use crate::log::Log;

/// A session that the server created, and the connection of its requests.
pub(super) struct Session {
    shared: Arc<Shared>,
    log: Arc<Mutex<Log>>,
    pub(super) connection: Connection,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) content: Content,
    /// The offset in the last Ack.
    pub(super) next: u64,
}

impl Session {
    pub(super) fn new(
        shared: &Arc<Shared>,
        log: &Arc<Mutex<Log>>,
        connection: Connection,
        path: &str,
        id: String,
        content: Content,
    ) -> Self {
        let (shared, log) = (Arc::clone(shared), Arc::clone(log));
        Self { shared, log, connection, path: path.into(), id, content, next: 0 }
    }

    /// A packet of the session without a body.
    pub(super) fn packet(&self, kind: &str) -> Packet {
        let packet = self.shared.packet("BITS_POST", &self.path);
        let packet = packet.add("BITS-Packet-Type", kind).add("BITS-Session-Id", &self.id);
        packet.add("Content-Length", "0")
    }

    /// A Fragment with the bytes of a range.
    pub(super) fn fragment_packet(&self, range: Range<u64>) -> Packet {
        self.fragment_of(self.content, range)
    }

    /// A Fragment with the bytes of other content.
    pub(super) fn fragment_of(&self, content: Content, range: Range<u64>) -> Packet {
        let length = range.end - range.start;
        self.packet("Fragment")
            .add("Content-Range", content_range(&range, self.content.length))
            .set("Content-Length", length.to_string())
            .body(content.bytes(range))
    }

    /// Returns the time after which a missing response is a failure.
    pub(super) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    /// Replaces the connection.
    pub(super) async fn reconnect(&mut self) -> Outcome {
        let connection = Connection::open(&self.shared, &self.log).await?;
        std::mem::replace(&mut self.connection, connection).close().await;
        Ok(())
    }

    /// Sends a request and receives its response, on a new connection if the server closed the last one.
    pub(super) async fn exchange(&mut self, packet: &Packet) -> Result<Answer, Stop> {
        if self.connection.is_closed {
            self.reconnect().await?;
        }
        let is_reused = self.connection.is_reused;
        self.connection.send(packet).await?;
        if let Some(answer) = self.connection.answer_or_end().await? {
            return Ok(answer);
        }
        self.reconnect().await?;
        if is_reused {
            // The server may have closed the connection before the request.
            return self.connection.exchange(packet).await;
        }
        Err(Stop::Fail("expected a response; the connection ended".into()))
    }

    /// Sends the bytes of a range.
    pub(super) async fn fragment(&mut self, range: Range<u64>) -> Result<Answer, Stop> {
        let packet = self.fragment_packet(range);
        let answer = self.exchange(&packet).await?;
        self.next = answer.received.unwrap_or(self.next);
        Ok(answer)
    }

    /// Sends the bytes of a range, and again while the server is busy with an earlier request.
    pub(super) async fn settled(&mut self, range: Range<u64>) -> Result<Answer, Stop> {
        let packet = self.fragment_packet(range);
        let answer = self.exchange_settled(&packet).await?;
        self.next = answer.received.unwrap_or(self.next);
        Ok(answer)
    }

    /// Sends a request, and again while the server is busy with an earlier one.
    pub(super) async fn exchange_settled(&mut self, packet: &Packet) -> Result<Answer, Stop> {
        let mut answer = self.exchange(packet).await?;
        for _ in 0..20 {
            if !answer.is_busy() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            answer = self.exchange(packet).await?;
        }
        Ok(answer)
    }

    /// Sends the bytes of a range, which the server must accept.
    pub(super) async fn accept(&mut self, range: Range<u64>) -> Outcome {
        let end = range.end;
        self.fragment(range).await?.accepted(end)
    }

    /// Sends all remaining bytes as a client does, and closes the session.
    pub(super) async fn finish(&mut self) -> Outcome {
        self.send_rest().await?;
        self.close().await?.success()
    }

    /// Sends the remaining bytes from the offset that the server asks for.
    pub(super) async fn send_rest(&mut self) -> Outcome {
        let mut attempts = 0;
        while self.next < self.content.length {
            let answer = self.settled(self.next..self.content.length).await?;
            if answer.status != 416 {
                return answer.accepted(self.content.length);
            }
            attempts += 1;
            if attempts == 3 {
                return answer.fail("200 at the offset that the server asked for");
            }
        }
        Ok(())
    }

    pub(super) async fn close(&mut self) -> Result<Answer, Stop> {
        let packet = self.packet("Close-Session");
        self.exchange(&packet).await
    }

    pub(super) async fn cancel(&mut self) -> Result<Answer, Stop> {
        let packet = self.packet("Cancel-Session");
        self.exchange(&packet).await
    }
}
