//! The violations that an observer reports.

use core::fmt;

use super::{DownloadRule, SequenceRule, Severity};
use crate::deviation::Deviation;
use crate::error::{Error, ErrorKind};
use crate::message::MessageKind;

/// A rule that a message violates: a rule of grammar, presence, sequence or downloads.
///
/// `Display` writes the description. That of an error contains the field, the received value and
/// the byte offset. That of a rule of sequence or of
/// downloads contains the numbers that disagree.
///
/// # Example
///
/// ```
/// use bits_proto::observer::{SequenceRule, Severity, Violation};
///
/// let violation = Violation::from(SequenceRule::TotalChanges);
/// assert_eq!(violation.rule(), "total-changes");
/// assert_eq!(violation.section(), "2.2.6.1");
/// assert_eq!(violation.severity(), Severity::Must);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Violation {
    /// The message has an error.
    Message(Error),
    /// The request that this response answers has an error.
    ///
    /// The error is the missing body of a Fragment with Content-Length 0. There is no error if the server
    /// asks for credentials (401, 407), or if the request has a token of NTLM or Negotiate: the
    /// first requests of an authentication have no body. Without a response it is not reported.
    Request(Error),
    /// The message deviates from the specification, but is unambiguous.
    Deviation {
        /// The deviation.
        deviation: Deviation,
        /// The kind of the message, if section and severity depend on it and it is known.
        kind: Option<MessageKind>,
    },
    /// The message does not fit the messages before it.
    Sequence {
        /// The rule.
        rule: SequenceRule,
        /// The numbers that disagree, if there are any.
        numbers: Option<Numbers>,
    },
    /// The response does not fit the download request or earlier responses.
    Download {
        /// The rule.
        rule: DownloadRule,
        /// The numbers that disagree, if there are any.
        numbers: Option<Numbers>,
    },
}

/// The numbers that show a violation of a [`SequenceRule`] or [`DownloadRule`].
///
/// # Example
///
/// ```
/// use bits_proto::observer::Numbers;
///
/// let numbers = Numbers::Mismatch { received: 50, expected: 100 };
/// assert_eq!(numbers.to_string(), "received 50, expected 100");
/// let numbers = Numbers::Missing { missing: 20, length: 30 };
/// assert_eq!(numbers.to_string(), "20 of 30 bytes are missing");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Numbers {
    /// The message has another number than the messages before it require.
    Mismatch {
        /// The number in the message, or in the request that it answers.
        received: u64,
        /// The number that the messages before it require.
        expected: u64,
    },
    /// The message has a larger number than the messages before it allow.
    AboveLimit {
        /// The number in the message.
        received: u64,
        /// The largest number that the messages before it allow.
        limit: u64,
    },
    /// Bytes are missing.
    Missing {
        /// The number of missing bytes.
        missing: u64,
        /// The expected number of bytes.
        length: u64,
    },
}

impl Violation {
    /// A deviation in a message of this kind.
    pub(super) const fn in_message(deviation: Deviation, kind: Option<MessageKind>) -> Self {
        let kind = match deviation {
            Deviation::ErrorOnSuccess | Deviation::MissingPacketType => kind,
            _ => None,
        };
        Self::Deviation { deviation, kind }
    }

    /// Returns true for a violation by the request that the response answers. The client is at fault,
    /// and not the sender of the response.
    #[must_use]
    pub const fn is_in_request(&self) -> bool {
        matches!(self, Self::Request(_))
    }

    /// Returns the stable kebab-case name of the rule, for logs and programs.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Message(error) | Self::Request(error) => error.kind().name(),
            Self::Deviation { deviation, .. } => deviation.name(),
            Self::Sequence { rule, .. } => rule.name(),
            Self::Download { rule, .. } => rule.name(),
        }
    }

    /// Returns the section of \[MC-BUP\] with the rule.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Message(error) | Self::Request(error) => error.section(),
            Self::Deviation { deviation: Deviation::ErrorOnSuccess, kind: Some(kind) } => {
                section_of_error_fields(*kind)
            }
            Self::Deviation { deviation, .. } => deviation.section(),
            Self::Sequence { rule, .. } => rule.section(),
            Self::Download { rule, .. } => rule.section(),
        }
    }

    /// Returns the severity of the rule.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Message(error) | Self::Request(error) => Self::severity_of(error.kind()),
            // The response has fields that only a server of this protocol sends, or it is the Ack
            // for a known request.
            Self::Deviation { kind: Some(_), .. } => Severity::Must,
            Self::Deviation { deviation, .. } => deviation_severity(*deviation),
            Self::Sequence { rule, .. } => rule.severity(),
            Self::Download { rule, .. } => rule.severity(),
        }
    }
}

impl Violation {
    /// Returns the severity of an error of this kind.
    #[doc(hidden)]
    #[must_use]
    pub const fn severity_of(kind: ErrorKind) -> Severity {
        match kind {
            ErrorKind::ValueTooLong => Severity::Should,
            _ => Severity::Must,
        }
    }

    /// Returns true for the statuses of the refusals that the specification defines with an error code.
    #[doc(hidden)]
    #[must_use]
    pub const fn status_needs_error_code(status: u16) -> bool {
        matches!(status, 400 | 403 | 411 | 501)
    }
}

/// Returns the section that forbids error fields in a successful Ack of this kind.
const fn section_of_error_fields(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::PingAck => "2.2.5.2",
        MessageKind::CreateSessionAck => "2.2.3.2",
        MessageKind::FragmentAck => "2.2.7.2",
        MessageKind::CloseSessionAck => "2.2.9.2",
        MessageKind::CancelSessionAck => "2.2.11.2",
        _ => Deviation::ErrorOnSuccess.section(),
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self::Message(error)
    }
}

impl From<Deviation> for Violation {
    fn from(deviation: Deviation) -> Self {
        Self::Deviation { deviation, kind: None }
    }
}

impl From<SequenceRule> for Violation {
    fn from(rule: SequenceRule) -> Self {
        Self::Sequence { rule, numbers: None }
    }
}

impl From<DownloadRule> for Violation {
    fn from(rule: DownloadRule) -> Self {
        Self::Download { rule, numbers: None }
    }
}

impl DownloadRule {
    pub(super) const fn with(self, numbers: Numbers) -> Violation {
        Violation::Download { rule: self, numbers: Some(numbers) }
    }
}

impl SequenceRule {
    const fn with(self, numbers: Numbers) -> Violation {
        Violation::Sequence { rule: self, numbers: Some(numbers) }
    }

    /// A violation by a number that differs from the expected one.
    pub(super) const fn with_mismatch(self, received: u64, expected: u64) -> Violation {
        self.with(Numbers::Mismatch { received, expected })
    }

    /// A violation by a number that exceeds the largest one that is allowed.
    pub(super) const fn with_limit(self, received: u64, limit: u64) -> Violation {
        self.with(Numbers::AboveLimit { received, limit })
    }

    /// A violation by missing bytes: the difference of an expected number and a smaller one.
    pub(super) const fn with_missing(self, missing: u64, length: u64) -> Violation {
        self.with(Numbers::Missing { missing, length })
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch { received, expected } => {
                write!(f, "received {received}, expected {expected}")
            }
            Self::AboveLimit { received, limit } => {
                write!(f, "received {received}, limit {limit}")
            }
            Self::Missing { missing, length } => {
                write!(f, "{missing} of {length} bytes are missing")
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) | Self::Request(error) => error.fmt(f),
            Self::Deviation { deviation, .. } => f.write_str(deviation.description()),
            Self::Sequence { rule, numbers } => write_rule(f, rule.description(), *numbers),
            Self::Download { rule, numbers } => write_rule(f, rule.description(), *numbers),
        }
    }
}

fn write_rule(
    f: &mut fmt::Formatter<'_>,
    description: &str,
    numbers: Option<Numbers>,
) -> fmt::Result {
    match numbers {
        Some(numbers) => write!(f, "{description} ({numbers})"),
        None => f.write_str(description),
    }
}

const fn deviation_severity(deviation: Deviation) -> Severity {
    match deviation {
        Deviation::Http10
        | Deviation::MethodOverride
        | Deviation::PlainPost
        | Deviation::MissingContentLength
        | Deviation::UnexpectedBody
        | Deviation::UnbracedGuid
        | Deviation::RangeWhiteSpace
        | Deviation::MissingSessionId
        | Deviation::OtherSessionId
        | Deviation::MissingProtocol
        | Deviation::ProtocolOnRefusal
        | Deviation::HostIdPort
        | Deviation::TimeoutWithoutHostId
        | Deviation::MissingReceived
        | Deviation::MisspeltReceived
        | Deviation::ErrorFieldsDisagree
        | Deviation::MissingError
        | Deviation::MissingErrorContext
        | Deviation::ContextWithoutError
        | Deviation::UnknownErrorContext
        | Deviation::UnreadableErrorCode
        | Deviation::UnreadableErrorContext
        | Deviation::UnreadableSessionId
        | Deviation::UnreadableReceived
        | Deviation::RelativeStaticUrl
        | Deviation::RelativeOriginalUrl => Severity::Must,
        // The specification requires the timeout. Microsoft's documentation of the packet defines
        // its absence.
        Deviation::HostIdWithoutTimeout
        | Deviation::LongValue
        | Deviation::LongContentName
        | Deviation::EarlyReplyUrl
        // The section of each Ack forbids the error fields. The common section advises against
        // them.
        | Deviation::ErrorOnSuccess => Severity::Should,
        // [RFC 9110 8.6] A proxy may have repeated the field or joined its values. The specification
        // does not mention repeated fields.
        Deviation::DuplicateField
        // A proxy may have sent the response.
        | Deviation::MissingPacketType
        | Deviation::ChunkedResponse
        | Deviation::UnexpectedField
        | Deviation::JoinedProtocols
        | Deviation::ExcessProtocols
        | Deviation::UnexpectedCreated
        | Deviation::UnexpectedSuccess
        | Deviation::ApplicationSuccess
        | Deviation::UnsupportedAcceptEncoding
        | Deviation::LongReplyUrl => Severity::Suspicious,
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Violation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let error = match self {
            Self::Message(error) | Self::Request(error) => Some(error),
            Self::Deviation { .. } | Self::Sequence { .. } | Self::Download { .. } => None,
        };
        let mut record = serializer.serialize_struct("Violation", 6)?;
        record.serialize_field("rule", self.rule())?;
        record.serialize_field("severity", &self.severity())?;
        record.serialize_field("section", self.section())?;
        record.serialize_field("field", &error.and_then(Error::field))?;
        record.serialize_field("offset", &error.and_then(Error::offset))?;
        record.serialize_field("message", &crate::util::serialize::AsDisplay(self))?;
        record.end()
    }
}
