//! The cases, one file for each area.

mod body;
mod cancel;
mod close;
mod connection;
mod create;
mod download;
mod fragment;
mod length;
mod message;
mod notify;
mod path;
mod ping;
mod range_syntax;
mod session;
mod smuggling;
mod spelling;
mod upload;

use super::entry::Entry;

const AREAS: &[&[Entry]] = &[
    ping::CASES,
    create::CASES,
    upload::CASES,
    fragment::CASES,
    range_syntax::CASES,
    length::CASES,
    body::CASES,
    session::CASES,
    close::CASES,
    cancel::CASES,
    spelling::CASES,
    path::CASES,
    connection::CASES,
    smuggling::CASES,
    notify::CASES,
    download::CASES,
    message::CASES,
];

/// Returns every case, grouped by area.
pub(super) fn all() -> impl Iterator<Item = &'static Entry> {
    AREAS.iter().flat_map(|area| area.iter())
}
