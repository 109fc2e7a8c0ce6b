//! Conversion of a request target into a path below the root.
//!
//! A destination consists of names that are valid on every common system, joined by slashes. Names
//! that denote a device, a stream or a drive on Windows are rejected on Unix too, so that a root
//! can move between systems. Rejected paths never reach the file system. Accepted paths are opened
//! through a `cap_std::fs::Dir`, which prevents symbolic links from leading out of the root.

use std::borrow::Cow;
use std::fmt;

use bits_proto::field::ContentName;
use percent_encoding::percent_decode_str;

/// First segment of the URLs of replies. It does not correspond to a folder of the root.
pub const RESERVED: &str = "BITS-Sessions";

/// Maximum length of a file name on common systems, in bytes.
const MAX_NAME: usize = 255;

/// Maximum length of a destination, in bytes. It leaves room for the path of the root.
const MAX_PATH: usize = 2048;

/// A destination below the root.
///
/// All percent-encoded spellings of a path give the same destination, so that requests of one
/// session match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    path: String,
    /// Index of the last name in `path`.
    name: usize,
}

/// Reasons to reject a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// The target does not begin with a slash.
    NotAbsolute,
    /// A `%` is not followed by two hexadecimal digits.
    Escape,
    /// The decoded target is not UTF-8.
    Encoding,
    /// A name is empty, invalid on some system, or has a special meaning such as `..`.
    Name,
    /// A name or the whole path is too long.
    TooLong,
    /// The path is reserved for replies.
    Reserved,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "target does not begin with '/'",
            Self::Escape => "target contains a '%' without two hexadecimal digits",
            Self::Encoding => "target is not UTF-8",
            Self::Name => "target contains an empty, reserved or invalid file name",
            Self::TooLong => "target exceeds 255 bytes in a name or 2048 bytes in total",
            Self::Reserved => "target is reserved for replies",
        })
    }
}

impl Destination {
    /// Returns the path relative to the root, with slashes.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// Returns the path of the parent folder relative to the root.
    pub fn folder(&self) -> &str {
        match self.path.get(..self.name) {
            None | Some("") => ".",
            Some(folder) => folder.trim_end_matches('/'),
        }
    }

    /// Returns the last name of the path.
    pub fn name(&self) -> &str {
        self.path.get(self.name..).unwrap_or_default()
    }
}

/// Returns the destination for the path of a URL, without a query.
///
/// # Errors
///
/// Returns the reason if the path is not acceptable.
pub fn destination(path: &str) -> Result<Destination, BadPath> {
    let names = path.strip_prefix('/').ok_or(BadPath::NotAbsolute)?;
    let mut path = String::with_capacity(names.len());
    let mut name = 0;
    for segment in names.split('/') {
        let segment = decoded(segment)?;
        check_name(&segment)?;
        if !path.is_empty() {
            path.push('/');
        }
        name = path.len();
        path.push_str(&segment);
        if path.len() > MAX_PATH {
            return Err(BadPath::TooLong);
        }
    }
    let first = path.split('/').next().unwrap_or_default();
    if first.eq_ignore_ascii_case(RESERVED) {
        return Err(BadPath::Reserved);
    }
    Ok(Destination { path, name })
}

/// Decodes the escapes of one segment. Segments are split before, so an escaped slash is part of a
/// name.
pub fn decoded(segment: &str) -> Result<Cow<'_, str>, BadPath> {
    let is_escape = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !segment.split('%').skip(1).all(is_escape) {
        return Err(BadPath::Escape);
    }
    percent_decode_str(segment).decode_utf8().map_err(|_| BadPath::Encoding)
}

fn check_name(name: &str) -> Result<(), BadPath> {
    if name.len() > MAX_NAME {
        return Err(BadPath::TooLong);
    }
    let is_safe = ContentName::try_from(name).is_ok_and(|name| name.is_safe());
    // `is_safe` rejects the control characters of ASCII only.
    if is_safe && !name.chars().any(char::is_control) { Ok(()) } else { Err(BadPath::Name) }
}
