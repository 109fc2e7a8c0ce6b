//! Parts of messages, and the errors for responses of the server.

use std::fmt;

use bits_proto::client::StopReason;
use bits_proto::download;
use bits_proto::field::{ErrorContext, HResult};
use bits_proto::http1::StatusCode;

use super::Error;

/// The schemes that this library can answer.
const SPOKEN: &str = "Basic, Bearer and Digest";

impl Error {
    /// Returns the error for an upload that the server rejected for good; `None` if a retry may
    /// succeed.
    pub(crate) fn from_upload(reason: StopReason, url: &str) -> Option<Self> {
        match reason {
            StopReason::Refused { status, code, context } => {
                Some(Self::from_refusal(status, code, context, url))
            }
            StopReason::FragmentNotFound => {
                Some(Self::TooLarge { status: StatusCode::NOT_FOUND, code: None })
            }
            _ => None,
        }
    }

    fn from_refusal(
        status: StatusCode,
        code: Option<HResult>,
        context: Option<ErrorContext>,
        url: &str,
    ) -> Self {
        match (status.get(), code) {
            (_, Some(HResult::FILE_EXISTS | HResult::ALREADY_EXISTS)) => {
                Self::AlreadyExists { destination: url.into() }
            }
            (_, Some(it)) if it.is_disk_full() => Self::Full { status, code, failures: 0 },
            (507, _) => Self::Full { status, code, failures: 0 },
            _ if context == Some(ErrorContext::REMOTE_APPLICATION) => {
                Self::Application { status, code, failures: 0 }
            }
            (413, _) | (_, Some(HResult::BG_E_TOO_LARGE)) => Self::TooLarge { status, code },
            (403, _) | (_, Some(HResult::E_ACCESSDENIED)) => Self::AccessDenied { status, code },
            (404 | 410, _) => Self::NotFound { status },
            (405 | 501, _) => Self::NotBits { status },
            _ => Self::Refused { status, code },
        }
    }

    /// Returns the error for a download that the server rejected for good; `None` if the reason has no
    /// error of its own.
    pub(crate) fn from_download(reason: download::StopReason) -> Option<Self> {
        match reason {
            download::StopReason::Refused { status } => Some(match status.get() {
                403 => Self::AccessDenied { status, code: None },
                404 | 410 => Self::NotFound { status },
                _ => Self::Refused { status, code: None },
            }),
            _ => None,
        }
    }
}

/// Returns a status code with its reason phrase, such as `404 Not Found`.
pub(crate) fn status_with_reason(status: StatusCode) -> String {
    let known = http::StatusCode::from_u16(status.get()).ok();
    match known.and_then(|it| it.canonical_reason()) {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}

/// The status and the error code of a response, as the end of a message.
pub(super) struct Answer<'e> {
    pub status: &'e StatusCode,
    pub code: &'e Option<HResult>,
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ": status {}", status_with_reason(*self.status))?;
        self.code.map_or(Ok(()), |code| write!(f, ", error code {}", code.with_name()))
    }
}

/// The progress of a transfer.
pub(super) struct Amount<'e> {
    pub transferred: &'e u64,
    pub total: &'e Option<u64>,
}

/// Units with their sizes in bytes.
const UNITS: [(&str, u64); 4] =
    [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl fmt::Display for Amount<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let largest = self.total.unwrap_or(*self.transferred);
        let unit = UNITS.into_iter().find(|(_, size)| *size <= largest);
        let number = |bytes: u64| match unit {
            Some((_, size)) => format!("{:.1}", bytes as f64 / size as f64),
            None => bytes.to_string(),
        };
        let name = unit.map_or("bytes", |(name, _)| name);
        match self.total {
            Some(total) => write!(f, "{} of {} {name}", number(*self.transferred), number(*total)),
            None => write!(f, "{} {name}", number(*self.transferred)),
        }
    }
}

/// The number of consecutive failures, if there were several.
pub(super) struct Attempts(pub u32);

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            attempts => write!(f, " after {attempts} attempts"),
        }
    }
}

/// The message of [`Error::Unauthorized`].
pub(super) struct Unauthorized<'e> {
    pub status: &'e StatusCode,
    pub schemes: &'e [String],
    pub sent: &'e Option<&'static str>,
}

impl fmt::Display for Unauthorized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = if self.status.get() == 407 { "proxy" } else { "server" };
        let is_wanted = |sent: &str| self.schemes.iter().any(|it| it.eq_ignore_ascii_case(sent));
        let schemes = self.schemes.join(" or ");
        match self.sent {
            Some(sent) if self.schemes.is_empty() || is_wanted(sent) => {
                write!(f, "{peer} rejects the {sent} credentials (status {})", self.status)
            }
            Some(sent) => write!(
                f,
                "{peer} requires the authentication scheme {schemes}, and {sent} was sent; \
                 supported are {SPOKEN}"
            ),
            None if schemes.is_empty() => {
                write!(f, "{peer} requires credentials (status {})", self.status)
            }
            None => write!(
                f,
                "{peer} requires credentials of the scheme {schemes}; supported are {SPOKEN}"
            ),
        }
    }
}

/// The message of [`Error::Tls`].
pub(super) struct Tls<'e>(pub &'e rustls::Error);

impl fmt::Display for Tls<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use rustls::CertificateError as Certificate;
        f.write_str(match self.0 {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                Certificate::UnknownIssuer | Certificate::BadSignature => {
                    "certificate of the server is not trusted"
                }
                Certificate::NotValidForName | Certificate::NotValidForNameContext { .. } => {
                    "certificate of the server is for another host"
                }
                Certificate::Expired | Certificate::ExpiredContext { .. } => {
                    "certificate of the server has expired"
                }
                _ if is_ca_as_end_entity(certificate) => {
                    "server uses the certificate of a certificate authority (CA) as its own"
                }
                _ => "certificate of the server is invalid",
            },
            _ => "TLS handshake failed",
        })
    }
}

/// Returns true if a CA certificate is used as that of a server.
pub(super) fn is_ca_as_end_entity(error: &rustls::CertificateError) -> bool {
    format!("{error:?}").contains("CaUsedAsEndEntity")
}
