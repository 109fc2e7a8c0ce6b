//! What the upload is told of an exchange, and what people are.

use bits_proto::client::{State, Transmit};
use bits_proto::message::Ack;
use http::HeaderMap;
use http::header::{HeaderName, LOCATION, PROXY_AUTHENTICATE, WWW_AUTHENTICATE};
use hyper::Response;
use hyper::body::Incoming;

use crate::client::Client;
use crate::connection::{Connection, LinkError};
use crate::destination::Server;
use crate::failure::{Failure, Result};

/// What went wrong.
pub struct MessageError {
    pub text: String,
    /// How the server wants to be given credentials.
    pub challenge: Option<String>,
}

impl From<String> for MessageError {
    fn from(text: String) -> Self {
        Self { text, challenge: None }
    }
}

impl Client {
    /// There is a response; its body is not read yet.
    pub async fn answered(
        &mut self,
        response: Response<Incoming>,
        connection: Connection,
        outgoing: &Transmit<'_>,
    ) -> Result<()> {
        let (head, body) = response.into_parts();
        let is_whole = self.is_sent();
        let now = self.now();
        self.trouble = None;
        let told = match Ack::from_http(&head, &outgoing.ack_context()) {
            Ok(ack) => {
                if let Ack::Refused(refusal) = &ack.message {
                    let code = refusal.code().map_or_else(String::new, |code| {
                        format!(", code {code} {}", code.name().unwrap_or_default())
                    });
                    self.trouble = Some(refused(&head, &code));
                }
                self.upload.handle_ack(&ack.message, now)
            }
            Err(error) => {
                let mut trouble = refused(&head, "");
                if head.status.is_success() {
                    trouble.text = format!("status {} is no answer of BITS: {error}", head.status);
                }
                self.trouble = Some(trouble);
                self.upload.handle_unreadable(Some(head.status.into()), now)
            }
        };
        told.map_err(Failure::machine)?;
        self.save()?;
        if head.status.is_redirection() {
            return Err(Failure::failed(format!(
                "{}: redirected, which is not followed: {}; if that is right, upload to there",
                self.destination.as_str(),
                refused(&head, "").text,
            )));
        }
        // What is left of the body would be sent in vain: a new connection is cheaper.
        if is_whole {
            self.link.keep(connection, body).await;
        }
        Ok(())
    }

    /// The connection broke before there was an answer, or the answer is not HTTP.
    pub fn broken(&mut self, is_http: bool, why: String) -> Result<()> {
        let now = self.now();
        self.trouble = Some(why.into());
        let told = if is_http {
            self.upload.handle_transport_failure(now)
        } else {
            self.upload.handle_unreadable(None, now)
        };
        told.map_err(Failure::machine)?;
        self.save()
    }

    /// There is no connection.
    pub fn unreachable(&mut self, error: LinkError) -> Result<()> {
        match error {
            // Another host than the origin may be left for that again.
            LinkError::Lasting(why) if self.upload.host().is_none() => {
                return Err(Failure::failed(why));
            }
            error => self.trouble = Some(error.to_string().into()),
        }
        let now = self.now();
        let told = if self.upload.state() == State::GetReply {
            self.upload.handle_reply_failed(now)
        } else {
            self.upload.handle_transport_failure(now)
        };
        told.map_err(Failure::machine)
    }

    /// The time for the request, or for its answer, is over.
    pub fn late(&mut self, server: &Server) -> Result<()> {
        let what = if self.is_sent() { "no answer" } else { "the request is not sent" };
        self.trouble = Some(format!("{server}: {what} in time").into());
        self.upload.handle_timeout(self.now());
        self.save()
    }
}

/// What a response that is no success says.
pub fn refused(head: &http::response::Parts, code: &str) -> MessageError {
    let location = text(&head.headers, &LOCATION);
    let location = location.map_or_else(String::new, |location| format!(" to {location}"));
    let challenge =
        text(&head.headers, &WWW_AUTHENTICATE).or_else(|| text(&head.headers, &PROXY_AUTHENTICATE));
    MessageError { text: format!("status {}{code}{location}", head.status), challenge }
}

/// A field, without what a terminal could take for commands.
fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    Some(value.as_bytes().escape_ascii().to_string())
}
