//! Basic authentication with one user.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq as _;

/// What a client that has not said who it is has to be asked.
pub const CHALLENGE: &str = "Basic realm=\"BITS\", charset=\"UTF-8\"";

/// `USER:PASSWORD`.
#[derive(Clone)]
pub struct Basic {
    credentials: String,
}

impl Basic {
    /// `None` without a colon.
    pub fn parse(credentials: &str) -> Option<Self> {
        credentials.contains(':').then(|| Self { credentials: credentials.to_owned() })
    }

    /// Who sent these fields, if it is the user. How long a comparison takes says nothing but
    /// whether the lengths are the same.
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
