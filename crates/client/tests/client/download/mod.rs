//! Downloads.

mod basics;
mod interruptions;
mod redirects;
mod restarts;

use crate::support::{Answer, Request, answer};

/// Returns the response of a plain server to GET and HEAD, with ranges.
pub fn serve(request: &Request, entity: &[u8], fields: &[(&str, &str)]) -> Answer {
    let range = request.get("Range").and_then(|range| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        let first = first.parse::<usize>().ok()?;
        let last = last.parse::<usize>().map_or(entity.len() - 1, |it| it.min(entity.len() - 1));
        Some((first, last))
    });
    let full = match range {
        Some((first, last)) => {
            let content_range = format!("bytes {first}-{last}/{}", entity.len());
            let fields = [fields, &[("Content-Range", &*content_range)]].concat();
            answer("206 Partial Content", &fields, &entity[first..=last])
        }
        None => answer("200 OK", fields, entity),
    };
    match full {
        Answer::Send(bytes) if request.method == "HEAD" => {
            let head = bytes.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
            Answer::Send(bytes[..head].to_vec())
        }
        full => full,
    }
}

/// The fields of a version of an entity.
pub const VERSION_1: [(&str, &str); 2] =
    [("ETag", "\"1\""), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")];
pub const VERSION_2: [(&str, &str); 2] =
    [("ETag", "\"2\""), ("Last-Modified", "Mon, 07 Nov 1994 08:49:37 GMT")];
