//! The kinds of messages.

use core::fmt;

macro_rules! kinds {
    ($($kind:ident $name:literal $section:literal;)+) => {
        /// The kinds of messages that \[MC-BUP\] section 2.2 defines.
        ///
        /// # Fields
        ///
        #[doc = include_str!("presence.md")]
        ///
        /// # Example
        ///
        /// ```
        /// use bits_proto::message::MessageKind;
        ///
        /// assert_eq!(MessageKind::FragmentAck.to_string(), "Ack for Fragment");
        /// assert_eq!(MessageKind::FragmentAck.section(), "2.2.7");
        /// assert!(MessageKind::FragmentAck.is_success());
        /// ```
        ///
        /// Source: \[MC-BUP\] 2.2.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum MessageKind {
            $( #[doc = concat!("[", $section, "] ", $name, ".")] $kind, )+
        }

        impl MessageKind {
            /// All kinds, in the order of the columns of the table.
            pub const ALL: &'static [Self] = &[$( Self::$kind, )+];

            /// Returns the name of the message for display.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$kind => $name, )+
                }
            }

            /// Returns the number of the section of \[MC-BUP\] that defines the message.
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
    /// Returns true for the five requests of a client.
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

    /// Returns true for HTTP responses, and false for HTTP requests.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.is_success() || matches!(self, Self::Refusal | Self::NotificationResponse)
    }

    /// Returns true for an Ack that grants the request.
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
