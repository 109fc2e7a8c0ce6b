//! Faults of uploads to an ordinary server.

use super::{adds, sends};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    sends!(
        "upload.file",
        |past, sent| past.length == 40_000 && sent.range().is_some_and(|it| it[0] > 0)
            => sent.body.fill(b'x')
    ),
    (
        "upload.empty",
        Fault::Ends(|past| {
            let is_created = past.length == 0 && !past.exchanges.is_empty();
            is_created.then(|| Err("an empty file cannot be uploaded".into()))
        }),
    ),
    sends!(
        "upload.one_byte",
        |past, sent| past.length == 1 && sent.is("Fragment")
            => sent.set("Content-Range", "bytes 0-1/1")
    ),
    adds!(
        "upload.no_empty_fragment",
        |past, sent| past.length == 65_536 && sent.range().is_some_and(|it| it[1] == 65_535) => {
            let mut empty = sent.fragment("bytes 65536-65535/65536");
            empty.set("Content-Length", "0");
            empty.body.clear();
            empty
        }
    ),
];
