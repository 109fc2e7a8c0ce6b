//! BITS-Error and BITS-Error-Code.

use core::fmt;
use core::num::NonZeroU32;

use crate::error::{Error, ValueError};
use crate::field::FieldName;
use crate::util::digits::hexadecimal;
use crate::util::sink::{Sink, Wire, put_hexadecimal, wire_display};

/// [2.2.1.2] BITS-Error, BITS-Error-Code: an HRESULT that says why a request was refused.
///
/// The set is open: known values have [names](Self::name), unknown ones are kept. Zero means that
/// there is no error, and is no value of this type.
///
/// Read with the prefix `0x`, `0X`, `x` or none, and with one to eight digits; written
/// `0x%08X`.
///
/// ```text
/// hresult = [ "0x" / "x" ] 1*8HEXDIG
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::field::HResult;
///
/// let code = HResult::parse("x8020001F")?;
/// assert_eq!(code, Some(HResult::BG_E_SESSION_NOT_FOUND));
/// assert_eq!(HResult::E_INVALIDARG.to_string(), "0x80070057");
/// assert_eq!(HResult::E_INVALIDARG.name(), Some("E_INVALIDARG"));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2; Microsoft's page on BITS return values.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(transparent))]
pub struct HResult(NonZeroU32);

macro_rules! known {
    ($($name:ident $value:literal $sentence:literal;)+) => {
        impl HResult {
            $(
                #[doc = concat!("`", stringify!($value), "`: ", $sentence)]
                pub const $name: Self = Self::known($value);
            )+

            /// Every value that has a name.
            pub const KNOWN: &'static [Self] = &[$( Self::$name, )+];

            /// The name of a known value, as the headers of Windows have it; that of the two
            /// spellings of a full disk is our own.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0.get() {
                    $( $value => Some(stringify!($name)), )+
                    _ => None,
                }
            }

            /// What a known value means, in a sentence.
            #[must_use]
            pub const fn description(self) -> Option<&'static str> {
                match self.0.get() {
                    $( $value => Some($sentence), )+
                    _ => None,
                }
            }
        }
    };
}

known! {
    BG_S_PARTIAL_COMPLETE 0x0020_0017 "Only some of the files were transferred.";
    BG_S_UNABLE_TO_DELETE_FILES 0x0020_001A "Temporary files were left behind.";
    BG_S_OVERRIDDEN_BY_POLICY 0x0020_0055 "A group policy overrides the setting.";
    E_ACCESSDENIED 0x8007_0005 "Access is denied.";
    E_INVALIDARG 0x8007_0057 "The request is not valid.";
    DISK_FULL 0x8007_0070 "The disk is full, as Win32 spells it.";
    DISK_FULL_MC_BUP 0x8007_0112 "The disk is full, as the specification spells it.";
    BG_E_HTTP_ERROR_400 0x8019_0190 "HTTP 400: bad request.";
    BG_E_HTTP_ERROR_401 0x8019_0191 "HTTP 401: unauthorised.";
    BG_E_HTTP_ERROR_404 0x8019_0194 "HTTP 404: not found.";
    BG_E_HTTP_ERROR_407 0x8019_0197 "HTTP 407: proxy authentication required.";
    BG_E_HTTP_ERROR_414 0x8019_019E "HTTP 414: URI too long.";
    BG_E_HTTP_ERROR_501 0x8019_01F5 "HTTP 501: not implemented.";
    BG_E_HTTP_ERROR_503 0x8019_01F7 "HTTP 503: service unavailable.";
    BG_E_HTTP_ERROR_504 0x8019_01F8 "HTTP 504: gateway timeout.";
    BG_E_HTTP_ERROR_505 0x8019_01F9 "HTTP 505: HTTP version not supported.";
    BG_E_NOT_FOUND 0x8020_0001 "There is no such job.";
    BG_E_INVALID_STATE 0x8020_0002 "The job is in a state that does not allow it.";
    BG_E_EMPTY 0x8020_0003 "The job has no files.";
    BG_E_FILE_NOT_AVAILABLE 0x8020_0004 "The error concerns no file.";
    BG_E_PROTOCOL_NOT_AVAILABLE 0x8020_0005 "The error concerns no transfer protocol.";
    BG_E_DESTINATION_LOCKED 0x8020_000D "The destination volume is locked.";
    BG_E_VOLUME_CHANGED 0x8020_000E "The destination volume is another one now.";
    BG_E_ERROR_INFORMATION_UNAVAILABLE 0x8020_000F "Nothing is known about the error.";
    BG_E_NETWORK_DISCONNECTED 0x8020_0010 "There is no network.";
    BG_E_MISSING_FILE_SIZE 0x8020_0011 "The server did not say how long the entity is.";
    BG_E_INSUFFICIENT_HTTP_SUPPORT 0x8020_0012 "The server does not speak HTTP/1.1.";
    BG_E_INSUFFICIENT_RANGE_SUPPORT 0x8020_0013 "The server, or a proxy before it, does not support ranges.";
    BG_E_REMOTE_NOT_SUPPORTED 0x8020_0014 "BITS cannot be used remotely.";
    BG_E_NEW_OWNER_DIFF_MAPPING 0x8020_0015 "The new owner maps the drive differently.";
    BG_E_NEW_OWNER_NO_FILE_ACCESS 0x8020_0016 "The new owner cannot open the temporary files.";
    BG_E_PROXY_LIST_TOO_LARGE 0x8020_0018 "The list of proxies is too long.";
    BG_E_PROXY_BYPASS_LIST_TOO_LARGE 0x8020_0019 "The list of hosts without a proxy is too long.";
    BG_E_TOO_MANY_FILES 0x8020_001C "An upload job holds one file.";
    BG_E_LOCAL_FILE_CHANGED 0x8020_001D "The entity changed while it was uploaded.";
    BG_E_SESSION_NOT_FOUND 0x8020_001F "The server knows no such session; the upload has to start over.";
    BG_E_TOO_LARGE 0x8020_0020 "The entity, or the fragment, is larger than the server takes.";
    BG_E_STRING_TOO_LONG 0x8020_0021 "A text is too long.";
    BG_E_CLIENT_SERVER_PROTOCOL_MISMATCH 0x8020_0022 "Client and server have no protocol in common.";
    BG_E_SERVER_EXECUTE_ENABLED 0x8020_0023 "The directory allows scripts, so it takes no uploads.";
    BG_E_USERNAME_TOO_LARGE 0x8020_0025 "The user name is too long.";
    BG_E_PASSWORD_TOO_LARGE 0x8020_0026 "The password is too long.";
    BG_E_INVALID_AUTH_TARGET 0x8020_0027 "There is no such target of authentication.";
    BG_E_INVALID_AUTH_SCHEME 0x8020_0028 "There is no such scheme of authentication.";
    BG_E_INVALID_RANGE 0x8020_002B "The range lies outside the entity.";
    BG_E_OVERLAPPING_RANGES 0x8020_002C "Ranges overlap.";
    BG_E_BLOCKED_BY_POLICY 0x8020_003E "A group policy blocks transfers now.";
    BG_E_INVALID_PROXY_INFO 0x8020_003F "The proxy settings are not valid.";
    BG_E_INVALID_CREDENTIALS 0x8020_0040 "The credentials have the wrong form.";
    BG_E_RECORD_DELETED 0x8020_0042 "The cache record is gone.";
    BG_E_UPNP_ERROR 0x8020_0045 "The gateway reported an error.";
    BG_E_PEERCACHING_DISABLED 0x8020_0047 "Peer caching is off.";
    BG_E_BUSYCACHERECORD 0x8020_0048 "The cache record is in use.";
    BG_E_TOO_MANY_JOBS_PER_USER 0x8020_0049 "The user has too many jobs.";
    BG_E_TOO_MANY_JOBS_PER_MACHINE 0x8020_0050 "The machine has too many jobs.";
    BG_E_TOO_MANY_FILES_IN_JOB 0x8020_0051 "The job has too many files.";
    BG_E_TOO_MANY_RANGES_IN_FILE 0x8020_0052 "The file has too many ranges.";
    BG_E_VALIDATION_FAILED 0x8020_0053 "What was received is not valid.";
    BG_E_MAXDOWNLOAD_TIMEOUT 0x8020_0054 "The download took too long.";
}

impl HResult {
    /// A value; `None` for zero, which is no error.
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

    /// The 32 bits.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// The code that stands for a status of HTTP: `0x80190000` and the status, such as
    /// [`BG_E_HTTP_ERROR_503`](Self::BG_E_HTTP_ERROR_503). `None` for what is no failure.
    #[must_use]
    pub const fn from_status(status: u16) -> Option<Self> {
        match status {
            300..=999 => Self::new(0x8019_0000 | status as u32),
            _ => None,
        }
    }

    /// Reads the wire form. `None` for an empty value and for zero.
    ///
    /// # Errors
    ///
    /// [`NotHexadecimal`](crate::error::ErrorKind::NotHexadecimal) for anything but one to eight digits.
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

    /// Whether the disk is full: the specification prints 0x80070112, Win32's error 112 is
    /// 0x80070070, and both are in use.
    #[must_use]
    pub const fn is_disk_full(self) -> bool {
        matches!(self, Self::DISK_FULL | Self::DISK_FULL_MC_BUP)
    }
}

impl fmt::Debug for HResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "HResult({self} {name})"),
            None => write!(f, "HResult({self})"),
        }
    }
}

impl Wire for HResult {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        put_hexadecimal(sink, self.get(), 8)
    }
}

wire_display!(HResult);
