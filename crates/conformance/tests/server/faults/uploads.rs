//! Faults of complete uploads.

use super::{answers, leaks, loses, spoils};
use crate::double::{Fault, Reply};
use crate::seen::has;

pub const FAULTS: &[(&str, Fault)] = &[
    ("upload.empty", Fault::Loses(|past| has(past, "close-session") && !has(past, "fragment"))),
    loses!("upload.one_byte", 1),
    spoils!("upload.one_fragment", 100),
    spoils!("upload.two_fragments", 98),
    spoils!("upload.many_fragments", 2000),
    answers!(
        "upload.bytewise",
        |seen| seen.range().is_some_and(|it| it[0] == it[1] && it[2] == 9),
        Reply::invalid()
    ),
    answers!("upload.last_byte", |seen| seen.is_fragment(64, 65), Reply::invalid()),
    spoils!("upload.first_byte", 700),
    loses!("upload.power_of_two", 8192),
    answers!(
        "upload.large_fragment",
        |seen| seen.range().is_some_and(|it| it[1] > it[0] + 1_000_000 && it[2] < 1 << 30),
        Reply::refusal(413, "0x80070057")
    ),
    spoils!("upload.http_content", 35),
    answers!("upload.new_connection", |seen| seen.is_fragment(20, 60), Reply::not_found()),
    answers!("upload.one_connection", |seen| seen.is_fragment(20, 40), Some(Reply::End)),
    spoils!("upload.two_uploads", 46),
    leaks!("upload.not_early", 44),
    (
        "upload.content_name_is_no_path",
        Fault::LeaksOther(|seen, knows| {
            knows(seen.parts.uri.path().rsplit('/').next().unwrap_or_default())
        }),
    ),
    spoils!("upload.sequence", 128),
    spoils!("body.lost_ack", 52),
    spoils!("body.lost_last_ack", 53),
    spoils!("body.last_byte_missing", 51),
    answers!("body.slow", |seen| seen.is_fragment(0, 12), Some(Reply::End)),
    answers!("body.after_head", |seen| seen.is_fragment(0, 54), Some(Reply::End)),
    answers!("body.stalled", |seen| seen.is_fragment(0, 55), Reply::refusal(503, "0x80070020")),
    spoils!("body.overtaken", 56),
    answers!(
        "body.huge_claim",
        |seen| seen.is("ping")
            && has(seen.past, "create-session")
            && seen.previous.is_empty()
            && !has(seen.past, "fragment"),
        Some(Reply::End)
    ),
    answers!("body.aborted", |seen| seen.is_fragment(30, 149), super::acknowledged(seen)),
    answers!("body.never_arrives", |seen| seen.is_fragment(30, 140), super::acknowledged(seen)),
];
