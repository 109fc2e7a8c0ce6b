//! Extra fields, such as Host or Date, that the caller adds to a message.

use super::MessageKind;
use super::presence::{self, Presence};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, check_content, is_plain};
use crate::util::ascii_case::eq_ignore_case;

/// The position of an extra field in a head, as in Microsoft's captures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Before the fields of the message.
    First,
    /// Directly before Content-Length.
    BeforeLength,
    /// After the fields of the message.
    Last,
}

/// The set of placements of the extra fields.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Placements(u8);

impl Placements {
    #[inline]
    pub(super) const fn insert(&mut self, placement: Placement) {
        self.0 |= 1 << placement as u8;
    }

    #[inline]
    pub(super) const fn contains(self, placement: Placement) -> bool {
        self.0 & 1 << placement as u8 != 0
    }

    #[inline]
    pub(super) const fn is_single(self) -> bool {
        self.0.is_power_of_two()
    }
}

impl Placement {
    /// Returns the placement of an extra field in a request. In a response all are
    /// [`First`](Self::First).
    #[inline]
    pub(super) fn in_request(name: &str) -> Self {
        if eq_ignore_case!(name.as_bytes(), b"accept") {
            Self::First
        } else if eq_ignore_case!(name.as_bytes(), b"connection") {
            Self::Last
        } else {
            Self::BeforeLength
        }
    }
}

/// Returns true for a valid field name: `token = 1*tchar`.
fn is_token(name: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_tchar)
}

/// Returns true if an extra field is one of the most common ones and valid. [`check`] decides about
/// all other fields.
pub(super) fn is_common(name: &str, value: &[u8]) -> bool {
    let is_known =
        matches!(name, "Date" | "Host" | "Accept" | "Server" | "Connection" | "User-Agent");
    is_known && is_plain(value)
}

/// Checks that an extra field is a valid field that the message does not write and that does not
/// change the framing.
pub(super) fn check(kind: MessageKind, name: &str, value: &[u8]) -> Result<(), Error> {
    check_syntax(name, value)?;
    let is_allowed = |field: FieldName| match field {
        FieldName::ContentLength | FieldName::TransferEncoding => false,
        field => presence::of(kind, field) == Presence::Ignored,
    };
    match FieldName::from_name(name) {
        Some(field) if !is_allowed(field) => {
            Err(Error::caller(ErrorKind::ReservedExtra).in_field(field))
        }
        _ => Ok(()),
    }
}

/// Checks that an extra field can be written.
pub(crate) fn check_syntax(name: &str, value: &[u8]) -> Result<(), Error> {
    if !is_token(name) {
        return Err(Error::caller(ErrorKind::ExtraName).with_received(name.as_bytes(), 0));
    }
    // The value may be a secret.
    let error = Error::caller(ErrorKind::ExtraValue).with_received(name.as_bytes(), 0);
    check_content(value).map_err(|_| error)
}
