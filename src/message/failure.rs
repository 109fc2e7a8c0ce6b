//! Classes of failures: the client's reaction to a refusal.

use core::fmt;

use crate::field::HResult;
use crate::http1::StatusCode;

/// The class of a failure, which determines the client's reaction.
///
/// | class | statuses and codes |
/// |---|---|
/// | [`Resynchronise`](Self::Resynchronise) | 416, with any code |
/// | [`StartOver`](Self::StartOver) | code 0x8020001F |
/// | [`Credentials`](Self::Credentials) | 401, 407 |
/// | [`SmallerFragments`](Self::SmallerFragments) | 413 |
/// | [`Fatal`](Self::Fatal) | codes `BG_E_TOO_LARGE`, `E_INVALIDARG`, `E_ACCESSDENIED` |
/// | [`Transient`](Self::Transient) | 408, 409, 5xx except 501 and 505, 3xx except 300 to 305 and 307 |
/// | [`Fatal`](Self::Fatal) | everything else |
///
/// The first matching row applies. Redirects are not followed: they are failures too.
///
/// # Example
///
/// ```
/// use bits_proto::http1::StatusCode;
/// use bits_proto::message::Failure;
///
/// assert_eq!(Failure::of(StatusCode::SERVICE_UNAVAILABLE, None), Some(Failure::Transient));
/// assert_eq!(Failure::of(StatusCode::OK, None), None);
/// ```
///
/// Source: \[MC-BUP\] 3.1.5.2.1; Microsoft's page on server application errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Failure {
    /// The server does not know the session: start over with Create-Session.
    StartOver,
    /// Send the same packet again with credentials.
    Credentials,
    /// Send smaller fragments.
    SmallerFragments,
    /// Continue at the offset in the response.
    Resynchronise,
    /// Retry later.
    Transient,
    /// Give up and report the failure.
    Fatal,
}

impl Failure {
    /// Returns the class of a response; `None` for the success statuses 200 and 201.
    #[must_use]
    pub const fn of(status: StatusCode, code: Option<HResult>) -> Option<Self> {
        Some(match (status.get(), code) {
            (200 | 201, _) => return None,
            (416, _) => Self::Resynchronise,
            (_, Some(HResult::BG_E_SESSION_NOT_FOUND)) => Self::StartOver,
            (401 | 407, _) => Self::Credentials,
            (413, _) => Self::SmallerFragments,
            (
                _,
                Some(HResult::BG_E_TOO_LARGE | HResult::E_INVALIDARG | HResult::E_ACCESSDENIED),
            ) => Self::Fatal,
            (300..=305 | 307 | 501 | 505, _) => Self::Fatal,
            (408 | 409 | 300..=399 | 500..=599, _) => Self::Transient,
            _ => Self::Fatal,
        })
    }

    /// Returns a stable kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartOver => "start-over",
            Self::Credentials => "credentials",
            Self::SmallerFragments => "smaller-fragments",
            Self::Resynchronise => "resynchronise",
            Self::Transient => "transient",
            Self::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
