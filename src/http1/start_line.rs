//! The start line of a message: the request line or the status line.

use super::framing::AllowedCoding;
use super::{RawSlot, StatusCode, Version, fast_path};
use crate::util::external::external;

/// The request line, the first line of a request.
///
/// ```text
/// request-line = method SP request-target SP HTTP-version
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::http1::{RequestLine, Version};
/// use bits_proto::message::{ParseOptions, Request};
///
/// let line = RequestLine { method: "BITS_POST", target: "/entity", version: Version::Http11 };
/// let fields = [("BITS-Packet-Type", &b"Ping"[..]), ("Content-Length", b"0")];
/// let decoded = Request::from_fields(line, fields, &ParseOptions::DEFAULT)?;
/// assert!(matches!(decoded.message, Request::Ping(_)));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 section 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLine<'b> {
    /// The method, which is case-sensitive.
    pub method: &'b str,
    /// The request target, in origin form (`/path?query`) or absolute form.
    pub target: &'b str,
    /// The HTTP version.
    pub version: Version,
}

/// The status line, the first line of a response.
///
/// ```text
/// status-line = HTTP-version SP 3DIGIT [ SP reason-phrase ]
/// ```
///
/// # Example
///
/// ```
/// use bits_proto::http1::{StatusCode, StatusLine, Version};
/// use bits_proto::message::{Ack, AckContext};
///
/// let line = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "OK" };
/// let fields = [("BITS-Packet-Type", &b"Ack"[..]), ("Content-Length", b"0")];
/// let decoded = Ack::from_fields(line, fields, &AckContext::Ping)?;
/// assert!(matches!(decoded.message, Ack::Ping(_)));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: RFC 9112 section 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusLine<'b> {
    /// The HTTP version.
    pub version: Version,
    /// The status code.
    pub status: StatusCode,
    /// The reason phrase, for display only. Empty if it is absent or not ASCII.
    pub reason: &'b str,
}

/// A start line: [`RequestLine`] or [`StatusLine`]. The trait is sealed.
pub trait StartLine<'b>: sealed::Read<'b> {}

impl<'b> StartLine<'b> for RequestLine<'b> {}
impl<'b> StartLine<'b> for StatusLine<'b> {}

pub(super) mod sealed {
    use super::{AllowedCoding, RawSlot};

    /// A complete head from httparse: start line, fields, and length in bytes.
    pub struct Raw<'h, 'b, L> {
        pub line: L,
        pub fields: &'h [httparse::Header<'b>],
        pub len: usize,
    }

    /// A start line without its text, its text, and the bytes after it.
    pub(crate) type Usual<'b, L> = (L, &'b [u8], &'b [u8]);

    /// The reason why a start line is not in the usual form.
    #[derive(Clone, Copy, Debug)]
    pub enum NotUsual {
        /// The input ends in the request target.
        Partial,
        /// httparse decides.
        Other,
    }

    /// Parses a start line. Its text, the request target or the reason phrase, is kept beside it.
    pub trait Read<'b>: Copy {
        /// Parses a start line in the usual form.
        fn read_usual(
            bytes: &'b [u8],
            methods: &'static [&'static str],
        ) -> Result<Usual<'b, Self>, NotUsual>;

        /// Returns the start line with its text.
        fn with_text(self, text: &'b str) -> Self;

        /// Returns the text.
        fn text(&self) -> &'b str;

        /// Parses a head with httparse.
        fn read<'h>(
            bytes: &'b [u8],
            slots: &'h mut [RawSlot<'b>],
        ) -> Result<httparse::Status<Raw<'h, 'b, Self>>, httparse::Error>;

        /// Returns the transfer codings that a message with this start line may have.
        fn allowed_coding(&self) -> AllowedCoding;
    }
}

use sealed::{NotUsual, Raw, Read, Usual};

impl<'b> Read<'b> for RequestLine<'b> {
    #[inline(always)]
    fn read_usual(
        bytes: &'b [u8],
        methods: &'static [&'static str],
    ) -> Result<Usual<'b, Self>, NotUsual> {
        fast_path::request_line(bytes, methods)
    }

    fn with_text(self, target: &'b str) -> Self {
        Self { target, ..self }
    }

    fn text(&self) -> &'b str {
        self.target
    }

    #[inline]
    fn read<'h>(
        bytes: &'b [u8],
        slots: &'h mut [RawSlot<'b>],
    ) -> Result<httparse::Status<Raw<'h, 'b, Self>>, httparse::Error> {
        let mut request = httparse::Request::new(&mut []);
        let status = external(|| request.parse_with_uninit_headers(bytes, slots))?;
        let line = Self {
            method: request.method.unwrap_or_default(),
            target: request.path.unwrap_or_default(),
            version: Version::from_minor(request.version),
        };
        Ok(complete(status, line, request.headers))
    }

    #[inline]
    fn allowed_coding(&self) -> AllowedCoding {
        AllowedCoding::None
    }
}

impl<'b> Read<'b> for StatusLine<'b> {
    #[inline(always)]
    fn read_usual(
        bytes: &'b [u8],
        _: &'static [&'static str],
    ) -> Result<Usual<'b, Self>, NotUsual> {
        fast_path::status_line(bytes).ok_or(NotUsual::Other)
    }

    fn with_text(self, reason: &'b str) -> Self {
        Self { reason, ..self }
    }

    fn text(&self) -> &'b str {
        self.reason
    }

    #[inline]
    fn read<'h>(
        bytes: &'b [u8],
        slots: &'h mut [RawSlot<'b>],
    ) -> Result<httparse::Status<Raw<'h, 'b, Self>>, httparse::Error> {
        let mut response = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let status =
            external(|| config.parse_response_with_uninit_headers(&mut response, bytes, slots))?;
        let line = Self {
            version: Version::from_minor(response.version),
            status: match response.code.map(StatusCode::try_from) {
                Some(Ok(status)) => status,
                Some(Err(_)) => return Err(httparse::Error::Status),
                None => return Ok(httparse::Status::Partial),
            },
            reason: response.reason.unwrap_or_default(),
        };
        Ok(complete(status, line, response.headers))
    }

    #[inline]
    fn allowed_coding(&self) -> AllowedCoding {
        match self.version {
            Version::Http10 => AllowedCoding::None,
            Version::Http11 => AllowedCoding::Chunked,
        }
    }
}

#[inline]
fn complete<'h, 'b, L>(
    status: httparse::Status<usize>,
    line: L,
    fields: &'h [httparse::Header<'b>],
) -> httparse::Status<Raw<'h, 'b, L>> {
    match status {
        httparse::Status::Complete(len) => httparse::Status::Complete(Raw { line, fields, len }),
        httparse::Status::Partial => httparse::Status::Partial,
    }
}
