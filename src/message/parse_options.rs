//! What a server takes from a client that does not keep to the letter.

/// How requests are read where the specification, Windows and real clients differ.
///
/// The default is what the specification's text asks for.
///
/// # Example
///
/// ```
/// use bits_proto::message::{MissingContentLength, ParseOptions};
///
/// let policy = ParseOptions { missing_content_length: MissingContentLength::AcceptOnEmpty, ..ParseOptions::DEFAULT };
/// assert!(!policy.plain_post);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
pub struct ParseOptions {
    /// Take `POST` with `X-HTTP-Method-Override: BITS_POST` for `BITS_POST`.
    pub method_override: bool,
    /// Take `POST` with a BITS-Packet-Type for `BITS_POST`.
    pub plain_post: bool,
    /// What to do about a request without Content-Length.
    pub missing_content_length: MissingContentLength,
    /// The largest body, in bytes, that is taken and skipped on a packet that has none. Default 0:
    /// such a packet is refused.
    pub max_ignored_body: u64,
    /// The longest value of any field, in bytes. Default 4096.
    ///
    /// Of any field: where clients authenticate with tickets in Authorization, which can be
    /// longer, this has to be raised.
    pub max_value: usize,
}

/// What to do about a request without Content-Length. A Fragment without it is always refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MissingContentLength {
    /// Refuse it with 411, as \[MC-BUP\] 3.2.5.2.3 has it.
    LengthRequired,
    /// Refuse it with 400, as Windows does.
    BadRequest,
    /// Take it on packets that have no body; refuse it with 411 on a Fragment.
    AcceptOnEmpty,
}

/// [2.2.1] The longest value that the specification allows, in bytes.
pub(crate) const MAX_VALUE: usize = 4096;

impl ParseOptions {
    /// To the letter.
    pub const DEFAULT: Self = Self {
        method_override: false,
        plain_post: false,
        missing_content_length: MissingContentLength::LengthRequired,
        max_ignored_body: 0,
        max_value: MAX_VALUE,
    };

    /// Everything that is unambiguous: other methods, no Content-Length, a body of up to 4 KiB
    /// where there should be none.
    pub const LENIENT: Self = Self {
        method_override: true,
        plain_post: true,
        missing_content_length: MissingContentLength::AcceptOnEmpty,
        max_ignored_body: 4096,
        max_value: MAX_VALUE,
    };
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}
