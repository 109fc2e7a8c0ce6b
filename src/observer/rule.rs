//! The rules of sequence that an observer checks, and their severities.

use core::fmt;

/// The severity of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Not forbidden, but a sign of a fault, a proxy, or an attack.
    Suspicious,
    /// The specification or Microsoft's documentation of the packets advises against it.
    Should,
    /// The specification or Microsoft's documentation of the packets forbids it.
    Must,
}

impl Severity {
    /// Every severity, the lowest first.
    pub const ALL: &'static [Self] = &[Self::Suspicious, Self::Should, Self::Must];

    /// Returns a stable name: `MUST`, `SHOULD` or `suspicious`.
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

/// Declares an enumeration of rules with name, section, severity and description.
macro_rules! rules {
    (
        $(#[$type_doc:meta])*
        $type:ident
        $( $(#[$doc:meta])* $rule:ident $name:literal $section:literal $severity:ident $description:literal, )+
    ) => {
        $(#[$type_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $type {
            $(
                #[doc = concat!("*", $description, "* (\\[MC-BUP\\] ", $section, ").")]
                ///
                $(#[$doc])*
                $rule,
            )+
        }

        impl $type {
            /// Every rule, in the order of declaration.
            pub const ALL: &'static [Self] = &[$( Self::$rule, )+];

            /// Returns a stable kebab-case name, for logs and programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$rule => $name, )+
                }
            }

            /// Returns the section of \[MC-BUP\] with the rule.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$rule => $section, )+
                }
            }

            /// Returns the severity of the rule.
            #[must_use]
            pub const fn severity(self) -> $crate::observer::Severity {
                match self {
                    $( Self::$rule => $crate::observer::Severity::$severity, )+
                }
            }

            /// Returns a description of the violation and the requirement, in lower case and
            /// without a full stop.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $( Self::$rule => $description, )+
                }
            }
        }

        impl core::fmt::Display for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.name())
            }
        }

        #[cfg(feature = "serde")]
        $crate::util::serialize::serialize_name!($type);
    };
}
pub(super) use rules;

rules! {
    /// A rule about the order and agreement of messages. Later versions may add rules.
    SequenceRule
    // Rules for clients.
    /// Reported only by an observer that started with the conversation.
    RequestBeforeCreate "request-before-create" "1.3.1" Must
        "request needs a session, but none was created; a client must create one with Create-Session",
    /// Reported only if the observer knows every session that may be open. The id may be that of a
    /// session that ended long ago.
    UnknownSession "unknown-session" "2.2.3.2" Must
        "request has a session id that the server did not issue; it must have the id in the Ack for Create-Session",
    /// The session was closed or cancelled, or the server does not know it.
    RequestAfterEnd "request-after-end" "3.1.5.2.1" Must
        "request needs a session that has ended; a client must create another one with Create-Session",
    /// The server may already have closed the session.
    FragmentAfterClose "fragment-after-close" "3.1.5.1.5" Should
        "Fragment after a Close-Session that the server did not reject; a closed session accepts no fragments",
    /// The server may already have cancelled the session.
    RequestAfterCancel "request-after-cancel" "3.1.5.1.6" Should
        "Fragment or Close-Session after a Cancel-Session that the server did not reject; a cancelled session accepts neither",
    /// A client that missed an Ack may repeat the fragment. This is reported only if the client
    /// received the Ack.
    OffsetGoesBack "offset-goes-back" "2.2.7.2" Must
        "fragment starts before the offset in the last Ack; it must start at that offset",
    /// The offset is 0 before the first Ack.
    OffsetSkipsAhead "offset-skips-ahead" "2.2.7.2" Must
        "fragment starts after the offset in the last Ack; it must start at that offset",
    /// The first fragment sets the total length.
    TotalChanges "total-changes" "2.2.6.1" Must
        "total length in Content-Range differs from that in an earlier fragment of the session; it must not change",
    /// Names are compared byte for byte.
    ContentNameChanges "content-name-changes" "2.2.6.1" Should
        "Content-Name differs from that in an earlier request of the session; it should not change",
    /// Fragments up to 5 KiB are exempt, and so is a retry after a Ping.
    FragmentNotSmaller "fragment-not-smaller" "3.1.5.2.4" Should
        "fragment is not shorter than one that the server rejected with 413; a client should send shorter ones",
    /// An entity without any fragment may be empty, and can be closed.
    CloseBeforeComplete "close-before-whole" "2.2.8" Must
        "Close-Session before the server acknowledged all bytes of the entity; the upload must be complete",
    /// Reported for two requests on the same connection.
    PipelinedRequest "pipelined-request" "3.1.5.1" Must
        "request before the response to an earlier one on the same connection; a client must wait for it",
    /// Suspicious only, because the client may have given up the earlier request.
    ConcurrentRequest "concurrent-request" "3.1.5.1" Suspicious
        "request before the response to an earlier one on another connection; a client sends one at a time",
    /// Suspicious only, because the host may be unreachable for the client.
    HostIdIgnored "host-id-ignored" "2.2.3.2" Suspicious
        "Host is not the host in BITS-Host-Id of the Ack for Create-Session; a client must continue there",

    // Rules for servers.
    /// The observer ignores such a response.
    UnsolicitedResponse "unasked-answer" "2.2.1" Must
        "response without a pending request on its connection; a server must respond only to requests",
    /// An example is an offset in the Ack for a Ping. A missing field is an error of its own.
    WrongAck "wrong-ack" "3.2.5.2.3" Must
        "Ack has fields of the Ack for another kind of request; it must match its request",
    /// Compared with the last two sessions.
    SessionIdReused "session-id-reused" "2.2.1.2" Must
        "session id in the Ack for Create-Session is that of an earlier session; it must be unique",
    /// A third party can guess an id that is not random, and take over the session. Microsoft's
    /// documentation of the packet allows any text.
    SessionIdNotGuid "session-id-not-guid" "2.2.1.2" Suspicious
        "session id in the Ack for Create-Session is not a GUID; the specification defines it as one",
    /// Reported for the requests of [`RequestBeforeCreate`](Self::RequestBeforeCreate) and
    /// [`UnknownSession`](Self::UnknownSession).
    AcceptedWithoutSession "granted-without-session" "3.2.5.2.3" Must
        "success for a request whose session the server did not issue; the server must respond with session not found (0x8020001F)",
    /// The client might continue forever, and any party that knows the id might use the session.
    AcceptedAfterEnd "granted-after-end" "3.2.5.2.3" Must
        "success for a request whose session has ended; the server must respond with session not found (0x8020001F)",
    /// The error of the request is reported with the request.
    AcceptedDespiteError "granted-despite-error" "3.2.5.2.3" Must
        "success for an invalid request; the server must reject it",
    /// The entity has bytes that the client never sent.
    GapAccepted "gap-granted" "3.2.5.2.6" Must
        "success for a fragment that leaves a gap after the bytes sent so far; the server must respond with 416",
    /// Reported if the caller knows that the body ended early, and for a Fragment with
    /// Content-Length 0, which is the first part of an authentication. Bytes that the server
    /// received before may be acknowledged again. An observer that starts late assumes that no
    /// earlier fragment was longer.
    AcknowledgedUnsent "acknowledged-unsent" "2.2.7.2" Must
        "success for a fragment whose body did not arrive completely; the server must not acknowledge missing bytes",
    /// Acknowledged bytes count as stored. A 416 may lower the offset.
    ReceivedGoesBack "received-goes-back" "2.2.7.2" Must
        "BITS-Received-Content-Range is lower than in an earlier Ack; a successful Ack must not lower it",
    /// A success means that the whole fragment is stored. Not reported if its body ended early.
    ReceivedInsideFragment "received-short" "2.2.7.2" Must
        "BITS-Received-Content-Range is before the end of the fragment; a success must acknowledge all of it",
    /// The client would repeat the same fragment without end.
    NeedlessResynchronisation "needless-resynchronisation" "3.2.5.2.6" Must
        "416 with the offset at which the fragment started; the server must accept a fragment at that offset",
    /// The client would skip bytes.
    ResynchronisedBeyondSent "resynchronised-beyond-sent" "3.2.5.2.6" Must
        "416 with an offset beyond the bytes sent so far; the server cannot have received more",
    /// Ping and Create-Session belong to no session.
    UnexpectedSessionNotFound "no-session-to-lose" "3.2.5.2.2" Suspicious
        "error code session not found (0x8020001F) for a Ping or Create-Session, which need no session",
    /// Some clients react to the status code, others to the error code.
    StatusMismatch "unusual-status" "3.2.5.2.3" Suspicious
        "status code is not the one that the specification assigns to the error code, such as 500 to 0x8020001F",
    /// Another party may receive the reply; see [`ReplyUrl`](crate::field::ReplyUrl).
    ReplyUrlOtherHost "reply-url-elsewhere" "2.2.7.2" Suspicious
        "BITS-Reply-URL is neither on the host of the first Create-Session nor on the host in BITS-Host-Id",
    /// The URLs are compared byte for byte.
    ReplyUrlChanges "reply-url-changes" "2.2.7.2" Suspicious
        "BITS-Reply-URL differs from that in an earlier Ack of the session; an upload has one reply",
    /// The server application receives complete entities only.
    EarlyNotification "early-notification" "3.2.5.1.3" Must
        "notification before the client sent all bytes of the entity; the upload must be complete",
    /// Reported for notifications by value.
    NotificationLengthMismatch "notification-length" "2.2.12.3" Must
        "Content-Length of the notification differs from the length of the entity; the content must be the whole entity",
}

#[cfg(feature = "serde")]
crate::util::serialize::serialize_name!(Severity);
