//! One connection to the server, with exact control of its bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart, Progress};
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::answer::Answer;
use super::entry::{Outcome, Stop};
use super::packet::Packet;
use super::shared::Shared;
use super::target::Stream;
use crate::Direction;
use crate::log::{Log, Pending};

/// A connection whose messages are recorded and observed.
pub(super) struct Connection {
    shared: Arc<Shared>,
    log: Arc<Mutex<Log>>,
    stream: Box<dyn Stream>,
    number: u32,
    buffer: Vec<u8>,
    pending: VecDeque<Pending>,
    /// True after a response, when the server may close the connection at any time.
    pub(super) is_reused: bool,
    pub(super) is_closed: bool,
    /// True after 100 (Continue).
    pub(super) is_continued: bool,
    /// True at the end of a case, which may use the reserved part of the limit of bytes.
    pub(super) is_unlimited: bool,
}

impl Connection {
    pub(super) async fn open(shared: &Arc<Shared>, log: &Arc<Mutex<Log>>) -> Result<Self, Stop> {
        let connected = shared.connect().await;
        let stream = connected.map_err(|reason| Stop::Fail(format!("cannot connect: {reason}")))?;
        let number = log.lock().unwrap_or_else(PoisonError::into_inner).next_connection();
        Ok(Self {
            shared: Arc::clone(shared),
            log: Arc::clone(log),
            stream,
            number,
            buffer: Vec::new(),
            pending: VecDeque::new(),
            is_reused: false,
            is_closed: false,
            is_continued: false,
            is_unlimited: false,
        })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request.
    pub(super) async fn send(&mut self, packet: &Packet) -> Outcome {
        self.begin(packet).await?;
        self.write(&packet.body).await
    }

    /// Sends the head of a request. [`write`](Self::write) sends the body.
    pub(super) async fn begin(&mut self, packet: &Packet) -> Outcome {
        let head = packet.head();
        let target = packet.target.clone();
        let pending = match packet.method.as_str() {
            method @ ("GET" | "HEAD") => Pending::Download { target, is_head: method == "HEAD" },
            // The HTTP stack of a server responds to malformed heads.
            _ if RequestHead::parse(&head, &mut HeaderSlots::new()).is_err() => Pending::Raw,
            _ => Pending::Packet { target },
        };
        self.log().observe_request(self.number, &head, &pending);
        self.pending.push_back(pending);
        self.write(&head).await
    }

    /// Sends bytes to which a response is expected, without the knowledge of the observers.
    pub(super) async fn send_raw(&mut self, bytes: &[u8]) -> Outcome {
        self.pending.push_back(Pending::Raw);
        self.write(bytes).await
    }

    /// Sends bytes. A server may close the connection before it has read them, so that is no error.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Outcome {
        if bytes.is_empty() {
            return Ok(());
        }
        match self.is_unlimited {
            true => self.shared.spend_reserved(bytes.len()),
            false => self.shared.spend(bytes.len())?,
        }
        self.log().record(self.number, Direction::Sent, bytes);
        let sent = async {
            self.stream.write_all(bytes).await?;
            // With TLS, some of them may be buffered.
            self.stream.flush().await
        };
        match timeout(self.shared.timeout, sent).await {
            Ok(_) => Ok(()),
            Err(_) => Err(self.silence("accept of the request")),
        }
    }

    fn silence(&self, what: &str) -> Stop {
        Stop::Fail(format!("no {what} within {} s", self.shared.timeout.as_secs_f32()))
    }

    /// Receives the response to the oldest request.
    pub(super) async fn answer(&mut self) -> Result<Answer, Stop> {
        let answer = self.answer_or_end().await?;
        answer.ok_or_else(|| Stop::Fail("expected a response; the connection ended".into()))
    }

    /// Receives the response to the oldest request; `None` if the connection ends instead.
    pub(super) async fn answer_or_end(&mut self) -> Result<Option<Answer>, Stop> {
        let pending = self.pending.pop_front().unwrap_or(Pending::Raw);
        let deadline = self.shared.timeout;
        match timeout(deadline, self.receive(&pending)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.silence("response")),
        }
    }

    async fn receive(&mut self, pending: &Pending) -> Result<Option<Answer>, Stop> {
        loop {
            let (head, mut answer, length) = loop {
                if let Some(parsed) = self.parse_head()? {
                    break parsed;
                }
                if !self.read().await? {
                    return match self.buffer.is_empty() {
                        true => Ok(None),
                        false => Err(Stop::Fail("response ends inside its head".into())),
                    };
                }
            };
            // The HTTP stack of a server refuses Expect, without the fields of the protocol.
            if answer.status != 417 {
                self.log().observe_response(self.number, &head, pending);
            }
            if (100..200).contains(&answer.status) {
                self.is_continued |= answer.status == 100;
                continue;
            }
            let is_head = matches!(pending, Pending::Download { is_head: true, .. });
            if !is_head {
                answer.body = self.body(length).await?;
            }
            self.is_reused = true;
            self.is_closed |= answer.closes;
            return Ok(Some(answer));
        }
    }

    /// Parses the head at the start of the buffer, and removes it.
    fn parse_head(&mut self) -> Result<Option<(Vec<u8>, Answer, BodyLength)>, Stop> {
        let mut slots = HeaderSlots::new();
        let (len, answer, length) = match ResponseHead::parse(&self.buffer, &mut slots) {
            Ok(Progress::Complete(head)) => {
                (head.len(), Answer::new(&head, Vec::new()), head.body_length())
            }
            Ok(_) => return Ok(None),
            Err(error) => return Err(Stop::Fail(format!("response is malformed: {error}"))),
        };
        let head = self.buffer.drain(..len).collect();
        Ok(Some((head, answer, length)))
    }

    async fn body(&mut self, length: BodyLength) -> Result<Vec<u8>, Stop> {
        let ended = || Stop::Fail("response ends inside its body".into());
        match length {
            BodyLength::Known(length) => {
                let length = usize::try_from(length).map_err(|_| ended())?;
                while self.buffer.len() < length {
                    if !self.read().await? {
                        return Err(ended());
                    }
                }
                Ok(self.buffer.drain(..length).collect())
            }
            BodyLength::Chunked => {
                let (mut decoder, mut body) = (ChunkedDecoder::new(), Vec::new());
                loop {
                    let invalid = |error| Stop::Fail(format!("response is malformed: {error}"));
                    let consumed = match decoder.decode(&self.buffer).map_err(invalid)? {
                        ChunkedPart::Data { data, consumed } => {
                            body.extend_from_slice(data);
                            consumed
                        }
                        ChunkedPart::End { consumed } => {
                            self.buffer.drain(..consumed);
                            return Ok(body);
                        }
                        ChunkedPart::Partial => {
                            self.buffer.clear();
                            if !self.read().await? {
                                return Err(ended());
                            }
                            0
                        }
                    };
                    self.buffer.drain(..consumed);
                }
            }
            BodyLength::UntilClose => {
                while self.read().await? {}
                Ok(std::mem::take(&mut self.buffer))
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Reads bytes; `false` at the end of the connection.
    async fn read(&mut self) -> Result<bool, Stop> {
        let mut bytes = [0; 16 * 1024];
        let count = self.stream.read(&mut bytes).await.unwrap_or(0);
        let bytes = bytes.get(..count).unwrap_or_default();
        if bytes.is_empty() {
            self.is_closed = true;
            self.log().disconnected(self.number, Direction::Ended);
            return Ok(false);
        }
        let received = self.shared.receive(bytes.len());
        if !self.is_unlimited {
            received?;
        }
        self.log().record(self.number, Direction::Received, bytes);
        self.buffer.extend_from_slice(bytes);
        Ok(true)
    }

    /// Sends a request and receives its response.
    pub(super) async fn exchange(&mut self, packet: &Packet) -> Result<Answer, Stop> {
        self.send(packet).await?;
        self.answer().await
    }

    /// Closes the connection, whether or not a request is complete.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_millis(500), self.stream.shutdown()).await;
        self.log().disconnected(self.number, Direction::Closed);
    }

    /// Ends the requests of the connection, and keeps its responses.
    pub(super) async fn half_close(&mut self) {
        let _ = timeout(self.shared.timeout, self.stream.shutdown()).await;
    }

    /// Returns true if the server sends another response, or bytes of one, before the connection ends
    /// or the time has passed.
    pub(super) async fn has_more(&mut self, time: Duration) -> Result<bool, Stop> {
        if self.buffer.is_empty() {
            return timeout(time, self.read()).await.unwrap_or(Ok(false));
        }
        Ok(true)
    }
}
