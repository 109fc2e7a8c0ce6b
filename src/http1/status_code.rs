//! HTTP status codes.

use core::fmt;
use core::str::FromStr;

use crate::error::{Error, ErrorKind};

/// An HTTP status code: a three-digit number, 100 to 999.
///
/// # Errors
///
/// `TryFrom` and `FromStr` return [`ErrorKind::NotStatus`] for any other number or text.
///
/// # Example
///
/// ```
/// use bits_proto::http1::StatusCode;
///
/// let status = StatusCode::try_from(416)?;
/// assert_eq!(status, StatusCode::RANGE_NOT_SATISFIABLE);
/// assert_eq!(status, 416);
/// assert_eq!(status, "416".parse::<StatusCode>()?);
/// assert_eq!(status.reason(), "Requested Range Not Satisfiable");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9110 section 15.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "u16", try_from = "u16")
)]
pub struct StatusCode(u16);

macro_rules! statuses {
    ($($name:ident $code:literal $reason:literal;)+) => {
        impl StatusCode {
            $(
                #[doc = concat!($code, " ", $reason, ".")]
                pub const $name: Self = Self($code);
            )+

            /// Returns the reason phrase, which is empty for codes without a constant.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $( $code => $reason, )+
                    _ => "",
                }
            }
        }
    };
}

statuses! {
    OK 200 "OK";
    CREATED 201 "Created";
    NO_CONTENT 204 "No Content";
    RESET_CONTENT 205 "Reset Content";
    PARTIAL_CONTENT 206 "Partial Content";
    NOT_MODIFIED 304 "Not Modified";
    BAD_REQUEST 400 "Bad Request";
    UNAUTHORIZED 401 "Unauthorized";
    FORBIDDEN 403 "Forbidden";
    NOT_FOUND 404 "Not Found";
    METHOD_NOT_ALLOWED 405 "Method Not Allowed";
    PROXY_AUTHENTICATION_REQUIRED 407 "Proxy Authentication Required";
    REQUEST_TIMEOUT 408 "Request Timeout";
    CONFLICT 409 "Conflict";
    GONE 410 "Gone";
    LENGTH_REQUIRED 411 "Length Required";
    PRECONDITION_FAILED 412 "Precondition Failed";
    CONTENT_TOO_LARGE 413 "Request Entity Too Large";
    RANGE_NOT_SATISFIABLE 416 "Requested Range Not Satisfiable";
    INTERNAL_SERVER_ERROR 500 "Internal Server Error";
    NOT_IMPLEMENTED 501 "Not Implemented";
    BAD_GATEWAY 502 "Bad Gateway";
    SERVICE_UNAVAILABLE 503 "Service Unavailable";
    GATEWAY_TIMEOUT 504 "Gateway Timeout";
    HTTP_VERSION_NOT_SUPPORTED 505 "HTTP Version Not Supported";
}

impl StatusCode {
    /// Returns the code as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Returns the code with its reason phrase, such as `404 Not Found`, for a message.
    pub(crate) const fn with_reason(self) -> WithReason {
        WithReason(self)
    }

    /// Returns true for an interim response (1xx), which the final response follows.
    #[must_use]
    pub const fn is_interim(self) -> bool {
        self.0 < 200
    }

    /// Returns true if responses with this status code never have a body: 1xx, 204 and 304.
    #[must_use]
    pub const fn has_no_body(self) -> bool {
        matches!(self.0, 100..=199 | 204 | 304)
    }

    /// Returns true for a response that asks for credentials: 401 and 407.
    #[must_use]
    pub const fn is_challenge(self) -> bool {
        matches!(self, Self::UNAUTHORIZED | Self::PROXY_AUTHENTICATION_REQUIRED)
    }

    /// Returns true for a successful response (2xx).
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self.0, 200..=299)
    }
}

/// Displays a status code with its reason phrase, if it has one.
#[derive(Clone, Copy)]
pub(crate) struct WithReason(StatusCode);

impl fmt::Display for WithReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(status) = self;
        match status.reason() {
            "" => status.fmt(f),
            reason => write!(f, "{status} {reason}"),
        }
    }
}

impl From<StatusCode> for u16 {
    fn from(status: StatusCode) -> Self {
        status.0
    }
}

impl PartialEq<u16> for StatusCode {
    fn eq(&self, code: &u16) -> bool {
        self.0 == *code
    }
}

impl PartialEq<StatusCode> for u16 {
    fn eq(&self, status: &StatusCode) -> bool {
        *self == status.0
    }
}

impl TryFrom<u16> for StatusCode {
    type Error = Error;

    fn try_from(code: u16) -> Result<Self, Error> {
        if matches!(code, 100..=999) {
            Ok(Self(code))
        } else {
            Err(Error::caller(ErrorKind::NotStatus).with_number(u64::from(code)))
        }
    }
}

impl FromStr for StatusCode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The length excludes "0200"; the sign that `parse` accepts leaves at most two digits.
        let code = Some(text).filter(|text| text.len() == 3).and_then(|text| text.parse().ok());
        let status = code.and_then(|code: u16| Self::try_from(code).ok());
        let error = || Error::caller(ErrorKind::NotStatus).with_received(text.as_bytes(), 0);
        status.ok_or_else(error)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusCode({})", self.0)
    }
}

#[cfg(feature = "http")]
impl From<http::StatusCode> for StatusCode {
    fn from(status: http::StatusCode) -> Self {
        Self(status.as_u16())
    }
}
