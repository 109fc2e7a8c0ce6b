//! BITS-Packet-Type.

use super::{Decode, FieldName, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::ascii_case::eq_ignore_case;
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.1.2] BITS-Packet-Type: the type of a message.
///
/// The value is compared case-insensitively. It is written like Windows writes it, not in capitals
/// like in the text of the specification.
///
/// ```text
/// packet-type = "Create-Session" / "Ping" / "Fragment" / "Close-Session" / "Cancel-Session"
///             / "Ack"
/// ```
///
/// # Errors
///
/// [`ErrorKind::UnknownPacketType`] for any other value.
///
/// # Example
///
/// ```
/// use bits_proto::field::PacketType;
///
/// assert_eq!(PacketType::try_from("CREATE-SESSION")?, PacketType::CreateSession);
/// assert_eq!(PacketType::CreateSession.to_string(), "Create-Session");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2; the letter case from the captures in 4.1 and 4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PacketType {
    /// A Create-Session request.
    CreateSession,
    /// A Ping request.
    Ping,
    /// A Fragment request.
    Fragment,
    /// A Close-Session request.
    CloseSession,
    /// A Cancel-Session request.
    CancelSession,
    /// Any response.
    Ack,
}

impl PacketType {
    /// Every packet type.
    pub const ALL: &'static [Self] = &[
        Self::CreateSession,
        Self::Ping,
        Self::Fragment,
        Self::CloseSession,
        Self::CancelSession,
        Self::Ack,
    ];
}

macro_rules! texts {
    ($($variant:ident $text:literal),+ $(,)?) => {
        impl PacketType {
            /// Returns the value as it is written.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $text, )+
                }
            }

            /// Returns the end of the previous line and the field, to be written in one step.
            #[inline(always)]
            pub(crate) const fn line(self) -> &'static [u8] {
                match self {
                    $( Self::$variant => concat!("\r\nBITS-Packet-Type: ", $text).as_bytes(), )+
                }
            }
        }
    };
}

texts! {
    CreateSession "Create-Session",
    Ping "Ping",
    Fragment "Fragment",
    CloseSession "Close-Session",
    CancelSession "Cancel-Session",
    Ack "Ack",
}

impl Decode<'_> for PacketType {
    const NAME: FieldName = FieldName::PacketType;

    #[inline]
    fn decode(value: &[u8], _: &mut Deviations) -> Result<Self, ValueError> {
        match value.len() {
            3 if eq_ignore_case!(value, b"Ack") => Ok(Self::Ack),
            4 if eq_ignore_case!(value, b"Ping") => Ok(Self::Ping),
            8 if eq_ignore_case!(value, b"Fragment") => Ok(Self::Fragment),
            13 if eq_ignore_case!(value, b"Close-Session") => Ok(Self::CloseSession),
            14 if eq_ignore_case!(value, b"Create-Session") => Ok(Self::CreateSession),
            14 if eq_ignore_case!(value, b"Cancel-Session") => Ok(Self::CancelSession),
            _ => Err(ValueError::new(ErrorKind::UnknownPacketType, 0)),
        }
    }
}

try_from_wire!(PacketType);

impl AsRef<str> for PacketType {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Wire for PacketType {
    #[inline]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        sink.put(self.as_str().as_bytes())
    }
}

wire_display!(PacketType);
