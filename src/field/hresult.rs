//! BITS-Error and BITS-Error-Code.

use core::fmt;
use core::num::NonZeroU32;

use super::{FieldName, try_from_wire};
use crate::error::{Error, ErrorKind, ValueError};
use crate::http1::StatusCode;
use crate::util::digits::hexadecimal;
use crate::util::sink::{Sink, Wire, put_hexadecimal, wire_display};

/// [2.2.1.2] BITS-Error, BITS-Error-Code: the HRESULT with the reason for a refusal.
///
/// The set of values is open: known values have [names](Self::name), codes that Windows derives from
/// an HTTP status are named [by rule](Self::with_name), and unknown ones are kept.
/// Zero means "no error" and is not a value of this type. In a message, an empty value or zero
/// means that the field is absent.
///
/// The prefix is `0x`, `0X`, `x`, `X` or empty, and there are one to eight digits. The value is
/// written as `0x%08X`.
///
/// ```text
/// hresult = [ "0x" / "x" ] 1*8HEXDIG
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotHexadecimal`]; and, unless the function returns an `Option`,
/// [`ErrorKind::Empty`] and [`ErrorKind::ZeroErrorCode`].
///
/// # Example
///
/// ```
/// use bits_proto::field::HResult;
///
/// assert_eq!("x8020001F".parse::<HResult>()?, HResult::BG_E_SESSION_NOT_FOUND);
/// assert_eq!(HResult::parse("0x0")?, None);
/// assert_eq!(HResult::E_INVALIDARG.to_string(), "0x80070057");
/// assert_eq!(HResult::E_INVALIDARG.name(), Some("E_INVALIDARG"));
/// assert_eq!(u32::from(HResult::E_INVALIDARG), 0x8007_0057);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2; Microsoft's page on BITS return values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct HResult(NonZeroU32);

macro_rules! known {
    ($($name:ident $value:literal $description:literal;)+) => {
        impl HResult {
            $(
                #[doc = concat!("`", stringify!($value), "`: ", $description, ".")]
                pub const $name: Self = Self::known($value);
            )+

            /// Every value that has a name.
            pub const KNOWN: &'static [Self] = &[$( Self::$name, )+];

            /// Returns the name of a known value, as in the headers of Windows. The names of
            /// codes of Win32 and of the two codes for a full disk are specific to this crate.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0.get() {
                    $( $value => Some(stringify!($name)), )+
                    _ => None,
                }
            }

            /// Returns a description of a known value, in lower case and without a full stop.
            #[must_use]
            pub const fn description(self) -> Option<&'static str> {
                match self.0.get() {
                    $( $value => Some($description), )+
                    _ => None,
                }
            }
        }
    };
}

known! {
    BG_S_PARTIAL_COMPLETE 0x0020_0017 "only some of the files were transferred";
    BG_S_UNABLE_TO_DELETE_FILES 0x0020_001A "temporary files could not be deleted";
    BG_S_OVERRIDDEN_BY_POLICY 0x0020_0055 "a group policy overrides the setting";
    E_ACCESSDENIED 0x8007_0005 "access is denied";
    FILE_EXISTS 0x8007_0050 "the file exists (ERROR_FILE_EXISTS of Win32)";
    E_INVALIDARG 0x8007_0057 "invalid request";
    DISK_FULL 0x8007_0070 "the disk is full (the code of Win32)";
    INVALID_NAME 0x8007_007B "the name is invalid (ERROR_INVALID_NAME of Win32)";
    ALREADY_EXISTS 0x8007_00B7 "the file already exists (ERROR_ALREADY_EXISTS of Win32)";
    DISK_FULL_MC_BUP 0x8007_0112 "the disk is full (the code in the specification)";
    BG_E_HTTP_ERROR_400 0x8019_0190 "HTTP 400: bad request";
    BG_E_HTTP_ERROR_401 0x8019_0191 "HTTP 401: unauthorised";
    BG_E_HTTP_ERROR_404 0x8019_0194 "HTTP 404: not found";
    BG_E_HTTP_ERROR_407 0x8019_0197 "HTTP 407: proxy authentication required";
    BG_E_HTTP_ERROR_414 0x8019_019E "HTTP 414: URI too long";
    BG_E_HTTP_ERROR_501 0x8019_01F5 "HTTP 501: not implemented";
    BG_E_HTTP_ERROR_503 0x8019_01F7 "HTTP 503: service unavailable";
    BG_E_HTTP_ERROR_504 0x8019_01F8 "HTTP 504: gateway timeout";
    BG_E_HTTP_ERROR_505 0x8019_01F9 "HTTP 505: HTTP version not supported";
    BG_E_NOT_FOUND 0x8020_0001 "the job does not exist";
    BG_E_INVALID_STATE 0x8020_0002 "not allowed in the current state of the job";
    BG_E_EMPTY 0x8020_0003 "the job has no files";
    BG_E_FILE_NOT_AVAILABLE 0x8020_0004 "the error does not concern a file";
    BG_E_PROTOCOL_NOT_AVAILABLE 0x8020_0005 "the error does not concern a transfer protocol";
    BG_E_DESTINATION_LOCKED 0x8020_000D "the destination volume is locked";
    BG_E_VOLUME_CHANGED 0x8020_000E "the destination volume has changed";
    BG_E_ERROR_INFORMATION_UNAVAILABLE 0x8020_000F "information about the error is not available";
    BG_E_NETWORK_DISCONNECTED 0x8020_0010 "there is no network connection";
    BG_E_MISSING_FILE_SIZE 0x8020_0011 "the server did not return the size of the entity";
    BG_E_INSUFFICIENT_HTTP_SUPPORT 0x8020_0012 "the server does not support HTTP/1.1";
    BG_E_INSUFFICIENT_RANGE_SUPPORT 0x8020_0013 "the server or a proxy does not support ranges";
    BG_E_REMOTE_NOT_SUPPORTED 0x8020_0014 "BITS cannot be used remotely";
    BG_E_NEW_OWNER_DIFF_MAPPING 0x8020_0015 "the drive mapping of the new owner differs";
    BG_E_NEW_OWNER_NO_FILE_ACCESS 0x8020_0016 "the new owner has no access to the temporary files";
    BG_E_PROXY_LIST_TOO_LARGE 0x8020_0018 "the proxy list is too long";
    BG_E_PROXY_BYPASS_LIST_TOO_LARGE 0x8020_0019 "the proxy bypass list is too long";
    BG_E_TOO_MANY_FILES 0x8020_001C "an upload job contains more than one file";
    BG_E_LOCAL_FILE_CHANGED 0x8020_001D "the entity changed during the upload";
    BG_E_SESSION_NOT_FOUND 0x8020_001F "the session does not exist; the upload must be restarted";
    BG_E_TOO_LARGE 0x8020_0020 "the entity or fragment exceeds the limit of the server";
    BG_E_STRING_TOO_LONG 0x8020_0021 "a string is too long";
    BG_E_CLIENT_SERVER_PROTOCOL_MISMATCH 0x8020_0022 "client and server support no common protocol";
    BG_E_SERVER_EXECUTE_ENABLED 0x8020_0023 "uploads are disabled because the directory allows scripts";
    BG_E_USERNAME_TOO_LARGE 0x8020_0025 "the user name is too long";
    BG_E_PASSWORD_TOO_LARGE 0x8020_0026 "the password is too long";
    BG_E_INVALID_AUTH_TARGET 0x8020_0027 "invalid authentication target";
    BG_E_INVALID_AUTH_SCHEME 0x8020_0028 "invalid authentication scheme";
    BG_E_INVALID_RANGE 0x8020_002B "the range lies outside the entity";
    BG_E_OVERLAPPING_RANGES 0x8020_002C "ranges overlap";
    BG_E_BLOCKED_BY_POLICY 0x8020_003E "a group policy blocks transfers";
    BG_E_INVALID_PROXY_INFO 0x8020_003F "invalid proxy settings";
    BG_E_INVALID_CREDENTIALS 0x8020_0040 "invalid format of the credentials";
    BG_E_RECORD_DELETED 0x8020_0042 "the cache record was deleted";
    BG_E_UPNP_ERROR 0x8020_0045 "the gateway reported an error";
    BG_E_PEERCACHING_DISABLED 0x8020_0047 "peer caching is disabled";
    BG_E_BUSYCACHERECORD 0x8020_0048 "the cache record is in use";
    BG_E_TOO_MANY_JOBS_PER_USER 0x8020_0049 "the user has too many jobs";
    BG_E_TOO_MANY_JOBS_PER_MACHINE 0x8020_0050 "the computer has too many jobs";
    BG_E_TOO_MANY_FILES_IN_JOB 0x8020_0051 "the job has too many files";
    BG_E_TOO_MANY_RANGES_IN_FILE 0x8020_0052 "the file has too many ranges";
    BG_E_VALIDATION_FAILED 0x8020_0053 "validation of the received data failed";
    BG_E_MAXDOWNLOAD_TIMEOUT 0x8020_0054 "the download exceeded its time limit";
}

/// The part of a code that marks it as derived from an HTTP status code.
const FACILITY_HTTP: u32 = 0x8019_0000;

impl HResult {
    /// Creates a value from its number. `None` for zero, which means "no error".
    #[must_use]
    pub const fn new(value: u32) -> Option<Self> {
        match NonZeroU32::new(value) {
            Some(value) => Some(Self(value)),
            None => None,
        }
    }

    const fn known(value: u32) -> Self {
        match NonZeroU32::new(value) {
            Some(value) => Self(value),
            None => Self(NonZeroU32::MAX),
        }
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Returns true if the code means a failure: its highest bit is set.
    ///
    /// ```
    /// use bits_proto::field::HResult;
    ///
    /// assert!(HResult::BG_E_SESSION_NOT_FOUND.is_failure());
    /// assert!(!"0x1".parse::<HResult>()?.is_failure());
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    ///
    /// Source: \[MS-ERREF\] 2.1.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        self.get() >> 31 == 1
    }

    /// Returns the code for an HTTP status code: `0x80190000` plus the status code, such as
    /// [`BG_E_HTTP_ERROR_503`](Self::BG_E_HTTP_ERROR_503). `None` for status
    /// codes outside 300 to 999.
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            300..=999 => Self::new(FACILITY_HTTP | status as u32),
            _ => None,
        }
    }

    /// Returns the HTTP status code that the code represents: `0x80190000` plus 100 to 999.
    ///
    /// Windows derives such codes from the status codes of servers and proxies, also those without a
    /// constant here.
    ///
    /// ```
    /// use bits_proto::field::HResult;
    /// use bits_proto::http1::StatusCode;
    ///
    /// let code: HResult = "0x80190193".parse()?;
    /// assert_eq!(code.http_status(), Some(StatusCode::FORBIDDEN));
    /// assert_eq!(HResult::E_ACCESSDENIED.http_status(), None);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub fn http_status(self) -> Option<StatusCode> {
        let status = self.get().checked_sub(FACILITY_HTTP)?;
        u16::try_from(status).ok().and_then(|status| StatusCode::try_from(status).ok())
    }

    /// Returns the code followed by its name, for display: the [name](Self::name) of a known value,
    /// or `HTTP` and the [status code](Self::http_status) that the code represents. An unknown code
    /// is displayed alone.
    ///
    /// ```
    /// use bits_proto::field::HResult;
    ///
    /// let text = |code: &str| code.parse().map(|code: HResult| code.with_name().to_string());
    /// assert_eq!(text("0x8020001F")?, "0x8020001F BG_E_SESSION_NOT_FOUND");
    /// assert_eq!(text("0x80190193")?, "0x80190193 HTTP 403");
    /// assert_eq!(text("0x80004005")?, "0x80004005");
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub fn with_name(self) -> impl fmt::Display {
        WithName(self)
    }

    /// Parses the value of the field. `None` if it is empty or zero.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotHexadecimal`] unless the value has one to eight digits.
    pub fn parse(value: impl AsRef<[u8]>) -> Result<Option<Self>, Error> {
        let value = value.as_ref();
        Self::decode(value).map_err(|error| FieldName::Error.value_error(value, error))
    }

    pub(crate) fn decode(value: &[u8]) -> Result<Option<Self>, ValueError> {
        if value.is_empty() {
            return Ok(None);
        }
        hexadecimal(value).map(Self::new)
    }

    fn from_wire(value: &[u8]) -> Result<Self, Error> {
        let absent = if value.is_empty() { ErrorKind::Empty } else { ErrorKind::ZeroErrorCode };
        let absent = ValueError::new(absent, 0);
        let code = Self::decode(value).and_then(|code| code.ok_or(absent));
        code.map_err(|error| FieldName::Error.value_error(value, error))
    }

    /// Returns true for both codes of a full disk.
    ///
    /// The specification prints 0x80070112. The code of Win32's error 112 is 0x80070070. Both are
    /// in use.
    #[must_use]
    pub const fn is_disk_full(self) -> bool {
        matches!(self, Self::DISK_FULL | Self::DISK_FULL_MC_BUP)
    }
}

try_from_wire!(HResult);

impl TryFrom<u32> for HResult {
    type Error = Error;

    fn try_from(value: u32) -> Result<Self, Error> {
        let zero = FieldName::Error.caller_error(ValueError::new(ErrorKind::ZeroErrorCode, 0));
        Self::new(value).ok_or(zero.at(None))
    }
}

impl From<NonZeroU32> for HResult {
    fn from(value: NonZeroU32) -> Self {
        Self(value)
    }
}

impl From<HResult> for u32 {
    fn from(code: HResult) -> Self {
        code.get()
    }
}

impl fmt::LowerHex for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

impl fmt::UpperHex for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::UpperHex::fmt(&self.0, f)
    }
}

impl fmt::Debug for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HResult({})", self.with_name())
    }
}

/// A code and its name.
struct WithName(HResult);

impl fmt::Display for WithName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(code) = self;
        match (code.name(), code.http_status()) {
            (Some(name), _) => write!(f, "{code} {name}"),
            (None, Some(status)) => write!(f, "{code} HTTP {status}"),
            (None, None) => write!(f, "{code}"),
        }
    }
}

impl Wire for HResult {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        put_hexadecimal(sink, self.get(), 8)
    }
}

wire_display!(HResult);
