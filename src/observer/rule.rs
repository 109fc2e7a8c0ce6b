//! The rules an observer watches over, and what it says when one is broken.

use core::fmt;

use crate::deviation::Deviation;
use crate::error::{Error, ErrorKind};

/// How much a rule weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Nothing forbids it, and no honest peer does it: a fault, a proxy, or an attack.
    Suspicious,
    /// The specification, or a page of Microsoft's, advises against it.
    Should,
    /// The specification, or a page of Microsoft's, forbids it.
    Must,
}

impl Severity {
    /// Every severity, the lightest first.
    pub const ALL: &'static [Self] = &[Self::Suspicious, Self::Should, Self::Must];

    /// A stable name: `MUST`, `SHOULD` or `suspicious`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspicious => "suspicious",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! sequence_rules {
    ($( $(#[$doc:meta])* $rule:ident $name:literal $section:literal $severity:ident $sentence:literal, )+) => {
        /// A rule about which message may follow which. Open: a later version may name more.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum SequenceRule {
            $(
                #[doc = concat!("*", $sentence, "* \\[MC-BUP\\] ", $section, ".")]
                ///
                $(#[$doc])*
                $rule,
            )+
        }

        impl SequenceRule {
            /// Every rule.
            pub const ALL: &'static [Self] = &[$( Self::$rule, )+];

            /// A stable kebab-case name, for logs and for machines.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$rule => $name, )+
                }
            }

            /// The section of \[MC-BUP\] that states it.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$rule => $section, )+
                }
            }

            /// How much it weighs.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self {
                    $( Self::$rule => Severity::$severity, )+
                }
            }

            /// A sentence that says what happened.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $( Self::$rule => $sentence, )+
                }
            }
        }
    };
}

sequence_rules! {
    // What the client does.
    /// Known only to an observer that was there from the beginning.
    RequestBeforeCreate "request-before-create" "1.3.1" Must
        "The request needs a session, and none was created.",
    /// Known only to an observer that has seen every session of the conversation.
    UnknownSession "unknown-session" "2.2.3.2" Must
        "The request names a session that the server has not issued, or that ended long ago.",
    /// Only a Ping and a Create-Session may follow.
    RequestAfterEnd "request-after-end" "3.1.5.2.1" Must
        "The session was closed or cancelled, or the server has said that it is gone.",
    /// The Close-Session may have ended it. A client that resumes in spite of that asks first.
    FragmentAfterClose "fragment-after-close" "3.1.5.1.5" Should
        "A Fragment follows a Close-Session that was not refused.",
    /// The client has given up the upload.
    RequestAfterCancel "request-after-cancel" "3.1.5.1.6" Should
        "A Fragment or a Close-Session follows a Cancel-Session that was not refused.",
    /// A client that has lost an Ack sends the fragment again; one that has it does not.
    OffsetGoesBack "offset-goes-back" "2.2.7.2" Must
        "The fragment begins before the offset that the server named, and no 416 asked for that.",
    /// The server cannot store what comes after a gap.
    OffsetSkipsAhead "offset-skips-ahead" "2.2.7.2" Must
        "The fragment begins beyond the offset that the server named.",
    /// The first fragment says how long the entity is.
    TotalChanges "total-changes" "2.2.6.1" Must
        "The fragment says another length of the entity than an earlier one of this session.",
    /// Names are compared byte for byte.
    ContentNameChanges "content-name-changes" "2.2.6.1" Should
        "Content-Name differs from the one that came with an earlier request of this session.",
    /// A client that goes on after a Ping may try again, and none goes below 5 KiB.
    FragmentNotSmaller "fragment-not-smaller" "3.1.5.2.4" Should
        "The fragment is as long as the one that the server refused with 413.",
    /// An entity of which no fragment was sent may be empty.
    CloseBeforeWhole "close-before-whole" "2.2.8" Must
        "Close-Session comes before the server has acknowledged all bytes of the entity.",
    /// On one connection.
    PipelinedRequest "pipelined-request" "3.1.5.1" Must
        "The request is sent before the one before it on this connection is answered.",
    /// On another connection, while nothing says that the client has given up the first.
    ConcurrentRequest "concurrent-request" "3.1.5.1" Suspicious
        "The request is sent while one on another connection is still to be answered.",
    /// The client may have failed to reach that host where no observer could see it.
    HostIdIgnored "host-id-ignored" "2.2.3.2" Suspicious
        "The request goes to another host than the one that BITS-Host-Id named.",

    // What the server does.
    /// Nothing is concluded from such an answer.
    UnsolicitedResponse "unasked-answer" "2.2.1" Must
        "The response answers no request.",
    /// Such as an offset in answer to a Ping. One that lacks what its request asks for is told by the
    /// fields that are missing.
    WrongAck "wrong-ack" "3.2.5.2.3" Must
        "The Ack carries what belongs into the Ack for another request.",
    /// Two uploads would be mixed up. Known of the sessions that are followed, which are two.
    SessionIdReused "session-id-reused" "2.2.1.2" Must
        "The server issues a session id for the second time.",
    /// What can be guessed can be taken over.
    SessionIdNotGuid "session-id-not-guid" "2.2.1.2" Suspicious
        "The session id that the server issues is no GUID, as the text has it; a page takes any text.",
    /// See [`RequestBeforeCreate`](Self::RequestBeforeCreate) and
    /// [`UnknownSession`](Self::UnknownSession).
    GrantedWithoutSession "granted-without-session" "3.2.5.2.3" Must
        "The server grants a request of a session that it has not issued.",
    /// The client would go on for ever, or a session be used by whoever knows its id.
    GrantedAfterEnd "granted-after-end" "3.2.5.2.3" Must
        "The server grants a request of a session that has ended.",
    /// What is wrong with it was said when it came.
    GrantedDespiteError "granted-despite-error" "3.2.5.2.3" Must
        "The server grants a request that it has to refuse.",
    /// Bytes in between were never sent, so the entity has a hole.
    GapGranted "gap-granted" "3.2.5.2.6" Must
        "The server takes a fragment that begins beyond everything that was sent.",
    /// What was acknowledged counts as stored.
    ReceivedGoesBack "received-goes-back" "2.2.7.2" Must
        "The server names a lower offset than before, and not with a 416.",
    /// A success says that the whole fragment is stored.
    ReceivedShort "received-short" "2.2.7.2" Must
        "The server takes the fragment and names an offset inside it.",
    /// The client would send the same fragment again, for ever.
    NeedlessResynchronisation "needless-resynchronisation" "3.2.5.2.6" Must
        "The 416 names the very offset at which the fragment began.",
    /// It would make the client skip bytes.
    ResynchronisedBeyondSent "resynchronised-beyond-sent" "3.2.5.2.6" Must
        "The 416 names an offset beyond everything that was sent.",
    /// A Ping and a Create-Session belong to no session.
    NoSessionToLose "no-session-to-lose" "3.2.5.2.2" Suspicious
        "The server says 'session not found' to a request that belongs to no session.",
    /// Clients go by the one or by the other.
    UnusualStatus "unusual-status" "3.2.5.2.3" Suspicious
        "The status is not the one that the specification has for the error code.",
    /// Its reply may be meant for somebody else; see [`ReplyUrl`](crate::field::ReplyUrl).
    ReplyUrlElsewhere "reply-url-elsewhere" "2.2.7.2" Suspicious
        "BITS-Reply-URL names another host than the one that the client began with.",
    /// An upload has one reply.
    ReplyUrlChanges "reply-url-changes" "2.2.7.2" Suspicious
        "BITS-Reply-URL differs from the one that came with an earlier Ack of this session.",
    /// The server application is told of whole entities only.
    EarlyNotification "early-notification" "3.2.5.1.3" Must
        "The server application is notified before all bytes of the entity were sent.",
    /// By value, the entity is the body.
    NotificationLength "notification-length" "2.2.12.3" Must
        "The notification is longer or shorter than the entity.",
}

impl fmt::Display for SequenceRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A rule that a message breaks: of grammar and presence within the message, or of sequence.
///
/// Its `Display` is the sentence: what happened, and for a field which, and where.
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
    /// The message cannot be read, or must not be acted on.
    Message(Error),
    /// The message departs from the specification and can be understood all the same.
    Deviation(Deviation),
    /// The message does not fit what went before it.
    Sequence(SequenceRule),
}

impl Violation {
    /// The rule's stable kebab-case name, for logs and for machines.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        match self {
            Self::Message(error) => error.kind().name(),
            Self::Deviation(deviation) => deviation.name(),
            Self::Sequence(rule) => rule.name(),
        }
    }

    /// The section of \[MC-BUP\] that states the rule.
    #[must_use]
    pub const fn section(&self) -> &'static str {
        match self {
            Self::Message(error) => error.section(),
            Self::Deviation(deviation) => deviation.section(),
            Self::Sequence(rule) => rule.section(),
        }
    }

    /// How much the rule weighs.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Message(error) => match error.kind() {
                ErrorKind::ValueTooLong => Severity::Should,
                _ => Severity::Must,
            },
            Self::Deviation(deviation) => of_deviation(*deviation),
            Self::Sequence(rule) => rule.severity(),
        }
    }
}

impl From<Error> for Violation {
    fn from(error: Error) -> Self {
        Self::Message(error)
    }
}

impl From<Deviation> for Violation {
    fn from(deviation: Deviation) -> Self {
        Self::Deviation(deviation)
    }
}

impl From<SequenceRule> for Violation {
    fn from(rule: SequenceRule) -> Self {
        Self::Sequence(rule)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(error) => error.fmt(f),
            Self::Deviation(deviation) => f.write_str(deviation.description()),
            Self::Sequence(rule) => f.write_str(rule.description()),
        }
    }
}

const fn of_deviation(deviation: Deviation) -> Severity {
    match deviation {
        Deviation::Http10
        | Deviation::MethodOverride
        | Deviation::PlainPost
        | Deviation::DuplicateField
        | Deviation::MissingContentLength
        | Deviation::UnexpectedBody
        | Deviation::UnbracedGuid
        | Deviation::RangeWhiteSpace
        | Deviation::MissingSessionId
        | Deviation::OtherSessionId
        | Deviation::MissingProtocol
        | Deviation::HostIdPort
        | Deviation::TimeoutWithoutHostId
        | Deviation::MissingReceived
        | Deviation::MisspeltReceived
        | Deviation::ErrorOnSuccess
        | Deviation::ErrorFieldsDisagree
        | Deviation::MissingError
        | Deviation::MissingErrorContext
        | Deviation::ContextWithoutError
        | Deviation::UnknownErrorContext
        | Deviation::RelativeStaticUrl
        | Deviation::RelativeOriginalUrl => Severity::Must,
        // The text requires the timeout, and a page says what its absence means.
        Deviation::HostIdWithoutTimeout
        | Deviation::LongValue
        | Deviation::LongContentName
        | Deviation::EarlyReplyUrl => Severity::Should,
        Deviation::MissingPacketType
        | Deviation::UnexpectedField
        | Deviation::JoinedProtocols
        | Deviation::ExcessProtocols
        | Deviation::UnexpectedCreated
        | Deviation::UnsupportedAcceptEncoding
        | Deviation::LongReplyUrl => Severity::Suspicious,
    }
}

#[cfg(feature = "serde")]
crate::util::serialize::serialize_name!(SequenceRule, Severity);

#[cfg(feature = "serde")]
impl serde::Serialize for Violation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;

        let error = match self {
            Self::Message(error) => Some(error),
            Self::Deviation(_) | Self::Sequence(_) => None,
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
