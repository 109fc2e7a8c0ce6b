//! Uploads to an ordinary server.

use bits_proto::field::PacketType;

use crate::Level::{Must, Robustness};
use crate::client::entry::{Entry, fail};
use crate::client::scenario::Expect::Finishes;
use crate::client::scenario::Needs;
use crate::client::upload::{Scenario, Upload};

pub(super) const CASES: &[Entry] = &[
    Entry::upload(
        "upload.file",
        Must,
        &["R2.2.6-1", "R2.2.6.3-1"],
        "Upload the bytes of the file in Fragment packets, between Create-Session and Close-Session.",
        Scenario::new(Finishes, 40_000, Upload::ordinary),
    ),
    Entry::upload(
        "upload.empty",
        Robustness,
        &["R2.2.6.1-3"],
        "Upload an empty file with Create-Session and Close-Session only: no Content-Range can describe it.",
        Scenario::new(Finishes, 0, Upload::ordinary).needs(Needs::NoReply).check(|server| {
            match server.of(PacketType::Fragment).count() {
                0 => Ok(()),
                count => fail(format!("client sends {count} Fragment packets for an empty file")),
            }
        }),
    ),
    Entry::upload(
        "upload.one_byte",
        Must,
        &["R2.2.6.1-3"],
        "Upload a file of one byte as the range 0-0/1.",
        Scenario::new(Finishes, 1, Upload::ordinary),
    ),
    Entry::upload(
        "upload.no_empty_fragment",
        Must,
        &["R3.1.5.1.4-1"],
        "Send no Fragment after the last byte, also if the length is a multiple of that of fragments.",
        Scenario::new(Finishes, 65_536, Upload::ordinary).check(|server| {
            let is_valid = |it: &&crate::client::message::Request| {
                it.range().is_some_and(|range| range.end() - range.first() == it.length)
            };
            match server.of(PacketType::Fragment).find(|it| !is_valid(it)) {
                None => Ok(()),
                Some(request) => fail(format!(
                    "client sends a Fragment with {} bytes and Content-Range {:?}",
                    request.length,
                    request.field("Content-Range").unwrap_or_default()
                )),
            }
        }),
    ),
];
