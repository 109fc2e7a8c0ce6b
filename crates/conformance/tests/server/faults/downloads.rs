//! Faults of downloads.

use http::{Method, Response, StatusCode};
use hyper::body::Bytes;

use super::{leaks, reads};
use crate::double::{Fault, set};
use crate::seen::Seen;

const EARLY: &str = "Sat, 01 Jan 2000 00:00:00 GMT\r\n";

/// Changes responses to downloads.
macro_rules! changes {
    ($id:literal, |$seen:ident, $response:ident| $condition:expr, $change:expr) => {
        (
            $id,
            Fault::Changes(|$seen, $response| {
                if $seen.parts.method == Method::GET && $condition {
                    $change;
                }
            }),
        )
    };
}

/// Reads one range as another.
macro_rules! range {
    ($id:literal, $from:literal, $to:literal) => {
        reads!($id, concat!("Range: bytes=", $from, "\r\n"), concat!("Range: bytes=", $to, "\r\n"))
    };
}

/// Returns true for the download of a whole entity in the area `download`.
fn is_entity(seen: &Seen<'_>, response: &Response<Bytes>) -> bool {
    seen.has("Accept") && response.status() == StatusCode::OK && response.body().len() == 200
}

pub const FAULTS: &[(&str, Fault)] = &[
    changes!("download.get", |seen, response| is_entity(seen, response), {
        *response.body_mut() = vec![0; 200].into();
    }),
    (
        "download.head",
        Fault::Changes(|seen, response| {
            if seen.parts.method == Method::HEAD {
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            }
        }),
    ),
    changes!("download.length", |seen, response| is_entity(seen, response), {
        set(response, "Content-Length", "");
        set(response, "Transfer-Encoding", "chunked");
    }),
    changes!(
        "download.date",
        |seen, response| is_entity(seen, response),
        set(response, "Last-Modified", "")
    ),
    changes!(
        "download.coding",
        |seen, response| is_entity(seen, response),
        set(response, "Content-Encoding", "gzip")
    ),
    changes!(
        "download.missing",
        |seen, response| seen.has("Accept") && response.status() == StatusCode::NOT_FOUND,
        *response.status_mut() = StatusCode::FORBIDDEN
    ),
    changes!(
        "download.empty",
        |seen, response| seen.has("Accept")
            && response.body().is_empty()
            && response.status() == StatusCode::OK,
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR
    ),
    range!("download.range", "30-59", "31-60"),
    range!("download.range.first", "0-0", "0-1"),
    range!("download.range.last", "199-199", "198-199"),
    reads!("download.range.whole", "Range: bytes=0-199\r\n", ""),
    range!("download.range.open", "150-", "150-198"),
    range!("download.range.suffix", "-20", "0-20"),
    reads!("download.range.clipped", "Range: bytes=190-999\r\n", ""),
    range!("download.range.beyond", "200-299", "199-299"),
    range!("download.range.overflow", "18446744073709551616-18446744073709551625", "0-9"),
    reads!("download.ranges", "Range: bytes=10-19,50-59\r\n", ""),
    range!("download.ranges.order", "100-109,20-29", "20-29,100-109"),
    range!("download.ranges.adjacent", "0-9,10-19", "0-19"),
    (
        "download.if_unmodified_since",
        Fault::ReadsHead(|head| head.replace(&format!("If-Unmodified-Since: {EARLY}"), "")),
    ),
    changes!(
        "download.if_unmodified_since.holds",
        |seen, _response| seen.field("Range") == Some("bytes=70-79"),
        *_response.status_mut() = StatusCode::PRECONDITION_FAILED
    ),
    ("download.if_range", Fault::ReadsHead(|head| head.replace(&format!("If-Range: {EARLY}"), ""))),
    leaks!("download.not_during_upload", 202),
];
