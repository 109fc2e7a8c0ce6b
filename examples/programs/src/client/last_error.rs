//! Descriptions of unsuccessful responses.

use std::time::{Duration, SystemTime};

use bits_proto::field::RetryAfter;
use http::HeaderMap;
use http::header::{
    AUTHORIZATION, HeaderName, LOCATION, PROXY_AUTHENTICATE, RETRY_AFTER, WWW_AUTHENTICATE,
};

/// Description of the latest failure.
#[derive(Debug)]
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

/// Describes a response that asks for credentials, and the next step for the user. `sent` are the
/// additional fields of the request.
pub fn unauthorized(status: u16, last_error: Option<&LastError>, sent: &HeaderMap) -> String {
    let challenge = last_error.and_then(|it| it.challenge.as_deref());
    let challenge = challenge.map_or_else(String::new, |it| format!(" ({it})"));
    let (why, advice) = match status {
        407 => ("a proxy requires credentials", "pass them with --header Proxy-Authorization"),
        _ if sent.contains_key(AUTHORIZATION) => {
            ("the server rejects the credentials", "check the user and the password")
        }
        _ => ("the server requires credentials", "pass them with --basic USER:PASSWORD"),
    };
    format!("{why}: status {status}{challenge}; {advice}")
}

/// Returns the delay that Retry-After requests.
pub fn retry_delay(headers: &HeaderMap) -> Option<Duration> {
    let value = RetryAfter::try_from(headers.get(RETRY_AFTER)?.as_bytes()).ok()?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Some(value.delay(now))
}
