//! BITS-Protocol.

use uuid::Uuid;

use super::{Decode, FieldName, guid, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::ValueError;
use crate::util::sink::{Sink, Wire, put_guid, wire_display};

/// [2.2.3.2] BITS-Protocol: the protocol that the server chose for a session.
///
/// The value is a GUID, compared as 128 bits and written in braces and lower case. A value without
/// braces is the deviation [`UnbracedGuid`](Deviation::UnbracedGuid).
///
/// ```text
/// protocol = "{" guid "}"
/// guid     = 8HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 4HEXDIG "-" 12HEXDIG
/// ```
///
/// # Errors
///
/// [`ErrorKind::NotGuid`](crate::error::ErrorKind::NotGuid) for any other value.
///
/// # Example
///
/// ```
/// use bits_proto::field::Protocol;
///
/// let chosen = Protocol::try_from("{7DF0354D-249B-430F-820D-3D2A9BEF4931}")?;
/// assert_eq!(chosen, Protocol::BITS_1_5);
/// assert_eq!(chosen.to_string(), "{7df0354d-249b-430f-820d-3d2a9bef4931}");
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 1.7.1, 2.2.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub Uuid);

impl Protocol {
    /// The BITS 1.5 Upload Protocol, the only protocol that is defined.
    pub const BITS_1_5: Self = Self(Uuid::from_u128(0x7df0354d_249b_430f_820d_3d2a9bef4931));
}

impl Decode<'_> for Protocol {
    const NAME: FieldName = FieldName::Protocol;

    fn decode(value: &[u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        let (guid, braced) = guid::decode_item(value)?;
        if !braced {
            deviations.insert(Deviation::UnbracedGuid);
        }
        Ok(Self(guid))
    }
}

try_from_wire!(Protocol);

impl From<Uuid> for Protocol {
    fn from(guid: Uuid) -> Self {
        Self(guid)
    }
}

impl From<Protocol> for Uuid {
    fn from(protocol: Protocol) -> Self {
        protocol.0
    }
}

impl Wire for Protocol {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        put_guid(sink, self.0)
    }
}

wire_display!(Protocol);

#[cfg(feature = "serde")]
impl serde::Serialize for Protocol {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for Protocol {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl serde::de::Visitor<'_> for Text {
            type Value = Protocol;

            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a GUID in braces")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Protocol, E> {
                Protocol::try_from(text).map_err(E::custom)
            }
        }

        deserializer.deserialize_str(Text)
    }
}
