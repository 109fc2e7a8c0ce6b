//! GET and HEAD of what was uploaded and of replies, whole or a range of it.

use std::io;

use bits_proto::server::Reply;
use cap_std::fs::File;
use http::header::{
    ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_RANGE, RANGE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_range_header::{
    EndPosition, StartPosition, SyntacticallyCorrectRange, parse_range_header,
};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::body::Outgoing;
use crate::server::{Server, bare};
use bits_proto_programs::serve::path::{RESERVED, decoded, destination};

/// What the client gets of a file.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range { first: u64, last: u64 },
    Nothing,
}

/// Where the reply to a session's entity is, as it goes into BITS-Reply-URL.
pub fn reply_path(session: Uuid) -> String {
    format!("/{RESERVED}/Replies/{session:X}/response")
}

/// The session whose reply is at a path.
fn session_of(path: &str) -> Option<Uuid> {
    let mut segments = path.strip_prefix('/')?.split('/').map(decoded);
    let mut is_next = |name: &str| {
        segments.next().is_some_and(|it| it.is_ok_and(|it| it.eq_ignore_ascii_case(name)))
    };
    if !is_next(RESERVED) || !is_next("Replies") {
        return None;
    }
    let id = segments.next()?.ok().and_then(|id| Uuid::try_parse(&id).ok())?;
    let is_response = segments.next()?.is_ok_and(|name| name == "response");
    (is_response && segments.next().is_none()).then_some(id)
}

impl Server {
    /// Answers GET and HEAD.
    pub fn fetch(&self, parts: &Parts, principal: Option<&str>) -> Response<Outgoing> {
        let found = match session_of(parts.uri.path()) {
            Some(session) => self.reply(session, principal),
            None => match destination(parts.uri.path()) {
                Ok(destination) => self.storage.whole(&destination),
                Err(why) => {
                    debug!(%why, "nothing is there");
                    Err(io::ErrorKind::NotFound.into())
                }
            },
        };
        match found {
            Ok((file, length)) => response(file, length, parts),
            Err(error) => bare(status_of(&error)),
        }
    }

    /// The reply to an entity, for whoever sent that.
    fn reply(&self, session: Uuid, principal: Option<&str>) -> io::Result<(File, u64)> {
        let is_theirs = self.table().store().get(session).is_some_and(|record| {
            let notified = record.session.notified();
            record.principal.as_deref() == principal
                && notified.is_some_and(|notified| notified.reply == Reply::Kept)
        });
        if is_theirs { self.storage.reply(session) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn status_of(error: &io::Error) -> StatusCode {
    match error.kind() {
        // What leads out of the root is told from what is not there by nobody.
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory => StatusCode::NOT_FOUND,
        _ => {
            warn!(%error, "cannot be read");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

fn response(file: File, length: u64, parts: &Parts) -> Response<Outgoing> {
    let tag = tag(&file);
    let part = part(&parts.headers, tag.as_ref(), length);
    let (status, offset, count) = match part {
        Part::Whole => (StatusCode::OK, 0, length),
        Part::Range { first, last } => (StatusCode::PARTIAL_CONTENT, first, last - first + 1),
        Part::Nothing => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let mut response = bare(status);
    let fields = response.headers_mut();
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(count));
    let range = match part {
        Part::Whole => None,
        Part::Range { first, last } => Some(format!("bytes {first}-{last}/{length}")),
        Part::Nothing => Some(format!("bytes */{length}")),
    };
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        fields.insert(CONTENT_RANGE, range);
    }
    if let Some(tag) = tag {
        fields.insert(ETAG, tag);
    }
    if part != Part::Nothing {
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    if parts.method == Method::GET && count > 0 {
        *response.body_mut() = Outgoing::of_file(file, offset, count);
    }
    response
}

/// A strong tag: an entity gets to its destination whole, as another file than the one before, and
/// nobody writes to it there. So a client that holds a part of one never gets the rest of another.
#[cfg(unix)]
fn tag(file: &File) -> Option<HeaderValue> {
    use cap_std::fs::MetadataExt as _;
    let found = file.metadata().ok()?;
    // The number of a file may come again when that is gone; its time does not.
    let (seconds, nanoseconds) = (found.mtime(), found.mtime_nsec());
    let (device, number, length) = (found.dev(), found.ino(), found.len());
    let tag = format!("\"{device:x}-{number:x}-{seconds:x}.{nanoseconds:x}-{length:x}\"");
    HeaderValue::try_from(tag).ok()
}

/// Elsewhere nothing tells files apart for certain, and downloads begin anew.
#[cfg(not(unix))]
fn tag(_: &File) -> Option<HeaderValue> {
    None
}

/// Several ranges, or what is no range, count as none; that is allowed, and nothing asks for them.
/// So does one of another entity than the one that is there.
fn part(fields: &HeaderMap, tag: Option<&HeaderValue>, length: u64) -> Part {
    if fields.get(IF_RANGE).is_some_and(|wanted| Some(wanted) != tag) {
        return Part::Whole;
    }
    let Some(range) = fields.get(RANGE).and_then(|range| range.to_str().ok()) else {
        return Part::Whole;
    };
    match parse_range_header(range).as_ref().map(|ranges| &*ranges.ranges) {
        Ok([range]) => part_of(range, length),
        _ => Part::Whole,
    }
}

/// What there is of a range. The crate that parsed it knows no suffix that is longer than the
/// whole, and no file without bytes.
fn part_of(range: &SyntacticallyCorrectRange, length: u64) -> Part {
    let Some(end) = length.checked_sub(1) else { return Part::Nothing };
    let (first, last) = match (range.start, range.end) {
        (StartPosition::Index(first), EndPosition::Index(last)) if last < first => {
            return Part::Whole;
        }
        (StartPosition::Index(first), EndPosition::Index(last)) => (first, last.min(end)),
        (StartPosition::Index(first), EndPosition::LastByte) => (first, end),
        (StartPosition::FromLast(0), _) => return Part::Nothing,
        (StartPosition::FromLast(count), _) => (length.saturating_sub(count), end),
    };
    if first > end { Part::Nothing } else { Part::Range { first, last } }
}
