//! Reports the result of an exchange to the machine.

use std::time::Duration;

use bits_proto::client::{Poll, StopReason, Transmit};
use bits_proto::field::ErrorContext;
use bits_proto::message::Ack;
use http::header::LOCATION;
use http::response::Parts;

use super::run::Run;
use crate::error::{Error, Result};
use crate::http::{Failed, LastFailure, ResponseBody, TransferUrl, drain, retry_delay};
use crate::restart::RestartReason;

impl Run {
    /// Handles the head of a response, which arrived `time` after the start of the request. Its body is not
    /// needed.
    pub async fn handle_response(
        &mut self,
        url: &TransferUrl,
        head: Parts,
        body: ResponseBody,
        transmit: &Transmit,
        time: Duration,
    ) -> Result<()> {
        self.connection.received(url, &head);
        let is_sent = self.is_sent();
        let now = self.now();
        let restarts = self.machine.restarts();
        let length = self.machine.fragments().length();
        self.last = None;
        let handled = match Ack::from_http(&head, &transmit.ack_context()) {
            Ok(ack) => {
                if let Ack::Refused(refusal) = &ack.message {
                    let code = refusal.code();
                    let code = code
                        .map_or_else(String::new, |it| format!(", error code {}", it.with_name()));
                    self.last = Some(LastFailure::response(&head, &code));
                }
                self.machine.handle_ack(&ack.message, now)
            }
            Err(error) => {
                self.last = Some(if head.status.is_success() {
                    LastFailure::text(format!(
                        "response {} is not a valid Ack: {error}",
                        head.status
                    ))
                } else {
                    LastFailure::response(&head, "")
                });
                self.machine.handle_unreadable(Some(head.status.into()), now)
            }
        };
        handled.map_err(Error::internal)?;
        if self.machine.restarts() > restarts {
            self.on_session_lost();
        }
        if self.machine.fragments().length() < length {
            self.limit()?;
        }
        let sent = transmit.entity();
        if sent.end > sent.start && self.machine.received().0 >= sent.end {
            self.adapt(sent.end - sent.start, time)?;
        }
        if let Some(delay) = retry_delay(&head.headers) {
            self.machine.handle_retry_after(delay, now);
        }
        self.save()?;
        self.check_redirect(&head)?;
        if is_sent {
            drain(&head.headers, body).await;
        }
        Ok(())
    }

    fn on_session_lost(&mut self) {
        let response = self.last.as_ref().map_or_else(String::new, |it| it.text.clone());
        tracing::info!(url = self.url.as_str(), response, "server lost the session");
        self.restart_reason = Some(RestartReason::SessionLost { response });
    }

    /// Fails after a redirect of the server, which is not followed: a body would be sent to a URL that
    /// the caller does not know.
    fn check_redirect(&self, head: &Parts) -> Result<()> {
        let is_of_application = matches!(
            self.machine.poll(),
            Poll::Failed(StopReason::Refused {
                context: Some(ErrorContext::REMOTE_APPLICATION),
                ..
            })
        );
        if !head.status.is_redirection() || is_of_application {
            return Ok(());
        }
        let location = head.headers.get(LOCATION);
        let location =
            location.map_or_else(String::new, |it| it.as_bytes().escape_ascii().to_string());
        Err(Error::Redirected { location, reason: "uploads are not redirected" })
    }

    /// Handles a request without a response, of which `interrupted` bytes were being sent.
    pub fn handle_failure(&mut self, failed: Failed, interrupted: u64) -> Result<()> {
        let now = self.now();
        let handled = match failed {
            // If the server named another host, the upload may still return to the origin.
            Failed::Permanent(error) if self.machine.host().is_none() => return Err(error),
            Failed::Permanent(error) => {
                self.last = Some(LastFailure::text(error.report()));
                self.machine.handle_transport_failure(now)
            }
            Failed::Transport(error) => {
                self.last = Some(LastFailure::transport(error));
                self.machine.handle_transport_failure(now)
            }
            Failed::NotHttp(error) => {
                self.last = Some(LastFailure::transport(error));
                self.machine.handle_unreadable(None, now)
            }
        };
        handled.map_err(Error::internal)?;
        if interrupted > 0 {
            self.shorten(interrupted)?;
        }
        self.save()
    }

    /// Handles a request that could not be sent, or was not answered, in time.
    pub fn handle_late(&mut self) -> Result<()> {
        let what = if self.is_sent() { "no response" } else { "request not completely sent" };
        let seconds = self.shared.timeout.as_secs_f64();
        self.last = Some(LastFailure::text(format!("{what} within {seconds} s")));
        self.machine.handle_timeout(self.now());
        self.save()
    }
}
