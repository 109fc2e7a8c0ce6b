//! One request and its response.

use bits_proto::client::{Exchange, Transmit};
use bits_proto::field::ContentName;
use bits_proto_programs::client::connection::{
    ConnectError, Connection, ExchangeResult, RequestBody,
};
use bits_proto_programs::client::http_url::{HttpUrl, Server};
use http_body_util::BodyExt as _;
use hyper::Request;
use tokio::time::{sleep, timeout};

use crate::body::{EntityBody, SendStatus};
use crate::client::Client;
use crate::failure::{Failure, Result};

impl Client {
    /// Sends a request and reports the result to the upload.
    pub async fn exchange(&mut self, transmit: &Transmit) -> Result<()> {
        let destination = match self.upload.host() {
            Some(host) => self.destination.on_host(&host)?,
            None => self.destination.clone(),
        };
        let server = &destination.server;
        let Some(mut connection) = self.connection(server).await? else { return Ok(()) };
        let (request, mut status) = self.request(transmit, &destination)?;
        self.upload.handle_sending(self.now()).map_err(Failure::machine)?;
        self.save()?;
        let mut result = self.send(&mut connection, request, &mut status).await?;
        if let Some(ExchangeResult::NotSent(request)) = result {
            // Not a failure: servers close idle connections.
            let Some(new) = self.connection(server).await? else { return Ok(()) };
            connection = new;
            result = self.send(&mut connection, request, &mut status).await?;
        }
        if let Some(why) = status.read_error() {
            self.entity.check()?;
            let path = self.entity.path().display();
            return Err(Failure::failed(format!("{path}: {why}")));
        }
        match result {
            Some(ExchangeResult::Response(response)) => {
                self.handle_response(response, connection, transmit).await
            }
            Some(ExchangeResult::Failed { is_http, why }) => self.handle_failure(is_http, why),
            Some(ExchangeResult::NotSent(_)) => {
                self.handle_failure(true, format!("{server}: connection closed by the server"))
            }
            None => self.handle_late(server),
        }
    }

    /// Returns the HTTP request and the status of its body.
    fn request(
        &self,
        transmit: &Transmit,
        destination: &HttpUrl,
    ) -> Result<(Request<RequestBody>, SendStatus)> {
        let extras = destination.server.with_host(&self.headers)?;
        let name = self.content_name.as_deref();
        let name = name.and_then(|name| ContentName::try_from(name).ok());
        let message = match name {
            Some(name) => transmit.request_with_name(name),
            None => transmit.request(),
        };
        let head = message.to_http(destination.target.clone(), &extras).map_err(Failure::failed)?;
        let range = transmit.entity();
        let (body, status) =
            EntityBody::new(&self.entity, range, self.rate_limit.as_ref(), &self.console);
        Ok((head.map(|()| body.boxed_unsync()), status))
    }

    /// Sends a request and waits for the response. Returns `None` after a timeout.
    async fn send(
        &mut self,
        connection: &mut Connection,
        request: Request<RequestBody>,
        status: &mut SendStatus,
    ) -> Result<Option<ExchangeResult>> {
        let exchange = connection.exchange(request);
        tokio::pin!(exchange);
        let mut is_body_alive = true;
        loop {
            let left = self.upload.poll_timeout().map(|at| at.saturating_sub(self.now()));
            tokio::select! {
                biased;
                sent = &mut status.sent, if is_body_alive && !self.is_sent() => {
                    is_body_alive = false;
                    if sent.is_ok() {
                        self.upload.handle_sent(self.now()).map_err(Failure::machine)?;
                    }
                }
                exchanged = &mut exchange => return Ok(Some(exchanged)),
                () = sleep(left.unwrap_or_default()), if left.is_some() => return Ok(None),
            }
        }
    }

    /// Returns `true` if the current request is completely sent.
    pub fn is_sent(&self) -> bool {
        self.upload.exchange() != Exchange::Sending
    }

    /// Returns a connection. Returns `None` after a transient failure, which is reported to the
    /// upload.
    pub async fn connection(&mut self, server: &Server) -> Result<Option<Connection>> {
        // While another host is unreachable, the upload returns to the origin after a timeout.
        let left = self.upload.poll_timeout().map(|at| at.saturating_sub(self.now()));
        let limit = left.map_or(self.timeout, |left| left.min(self.timeout));
        let error = match timeout(limit, self.connector.connection(server)).await {
            Ok(Ok(connection)) => return Ok(Some(connection)),
            Ok(Err(error)) => error,
            Err(_) => ConnectError::Transient(format!(
                "{server}: no connection within {} s",
                limit.as_secs_f64()
            )),
        };
        self.handle_connect_error(error).map(|()| None)
    }
}
