//! One request and what comes back.

use bits_proto::client::{Exchange, Transmit};
use http::header::HOST;
use http::{HeaderMap, HeaderValue};
use hyper::Request;
use tokio::time::{sleep, timeout};

use crate::body::{EntityBody, Watch};
use crate::client::Client;
use crate::connection::{Connection, Exchanged, LinkError};
use crate::destination::{Destination, Server};
use crate::failure::{Failure, Result};

impl Client {
    /// Sends a request, and tells the upload what came of it.
    pub async fn exchange(&mut self, outgoing: &Transmit<'_>) -> Result<()> {
        let destination = match &outgoing.host {
            Some(host) => self.destination.on_host(host)?,
            None => self.destination.clone(),
        };
        let server = &destination.server;
        let Some(mut connection) = self.connection(server).await? else { return Ok(()) };
        let (request, mut watch) = self.request(outgoing, &destination)?;
        self.upload.handle_sending(self.now()).map_err(Failure::machine)?;
        self.save()?;
        let mut came = self.converse(&mut connection, request, &mut watch).await?;
        if let Some(Exchanged::Unsent(request)) = came {
            // As good as never tried: servers close connections that nobody uses.
            let Some(new) = self.connection(server).await? else { return Ok(()) };
            connection = new;
            came = self.converse(&mut connection, request, &mut watch).await?;
        }
        if let Some(why) = watch.trouble() {
            self.entity.check()?;
            let path = self.entity.path().display();
            return Err(Failure::failed(format!("{path}: {why}")));
        }
        match came {
            Some(Exchanged::Answered(response)) => {
                self.answered(response, connection, outgoing).await
            }
            Some(Exchanged::Broken { is_http, why }) => self.broken(is_http, why),
            Some(Exchanged::Unsent(_)) => self.broken(true, format!("{server}: closed")),
            None => self.late(server),
        }
    }

    /// The request as it is sent, and what is to be known of its body.
    fn request(
        &self,
        outgoing: &Transmit<'_>,
        destination: &Destination,
    ) -> Result<(Request<EntityBody>, Watch)> {
        let extras = self.extras(&destination.server, true)?;
        let head = outgoing.request.to_http(destination.target.clone(), &extras);
        let head = head.map_err(Failure::failed)?;
        let range = outgoing.entity.clone();
        let (body, watch) =
            EntityBody::new(&self.entity, range, self.rate_limit.as_ref(), &self.console);
        Ok((head.map(|()| body), watch))
    }

    /// Until something comes, or it is too late: then `None`.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        request: Request<EntityBody>,
        watch: &mut Watch,
    ) -> Result<Option<Exchanged>> {
        let exchange = connection.exchange(request);
        tokio::pin!(exchange);
        let mut is_body_there = true;
        loop {
            let left = self.upload.next_timeout().map(|at| at.saturating_sub(self.now()));
            tokio::select! {
                biased;
                sent = &mut watch.sent, if is_body_there && !self.is_sent() => {
                    is_body_there = false;
                    if sent.is_ok() {
                        self.upload.handle_sent(self.now()).map_err(Failure::machine)?;
                    }
                }
                exchanged = &mut exchange => return Ok(Some(exchanged)),
                () = sleep(left.unwrap_or_default()), if left.is_some() => return Ok(None),
            }
        }
    }

    /// Whether all of the request that is under way was sent.
    pub fn is_sent(&self) -> bool {
        self.upload.exchange() != Exchange::Sending
    }

    /// A connection; `None` when there is none now, which the upload was told.
    pub async fn connection(&mut self, server: &Server) -> Result<Option<Connection>> {
        // While a host is out of reach there is a time at which it is left.
        let left = self.upload.next_timeout().map(|at| at.saturating_sub(self.now()));
        let patience = left.map_or(self.patience, |left| left.min(self.patience));
        let error = match timeout(patience, self.link.connection(server)).await {
            Ok(Ok(connection)) => return Ok(Some(connection)),
            Ok(Err(error)) => error,
            Err(_) => LinkError::Passing(format!("{server}: no connection in time")),
        };
        self.unreachable(error).map(|()| None)
    }

    /// The fields that are not the message's; `with_own` the user's too.
    pub fn extras(&self, server: &Server, with_own: bool) -> Result<HeaderMap> {
        let mut extras = if with_own { self.headers.clone() } else { HeaderMap::new() };
        let host = HeaderValue::from_str(&server.authority).map_err(Failure::failed)?;
        extras.insert(HOST, host);
        Ok(extras)
    }
}
