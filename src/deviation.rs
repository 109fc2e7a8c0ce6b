//! Deviations: differences from the specification that are accepted because they are unambiguous.
//!
//! Real peers violate the specification, including the peers in Microsoft's own captures. Parsing
//! accepts input that has only one meaning, and records each deviation in a [`Deviations`] set. The
//! caller can read, log or reject it. Ambiguous framing is never a deviation: if two readers could
//! disagree about the end of a message, it is an [error](crate::error).

use core::fmt;
use core::iter::FusedIterator;
use core::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Sub, SubAssign};

macro_rules! deviations {
    ($( $variant:ident $name:literal $section:literal $description:literal, )+) => {
        /// One difference from the specification.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Deviation {
            $(
                #[doc = concat!("*", $description, "* (\\[MC-BUP\\] ", $section, ").")]
                $variant,
            )+
        }

        impl Deviation {
            /// Every deviation, in the order of declaration.
            pub const ALL: &'static [Self] = &[$( Self::$variant, )+];

            /// Returns a stable kebab-case name, for logs and programs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$variant => $name, )+
                }
            }

            /// Returns the section of \[MC-BUP\] with the rule.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$variant => $section, )+
                }
            }

            /// Returns a description of the deviation and how it was handled, in lower case and
            /// without a full stop.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $( Self::$variant => $description, )+
                }
            }
        }
    };
}

deviations! {
    Http10 "http-1-0" "2.2.1"
        "response is HTTP/1.0",
    MethodOverride "method-override" "2.2.1"
        "method is POST with X-HTTP-Method-Override: BITS_POST",
    PlainPost "plain-post" "2.2.1"
        "method is POST instead of BITS_POST",
    MissingPacketType "missing-packet-type" "2.2.1.2"
        "response without BITS-Packet-Type; classified by its status code",
    DuplicateField "duplicate-field" "2.2.1"
        "duplicate field with equal values",
    UnexpectedField "unexpected-field" "2.2"
        "field is not defined for this message; ignored",
    LongValue "long-value" "2.2.1"
        "value in the response exceeds 4096 bytes",
    MissingContentLength "missing-content-length" "2.2.1.1"
        "Content-Length is missing",
    ChunkedResponse "chunked-response" "2.2.1.1"
        "response has a Transfer-Encoding",
    UnexpectedBody "unexpected-body" "2.2"
        "body in a message that has none",
    LongContentName "long-content-name" "2.2.1.1"
        "Content-Name exceeds 260 bytes",
    UnbracedGuid "unbraced-guid" "2.2.2.2"
        "GUID of a protocol is not in braces",
    JoinedProtocols "joined-protocols" "2.2.2.2"
        "BITS-Supported-Protocols appears several times; the lists were joined",
    ExcessProtocols "excess-protocols" "2.2.2.2"
        "more than 100 protocols; the others were ignored",
    RangeWhiteSpace "range-white-space" "2.2.6.1"
        "Content-Range has other white space than one space after the unit",
    MissingSessionId "missing-session-id" "2.2.1.2"
        "Ack without BITS-Session-Id",
    OtherSessionId "other-session-id" "2.2.1.2"
        "session id of the Ack differs from that of the request",
    UnexpectedCreated "unexpected-created" "2.2.1.2"
        "status code is 201 instead of 200",
    UnexpectedSuccess "unexpected-success" "2.2.1.2"
        "status code is neither 200 nor 201; any 2xx counts as success",
    MissingProtocol "missing-protocol" "2.2.3.2"
        "BITS-Protocol is missing; the only protocol offered was assumed",
    ProtocolOnRefusal "protocol-on-refusal" "2.2.3.2"
        "BITS-Protocol in a refusal; ignored",
    UnsupportedAcceptEncoding "unsupported-accept-encoding" "2.2.3.1"
        "Accept-Encoding is not identity; identity was assumed",
    HostIdPort "host-id-port" "2.2.3.2"
        "BITS-Host-Id has a port",
    HostIdWithoutTimeout "host-id-without-timeout" "2.2.3.2"
        "BITS-Host-Id without BITS-Host-Id-Fallback-Timeout; the client never falls back",
    TimeoutWithoutHostId "timeout-without-host-id" "2.2.3.2"
        "BITS-Host-Id-Fallback-Timeout without BITS-Host-Id",
    MissingReceived "missing-received" "2.2.7.2"
        "BITS-Received-Content-Range is missing; the whole fragment was assumed to be received",
    MisspeltReceived "misspelt-received" "2.2.7.2"
        "BITS-Received-Content-Range is spelt BITS-Recieved-Content-Range",
    EarlyReplyUrl "early-reply-url" "2.2.7.2"
        "BITS-Reply-URL before the last fragment; ignored",
    LongReplyUrl "long-reply-url" "2.2.1.2"
        "BITS-Reply-URL exceeds 2200 bytes",
    ErrorOnSuccess "error-on-success" "2.2.1.2"
        "error fields in a successful response; ignored",
    ErrorFieldsDisagree "error-fields-disagree" "2.2.1.2"
        "BITS-Error and BITS-Error-Code differ; BITS-Error was used",
    MissingError "missing-error" "2.2.1.2"
        "refusal without an error code",
    MissingErrorContext "missing-error-context" "2.2.1.2"
        "error code without BITS-Error-Context",
    ContextWithoutError "context-without-error" "2.2.1.2"
        "BITS-Error-Context without an error code",
    UnknownErrorContext "unknown-error-context" "2.2.1.2"
        "BITS-Error-Context is neither 0x5 nor 0x7",
    UnreadableErrorCode "unreadable-error-code" "2.2.1.2"
        "error code of the refusal is invalid or conflicting; ignored",
    UnreadableErrorContext "unreadable-error-context" "2.2.1.2"
        "BITS-Error-Context of the refusal is invalid or conflicting; ignored",
    UnreadableSessionId "unreadable-session-id" "2.2.1.2"
        "session id of the refusal is invalid or conflicting; ignored",
    UnreadableReceived "unreadable-received" "2.2.7.2"
        "BITS-Received-Content-Range of the refusal is invalid or conflicting; ignored",
    RelativeOriginalUrl "relative-original-url" "2.2.12.2"
        "BITS-Original-Request-URL is not an absolute http or https URL",
    ApplicationSuccess "application-success" "2.2.13"
        "server application accepted the entity with a 2xx status other than 200",
    RelativeStaticUrl "relative-static-url" "2.2.13.2"
        "BITS-Static-Response-URL is not an absolute URL",
}

/// A set of [`Deviation`]s: 64 bits, `Copy`, no allocation.
///
/// The operators `|`, `&` and `-` are union, intersection and difference. Its `Display` lists the
/// names, separated by commas.
///
/// # Example
///
/// ```
/// use bits_proto::deviation::{Deviation, Deviations};
///
/// let seen = Deviations::from(Deviation::MissingSessionId) | Deviation::Http10;
/// assert!(seen.contains(Deviation::MissingSessionId));
/// assert_eq!(seen.to_string(), "http-1-0, missing-session-id");
///
/// let tolerated = Deviations::from_iter([Deviation::Http10, Deviation::LongValue]);
/// let rejected = seen - tolerated;
/// assert_eq!(rejected.into_iter().collect::<Vec<_>>(), [Deviation::MissingSessionId]);
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

    /// Adds a deviation to the set.
    pub const fn insert(&mut self, deviation: Deviation) {
        self.0 |= Self::bit(deviation);
    }

    /// Returns true if the set contains `deviation`.
    #[must_use]
    pub const fn contains(self, deviation: Deviation) -> bool {
        self.0 & Self::bit(deviation) != 0
    }

    /// Returns true if the set contains no deviation.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the number of deviations in the set.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Returns the deviations in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the deviations in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns the deviations in this set that are not in `other`.
    #[must_use]
    pub const fn difference(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Returns an iterator over the deviations, in the order of [`Deviation::ALL`].
    #[must_use]
    pub const fn iter(self) -> Iter {
        Iter(self)
    }
}

/// An iterator over the members of [`Deviations`].
#[derive(Clone, Debug)]
pub struct Iter(Deviations);

impl Iterator for Iter {
    type Item = Deviation;

    fn next(&mut self) -> Option<Deviation> {
        let Self(Deviations(rest)) = self;
        let next = Deviation::ALL.get(rest.trailing_zeros() as usize).copied()?;
        *rest &= !Deviations::bit(next);
        Some(next)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for Iter {}

impl FusedIterator for Iter {}

impl IntoIterator for Deviations {
    type Item = Deviation;
    type IntoIter = Iter;

    fn into_iter(self) -> Iter {
        self.iter()
    }
}

impl IntoIterator for &Deviations {
    type Item = Deviation;
    type IntoIter = Iter;

    fn into_iter(self) -> Iter {
        self.iter()
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

impl From<Deviation> for Deviations {
    fn from(deviation: Deviation) -> Self {
        Self(Self::bit(deviation))
    }
}

/// Implements an operator with a set or a single deviation on its right.
macro_rules! set_operator {
    ($($trait:ident $method:ident $assign_trait:ident $assign_method:ident => $set_method:ident;)+) => { $(
        impl<T: Into<Deviations>> $trait<T> for Deviations {
            type Output = Self;

            fn $method(self, other: T) -> Self {
                self.$set_method(other.into())
            }
        }

        impl<T: Into<Deviations>> $assign_trait<T> for Deviations {
            fn $assign_method(&mut self, other: T) {
                *self = self.$set_method(other.into());
            }
        }
    )+ };
}

set_operator! {
    BitOr bitor BitOrAssign bitor_assign => union;
    BitAnd bitand BitAndAssign bitand_assign => intersection;
    Sub sub SubAssign sub_assign => difference;
}

impl BitOr for Deviation {
    type Output = Deviations;

    fn bitor(self, other: Self) -> Deviations {
        Deviations::from(self) | other
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
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

#[cfg(feature = "serde")]
crate::util::serialize::serialize_name!(Deviation);

#[cfg(feature = "serde")]
impl serde::Serialize for Deviations {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}
