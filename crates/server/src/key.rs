//! Names of published entities.

use std::fmt;

use bits_proto::field::ContentName;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Maximum length of one name, in bytes: the limit of common file systems.
const MAX_NAME: usize = 255;

/// Maximum length of a key, in bytes. It leaves room for the path of a root, and for a prefix in a
/// bucket, where keys may have 1024 bytes.
const MAX_KEY: usize = 900;

/// The name of a published entity: names joined by slashes, as in `machine-7/logs/today (2).zip`.
///
/// Each name is valid as a file name on all common systems. Empty names, `.`, `..`, control characters,
/// backslashes and names that denote devices, streams or drives on Windows are invalid. Spaces,
/// parentheses and letters of all languages are valid. So a key never leads out of a storage, and data
/// can move between systems.
///
/// # Example
///
/// ```
/// use bits_server::Key;
///
/// let key: Key = "machine-7/Größe (2).log".parse()?;
/// assert_eq!(key.as_str(), "machine-7/Größe (2).log");
/// assert!("../secret".parse::<Key>().is_err());
/// # Ok::<(), bits_server::InvalidKey>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// Reasons to reject a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// A name is empty, invalid on some system, or has a special meaning such as `..`.
    #[error("path contains an empty, reserved or invalid file name")]
    Name,
    /// A name or the whole key is too long.
    #[error("path exceeds 255 bytes in a name or 900 bytes in total")]
    TooLong,
}

impl Key {
    /// Returns the key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the names before the last one, joined by slashes; empty if there is only one name.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Returns the last name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }
}

impl TryFrom<String> for Key {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        if text.len() > MAX_KEY {
            return Err(InvalidKey::TooLong);
        }
        text.split('/').try_for_each(check_name)?;
        Ok(Self(text))
    }
}

impl std::str::FromStr for Key {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        Self::try_from(text.to_owned())
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_name(name: &str) -> Result<(), InvalidKey> {
    if name.len() > MAX_NAME {
        return Err(InvalidKey::TooLong);
    }
    let is_safe = ContentName::try_from(name).is_ok_and(|name| name.is_safe());
    // `is_safe` rejects the control characters of ASCII only.
    if is_safe && !name.chars().any(char::is_control) { Ok(()) } else { Err(InvalidKey::Name) }
}
