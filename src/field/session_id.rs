//! BITS-Session-Id.

use core::fmt;
use core::hash::{Hash, Hasher};

use uuid::Uuid;

use super::{Decode, FieldName, check_bytes, guid, try_from_wire};
use crate::deviation::Deviations;
use crate::error::{ErrorKind, ValueError};
use crate::util::sink::{Sink, Wire, wire_display};

/// [2.2.1.2] BITS-Session-Id: the session a packet belongs to.
///
/// A server issues it in the Ack for Create-Session; a client sends it back as it is. It is a name
/// to look up and nothing else: never a path, and no proof of who sends it.
///
/// Windows issues GUIDs, other servers anything; so it is opaque text of 1 to 100 visible ASCII
/// bytes. Two ids that are both GUIDs are equal, and hash alike, when their 128 bits are: letter
/// case and braces do not matter. Any others are compared byte for byte.
///
/// It borrows the text it was read from. A key that lives longer is its [`guid`](Self::guid) where
/// the server issues GUIDs, as [`from_random`](Self::from_random) does, or a copy of
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
    /// As the peer spelt it.
    Read(&'b [u8]),
    /// As we spell a GUID: in braces and capitals.
    Issued([u8; uuid::fmt::Braced::LENGTH]),
}

impl<'b> SessionId<'b> {
    /// The longest id, in bytes.
    pub const MAX_LEN: usize = 100;

    /// An id from 16 random bytes, of which 122 bits are kept: a version 4 GUID.
    ///
    /// The bytes must come from a source that nobody can guess, such as the operating system's.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> SessionId<'static> {
        uuid::Builder::from_random_bytes(bytes).into_uuid().into()
    }

    /// The id as it is spelt.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Read(text) => text,
            Repr::Issued(text) => text,
        }
    }

    /// The id as it is spelt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Visible ASCII by construction.
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The GUID it spells, if it spells one.
    #[must_use]
    pub fn guid(&self) -> Option<Uuid> {
        guid::decode_item(self.as_bytes()).ok().map(|(guid, _)| guid)
    }
}

impl From<Uuid> for SessionId<'_> {
    fn from(guid: Uuid) -> Self {
        let mut text = [0; uuid::fmt::Braced::LENGTH];
        guid.braced().encode_upper(&mut text);
        Self(Repr::Issued(text))
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
        Ok(Self(Repr::Read(value)))
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
            Repr::Read(text) => sink.put(text),
            // Its length is known here, which makes the copy a cheap one.
            Repr::Issued(text) => sink.put(text),
        }
    }
}

wire_display!(SessionId<'_>);
