//! Reports the result of an exchange to the state machine, and describes it for the user.

use std::time::{SystemTime, UNIX_EPOCH};

use bits_proto::client::{Poll, State, StopReason, Transmit};
use bits_proto::field::{ErrorContext, RetryAfter};
use bits_proto::message::Ack;
use http::header::{HeaderName, LOCATION, PROXY_AUTHENTICATE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};
use hyper::Response;
use hyper::body::Incoming;

use crate::client::Client;
use crate::connection::{ConnectError, Connection};
use crate::destination::Server;
use crate::failure::{Failure, Result};

/// Description of the latest failure.
pub struct LastError {
    pub text: String,
    /// The value of WWW-Authenticate or Proxy-Authenticate.
    pub challenge: Option<String>,
}

impl From<String> for LastError {
    fn from(text: String) -> Self {
        Self { text, challenge: None }
    }
}

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
        self.delay_retry(&head.headers);
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

    /// Reports the Retry-After of a response, which may be a date.
    pub fn delay_retry(&mut self, headers: &HeaderMap) {
        let value = headers.get(RETRY_AFTER).map(HeaderValue::as_bytes);
        let Some(retry_after) = value.and_then(|value| RetryAfter::try_from(value).ok()) else {
            return;
        };
        let unix_time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.upload.handle_retry_after(retry_after.delay(unix_time), self.now());
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
        let handled = if self.upload.state() == State::GetReply {
            self.upload.handle_reply_failed(now)
        } else {
            self.upload.handle_transport_failure(now)
        };
        handled.map_err(Failure::machine)
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

/// Describes an unsuccessful response.
pub fn describe(head: &http::response::Parts, code: &str) -> LastError {
    let location = text(&head.headers, &LOCATION);
    let location = location.map_or_else(String::new, |location| format!(" to {location}"));
    let challenge =
        text(&head.headers, &WWW_AUTHENTICATE).or_else(|| text(&head.headers, &PROXY_AUTHENTICATE));
    LastError { text: format!("status {}{code}{location}", head.status), challenge }
}

/// Returns the value of a field with control characters escaped, so that it is safe to print.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(value.as_bytes().escape_ascii().to_string())
}
