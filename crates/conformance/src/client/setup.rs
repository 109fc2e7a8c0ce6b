//! Addresses and content of one case.

use crate::content::Content;

/// The user that is known to servers that require credentials.
pub(super) const USER: &str = "conformance";
/// The password of [`USER`].
pub(super) const PASSWORD: &str = "secret-of-the-suite";

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

    pub(super) fn other_url(&self) -> String {
        format!("{}{}", self.other_origin, self.path)
    }
}
