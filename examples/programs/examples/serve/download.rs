//! GET and HEAD of uploaded entities and replies, answered with a [`Plan`].
//!
//! Everything is taken from one open file, so a file that replaces it has no effect on the response.

use std::io;

use bits_proto::download::field::{Boundary, ContentType, EntityTag};
use bits_proto::download::{Entity, Plan, PlanLimits, Request};
use bits_proto::message::NO_EXTRAS;
use bits_proto::server::Reply;
use bits_proto_programs::serve::path::{RESERVED, decoded, destination};
use cap_std::fs::File;
use http::request::Parts;
use http::{Response, StatusCode};
use tracing::{debug, warn};
use uuid::Uuid;

use crate::body::Outgoing;
use crate::entity_reader::EntityReader;
use crate::server::{Server, empty_response};
use crate::snapshot::Snapshot;

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
        found
            .and_then(|(file, _)| response(file, parts))
            .unwrap_or_else(|error| empty_response(status_of(&error)))
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

/// Answers a request with the open file.
fn response(file: File, parts: &Parts) -> io::Result<Response<Outgoing>> {
    let snapshot = Snapshot::settled(&file)?;
    let tag = snapshot.tag();
    let entity = Entity::new(snapshot.length())
        .with_modified(snapshot.date())
        .with_tag(tag.as_deref().and_then(|tag| EntityTag::try_from(tag).ok()))
        .with_content_type(ContentType::try_from("application/octet-stream").ok());
    let request = Request::from_http(parts).map_err(io::Error::other)?;
    let plan = Plan::new(&request, &entity, &PlanLimits::DEFAULT, random_boundary()?);
    let head = plan.to_http(NO_EXTRAS).map_err(io::Error::other)?;
    Ok(head.map(|()| EntityReader::new(file, snapshot, plan.pieces()).into_body()))
}

fn random_boundary() -> io::Result<Boundary> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(Boundary::from_random(u128::from_ne_bytes(random)))
}
