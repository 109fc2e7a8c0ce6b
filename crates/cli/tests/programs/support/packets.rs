//! The packets of an upload.

use std::ops::Range;

use bits_proto::field::{ContentRange, SessionId};
use bits_proto::message::{CancelSession, CloseSession, CreateSession, Fragment, Ping, Request};

pub fn ping() -> Request<'static> {
    Ping::default().into()
}

pub fn create() -> Request<'static> {
    CreateSession::default().into()
}

pub fn fragment(session: SessionId<'_>, range: Range<u64>, total: u64) -> Request<'_> {
    let range = ContentRange::new(range.start, range.end - 1, total).expect("a range");
    Fragment::new(session, range).into()
}

pub fn close(session: SessionId<'_>) -> Request<'_> {
    CloseSession::new(session).into()
}

pub fn cancel(session: SessionId<'_>) -> Request<'_> {
    CancelSession::new(session).into()
}
