//! What a client does about an answer that is not a success.

use core::fmt;

use crate::field::HResult;
use crate::http1::StatusCode;

/// The class of a failure: what a client should do next.
///
/// | class | statuses and codes |
/// |---|---|
/// | [`Resynchronise`](Self::Resynchronise) | 416, whatever code is beside it |
/// | [`StartOver`](Self::StartOver) | code 0x8020001F |
/// | [`Credentials`](Self::Credentials) | 401, 407 |
/// | [`SmallerFragments`](Self::SmallerFragments) | 413 |
/// | [`Fatal`](Self::Fatal) | codes `BG_E_TOO_LARGE`, `E_INVALIDARG`, `E_ACCESSDENIED` |
/// | [`Transient`](Self::Transient) | 408, 409, 5xx but 501 and 505, 3xx but 300 to 305 and 307 |
/// | [`Fatal`](Self::Fatal) | everything else |
///
/// The first row that fits counts. A redirect is never followed silently: it is a failure too.
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
    /// The server does not know the session: begin again with Create-Session.
    StartOver,
    /// Send the same packet again with credentials.
    Credentials,
    /// Send less at a time.
    SmallerFragments,
    /// Go on at the offset that came with the answer.
    Resynchronise,
    /// Try again later.
    Transient,
    /// Give up and tell the user.
    Fatal,
}

impl Failure {
    /// The class of an answer; `None` for the successes 200 and 201.
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

    /// A stable kebab-case name.
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
