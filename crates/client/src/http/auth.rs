//! Credentials, and the answers to challenges.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bits_proto::http1::StatusCode;
use bits_proto::message::Extras;
use digest_auth::{AuthContext, HttpMethod, WwwAuthenticateHeader};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue};

use super::challenge::{Challenge, challenges};
use super::invalid_extra;
use crate::error::{Error, Result};

/// The credentials of a client.
#[derive(Clone, Default)]
pub(crate) enum Credentials {
    #[default]
    None,
    /// A value of Authorization with its scheme.
    Fixed(&'static str, HeaderValue),
    Password {
        user: String,
        password: String,
        /// The value for Basic; `None` if only Digest is allowed.
        basic: Option<HeaderValue>,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fixed(scheme, _) => scheme,
            Self::Password { basic: Some(_), .. } => "Basic",
            Self::Password { basic: None, .. } => "Digest",
        })
    }
}

impl Credentials {
    /// # Errors
    ///
    /// [`Error::Option`] if a field cannot contain the token.
    pub fn bearer(token: &str) -> Result<Self> {
        let is_invalid = token.is_empty() || token.contains(char::is_whitespace);
        let value = sensitive(format!("Bearer {token}")).filter(|_| !is_invalid);
        let value = value.ok_or_else(|| Error::Option("bearer token: not a valid token".into()))?;
        Ok(Self::Fixed("Bearer", value))
    }

    /// # Errors
    ///
    /// [`Error::Option`] if the user contains a colon.
    pub fn password(user: &str, password: &str, allows_basic: bool) -> Result<Self> {
        if user.contains(':') {
            return Err(Error::Option("user name: must not contain a colon".into()));
        }
        let basic = STANDARD.encode(format!("{user}:{password}"));
        let basic = sensitive(format!("Basic {basic}")).filter(|_| allows_basic);
        Ok(Self::Password { user: user.into(), password: password.into(), basic })
    }

    /// Returns the name of the user; `None` without credentials, and for a token, which names no user.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Password { user, .. } => Some(user),
            Self::None | Self::Fixed(..) => None,
        }
    }
}

fn sensitive(value: String) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Adds Authorization to the requests of one transfer.
#[derive(Debug)]
pub(super) struct Authenticator {
    credentials: Arc<Credentials>,
    digest: Option<WwwAuthenticateHeader>,
    /// The scheme of the last request.
    sent: Option<&'static str>,
    /// The number of consecutive requests that were answered with a challenge.
    challenged: u32,
}

impl Authenticator {
    pub fn new(credentials: Arc<Credentials>) -> Self {
        Self { credentials, digest: None, sent: None, challenged: 0 }
    }

    /// Adds Authorization to the fields of a request.
    pub fn authorize(
        &mut self,
        extras: &mut Extras<Vec<u8>>,
        method: &str,
        target: &str,
    ) -> Result<()> {
        self.sent = None;
        if extras.get(AUTHORIZATION).is_some() {
            self.sent = Some("Authorization");
            return Ok(());
        }
        let authorization = match (&*self.credentials, &mut self.digest) {
            (Credentials::None, _) => None,
            (Credentials::Fixed(scheme, value), _) => Some((*scheme, value.clone())),
            (Credentials::Password { user, password, .. }, Some(digest)) => {
                let method = HttpMethod::from(method);
                let body = None::<&[u8]>;
                let context = AuthContext::new_with_method(user, password, target, body, method);
                let answer = digest.respond(&context);
                let answer = answer.ok().and_then(|it| sensitive(it.to_header_string()));
                Some(("Digest", answer.ok_or_else(|| Error::internal("digest"))?))
            }
            (Credentials::Password { basic, .. }, None) => basic.clone().map(|it| ("Basic", it)),
        };
        if let Some((scheme, value)) = authorization {
            extras.set(AUTHORIZATION, value).map_err(invalid_extra)?;
            self.sent = Some(scheme);
        }
        Ok(())
    }

    /// Reports a response other than 401 and 407.
    pub fn accepted(&mut self) {
        self.challenged = 0;
    }

    /// Prepares the answer to a 401 or 407 response.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthorized`] if there is none, or if the peer rejected it.
    pub fn answer(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<()> {
        let challenges = challenges(status.get(), headers);
        self.challenged += 1;
        let digest = challenges
            .iter()
            .filter(|it| it.scheme.eq_ignore_ascii_case("digest"))
            .find_map(Challenge::digest);
        let has_password = matches!(*self.credentials, Credentials::Password { .. });
        match digest {
            // The second challenge in a row is final, unless only the nonce was too old.
            Some(digest)
                if status == StatusCode::UNAUTHORIZED
                    && has_password
                    && (self.sent != Some("Digest") || digest.stale)
                    && self.challenged <= 2 =>
            {
                self.digest = Some(digest);
                Ok(())
            }
            _ => Err(self.rejected(status, &challenges)),
        }
    }

    fn rejected(&self, status: StatusCode, challenges: &[Challenge]) -> Error {
        let schemes = challenges.iter().map(|it| it.scheme.clone()).collect();
        let is_server = status == StatusCode::UNAUTHORIZED;
        Error::Unauthorized { status, schemes, sent: self.sent.filter(|_| is_server) }
    }
}

/// Returns the fields with challenges.
pub(super) fn challenge_fields(headers: &HeaderMap) -> HeaderMap {
    let mut fields = HeaderMap::new();
    for name in [WWW_AUTHENTICATE, http::header::PROXY_AUTHENTICATE] {
        for value in headers.get_all(&name) {
            fields.append(name.clone(), value.clone());
        }
    }
    fields
}
