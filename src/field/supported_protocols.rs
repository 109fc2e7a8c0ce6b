//! BITS-Supported-Protocols.

use core::fmt;
use core::hash::{Hash, Hasher};

use nom::Parser as _;
use nom::bytes::complete::{take_till1, take_while};
use nom::sequence::preceded;

use super::{Decode, FieldName, Protocol, guid, try_from_wire};
use crate::deviation::{Deviation, Deviations};
use crate::error::{Error, ErrorKind, ValueError};
use crate::util::sink::{Sink, Wire, put_guid, wire_display};

/// [2.2.2.2] BITS-Supported-Protocols: the protocols that a client offers, in order of preference.
///
/// Items are separated by any number of spaces, tabs and commas; empty items are ignored. At most
/// [`MAX`](Self::MAX) items are used, like in Windows; more are the deviation
/// [`ExcessProtocols`](Deviation::ExcessProtocols). The list may be spread over up to four fields,
/// which is the deviation [`JoinedProtocols`](Deviation::JoinedProtocols). GUIDs are written in
/// braces and lower case, separated by spaces. The list is parsed lazily and never copied.
///
/// ```text
/// protocols = *sep protocol *( 1*sep protocol ) *sep
/// sep       = SP / HTAB / ","
/// ```
///
/// # Errors
///
/// * [`ErrorKind::ProtocolCount`] for an empty list, or one spread over more than four fields;
/// * [`ErrorKind::NotGuid`] for an item that is not a GUID.
///
/// # Example
///
/// ```
/// use bits_proto::field::{Protocol, SupportedProtocols};
///
/// let offered = SupportedProtocols::try_from(
///     "{11111111-1111-1111-1111-111111111111}, {7df0354d-249b-430f-820d-3d2a9bef4931}",
/// )?;
/// assert_eq!(offered.iter().count(), 2);
/// assert_eq!(offered.negotiate(&[Protocol::BITS_1_5]), Some(Protocol::BITS_1_5));
/// # Ok::<(), bits_proto::Error>(())
/// ```
///
/// Source: \[MC-BUP\] 2.2.2.2 and its note 6.
#[derive(Clone, Copy)]
pub struct SupportedProtocols<'b>(Repr<'b>);

#[derive(Clone, Copy)]
enum Repr<'b> {
    /// Valid lists of up to four fields; the others are empty.
    Parsed([&'b [u8]; 4]),
    /// 1 to 100 protocols.
    Slice(&'b [Protocol]),
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',')
}

/// Returns the rest of the list and its first item; `None` at the end of the list.
#[inline]
fn next_item(list: &[u8]) -> Option<(&[u8], &[u8])> {
    if list.is_empty() {
        return None;
    }
    // Fast path: a GUID in braces has a fixed length.
    if let Some((item @ [b'{', .., b'}'], tail)) = list.split_at_checked(38) {
        if tail.first().is_none_or(|byte| is_separator(*byte)) {
            return Some((tail, item));
        }
    }
    preceded(take_while(is_separator), take_till1::<_, _, ()>(is_separator)).parse(list).ok()
}

impl<'b> SupportedProtocols<'b> {
    /// The maximum number of protocols.
    pub const MAX: usize = 100;

    /// The list of existing clients: [`Protocol::BITS_1_5`].
    pub const BITS_1_5: SupportedProtocols<'static> =
        SupportedProtocols(Repr::Slice(&[Protocol::BITS_1_5]));

    /// Creates a list to send.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ProtocolCount`] unless there are 1 to 100 protocols.
    pub const fn new(protocols: &'b [Protocol]) -> Result<Self, Error> {
        if protocols.is_empty() || protocols.len() > Self::MAX {
            let error = ValueError::new(ErrorKind::ProtocolCount, 0);
            return Err(FieldName::SupportedProtocols.caller_error(error));
        }
        Ok(Self(Repr::Slice(protocols)))
    }

    /// Returns an iterator over the protocols, in the client's order of preference.
    pub fn iter(&self) -> impl Iterator<Item = Protocol> + Clone + use<'b> {
        let (fields, slice) = match self.0 {
            Repr::Parsed(fields) => (fields, [].as_slice()),
            Repr::Slice(slice) => ([[].as_slice(); 4], slice),
        };
        let items = fields.into_iter().flat_map(|list: &'b [u8]| {
            let mut rest = list;
            core::iter::from_fn(move || {
                let (tail, item) = next_item(rest)?;
                rest = tail;
                Some(item)
            })
        });
        let parsed =
            items.filter_map(|item| guid::decode_item(item).ok()).map(|(guid, _)| Protocol(guid));
        parsed.chain(slice.iter().copied()).take(Self::MAX)
    }

    /// Returns true if the list contains `protocol`.
    #[must_use]
    pub fn contains(&self, protocol: Protocol) -> bool {
        match self.0 {
            Repr::Slice(slice) => slice.contains(&protocol),
            Repr::Parsed(_) => self.iter().any(|offered| offered == protocol),
        }
    }

    /// Returns the first protocol in the list that is also in `supported`.
    #[must_use]
    pub fn negotiate(&self, supported: &[Protocol]) -> Option<Protocol> {
        self.iter().find(|offered| supported.contains(offered))
    }

    /// Joins the lists of several fields. An error is returned with the value of its field.
    pub(crate) fn decode_joined(
        fields: [&'b [u8]; 4],
        deviations: &mut Deviations,
    ) -> Result<Self, (ValueError, &'b [u8])> {
        let mut count = 0_usize;
        for list in fields {
            let mut rest = list;
            while let Some((tail, item)) = next_item(rest) {
                if count == Self::MAX {
                    deviations.insert(Deviation::ExcessProtocols);
                    return Ok(Self(Repr::Parsed(fields)));
                }
                let at = list.len().saturating_sub(tail.len()).saturating_sub(item.len());
                let (_, braced) = guid::decode_item(item)
                    .map_err(|error| (ValueError::new(error.kind, at), list))?;
                if !braced {
                    deviations.insert(Deviation::UnbracedGuid);
                }
                count = count.saturating_add(1);
                rest = tail;
            }
        }
        if count == 0 {
            let [first, ..] = fields;
            return Err((ValueError::new(ErrorKind::ProtocolCount, 0), first));
        }
        Ok(Self(Repr::Parsed(fields)))
    }
}

impl<'b> Decode<'b> for SupportedProtocols<'b> {
    const NAME: FieldName = FieldName::SupportedProtocols;

    #[inline]
    fn decode(value: &'b [u8], deviations: &mut Deviations) -> Result<Self, ValueError> {
        Self::decode_joined([value, &[], &[], &[]], deviations).map_err(|(error, _)| error)
    }
}

try_from_wire!(SupportedProtocols<'b>);

impl Default for SupportedProtocols<'_> {
    /// Returns [`BITS_1_5`](SupportedProtocols::BITS_1_5).
    fn default() -> Self {
        Self::BITS_1_5
    }
}

/// Two lists are equal if they contain the same protocols in the same order.
impl PartialEq for SupportedProtocols<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for SupportedProtocols<'_> {}

impl Hash for SupportedProtocols<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.iter().for_each(|protocol| protocol.hash(state));
        // Separates the list from a value that is hashed after it.
        state.write_u8(0);
    }
}

impl fmt::Debug for SupportedProtocols<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Wire for SupportedProtocols<'_> {
    fn put_into<S: Sink>(&self, sink: S) -> S {
        self.iter().enumerate().fold(sink, |sink, (index, protocol)| {
            let sink = if index > 0 { sink.put(b" ") } else { sink };
            put_guid(sink, protocol.0)
        })
    }
}

wire_display!(SupportedProtocols<'_>);
