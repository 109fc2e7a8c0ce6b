//! Reports the result of an exchange to the state machine, and describes it for the user.

use bits_proto::client::{Poll, StopReason, Transmit};
use bits_proto::field::ErrorContext;
use bits_proto::message::Ack;
use bits_proto_programs::client::connection::{ConnectError, Connection};
use bits_proto_programs::client::http_url::Server;
use bits_proto_programs::client::last_error::{describe, retry_delay};
use hyper::Response;
use hyper::body::Incoming;

use crate::client::Client;
use crate::failure::{Failure, Result};

impl Client {
    /// Handles the head of a response. Its body is not read yet.
    pub async fn handle_response(
        &mut self,
        response: Response<Incoming>,
        connection: Connection,
        transmit: &Transmit,
    ) -> Result<()> {
        let (head, body) = response.into_parts();
        let is_sent = self.is_sent();
        let now = self.now();
        self.last_error = None;
        let handled = match Ack::from_http(&head, &transmit.ack_context()) {
            Ok(ack) => {
                if let Ack::Refused(refusal) = &ack.message {
                    let code = refusal
                        .code()
                        .map_or_else(String::new, |code| format!(", code {}", code.with_name()));
                    self.last_error = Some(describe(&head, &code));
                }
                self.upload.handle_ack(&ack.message, now)
            }
            Err(error) => {
                let mut description = describe(&head, "");
                if head.status.is_success() {
                    description.text =
                        format!("response with status {} is not a valid Ack: {error}", head.status);
                }
                self.last_error = Some(description);
                self.upload.handle_unreadable(Some(head.status.into()), now)
            }
        };
        handled.map_err(Failure::machine)?;
        if let Some(delay) = retry_delay(&head.headers) {
            self.upload.handle_retry_after(delay, now);
        }
        self.save()?;
        let is_of_application = matches!(
            self.upload.poll(),
            Poll::Failed(StopReason::Refused {
                context: Some(ErrorContext::REMOTE_APPLICATION),
                ..
            })
        );
        if head.status.is_redirection() && !is_of_application {
            return Err(Failure::failed(format!(
                "{}: the server redirects the upload, and redirects are not followed: {}; to accept \
                 the redirect, upload to that URL",
                self.destination.as_str(),
                describe(&head, "").text,
            )));
        }
        // A connection with an incomplete request is closed: this is cheaper than sending the rest.
        if is_sent {
            self.connector.keep(connection, body).await;
        }
        Ok(())
    }

    /// Handles a connection that failed before the response, or a response that is not HTTP.
    pub fn handle_failure(&mut self, is_http: bool, why: String) -> Result<()> {
        let now = self.now();
        self.last_error = Some(why.into());
        let handled = if is_http {
            self.upload.handle_transport_failure(now)
        } else {
            self.upload.handle_unreadable(None, now)
        };
        handled.map_err(Failure::machine)?;
        self.save()
    }

    /// Handles a connection that could not be established.
    pub fn handle_connect_error(&mut self, error: ConnectError) -> Result<()> {
        match error {
            // If the server named another host, the upload may still return to the origin.
            ConnectError::Permanent(why) if self.upload.host().is_none() => {
                return Err(Failure::failed(why));
            }
            error => self.last_error = Some(error.to_string().into()),
        }
        let now = self.now();
        self.upload.handle_transport_failure(now).map_err(Failure::machine)
    }

    /// Handles a request that could not be sent, or was not answered, within the timeout.
    pub fn handle_late(&mut self, server: &Server) -> Result<()> {
        let what = if self.is_sent() { "no response" } else { "request not completely sent" };
        let seconds = self.timeout.as_secs_f64();
        self.last_error = Some(format!("{server}: {what} within {seconds} s").into());
        self.upload.handle_timeout(self.now());
        self.save()
    }
}
