//! One request of a download and its response.

use bits_proto::download::{Exchange as MachineExchange, Response};
use http::header::LOCATION;
use http::response::Parts;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use super::fetch::{Fetch, FetchError, Redirects, SAVE_INTERVAL, internal};
use crate::error::{Error, Result};
use crate::http::{Connection, Failed, LastFailure, ResponseBody, TransferUrl, drain, retry_delay};
use crate::progress::Phase;

/// Maximum number of redirects of one request.
const MAX_REDIRECTS: u32 = 10;

impl Fetch {
    /// Sends the request of the machine, follows redirects and stores the body of the response.
    pub(super) async fn exchange(&mut self, connection: &mut Connection) -> Result<(), FetchError> {
        self.last = None;
        self.retry_after = None;
        let now = self.now();
        self.machine.handle_sending(now).map_err(internal)?;
        // The request has no body, and is passed to the connection at once.
        self.machine.handle_sent(now).map_err(internal)?;
        self.save_sometimes(connection).await?;
        let mut url = self.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let Some((head, body)) = self.send(connection, &url).await? else { return Ok(()) };
            let location = head.headers.get(LOCATION).filter(|_| is_redirect(&head));
            let Some(location) = location.map(|it| it.as_bytes().to_vec()) else {
                return self.receive(connection, head, body).await;
            };
            url = self.redirected(&url, &location).map_err(FetchError::Permanent)?;
            drain(&head.headers, body).await;
        }
        Err(FetchError::Permanent(Error::Redirected {
            location: url.as_str().into(),
            reason: "too many redirects",
        }))
    }

    /// Returns the URL of a redirect.
    fn redirected(&self, url: &TransferUrl, location: &[u8]) -> Result<TransferUrl> {
        let next = url.redirected(location)?;
        if self.redirects == Redirects::SameOrigin && !self.url.is_same_origin(&next) {
            let reason = "it is on another server";
            return Err(Error::Redirected { location: next.as_str().into(), reason });
        }
        Ok(next)
    }

    /// Sends a request and waits for the head of the response. Returns `None` after a failure, which is
    /// reported to the machine.
    async fn send(
        &mut self,
        connection: &mut Connection,
        url: &TransferUrl,
    ) -> Result<Option<(Parts, ResponseBody)>, FetchError> {
        let is_trusted = self.is_trusted && self.url.is_same_origin(url);
        let transmit = self.machine.transmit().ok_or_else(|| internal("no request to send"))?;
        let method = transmit.method().as_str();
        let extras = connection.extras(url, method, is_trusted).map_err(FetchError::Local)?;
        let target = url.target().map_err(FetchError::Local)?;
        let head = transmit.to_http(target, &extras).map_err(internal)?;
        let sent = connection.send(url, head, reqwest::Body::default()).await;
        let exchange = sent.map_err(FetchError::Local)?;
        match timeout_at(self.deadline(), exchange).await {
            Ok(Ok((head, body))) => {
                if is_trusted {
                    connection.received(url, &head);
                }
                return Ok(Some((head, body)));
            }
            Ok(Err(Failed::Permanent(error))) => return Err(FetchError::Permanent(error)),
            Ok(Err(Failed::Transport(error))) => {
                self.on_transport_failure(LastFailure::transport(error))?;
            }
            Ok(Err(Failed::NotHttp(error))) => {
                self.last = Some(LastFailure::transport(error));
                self.machine.handle_unreadable(None, self.now()).map_err(internal)?;
            }
            Err(_) => self.on_timeout("no response"),
        }
        self.save(connection).await?;
        Ok(None)
    }

    fn on_transport_failure(&mut self, failure: LastFailure) -> Result<(), FetchError> {
        self.last = Some(failure);
        self.machine.handle_transport_failure(self.now()).map_err(internal)
    }

    /// Reports the expiry of the response timer.
    fn on_timeout(&mut self, what: &str) {
        self.last = Some(LastFailure::text(format!("{what} in time")));
        self.machine.handle_timeout(self.now());
    }

    /// Reports a response and stores its body.
    async fn receive(
        &mut self,
        connection: &mut Connection,
        head: Parts,
        mut body: ResponseBody,
    ) -> Result<(), FetchError> {
        let now = self.now();
        if !head.status.is_success() {
            self.last = Some(LastFailure::response(&head, ""));
        }
        let handled = match Response::from_http(&head) {
            Ok(response) => self.machine.handle_response(&response, now),
            Err(error) => {
                let text = format!("response with status {} is not valid: {error}", head.status);
                self.last = Some(LastFailure::text(text));
                self.machine.handle_unreadable(Some(head.status.into()), now)
            }
        };
        handled.map_err(internal)?;
        self.retry_after = retry_delay(&head.headers);
        if let Some(delay) = self.retry_after {
            self.machine.handle_retry_after(delay, now);
        }
        let is_needed = self.machine.exchange() == MachineExchange::Receiving;
        while self.machine.exchange() == MachineExchange::Receiving {
            self.receive_piece(connection, &mut body).await?;
        }
        if is_needed {
            self.save_sometimes(connection).await?;
        }
        // A long body that is not needed is not read: its connection is closed.
        drain(&head.headers, body).await;
        Ok(())
    }

    /// Waits for the next bytes of the body and stores them.
    async fn receive_piece(
        &mut self,
        connection: &Connection,
        body: &mut ResponseBody,
    ) -> Result<(), FetchError> {
        let deadline = self.deadline();
        let save_at = Instant::now() + SAVE_INTERVAL;
        match timeout_at(deadline.min(save_at), body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Ok(bytes) = frame.into_data() else { return Ok(()) };
                self.store(&bytes).await?;
                self.show(Phase::Transferring);
                if let Some(rate_limit) = &self.rate_limit {
                    rate_limit.take(bytes.len() as u64).await;
                }
            }
            Ok(Some(Err(error))) => {
                let cause = LastFailure::transport(error).text;
                self.on_transport_failure(LastFailure::text(format!(
                    "body is incomplete: {cause}"
                )))?;
            }
            Ok(None) => {
                self.machine.handle_body_end(self.now()).map_err(internal)?;
                if self.machine.exchange() != MachineExchange::Ready {
                    self.last = Some(LastFailure::text("body is incomplete"));
                }
            }
            Err(_) if deadline <= save_at => self.on_timeout("no data"),
            Err(_) => {}
        }
        self.save_sometimes(connection).await
    }

    /// Stores bytes of the body.
    async fn store(&mut self, mut bytes: &[u8]) -> Result<(), FetchError> {
        while !bytes.is_empty() {
            let now = self.now();
            let data = self.machine.handle_data(bytes, now).map_err(internal)?;
            if let Some(store) = data.store {
                let written = self.sink.write(store.position, store.bytes).await;
                written.map_err(|error| self.storage_failed(error))?;
            }
            if data.is_done {
                break;
            }
            bytes = &bytes[data.consumed..];
        }
        Ok(())
    }
}

/// Returns true if Location is the URL of the entity.
fn is_redirect(head: &Parts) -> bool {
    matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308)
}
