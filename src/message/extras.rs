//! Fields of the transport that go into a head beside the message's own.

use super::MessageKind;
use super::presence::{self, Presence};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, check_content, is_plain};
use crate::util::ascii_case::eq_ignore_case;

/// Where in a head a field stands, in Microsoft's captures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Before the message's fields.
    Lead,
    /// Before Content-Length.
    Middle,
    /// At the end.
    Trail,
}

/// The zones that any extra field stands in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Zones(u8);

impl Zones {
    #[inline]
    pub(super) const fn insert(&mut self, placement: Placement) {
        self.0 |= 1 << placement as u8;
    }

    #[inline]
    pub(super) const fn contain(self, placement: Placement) -> bool {
        self.0 & 1 << placement as u8 != 0
    }

    #[inline]
    pub(super) const fn contain_one(self) -> bool {
        self.0.is_power_of_two()
    }
}

impl Placement {
    /// The placement of an extra field of a client. A server puts all of them first.
    #[inline]
    pub(super) fn of(name: &str) -> Self {
        if eq_ignore_case!(name.as_bytes(), b"accept") {
            Self::Lead
        } else if eq_ignore_case!(name.as_bytes(), b"connection") {
            Self::Trail
        } else {
            Self::Middle
        }
    }
}

/// `token = 1*tchar`
fn is_token(name: &str) -> bool {
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fine)
}

/// Whether an extra field is one of those that are mostly sent, in every way a usual one. Of what
/// is not, [`check`] knows whether it is wrong.
pub(super) fn is_usual(name: &str, value: &[u8]) -> bool {
    let is_known =
        matches!(name, "Date" | "Host" | "Accept" | "Server" | "Connection" | "User-Agent");
    is_known && is_plain(value)
}

/// An extra field must be a field of its own and none of the message's.
pub(super) fn check(kind: MessageKind, name: &str, value: &[u8]) -> Result<(), Error> {
    if !is_token(name) {
        return Err(Error::caller(ErrorKind::ExtraName).with_received(name.as_bytes(), 0));
    }
    if check_content(value).is_err() {
        return Err(Error::caller(ErrorKind::ExtraValue));
    }
    let is_free = |field: FieldName| match field {
        FieldName::ContentLength | FieldName::TransferEncoding => false,
        field => presence::of(kind, field) == Presence::Ignored,
    };
    match FieldName::from_name(name) {
        Some(field) if !is_free(field) => {
            Err(Error::caller(ErrorKind::ReservedExtra).in_field(field))
        }
        _ => Ok(()),
    }
}
