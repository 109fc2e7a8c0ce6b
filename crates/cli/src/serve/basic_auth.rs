//! Basic authentication with one user.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

/// The value of WWW-Authenticate for a client without credentials.
pub const CHALLENGE: &str = "Basic realm=\"BITS\", charset=\"UTF-8\"";

/// The credentials that clients must send, as `USER:PASSWORD`.
#[derive(Clone)]
pub struct BasicAuth {
    credentials: String,
}

impl BasicAuth {
    /// Returns `None` if there is no colon.
    pub fn parse(credentials: &str) -> Option<Self> {
        credentials.contains(':').then(|| Self { credentials: credentials.to_owned() })
    }

    /// Returns the user if the fields carry the right credentials. The comparison takes the same
    /// time for all credentials of one length.
    pub fn user(&self, fields: &HeaderMap) -> Option<&str> {
        let given = fields.get(AUTHORIZATION)?.as_bytes();
        let (scheme, given) = given.split_at_checked("Basic ".len())?;
        if !scheme.eq_ignore_ascii_case(b"Basic ") {
            return None;
        }
        let given = BASE64_STANDARD.decode(given.trim_ascii()).ok()?;
        let is_user = bool::from(given.ct_eq(self.credentials.as_bytes()));
        self.credentials.split(':').next().filter(|_| is_user)
    }
}
