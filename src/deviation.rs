//! Departures from the specification that are unambiguous enough to be accepted.
//!
//! Real peers break the specification's MUSTs, Microsoft's own captures among them. Reading
//! accepts what can mean only one thing and records each departure in a [`Deviations`] set, which
//! the caller can read, log, or refuse. Framing is never among them: what could make two readers
//! disagree about where a message ends is an [error](crate::error).

use core::fmt;

macro_rules! deviations {
    ($( $variant:ident $name:literal $section:literal $sentence:literal, )+) => {
        /// One departure from the specification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Deviation {
            $(
                #[doc = concat!($sentence, " Departs from \\[MC-BUP\\] ", $section, ".")]
                $variant,
            )+
        }

        impl Deviation {
            /// Every deviation, in the order of their names' declaration.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// A stable kebab-case name, for logs and for machines.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )+
                }
            }

            /// The section of \[MC-BUP\] it departs from.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$variant => $section, )+
                }
            }

            /// A sentence that says what is unusual and what was made of it.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $( Self::$variant => $sentence, )+
                }
            }
        }
    };
}

deviations! {
    Http10 "http-1-0" "2.2.1"
        "The response is HTTP/1.0.",
    MethodOverride "method-override" "2.2.1"
        "The method is POST, and X-HTTP-Method-Override names BITS_POST.",
    PlainPost "plain-post" "2.2.1"
        "The method is POST instead of BITS_POST.",
    MissingPacketType "missing-packet-type" "2.2.1.2"
        "The response has no BITS-Packet-Type; it was classified by its status alone.",
    DuplicateField "duplicate-field" "2.2.1"
        "A field appears more than once with one and the same value.",
    UnexpectedField "unexpected-field" "2.2"
        "A field of the protocol appears in a message that does not carry it; it was ignored.",
    LongValue "long-value" "2.2.1"
        "A value of the response is longer than 4096 bytes.",
    MissingContentLength "missing-content-length" "2.2.1.1"
        "Content-Length is missing.",
    UnexpectedBody "unexpected-body" "2.2"
        "A message that has no body comes with one.",
    LongContentName "long-content-name" "2.2.1.1"
        "Content-Name is longer than 260 bytes.",
    UnbracedGuid "unbraced-guid" "2.2.2.2"
        "A protocol's GUID is written without braces.",
    JoinedProtocols "joined-protocols" "2.2.2.2"
        "BITS-Supported-Protocols is spread over several fields; the lists were joined.",
    ExcessProtocols "excess-protocols" "2.2.2.2"
        "More than 100 protocols are listed; the rest was not read.",
    RangeWhiteSpace "range-white-space" "2.2.6.1"
        "Content-Range has more white space than the one space after its unit.",
    MissingSessionId "missing-session-id" "2.2.1.2"
        "The Ack has no BITS-Session-Id.",
    OtherSessionId "other-session-id" "2.2.1.2"
        "The Ack names another session than its request.",
    UnexpectedCreated "unexpected-created" "2.2.1.2"
        "The status is 201 on an Ack for which only 200 is documented.",
    MissingProtocol "missing-protocol" "2.2.3.2"
        "BITS-Protocol is missing; the one protocol that was offered is taken.",
    UnsupportedAcceptEncoding "unsupported-accept-encoding" "2.2.3.1"
        "Accept-Encoding is not identity; identity is used all the same.",
    HostIdPort "host-id-port" "2.2.3.2"
        "BITS-Host-Id has a port.",
    HostIdWithoutTimeout "host-id-without-timeout" "2.2.3.2"
        "BITS-Host-Id comes without BITS-Host-Id-Fallback-Timeout; the client never falls back.",
    TimeoutWithoutHostId "timeout-without-host-id" "2.2.3.2"
        "BITS-Host-Id-Fallback-Timeout comes without BITS-Host-Id.",
    MissingReceived "missing-received" "2.2.7.2"
        "BITS-Received-Content-Range is missing; the whole fragment counts as received.",
    MisspeltReceived "misspelt-received" "2.2.7.2"
        "BITS-Received-Content-Range is spelt BITS-Recieved-Content-Range.",
    EarlyReplyUrl "early-reply-url" "2.2.7.2"
        "BITS-Reply-URL comes before the last fragment; it was ignored.",
    LongReplyUrl "long-reply-url" "2.2.1.2"
        "BITS-Reply-URL is longer than 2200 bytes.",
    ErrorOnSuccess "error-on-success" "2.2.1.2"
        "A success carries error fields; they were ignored.",
    ErrorFieldsDisagree "error-fields-disagree" "2.2.1.2"
        "BITS-Error and BITS-Error-Code differ; BITS-Error was taken.",
    MissingError "missing-error" "2.2.1.2"
        "A refusal carries no error code.",
    MissingErrorContext "missing-error-context" "2.2.1.2"
        "An error code comes without BITS-Error-Context.",
    ContextWithoutError "context-without-error" "2.2.1.2"
        "BITS-Error-Context comes without an error code; it was ignored.",
    UnknownErrorContext "unknown-error-context" "2.2.1.2"
        "BITS-Error-Context is neither 0x5 nor 0x7.",
    RelativeOriginalUrl "relative-original-url" "2.2.12.2"
        "BITS-Original-Request-URL is not an absolute http or https URL.",
    RelativeStaticUrl "relative-static-url" "2.2.13.2"
        "BITS-Static-Response-URL is not an absolute URL.",
}

/// A set of [`Deviation`]s: one word, `Copy`, no allocation.
///
/// # Example
///
/// ```
/// use bits_proto::deviation::{Deviation, Deviations};
///
/// let mut seen = Deviations::EMPTY;
/// seen.insert(Deviation::MissingSessionId);
/// assert!(seen.contains(Deviation::MissingSessionId));
/// assert_eq!(seen.to_string(), "missing-session-id");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Deviations(u64);

const _: () = assert!(Deviation::ALL.len() <= 64, "one bit each");

impl Deviations {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    const fn bit(deviation: Deviation) -> u64 {
        1 << deviation as u32
    }

    /// Adds one deviation; adding it again changes nothing.
    pub const fn insert(&mut self, deviation: Deviation) {
        self.0 |= Self::bit(deviation);
    }

    /// Whether the set holds `deviation`.
    #[must_use]
    pub const fn contains(self, deviation: Deviation) -> bool {
        self.0 & Self::bit(deviation) != 0
    }

    /// Whether nothing departs from the specification.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many deviations the set holds.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The deviations both sets hold.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The members, in the order of [`Deviation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Deviation> + Clone {
        Deviation::ALL.iter().copied().filter(move |deviation| self.contains(*deviation))
    }
}

impl Extend<Deviation> for Deviations {
    fn extend<I: IntoIterator<Item = Deviation>>(&mut self, iter: I) {
        iter.into_iter().for_each(|deviation| self.insert(deviation));
    }
}

impl FromIterator<Deviation> for Deviations {
    fn from_iter<I: IntoIterator<Item = Deviation>>(iter: I) -> Self {
        let mut set = Self::EMPTY;
        set.extend(iter);
        set
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Deviations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, deviation) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(deviation.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Deviations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
