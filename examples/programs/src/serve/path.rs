//! The one way from the target of a request to a name below the root.
//!
//! A destination is a list of plain names on every common system, joined by slashes: what Windows
//! would take for a device, a stream or a drive is refused on Unix too, so that a root can move.
//! What is refused here never reaches the file system. What passes is still opened through a
//! `cap_std::fs::Dir`, which keeps symbolic links from leading out of the root.

use std::borrow::Cow;
use std::fmt;

use bits_proto::field::ContentName;
use percent_encoding::percent_decode_str;

/// The first segment of the URLs under which replies are kept. It is no folder of the root.
pub const RESERVED: &str = "BITS-Sessions";

/// The longest name of a file on common systems, in bytes.
const MAX_NAME: usize = 255;

/// The longest destination, in bytes: it leaves room for the path of the root.
const MAX_PATH: usize = 2048;

/// A destination below the root.
///
/// It is spelt in one way only, whatever the client escaped: requests of one session are known by
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    path: String,
    /// Where the last name begins.
    name: usize,
}

/// Why a target is no destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPath {
    /// It does not begin with a slash.
    NotAbsolute,
    /// A `%` without two hexadecimal digits.
    Escape,
    /// Not UTF-8.
    Encoding,
    /// A name that is empty, not allowed on some system, or means something else than a name.
    Name,
    /// A name or the whole is too long.
    TooLong,
    /// It is where replies are.
    Reserved,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "the target is no path",
            Self::Escape => "the target has an escape without two hexadecimal digits",
            Self::Encoding => "the target is not UTF-8",
            Self::Name => "the target has a name that is no plain name",
            Self::TooLong => "the target is too long",
            Self::Reserved => "the target is where replies are",
        })
    }
}

impl Destination {
    /// The path below the root, with slashes.
    pub fn as_str(&self) -> &str {
        &self.path
    }

    /// The folder it is in, below the root.
    pub fn folder(&self) -> &str {
        match self.path.get(..self.name) {
            None | Some("") => ".",
            Some(folder) => folder.trim_end_matches('/'),
        }
    }

    /// Its name in that folder.
    pub fn name(&self) -> &str {
        self.path.get(self.name..).unwrap_or_default()
    }
}

/// The destination that the path of a URL names. A query is no part of it.
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

/// One segment without escapes. It is split off before, so an escaped slash does not divide.
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
    // The check knows the control characters of ASCII only.
    if is_safe && !name.chars().any(char::is_control) { Ok(()) } else { Err(BadPath::Name) }
}
