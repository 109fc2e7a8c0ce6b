//! Addresses and content of one case.

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::content::Content;

/// A user with a password.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) user: &'static str,
    pub(super) password: &'static str,
}

impl Account {
    /// Returns the credentials with the scheme Basic.
    pub(super) fn basic(self) -> String {
        let pair = format!("{}:{}", self.user, self.password);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    }
}

/// The account at servers that require credentials.
pub(super) const ACCOUNT: Account =
    Account { user: "conformance", password: "secret-of-the-suite" };
/// The account at proxies that require credentials.
pub(super) const PROXY_ACCOUNT: Account =
    Account { user: "conformance-proxy", password: "secret-of-the-proxy" };

/// Addresses and content of one case.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// Path of the entity.
    pub(super) path: String,
    /// Scheme, host and port of the server.
    pub(super) origin: String,
    /// Scheme, host and port of another server.
    pub(super) other_origin: String,
    /// A host id, at which the server listens too.
    pub(super) host: Option<String>,
    pub(super) content: Content,
    /// The file into which the client writes the reply.
    pub(super) reply: Option<std::path::PathBuf>,
    /// The destination of a download.
    pub(super) file: std::path::PathBuf,
}

impl Setup {
    pub(super) fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    /// Returns the URL of the other server as a proxy, with credentials.
    pub(super) fn proxy(&self) -> String {
        let Account { user, password } = PROXY_ACCOUNT;
        let authority = self.other_origin.trim_start_matches("http://");
        format!("http://{user}:{password}@{authority}")
    }

    pub(super) fn other_url(&self) -> String {
        format!("{}{}", self.other_origin, self.path)
    }
}
