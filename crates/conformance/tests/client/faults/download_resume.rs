//! Faults with the rest of an entity.

use super::{copies, fails, first, pieces, sends};
use crate::double::Fault;

pub const FAULTS: &[(&str, Fault)] = &[
    sends!(
        "resume.range",
        |past, sent| past.is("resume.range") && sent.get("Range").is_some()
            => sent.set("Range", "bytes=15000-19999")
    ),
    fails!("resume.twice", |past| past.gets().filter(|it| !it.is_complete).count() == 2),
    copies!("resume.whole", |past| pieces(past, 2)),
    copies!("resume.not_modified", |past| pieces(past, 2)),
    copies!("resume.precondition", |past| pieces(past, 1)),
    copies!("resume.no_content", |past| pieces(past, 2)),
    copies!("part.from_zero", |past| pieces(past, 2)),
    copies!("part.earlier", |past| pieces(past, 2)),
    copies!("part.later", |past| pieces(past, 2)),
    copies!("part.shorter", |past| pieces(past, 2)),
    copies!("part.no_content_range", |past| pieces(past, 2)),
    copies!("part.invalid_range", |past| pieces(past, 2)),
    copies!("part.other_unit", |past| pieces(past, 2)),
    copies!("part.unknown_total", |past| pieces(past, 1)),
    copies!("part.too_short", |past| pieces(past, 2)),
    copies!("part.too_long", |past| pieces(past, 2)),
    copies!("part.multipart", |past| pieces(past, 2)),
    copies!("part.chunked", |past| pieces(past, 1)),
    copies!("part.unrequested", |past| pieces(past, 1)),
    copies!("range.unsatisfiable", |past| pieces(past, 1)),
    copies!("range.unsatisfiable.no_total", |past| pieces(past, 2)),
    copies!("range.unsatisfiable.shorter", |past| pieces(past, 1)),
    fails!("killed.download", |past| past.is_repeated),
    copies!("killed.download.changed", |past| first(past, 19_999)),
];
