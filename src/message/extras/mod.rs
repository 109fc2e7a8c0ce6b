//! Extra fields, such as Host or Date, that the caller adds to messages.

mod lines;
mod storage;

use core::fmt;
use core::ops::Range;

pub(crate) use self::lines::ExtraLines;
pub(super) use self::lines::Placement;
pub use self::storage::ExtrasStorage;
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, FieldSet, check_content};
use crate::field_name::download;
use crate::util::ascii::is_token;
use crate::util::copy_within::copy_within;
use crate::util::sink::{Sink, SliceSink};

/// Extra fields, such as Host, Date or Server, that the caller adds to messages.
///
/// Fields are checked when they are added, and then copied into any number of messages. So a server
/// creates one value for all its responses and [replaces](Self::set) Date once a second; a client
/// creates one for all requests to a host. The checks are:
///
/// * names are tokens;
/// * values contain no control characters except inner tabs, and no outer white space.
///
/// `encode` of each message rejects extra fields that belong to this or another message, or that change the
/// framing.
///
/// The fields lie in the storage `S`: an array, a borrowed slice, or with the feature `alloc` a
/// `Vec<u8>`, which grows. A field takes the length of its name and of its value, and four bytes.
///
/// # Example
///
/// ```
/// use bits_proto::message::{Ack, Extras, PingAck};
///
/// let mut extras = Extras::new([0; 128]);
/// extras.push("Date", "Tue, 04 Mar 2025 09:15:02 GMT")?;
/// extras.push("Server", "example")?;
/// let mut buffer = [0; 256];
/// for date in ["Tue, 04 Mar 2025 09:15:03 GMT", "Tue, 04 Mar 2025 09:15:04 GMT"] {
///     extras.set("Date", date)?;
///     let written = Ack::Ping(PingAck).encode(&extras)?.write(&mut buffer)?;
///     let start = format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nServer: example\r\n");
///     assert!(buffer[..written].starts_with(start.as_bytes()));
/// }
/// assert!(extras.set("Date", "now\r\nContent-Length: 9").is_err());
/// # Ok::<(), bits_proto::Error>(())
/// ```
#[derive(Clone)]
pub struct Extras<S> {
    /// The field lines, each preceded by CR LF, and unused bytes.
    storage: S,
    layout: Layout,
}

/// No extra fields.
///
/// # Example
///
/// ```
/// use bits_proto::message::{Ack, NO_EXTRAS, PingAck};
///
/// assert_eq!(Ack::Ping(PingAck).encode(&NO_EXTRAS)?.encoded_len(), 61);
/// # Ok::<(), bits_proto::Error>(())
/// ```
pub const NO_EXTRAS: Extras<[u8; 0]> = Extras::new([]);

/// Properties of the field lines, which are computed when the lines change.
#[derive(Clone, Copy)]
struct Layout {
    /// The length of all lines.
    length: usize,
    /// The length of the lines of each placement.
    lengths: [usize; 3],
    /// True if the lines are in the order in which a request has them.
    is_sorted: bool,
    /// The fields that uploads know.
    known: FieldSet,
    /// True if there are fields that downloads know.
    is_known_to_downloads: bool,
}

impl Layout {
    const EMPTY: Self = Self {
        length: 0,
        lengths: [0; 3],
        is_sorted: true,
        known: FieldSet::EMPTY,
        is_known_to_downloads: false,
    };

    /// Returns the layout after a field is appended.
    fn with(mut self, name: &str, value: &[u8]) -> Self {
        let length = line_length(name, value);
        let placement = Placement::in_request(name) as usize;
        self.length = self.length.saturating_add(length);
        if let Some(length_here) = self.lengths.get_mut(placement) {
            *length_here = length_here.saturating_add(length);
        }
        let mut later = self.lengths.iter().skip(placement.saturating_add(1));
        self.is_sorted &= later.all(|length| *length == 0);
        if let Some(field) = FieldName::from_name(name) {
            self.known.insert(field);
        }
        self.is_known_to_downloads |= download::FieldName::from_name(name).is_some();
        self
    }
}

/// Returns the length of a field line with the CR LF before it.
fn line_length(name: &str, value: &[u8]) -> usize {
    b"\r\n: ".len().saturating_add(name.len()).saturating_add(value.len())
}

impl<S> Extras<S> {
    /// Creates an empty list of fields, which are stored in `storage`.
    #[must_use]
    pub const fn new(storage: S) -> Self {
        Self { storage, layout: Layout::EMPTY }
    }
}

impl<S: ExtrasStorage> Extras<S> {
    /// Creates a list of these fields. They may be a `&HeaderMap` of the `http` crate.
    ///
    /// # Errors
    ///
    /// The errors of [`push`](Self::push). [`ErrorKind::BufferTooSmall`] has the length required up to the first
    /// field that does not fit.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::{Ack, Extras, PingAck};
    ///
    /// let extras = Extras::from_fields([0; 64], [("Server", "example")])?;
    /// assert_eq!(Ack::Ping(PingAck).encode(&extras)?.encoded_len(), 78);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn from_fields<N, V>(
        storage: S,
        fields: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, Error>
    where
        N: AsRef<str>,
        V: AsRef<[u8]>,
    {
        let mut extras = Self::new(storage);
        fields.into_iter().try_for_each(|(name, value)| extras.push(name, value))?;
        Ok(extras)
    }

    /// Appends a field.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ExtraName`], [`ErrorKind::ExtraValue`], and [`ErrorKind::BufferTooSmall`] with the
    /// required length of the storage. The fields are unchanged.
    pub fn push(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        let (name, value) = (name.as_ref(), value.as_ref());
        check_syntax(name, value)?;
        let layout = self.layout;
        self.splice(layout.length..layout.length, &[b"\r\n", name.as_bytes(), b": ", value])?;
        self.layout = layout.with(name, value);
        Ok(())
    }

    /// Replaces the value of the first field with this name, or appends the field if it is absent.
    /// Names are compared ignoring ASCII case.
    ///
    /// # Errors
    ///
    /// The errors of [`push`](Self::push). The fields are unchanged.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::Extras;
    ///
    /// let mut extras = Extras::new([0; 64]);
    /// extras.set("User-Agent", "example/1")?;
    /// extras.set("user-agent", "example/1.1")?;
    /// assert!(extras.iter().eq([("User-Agent", &b"example/1.1"[..])]));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn set(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Result<(), Error> {
        let (name, value) = (name.as_ref(), value.as_ref());
        let Some(Line { value: range, .. }) = self.find(name) else {
            return self.push(name, value);
        };
        check_syntax(name, value)?;
        let is_resized = range.len() != value.len();
        self.splice(range, &[value])?;
        if is_resized {
            self.measure();
        }
        Ok(())
    }

    /// Removes all fields with this name, ignoring ASCII case.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::Extras;
    ///
    /// let mut extras = Extras::from_fields([0; 64], [("Connection", "close"), ("Host", "h")])?;
    /// extras.remove("connection");
    /// assert!(extras.iter().eq([("Host", &b"h"[..])]));
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    pub fn remove(&mut self, name: impl AsRef<str>) {
        while let Some(Line { whole, .. }) = self.find(name.as_ref()) {
            // Shorter lines always fit.
            if self.splice(whole, &[]).is_err() {
                return;
            }
            self.measure();
        }
    }

    /// Returns the value of the first field with this name, ignoring ASCII case.
    ///
    /// # Example
    ///
    /// ```
    /// use bits_proto::message::Extras;
    ///
    /// let extras = Extras::from_fields([0; 64], [("Host", "origin.example")])?;
    /// assert_eq!(extras.get("host"), Some(&b"origin.example"[..]));
    /// assert_eq!(extras.get("Date"), None);
    /// # Ok::<(), bits_proto::Error>(())
    /// ```
    #[must_use]
    pub fn get(&self, name: impl AsRef<str>) -> Option<&[u8]> {
        let mut fields = self.iter();
        fields.find(|(other, _)| name.as_ref().eq_ignore_ascii_case(other)).map(|(_, value)| value)
    }

    /// Returns the names and values of all fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines().fields()
    }

    /// Returns the lines, to be written.
    #[inline(always)]
    pub(crate) fn lines(&self) -> ExtraLines<'_> {
        let layout = &self.layout;
        let lines = self.storage.bytes().get(..layout.length).unwrap_or_default();
        ExtraLines { lines, layout }
    }

    fn find(&self, name: &str) -> Option<Line> {
        let lines = self.lines();
        let mut start = 0;
        lines.fields().find_map(|(other, value)| {
            let whole = start..usize::saturating_add(start, line_length(other, value));
            start = whole.end;
            let value = whole.end.saturating_sub(value.len())..whole.end;
            name.eq_ignore_ascii_case(other).then_some(Line { whole, value })
        })
    }

    /// Replaces a range of the lines by these texts. Does not update the layout.
    fn splice(&mut self, range: Range<usize>, texts: &[&[u8]]) -> Result<(), Error> {
        let new_end = texts.iter().map(|text| text.len()).fold(range.start, usize::saturating_add);
        let rest = self.layout.length.saturating_sub(range.end);
        let bytes = self.storage.reserve(new_end.saturating_add(rest))?;
        // The range, and the rest at its old and at its new place, are within the storage.
        copy_within(bytes, range.end..self.layout.length, new_end);
        let texts_here = bytes.get_mut(range.start..new_end).unwrap_or_default();
        texts.iter().fold(SliceSink(texts_here), |sink, text| sink.put(text));
        self.layout.length = new_end.saturating_add(rest);
        Ok(())
    }

    /// Computes the layout again.
    fn measure(&mut self) {
        let fields = self.lines().fields();
        self.layout = fields.fold(Layout::EMPTY, |layout, (name, value)| layout.with(name, value));
    }
}

impl<S: ExtrasStorage + Default> Default for Extras<S> {
    fn default() -> Self {
        Self::new(S::default())
    }
}

impl<S: ExtrasStorage> fmt::Debug for Extras<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().fmt(f)
    }
}

/// The position of a field in the lines.
struct Line {
    whole: Range<usize>,
    value: Range<usize>,
}

/// Checks that an extra field can be written.
fn check_syntax(name: &str, value: &[u8]) -> Result<(), Error> {
    if !is_token(name.as_bytes()) {
        return Err(Error::caller(ErrorKind::ExtraName).with_received(name.as_bytes(), 0));
    }
    // The value may be a secret.
    let error = Error::caller(ErrorKind::ExtraValue).with_received(name.as_bytes(), 0);
    check_content(value).map_err(|_| error)
}
