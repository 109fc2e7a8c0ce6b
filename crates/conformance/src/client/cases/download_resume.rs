//! Responses to a request for the rest of an entity, after the first response was cut.

use super::resumed;
use crate::Level::{Must, Robustness};
use crate::client::download::{CUT, Download, Scenario, parse_range};
use crate::client::entry::{Entry, Outcome, fail};
use crate::client::message::{Ending, Framing, Reply, Request};
use crate::client::scenario::Expect::Finishes;

/// A case in which each request for the rest receives another response.
macro_rules! rest {
    ($id:literal, $level:ident, $requirement:literal, $advice:literal, |$server:ident, $range:ident| $reply:expr) => {
        Entry::download($id, $level, &[$requirement], $advice, resumed!(|$server, $range| $reply))
    };
}

/// Returns the first byte of a range.
fn start(range: &str) -> usize {
    parse_range(range).map_or(0, |(first, _)| first)
}

/// Requires that ranges start within the received bytes.
fn has_valid_ranges(server: &Download) -> Outcome {
    for range in server.gets().filter_map(|it: &Request| it.field("Range")) {
        match parse_range(range) {
            Some((first, _)) if first > CUT => {
                return fail(format!("client requests {range:?} after {CUT} bytes"));
            }
            Some((first, last)) if first <= last => {}
            _ => return fail(format!("client sends the invalid Range {range:?}")),
        }
    }
    Ok(())
}

/// Returns a response of one part in the form of several.
fn multipart(server: &Download, first: usize) -> Reply {
    let reply = server.slice(first..server.bytes.len());
    let range = reply.fields.iter().find(|(name, _)| name == "Content-Range");
    let range = range.map(|(_, value)| value.as_str()).unwrap_or_default();
    let head = format!("--limit\r\nContent-Range: {range}\r\n\r\n");
    let body = [head.as_bytes(), &reply.body, b"\r\n--limit--\r\n"].concat();
    let reply = reply.without("Content-Range").body(body);
    reply.field("Content-Type", "multipart/byteranges; boundary=limit")
}

pub(super) const CASES: &[Entry] = &[
    Entry::download(
        "resume.range",
        Must,
        &["RFC9110-14.2"],
        "Request the rest with a valid Range that begins at the first missing byte, or before.",
        Scenario::new(Finishes, 20_000, |server: &mut Download, request| {
            let reply = server.ordinary(request);
            server.cut_first(request, reply)
        })
        .check(has_valid_ranges),
    ),
    Entry::download(
        "resume.twice",
        Robustness,
        &["R3.6.5.3-1"],
        "Continue also after the second break.",
        Scenario::new(Finishes, 20_000, |server: &mut Download, request| {
            let reply = server.ordinary(request);
            if server.is_nth_get(request, 2) {
                return reply.ending(Ending::Close).cut(CUT / 2);
            }
            server.cut_first(request, reply)
        }),
    ),
    rest!(
        "resume.whole",
        Must,
        "RFC9110-14.2",
        "Do not append a 200 response, which has the whole entity: the server ignores Range.",
        |server, _range| server.whole().field("Accept-Ranges", "none")
    ),
    rest!(
        "resume.not_modified",
        Must,
        "R3.6.5.3-3",
        "Treat 304 as a failure: it has no bytes.",
        |server, _range| server.entity(304)
    ),
    rest!(
        "resume.precondition",
        Must,
        "RFC9110-13.1.4",
        "Start over after 412: the entity is another one.",
        |_server, _range| Reply::page(412)
    ),
    rest!(
        "resume.no_content",
        Must,
        "R3.6.5.3-3",
        "Treat 204 as a failure: it has no bytes.",
        |_server, _range| Reply::new(204)
    ),
    rest!(
        "part.from_zero",
        Must,
        "RFC9110-14.4",
        "Store a part at the offset in its Content-Range, or refuse it: servers send other parts.",
        |server, range| server.slice(0..start(range).max(1))
    ),
    rest!(
        "part.earlier",
        Must,
        "RFC9110-14.4",
        "Compare the first byte in Content-Range with the requested one: this part starts earlier.",
        |server, range| server.slice(start(range).saturating_sub(100)..server.bytes.len())
    ),
    rest!(
        "part.later",
        Must,
        "RFC9110-14.4",
        "Compare the first byte in Content-Range with the requested one: this part starts later.",
        |server, range| server.slice(start(range) + 100..server.bytes.len())
    ),
    rest!(
        "part.shorter",
        Must,
        "RFC9110-15.3.7",
        "Request the rest again if a part ends before the requested range does.",
        |server, range| {
            let (first, total) = (start(range), server.bytes.len());
            server.slice(first..first + total.saturating_sub(first).div_ceil(2).max(1))
        }
    ),
    rest!(
        "part.no_content_range",
        Must,
        "RFC9110-15.3.7.1",
        "Refuse a 206 without Content-Range: its offset is unknown.",
        |server, _range| server.slice(0..CUT).without("Content-Range")
    ),
    rest!(
        "part.invalid_range",
        Must,
        "RFC9110-14.4",
        "Refuse a 206 whose Content-Range is invalid: its last byte is before the first one.",
        |server, _range| server.slice(0..CUT).change("Content-Range", |_| "bytes 9-0/20000".into())
    ),
    rest!(
        "part.other_unit",
        Must,
        "RFC9110-14.4",
        "Refuse a 206 whose Content-Range has another unit than bytes.",
        |server, _range| server
            .slice(0..CUT)
            .change("Content-Range", |_| "items 10000-19999/20000".into())
    ),
    rest!(
        "part.unknown_total",
        Robustness,
        "RFC9110-14.4",
        "Accept a Content-Range whose total is an asterisk, or refuse it.",
        |server, range| {
            let reply = server.slice(start(range)..server.bytes.len());
            reply.change("Content-Range", |it| it.replace("/20000", "/*"))
        }
    ),
    rest!(
        "part.too_short",
        Must,
        "RFC9110-14.4",
        "Refuse a 206 whose body has fewer bytes than its Content-Range.",
        |server, range| {
            let reply = server.slice(start(range)..server.bytes.len());
            let half = reply.body.get(..reply.body.len() / 2).unwrap_or_default().to_vec();
            reply.body(half)
        }
    ),
    rest!(
        "part.too_long",
        Must,
        "RFC9110-14.4",
        "Refuse a 206 whose body has more bytes than its Content-Range, or ignore these.",
        |server, range| {
            let reply = server.slice(start(range)..server.bytes.len());
            let longer = [&reply.body[..], b"More bytes."].concat();
            reply.body(longer)
        }
    ),
    rest!(
        "part.multipart",
        Must,
        "RFC9110-14.6",
        "Do not store the delimiters of a multipart response as bytes of the entity.",
        |server, range| multipart(server, start(range))
    ),
    rest!(
        "part.chunked",
        Must,
        "RFC9112-7.1",
        "Decode a part in the chunked transfer coding, or refuse it.",
        |server, range| server.part(range).framing(Framing::Chunked(999))
    ),
    Entry::download(
        "part.unrequested",
        Must,
        &["RFC9110-15.3.7"],
        "Do not treat a 206 as the whole entity if the request has no Range.",
        Scenario::new(
            crate::client::scenario::Expect::NoWrongCopy,
            20_000,
            |server: &mut Download, request| {
                let is_whole = request.method == "GET" && request.field("Range").is_none();
                match server.deviate_if(is_whole) {
                    true => server.slice(0..CUT),
                    false => server.ordinary(request),
                }
            },
        ),
    ),
    rest!(
        "range.unsatisfiable",
        Must,
        "RFC9110-15.5.17",
        "Do not treat 416 as the end of the download while bytes are missing.",
        |server, _range| Reply::new(416)
            .field("Content-Range", format!("bytes */{}", server.bytes.len()))
    ),
    rest!(
        "range.unsatisfiable.no_total",
        Must,
        "RFC9110-15.5.17",
        "Do not treat 416 without Content-Range as the end of the download.",
        |_server, _range| Reply::page(416)
    ),
    rest!(
        "range.unsatisfiable.shorter",
        Must,
        "RFC9110-15.5.17",
        "Start over after a 416 with a shorter total: the entity is another one.",
        |server, range| {
            server.replace_bytes(5000);
            server.part(range)
        }
    ),
];
