//! BITS-Session-Id.

use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

use uuid::Uuid;

use super::{Decode, FieldName, check_bytes, guid, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.1.2] BITS-Session-Id: the session of a packet.
///
/// The server issues the id in the Ack for Create-Session, and the client returns it unchanged.
/// Servers must use it only as a key: not as a path, and not to authenticate the client.
///
/// The id is opaque text of 1 to 100 visible ASCII bytes. Windows issues GUIDs; other servers may
/// issue other text. Two GUIDs are equal if their 128 bits are equal, regardless of letter case
/// and braces. Other ids are compared byte for byte. Ordering and hashes are consistent with this.
///
/// The id borrows the text that it was parsed from. For a map, use [`guid`](Self::guid) as the key
/// if the server issues GUIDs, like [`from_random`](Self::from_random) does, or else a copy of
/// [`as_bytes`](Self::as_bytes).
///
/// ```text
/// session-id = 1*100VCHAR
/// ```
///
/// # Errors
///
/// [`ErrorKind::Empty`], [`ErrorKind::TooLong`], [`ErrorKind::InvalidByte`].
///
/// # Example
///
/// ```
/// use bits_proto::field::SessionId;
///
/// let issued = SessionId::from_random([7; 16]);
/// assert_eq!(issued.to_string(), "{07070707-0707-4707-8707-070707070707}");
/// assert_eq!(SessionId::try_from("07070707-0707-4707-8707-070707070707")?, issued);
/// assert_ne!(SessionId::try_from("-7")?, issued);
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.1.2; Microsoft's page on the Ack for Create-Session (100 characters).
#[derive(Clone, Copy)]
pub struct SessionId<'b>(Repr<'b>);

#[derive(Clone, Copy)]
enum Repr<'b> {
    /// The text of the peer.
    Parsed(&'b [u8]),
    /// A GUID in braces and capitals.
    Issued([u8; uuid::fmt::Braced::LENGTH]),
}

impl<'b> SessionId<'b> {
    /// The maximum length in bytes.
    pub const MAX_LEN: usize = 100;

    /// Returns the id with a text that was validated before.
    #[inline]
    pub(crate) const fn from_validated(text: &'b [u8]) -> Self {
        Self(Repr::Parsed(text))
    }

    /// Creates an id from 16 random bytes: a version 4 GUID, which keeps 122 of the bits.
    ///
    /// The bytes must be unpredictable: use a cryptographically secure random number generator.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> SessionId<'static> {
        uuid::Builder::from_random_bytes(bytes).into_uuid().into()
    }

    /// Returns the text of the id as bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Parsed(text) => text,
            Repr::Issued(text) => text,
        }
    }

    /// Returns the text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Visible ASCII by construction.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// Returns the GUID, if the id is one.
    #[must_use]
    pub fn guid(&self) -> Option<Uuid> {
        guid::decode_item(self.as_bytes()).ok().map(|(guid, _)| guid)
    }
}

impl From<Uuid> for SessionId<'_> {
    /// Creates an id in braces and capitals.
    #[inline]
    fn from(guid: Uuid) -> Self {
        Self(Repr::Issued(guid::encode_upper(guid)))
    }
}

impl<'b> Decode<'b> for SessionId<'b> {
    const NAME: FieldName = FieldName::SessionId;

    #[inline]
    fn decode(value: &'b [u8], _: &mut Deviations) -> Result<Self, ValueError> {
        if value.is_empty() {
            return Err(ValueError::new(ErrorKind::Empty, 0));
        }
        if value.len() > Self::MAX_LEN {
            return Err(ValueError::new(ErrorKind::TooLong, Self::MAX_LEN));
        }
        check_bytes::<b'!'>(value, |byte| byte.is_ascii_graphic())?;
        Ok(Self(Repr::Parsed(value)))
    }
}

try_from_wire!(SessionId<'b>);

impl PartialEq<SessionId<'_>> for SessionId<'_> {
    #[inline]
    fn eq(&self, other: &SessionId<'_>) -> bool {
        if self.as_bytes() == other.as_bytes() {
            return true;
        }
        self.guid().is_some_and(|guid| other.guid() == Some(guid))
    }
}

impl Eq for SessionId<'_> {}

impl PartialOrd for SessionId<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SessionId<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.guid(), other.guid()) {
            (Some(guid), Some(other)) => guid.cmp(&other),
            (None, None) => self.as_bytes().cmp(other.as_bytes()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
        }
    }
}

impl AsRef<str> for SessionId<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<[u8]> for SessionId<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Hash for SessionId<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.guid() {
            Some(guid) => guid.as_bytes().hash(state),
            None => self.as_bytes().hash(state),
        }
    }
}

impl fmt::Debug for SessionId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionId").field(&self.as_str()).finish()
    }
}

impl Wire for SessionId<'_> {
    #[inline]
    fn put_into<S: Sink>(&self, sink: S) -> S {
        match &self.0 {
            Repr::Parsed(text) => sink.put(text),
            // Not merged with the arm above: a copy of constant length is faster.
            Repr::Issued(text) => sink.put(text),
        }
    }
}

wire_display!(SessionId<'_>);
