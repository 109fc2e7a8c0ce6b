//! GET and HEAD of uploaded entities and replies, with support for ranges.

use std::io;

use bits_proto::server::Reply;
use bits_proto_programs::serve::path::{RESERVED, decoded, destination};
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
use crate::server::{Server, empty_response};

/// The part of a file that is sent to the client.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range { first: u64, last: u64 },
    Unsatisfiable,
}

/// Returns the path of a session's reply, which is sent in BITS-Reply-URL.
pub fn reply_path(session: Uuid) -> String {
    format!("/{RESERVED}/Replies/{session:X}/response")
}

/// Returns the session whose reply is at a path.
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
                Ok(destination) => self.storage.published(&destination),
                Err(why) => {
                    debug!(%why, "invalid path");
                    Err(io::ErrorKind::NotFound.into())
                }
            },
        };
        match found {
            Ok((file, length)) => response(file, length, parts),
            Err(error) => empty_response(status_of(&error)),
        }
    }

    /// Opens a reply. Only the principal that uploaded the entity may read it.
    fn reply(&self, session: Uuid, principal: Option<&str>) -> io::Result<(File, u64)> {
        let is_readable = self.table().store().get(session).is_some_and(|record| {
            let notified = record.session.notified();
            record.principal.as_deref() == principal
                && notified.is_some_and(|notified| notified.reply == Reply::Kept)
        });
        if is_readable { self.storage.reply(session) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

fn status_of(error: &io::Error) -> StatusCode {
    match error.kind() {
        // A client cannot distinguish a link that leads out of the root from a missing file.
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::NotADirectory => StatusCode::NOT_FOUND,
        _ => {
            warn!(%error, "cannot read the file");
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
        Part::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, 0, 0),
    };
    let mut response = empty_response(status);
    let fields = response.headers_mut();
    fields.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.insert(CONTENT_LENGTH, HeaderValue::from(count));
    let range = match part {
        Part::Whole => None,
        Part::Range { first, last } => Some(format!("bytes {first}-{last}/{length}")),
        Part::Unsatisfiable => Some(format!("bytes */{length}")),
    };
    if let Some(range) = range.and_then(|range| HeaderValue::try_from(range).ok()) {
        fields.insert(CONTENT_RANGE, range);
    }
    if let Some(tag) = tag {
        fields.insert(ETAG, tag);
    }
    if part != Part::Unsatisfiable {
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    }
    if parts.method == Method::GET && count > 0 {
        *response.body_mut() = Outgoing::of_file(file, offset, count);
    }
    response
}

/// Returns a strong ETag. Published files are never modified, only replaced by other files, so the
/// identity of a file identifies its content.
#[cfg(unix)]
fn tag(file: &File) -> Option<HeaderValue> {
    use cap_std::fs::MetadataExt as _;
    let found = file.metadata().ok()?;
    // A deleted file's number may be used again, but not together with its modification time.
    let (seconds, nanoseconds) = (found.mtime(), found.mtime_nsec());
    let (device, number, length) = (found.dev(), found.ino(), found.len());
    let tag = format!("\"{device:x}-{number:x}-{seconds:x}.{nanoseconds:x}-{length:x}\"");
    HeaderValue::try_from(tag).ok()
}

/// Returns `None`: without file numbers there is no reliable tag, and downloads restart.
#[cfg(not(unix))]
fn tag(_: &File) -> Option<HeaderValue> {
    None
}

/// Returns the requested part. A list of ranges, an invalid range, and a range of a different
/// version (If-Range) are ignored, as RFC 9110 allows.
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

/// Limits a range to the length of the file. `http_range_header` does not handle empty files, or
/// suffixes that exceed the length.
fn part_of(range: &SyntacticallyCorrectRange, length: u64) -> Part {
    let Some(end) = length.checked_sub(1) else { return Part::Unsatisfiable };
    let (first, last) = match (range.start, range.end) {
        (StartPosition::Index(first), EndPosition::Index(last)) if last < first => {
            return Part::Whole;
        }
        (StartPosition::Index(first), EndPosition::Index(last)) => (first, last.min(end)),
        (StartPosition::Index(first), EndPosition::LastByte) => (first, end),
        (StartPosition::FromLast(0), _) => return Part::Unsatisfiable,
        (StartPosition::FromLast(count), _) => (length.saturating_sub(count), end),
    };
    if first > end { Part::Unsatisfiable } else { Part::Range { first, last } }
}
