//! Paths of requests.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use uuid::Uuid;

/// Name that is reserved for the URLs of replies: `…/BITS-Sessions/Replies/ID/response`.
pub(crate) const RESERVED: &str = "BITS-Sessions";

/// The path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequestPath {
    /// A path of an entity, decoded, without the first slash. All percent-encoded spellings of a path
    /// are equal, so that the requests of a session match.
    Entity(String),
    /// The reply of a session.
    Reply(Uuid),
    /// The path is not valid.
    Invalid(&'static str),
}

impl RequestPath {
    /// Reads the path of a URL, without a query.
    pub(crate) fn new(path: &str) -> Self {
        let names = path.strip_prefix('/').unwrap_or(path).split('/');
        let decoded: Result<Vec<_>, _> = names.map(decode).collect();
        let names = match decoded {
            Ok(names) => names,
            Err(why) => return Self::Invalid(why),
        };
        // A decoded slash would move the entity to another folder.
        if names.iter().any(|name| name.contains('/')) {
            return Self::Invalid("path contains an escaped '/'");
        }
        match names.iter().position(|name| name.eq_ignore_ascii_case(RESERVED)) {
            None => Self::Entity(names.join("/")),
            Some(index) => match names.get(index + 1..) {
                Some([replies, id, name])
                    if replies.eq_ignore_ascii_case("Replies") && name == "response" =>
                {
                    Uuid::try_parse(id).map_or(Self::Invalid("path is reserved"), Self::Reply)
                }
                _ => Self::Invalid("path is reserved for replies"),
            },
        }
    }
}

/// Returns the path of a reply below the folder of the upload.
pub(crate) fn reply_path(session: Uuid) -> String {
    format!("{RESERVED}/Replies/{session}/response")
}

fn decode(name: &str) -> Result<Cow<'_, str>, &'static str> {
    let is_escape = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !name.split('%').skip(1).all(is_escape) {
        return Err("path contains a '%' without two hexadecimal digits");
    }
    percent_decode_str(name).decode_utf8().map_err(|_| "path is not UTF-8")
}
