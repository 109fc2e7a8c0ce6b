//! The messages there are.

use core::fmt;

macro_rules! kinds {
    ($($kind:ident $name:literal $section:literal;)+) => {
        /// Every kind of message of section 2.2, and the columns of the
        /// [presence table](super::presence).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MessageKind {
            $( #[doc = concat!("[", $section, "] ", $name, ".")] $kind, )+
        }

        impl MessageKind {
            /// Every kind, in the order of the table's columns.
            pub const ALL: &'static [Self] = &[$( Self::$kind, )+];

            /// A name for people.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )+
                }
            }

            /// The section of \[MC-BUP\] that defines the message.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self {
                    $( Self::$kind => $section, )+
                }
            }
        }
    };
}

kinds! {
    Ping "Ping" "2.2.4";
    CreateSession "Create-Session" "2.2.2";
    Fragment "Fragment" "2.2.6";
    CloseSession "Close-Session" "2.2.8";
    CancelSession "Cancel-Session" "2.2.10";
    PingAck "Ack for Ping" "2.2.5";
    CreateSessionAck "Ack for Create-Session" "2.2.3";
    FragmentAck "Ack for Fragment" "2.2.7";
    CloseSessionAck "Ack for Close-Session" "2.2.9";
    CancelSessionAck "Ack for Cancel-Session" "2.2.11";
    Refusal "Refusal" "2.2.1.2";
    NotificationByReference "Notification by reference" "2.2.12";
    NotificationByValue "Notification by value" "2.2.12";
    NotificationResponse "Notification response" "2.2.13";
}

impl MessageKind {
    /// Whether it is one of the five requests of a client.
    #[must_use]
    pub const fn is_request(self) -> bool {
        matches!(
            self,
            Self::Ping
                | Self::CreateSession
                | Self::Fragment
                | Self::CloseSession
                | Self::CancelSession
        )
    }

    /// Whether it is an HTTP response; the others are HTTP requests.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.is_success() || matches!(self, Self::Refusal | Self::NotificationResponse)
    }

    /// Whether it is an Ack that grants what was asked for.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(
            self,
            Self::PingAck
                | Self::CreateSessionAck
                | Self::FragmentAck
                | Self::CloseSessionAck
                | Self::CancelSessionAck
        )
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(feature = "serde")]
crate::util::serialize::serialize_name!(MessageKind);
