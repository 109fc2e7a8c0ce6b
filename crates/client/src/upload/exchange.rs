//! One request of an upload and its response.

use std::io;
use std::path::{Path, PathBuf};

use bits_proto::client::{Exchange as MachineExchange, Transmit};
use bits_proto::field::ContentName;
use bits_proto::message::METHOD;
use http::response::Parts;
use tokio::time::{Instant, sleep_until};

use super::body::{BodyStatus, EntityBody};
use super::run::Run;
use crate::error::{Error, Result};
use crate::http::{Exchange, Failed, ResponseBody, TransferUrl};

impl Run {
    /// Sends a request and reports the result to the machine.
    pub async fn exchange(&mut self, transmit: &Transmit) -> Result<()> {
        let url = match self.machine.host() {
            Some(host) => self.url.on_host(&host)?,
            None => self.url.clone(),
        };
        let head = self.head(transmit, &url)?;
        let (body, mut status) = EntityBody::new(
            &self.source,
            transmit.entity(),
            self.shared.rate_limit.as_ref(),
            &self.buffers,
        );
        let body =
            if status.length == 0 { reqwest::Body::default() } else { reqwest::Body::wrap(body) };
        self.machine.handle_sending(self.now()).map_err(Error::internal)?;
        // Before the first byte, so that another process knows what may have reached the server.
        self.save()?;
        let start = Instant::now();
        let exchange = self.connection.send(&url, head, body).await?;
        if status.length == 0 {
            self.machine.handle_sent(self.now()).map_err(Error::internal)?;
        }
        let result = self.response(exchange, &mut status).await?;
        if !self.is_sent() {
            // Closes the connection, which is cheaper than sending the rest.
            status.stop();
        }
        if let Some(error) = status.read_error() {
            self.source.check()?;
            let path = self.source.path().map_or_else(|| PathBuf::from("source"), Path::to_owned);
            return Err(Error::io(&path, io::Error::new(error.kind(), error.to_string())));
        }
        match result {
            Some(Ok((head, body))) => {
                self.handle_response(&url, head, body, transmit, start.elapsed()).await
            }
            Some(Err(failed)) => {
                let is_interrupted = *status.sent.borrow() > 0;
                self.handle_failure(failed, if is_interrupted { status.length } else { 0 })
            }
            None => self.handle_late(),
        }
    }

    /// Returns the head of the HTTP request.
    fn head(&mut self, transmit: &Transmit, url: &TransferUrl) -> Result<http::Request<()>> {
        let extras = self.connection.extras(url, METHOD, true)?;
        let name = self.name.as_deref();
        let message = match name.and_then(|name| ContentName::try_from(name).ok()) {
            Some(name) => transmit.request_with_name(name),
            None => transmit.request(),
        };
        let head = message.to_http(url.target()?, &extras);
        head.map_err(|error| Error::Option(format!("header: {error}")))
    }

    /// Waits for the response. Returns `None` after a timeout.
    async fn response(
        &mut self,
        mut exchange: Exchange,
        status: &mut BodyStatus,
    ) -> Result<Option<Result<(Parts, ResponseBody), Failed>>> {
        let mut is_body_alive = status.length > 0;
        loop {
            let deadline = self.machine.poll_timeout().map(|at| self.instant(at));
            tokio::select! {
                biased;
                changed = status.sent.changed(), if is_body_alive => {
                    let sent = *status.sent.borrow_and_update();
                    self.meter.sending(sent);
                    is_body_alive = changed.is_ok() && sent < status.length;
                    if sent == status.length && !self.is_sent() {
                        self.machine.handle_sent(self.now()).map_err(Error::internal)?;
                    }
                }
                result = &mut exchange => return Ok(Some(result)),
                () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                    return Ok(None);
                }
            }
        }
    }

    /// Returns true if the current request is completely sent.
    pub fn is_sent(&self) -> bool {
        self.machine.exchange() != MachineExchange::Sending
    }
}
