//! Short copies of received values, for error texts.

use core::fmt;

/// The room for one value, or for both of a conflicting pair.
const CAPACITY: usize = 40;

/// Up to 40 bytes of a received value, or up to 20 bytes of each of two conflicting values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Excerpt {
    /// The bytes of both parts, followed by zeros.
    bytes: [u8; CAPACITY],
    parts: [Part; 2],
}

/// The length of one value in an [`Excerpt`], and which part of the value it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Part {
    length: u8,
    extent: Extent,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Extent {
    /// There is no value.
    Absent,
    Whole,
    Start,
    Middle,
    End,
}

impl Part {
    const ABSENT: Self = Self { length: 0, extent: Extent::Absent };
}

impl Excerpt {
    pub(crate) const EMPTY: Self = Self { bytes: [0; CAPACITY], parts: [Part::ABSENT; 2] };

    /// Copies the bytes of `value` around the offset `at`.
    pub(crate) fn new(value: &[u8], at: usize) -> Self {
        let mut excerpt = Self::EMPTY;
        let [first, _] = &mut excerpt.parts;
        *first = copy(value, at, &mut excerpt.bytes);
        excerpt
    }

    /// Copies the bytes of two conflicting values around their first difference.
    pub(crate) fn conflict(earlier: &[u8], later: &[u8]) -> Self {
        let mut excerpt = Self::EMPTY;
        let at = earlier.iter().zip(later).take_while(|(earlier, later)| earlier == later).count();
        let (room, other_room) = excerpt.bytes.split_at_mut(CAPACITY / 2);
        excerpt.parts = [copy(earlier, at, room), copy(later, at, other_room)];
        excerpt
    }

    /// Returns the value, or the earlier of two conflicting values.
    pub(crate) fn first(&self) -> Option<Quoted<'_>> {
        let [first, _] = self.parts;
        Quoted::new(&self.bytes, first)
    }

    /// Returns the later of two conflicting values.
    pub(crate) fn second(&self) -> Option<Quoted<'_>> {
        let [_, second] = self.parts;
        Quoted::new(self.bytes.get(CAPACITY / 2..).unwrap_or_default(), second)
    }
}

/// Copies the bytes of `value` around the offset `at`, as many as there is room for.
fn copy(value: &[u8], at: usize, room: &mut [u8]) -> Part {
    let latest_start = value.len().saturating_sub(room.len());
    let start = at.saturating_sub(room.len() / 2).min(latest_start);
    let extent = match start {
        _ if latest_start == 0 => Extent::Whole,
        0 => Extent::Start,
        _ if start == latest_start => Extent::End,
        _ => Extent::Middle,
    };
    let mut length = 0_u8;
    for (to, from) in room.iter_mut().zip(value.get(start..).unwrap_or_default()) {
        *to = *from;
        length = length.saturating_add(1);
    }
    Part { length, extent }
}

/// One value of an [`Excerpt`]. Its `Display` is escaped and quoted, with three dots for each end
/// that was cut off.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'e> {
    pub(crate) bytes: &'e [u8],
    extent: Extent,
}

impl<'e> Quoted<'e> {
    fn new(bytes: &'e [u8], part: Part) -> Option<Self> {
        let bytes = bytes.get(..usize::from(part.length)).unwrap_or_default();
        (part.extent != Extent::Absent).then_some(Self { bytes, extent: part.extent })
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = if matches!(self.extent, Extent::Middle | Extent::End) { "..." } else { "" };
        let after = if matches!(self.extent, Extent::Start | Extent::Middle) { "..." } else { "" };
        write!(f, "{before}\"{}\"{after}", self.bytes.escape_ascii())
    }
}
