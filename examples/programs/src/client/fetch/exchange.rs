//! One request and its response.

use std::time::Instant;

use bits_proto::download::{Exchange, Response};
use bits_proto::http1::StatusCode;
use http::header::LOCATION;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};

use super::{Fetch, FetchError, SAVE_INTERVAL};
use crate::client::connection::{
    ConnectError, Connection, Connector, ExchangeResult, RequestBody, empty_body,
};
use crate::client::failure::{Failure, Result};
use crate::client::http_url::{HttpUrl, Server};
use crate::client::last_error::{describe, retry_delay};
use crate::error_chain::error_chain;

/// Maximum number of redirects of one request.
const MAX_REDIRECTS: u32 = 5;

type Fetched<T> = std::result::Result<T, FetchError>;

impl Fetch {
    /// Sends the request of the download, follows redirects and stores the body of the response.
    pub(super) async fn exchange(&mut self, connector: &mut Connector) -> Fetched<()> {
        self.last_error = None;
        self.retry_after = None;
        let mut url = self.url.clone();
        let Some(mut connection) = self.connection(connector, &url.server).await? else {
            return Ok(());
        };
        let now = self.now();
        self.download.handle_sending(now).map_err(Failure::machine)?;
        // The request has no body, and is passed to the connection at once.
        self.download.handle_sent(now).map_err(Failure::machine)?;
        self.save_sometimes()?;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.send(connector, &mut connection, &url).await?;
            let Some(response) = response else { return Ok(()) };
            let location = response.headers().get(LOCATION);
            let Some(location) = location.filter(|_| is_redirect(&response)) else {
                return self.receive(response, connection, connector).await;
            };
            let redirected = url.redirected(location.as_bytes());
            url = redirected.map_err(|text| FetchError::Permanent { text, reason: None })?;
            connector.keep(connection, response.into_body()).await;
            let next = self.connection(connector, &url.server).await?;
            let Some(next) = next else { return Ok(()) };
            connection = next;
        }
        let text = format!("the server redirects more than {MAX_REDIRECTS} times");
        Err(FetchError::Permanent { text, reason: None })
    }

    /// Returns a connection. Returns `None` after a transient failure, which is reported to the
    /// download.
    async fn connection(
        &mut self,
        connector: &mut Connector,
        server: &Server,
    ) -> Fetched<Option<Connection>> {
        let why = match timeout(self.timeout, connector.connection(server)).await {
            Ok(Ok(connection)) => return Ok(Some(connection)),
            Ok(Err(ConnectError::Permanent(why))) => return Err(Failure::failed(why).into()),
            Ok(Err(ConnectError::Transient(why))) => why,
            Err(_) => format!("{server}: no connection within {} s", self.timeout.as_secs_f64()),
        };
        self.on_transport_failure(why)?;
        Ok(None)
    }

    fn on_transport_failure(&mut self, why: String) -> Result<()> {
        self.last_error = Some(why.into());
        self.download.handle_transport_failure(self.now()).map_err(Failure::machine)?;
        self.save()
    }

    /// Reports the expiry of the response timer.
    fn on_timeout(&mut self, what: &str) -> Result<()> {
        self.last_error = Some(format!("{}: {what} in time", self.url.server).into());
        self.download.handle_timeout(self.now());
        self.save()
    }

    /// Sends a request and waits for the head of the response. Returns `None` after a failure, which
    /// is reported to the download.
    async fn send(
        &mut self,
        connector: &mut Connector,
        connection: &mut Connection,
        url: &HttpUrl,
    ) -> Fetched<Option<hyper::Response<Incoming>>> {
        let mut request = self.request(url)?;
        loop {
            let left = self.download.poll_timeout().unwrap_or_default().saturating_sub(self.now());
            match timeout(left, connection.exchange(request)).await {
                Ok(ExchangeResult::Response(response)) => return Ok(Some(response)),
                Ok(ExchangeResult::NotSent(unsent)) => {
                    // Not a failure: servers close idle connections.
                    let Some(new) = self.connection(connector, &url.server).await? else {
                        return Ok(None);
                    };
                    *connection = new;
                    request = unsent;
                    continue;
                }
                Ok(ExchangeResult::Failed { is_http: true, why }) => {
                    self.on_transport_failure(why)?;
                }
                Ok(ExchangeResult::Failed { is_http: false, why }) => {
                    self.last_error = Some(why.into());
                    let handled = self.download.handle_unreadable(None, self.now());
                    handled.map_err(Failure::machine)?;
                }
                Err(_) => self.on_timeout("no response")?,
            }
            return Ok(None);
        }
    }

    fn request(&self, url: &HttpUrl) -> Result<hyper::Request<RequestBody>> {
        let extras = url.server.with_host(&self.headers)?;
        let transmit = self.download.transmit();
        let transmit = transmit.ok_or_else(|| Failure::machine("no request to send"))?;
        let head = transmit.to_http(url.target.clone(), &extras).map_err(Failure::failed)?;
        Ok(head.map(|()| empty_body()))
    }

    /// Reports a response and stores its body.
    async fn receive(
        &mut self,
        response: hyper::Response<Incoming>,
        connection: Connection,
        connector: &mut Connector,
    ) -> Fetched<()> {
        let (head, mut body) = response.into_parts();
        let now = self.now();
        if !head.status.is_success() {
            self.last_error = Some(describe(&head, ""));
        }
        let handled = match Response::from_http(&head) {
            Ok(response) => self.download.handle_response(&response, now),
            Err(error) => {
                let status: StatusCode = head.status.into();
                let text = format!("response with status {} is not valid: {error}", head.status);
                self.last_error = Some(text.into());
                self.download.handle_unreadable(Some(status), now)
            }
        };
        handled.map_err(Failure::machine)?;
        self.retry_after = retry_delay(&head.headers);
        if let Some(delay) = self.retry_after {
            self.download.handle_retry_after(delay, now);
        }
        while self.download.exchange() == Exchange::Receiving {
            self.receive_piece(&mut body).await?;
        }
        // The rest of a long body that is not needed is not read: its connection is closed.
        connector.keep(connection, body).await;
        Ok(())
    }

    /// Waits for the next bytes of the body and stores them.
    async fn receive_piece(&mut self, body: &mut Incoming) -> Fetched<()> {
        let left = self.download.poll_timeout().unwrap_or_default().saturating_sub(self.now());
        match timeout(left.min(SAVE_INTERVAL), body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Ok(bytes) = frame.into_data() else { return Ok(()) };
                self.store(&bytes)?;
                self.show_progress();
                if let Some(rate_limit) = &mut self.rate_limit {
                    sleep(rate_limit.take(bytes.len() as u64, Instant::now())).await;
                }
            }
            Ok(Some(Err(error))) => {
                self.on_transport_failure(format!(
                    "the body is incomplete: {}",
                    error_chain(&error)
                ))?;
            }
            Ok(None) => {
                self.download.handle_body_end(self.now()).map_err(Failure::machine)?;
                if self.download.exchange() != Exchange::Ready {
                    self.last_error = Some("the body is incomplete".to_owned().into());
                }
            }
            Err(_) if left <= SAVE_INTERVAL => self.on_timeout("no data")?,
            Err(_) => {}
        }
        Ok(self.save_sometimes()?)
    }

    /// Stores bytes of the body.
    fn store(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let now = self.now();
            let data = self.download.handle_data(bytes, now).map_err(Failure::machine)?;
            let stored = data.store;
            let written = stored.map_or(Ok(()), |it| self.file.write(it.position, it.bytes));
            if let Err(error) = written {
                let handled = self.download.handle_storage_failure(self.file.position());
                handled.map_err(Failure::machine)?;
                return Err(self.file_error(&error));
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
fn is_redirect<B>(response: &hyper::Response<B>) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}
