//! Classes of failures: the client's reaction to a refusal.

use core::fmt;

use crate::field::{ErrorContext, HResult};
use crate::http1::StatusCode;

/// The class of a failure, which determines the client's reaction.
///
/// BITS-Error-Context says whose failure it is. If it is [`ErrorContext::SERVER`], another value or
/// absent, the failure is that of the server or of a proxy:
///
/// | class | statuses and codes |
/// |---|---|
/// | [`Resynchronise`](Self::Resynchronise) | 416, with any code |
/// | [`StartOver`](Self::StartOver) | code 0x8020001F |
/// | [`Credentials`](Self::Credentials) | 401, 407 |
/// | [`SmallerFragments`](Self::SmallerFragments) | 413 |
/// | [`Fatal`](Self::Fatal) | codes `BG_E_TOO_LARGE`, `E_INVALIDARG`, `E_ACCESSDENIED`, `FILE_EXISTS`, `ALREADY_EXISTS` |
/// | [`Transient`](Self::Transient) | 408, 409, 429, 5xx except 501 and 505, 3xx except 300 to 305 and 307 |
/// | [`Fatal`](Self::Fatal) | everything else |
///
/// If it is [`ErrorContext::REMOTE_APPLICATION`], the failure is that of the server application. Its
/// status decides, except for the code of an unknown session, which only a server can know:
///
/// | class | statuses and codes |
/// |---|---|
/// | [`StartOver`](Self::StartOver) | code 0x8020001F |
/// | [`Transient`](Self::Transient) | 408, 409, 429, 5xx except 501 and 505, 3xx except 300 to 305 and 307, 600 and above |
/// | [`Fatal`](Self::Fatal) | everything else |
///
/// The first matching row applies. An application cannot ask for credentials or smaller fragments:
/// its 401, 407 and 413 concern the request of the server. Its 416 does not change the offset: the
/// upload would be complete although the application rejected the entity.
///
/// Redirects are not followed: they are failures too.
///
/// # Example
///
/// ```
/// use bits_proto::field::ErrorContext;
/// use bits_proto::http1::StatusCode;
/// use bits_proto::message::Failure;
///
/// let too_large = StatusCode::CONTENT_TOO_LARGE;
/// assert_eq!(Failure::of(too_large, None, None), Some(Failure::SmallerFragments));
/// let application = Some(ErrorContext::REMOTE_APPLICATION);
/// assert_eq!(Failure::of(too_large, None, application), Some(Failure::Fatal));
/// assert_eq!(Failure::of(StatusCode::OK, None, None), None);
/// ```
///
/// Source: \[MC-BUP\] 3.1.5.2.1; Microsoft's page on server application errors. 429 is newer than
/// both: RFC 6585 section 4.
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
    /// Returns the class of a response; `None` for a success (2xx).
    #[must_use]
    pub const fn of(
        status: StatusCode,
        code: Option<HResult>,
        context: Option<ErrorContext>,
    ) -> Option<Self> {
        if status.is_success() {
            return None;
        }
        Some(match context {
            Some(ErrorContext::REMOTE_APPLICATION) => Self::of_application(status, code),
            _ => Self::of_server(status, code),
        })
    }

    const fn of_server(status: StatusCode, code: Option<HResult>) -> Self {
        match (status.get(), code) {
            (416, _) => Self::Resynchronise,
            (_, Some(HResult::BG_E_SESSION_NOT_FOUND)) => Self::StartOver,
            _ if status.is_challenge() => Self::Credentials,
            (413, _) => Self::SmallerFragments,
            (
                _,
                Some(
                    HResult::BG_E_TOO_LARGE
                    | HResult::E_INVALIDARG
                    | HResult::E_ACCESSDENIED
                    | HResult::FILE_EXISTS
                    | HResult::ALREADY_EXISTS,
                ),
            ) => Self::Fatal,
            _ => Self::of_status(status),
        }
    }

    const fn of_application(status: StatusCode, code: Option<HResult>) -> Self {
        match (status.get(), code) {
            (_, Some(HResult::BG_E_SESSION_NOT_FOUND)) => Self::StartOver,
            (600.., _) => Self::Transient,
            _ => Self::of_status(status),
        }
    }

    /// Returns the class of a status where neither the code nor the packet matters.
    const fn of_status(status: StatusCode) -> Self {
        match status.get() {
            300..=305 | 307 | 501 | 505 => Self::Fatal,
            408 | 409 | 429 | 300..=399 | 500..=599 => Self::Transient,
            _ => Self::Fatal,
        }
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
