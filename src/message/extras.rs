//! Fields of the transport that go into a head beside the message's own.

use super::MessageKind;
use super::presence::{self, Presence};
use crate::error::{Error, ErrorKind};
use crate::field::{FieldName, check_content};

/// Where in a head a field stands, in Microsoft's captures.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// Before the message's fields.
    Lead,
    /// Before Content-Length.
    Middle,
    /// At the end.
    Trail,
}

impl Zone {
    /// The zone of an extra field. A server puts all of them first.
    pub(super) fn of(kind: MessageKind, name: &str) -> Self {
        if kind.is_response() || name.eq_ignore_ascii_case("accept") {
            Self::Lead
        } else if name.eq_ignore_ascii_case("connection") {
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

/// An extra field must be a field of its own and none of the message's.
pub(super) fn check(kind: MessageKind, name: &str, value: &[u8]) -> Result<(), Error> {
    if !is_token(name) {
        return Err(Error::caller(ErrorKind::ExtraName));
    }
    if check_content(value).is_err() {
        return Err(Error::caller(ErrorKind::ExtraValue));
    }
    let is_free = |field: FieldName| match field {
        FieldName::ContentLength | FieldName::TransferEncoding => false,
        field => presence::of(kind, field) == Presence::Ignored,
    };
    match FieldName::recognise(name) {
        Some(field) if !is_free(field) => {
            Err(Error { field: Some(field.as_str()), ..Error::caller(ErrorKind::ReservedExtra) })
        }
        _ => Ok(()),
    }
}
