//! Options for parsing requests.

use crate::util::setters::setters;

/// Options for parsing requests where the specification, Windows and other clients differ.
///
/// The default follows the text of the specification, with one exception: a packet without a body
/// needs no Content-Length, because reverse proxies remove the length 0.
///
/// # Example
///
/// ```
/// use bits_proto::message::{MissingContentLength, ParseOptions};
///
/// let options = ParseOptions::DEFAULT
///     .with_missing_content_length(MissingContentLength::LengthRequired)
///     .with_max_value(8192);
/// assert!(!options.plain_post);
/// ```
///
/// Source: \[MC-BUP\] 2.2.1, 3.2.5.2.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ParseOptions {
    /// Accepts `POST` with `X-HTTP-Method-Override: BITS_POST` as `BITS_POST`. Default: false.
    pub method_override: bool,
    /// Accepts `POST` with a BITS-Packet-Type as `BITS_POST`. Default: false.
    pub plain_post: bool,
    /// The handling of a request without Content-Length. Default:
    /// [`AcceptOnEmpty`](MissingContentLength::AcceptOnEmpty).
    pub missing_content_length: MissingContentLength,
    /// The maximum size of a body, in bytes, on a packet that must not have one. Such a body is
    /// ignored; a larger one is an error. Default: 0.
    pub max_ignored_body: u64,
    /// The maximum length of a field value in bytes. Default: 4096.
    ///
    /// The limit applies to all fields, including those of other protocols. Raise it if clients
    /// send longer values, such as Kerberos tickets in Authorization.
    pub max_value: usize,
}

/// The handling of a request without Content-Length. A Fragment without it is always rejected.
///
/// In HTTP, a request without Content-Length and Transfer-Encoding has no body. Caddy, Go's
/// `ReverseProxy` and other front ends therefore remove `Content-Length: 0`.
///
/// Source: \[MC-BUP\] 3.2.5.2.3; RFC 9112 section 6.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MissingContentLength {
    /// Rejects the request with 411, as \[MC-BUP\] 3.2.5.2.3 requires.
    LengthRequired,
    /// Rejects the request with 400, as Windows does.
    BadRequest,
    /// Accepts a packet that has no body, with the deviation
    /// [`MissingContentLength`](crate::deviation::Deviation::MissingContentLength). Rejects a
    /// Fragment with 411.
    AcceptOnEmpty,
}

/// [2.2.1] The maximum length of a field value in the specification, in bytes.
pub(crate) const MAX_VALUE: usize = 4096;

impl ParseOptions {
    /// Requires the method `BITS_POST` and the Content-Length of a Fragment, and rejects unexpected
    /// bodies.
    pub const DEFAULT: Self = Self {
        method_override: false,
        plain_post: false,
        missing_content_length: MissingContentLength::AcceptOnEmpty,
        max_ignored_body: 0,
        max_value: MAX_VALUE,
    };

    /// Accepts all unambiguous requests: `POST` as the method, a missing Content-Length of a packet
    /// without a body, and an unexpected body of up to 4 KiB.
    pub const LENIENT: Self = Self {
        method_override: true,
        plain_post: true,
        missing_content_length: MissingContentLength::AcceptOnEmpty,
        max_ignored_body: 4096,
        max_value: MAX_VALUE,
    };
}

setters!(ParseOptions {
    with_method_override: method_override: bool,
    with_plain_post: plain_post: bool,
    with_missing_content_length: missing_content_length: MissingContentLength,
    with_max_ignored_body: max_ignored_body: u64,
    with_max_value: max_value: usize,
});

impl Default for ParseOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}
