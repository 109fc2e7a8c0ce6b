//! The context of one case.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answer::Answer;
use super::connection::Connection;
use super::entry::{Outcome, Stop};
use super::packet::{PROTOCOL, Packet};
use super::session::Session;
use super::shared::Shared;
use crate::content::Content;
use crate::log::{Log, Peer};

/// The context of one case: its connections, entities and sessions.
pub(super) struct Test {
    pub(super) shared: Arc<Shared>,
    pub(super) log: Arc<Mutex<Log>>,
    /// The sessions to cancel at the end: path and id.
    pub(super) sessions: Vec<(String, String)>,
    /// The names of entities that may exist.
    pub(super) entities: Vec<String>,
}

impl Test {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::clone(shared),
            log: Arc::new(Mutex::new(Log::new(Peer::Server))),
            sessions: Vec::new(),
            entities: Vec::new(),
        }
    }

    /// Returns the path of a new entity, which does not exist yet.
    pub(super) fn new_path(&mut self) -> String {
        let name = self.shared.new_name();
        let path = format!("{}{name}", self.shared.target.path());
        self.entities.push(name);
        path
    }

    pub(super) async fn connect(&self) -> Result<Connection, Stop> {
        Connection::open(&self.shared, &self.log).await
    }

    /// A packet without a session.
    pub(super) fn packet(&self, kind: &str, path: &str) -> Packet {
        let packet = self.shared.packet("BITS_POST", path).add("BITS-Packet-Type", kind);
        packet.add("Content-Length", "0")
    }

    pub(super) fn ping(&self) -> Packet {
        self.packet("Ping", self.shared.target.path())
    }

    pub(super) fn create(&self, path: &str) -> Packet {
        self.packet("Create-Session", path).add("BITS-Supported-Protocols", PROTOCOL)
    }

    /// Sends a request on a new connection and receives its response.
    pub(super) async fn exchange(&self, packet: &Packet) -> Result<Answer, Stop> {
        self.connect().await?.exchange(packet).await
    }

    /// Creates a session for a new entity of this length.
    pub(super) async fn session(&mut self, length: u64) -> Result<Session, Stop> {
        let path = self.new_path();
        self.session_at(path, length).await
    }

    pub(super) async fn session_at(&mut self, path: String, length: u64) -> Result<Session, Stop> {
        let create = self.create(&path);
        self.session_from(&create, length).await
    }

    /// Creates a session with this request, which must succeed.
    pub(super) async fn session_from(
        &mut self,
        create: &Packet,
        length: u64,
    ) -> Result<Session, Stop> {
        let mut connection = self.connect().await?;
        let answer = connection.exchange(create).await?;
        answer.success()?;
        self.opened(connection, &answer, &create.target, length)
    }

    /// Continues with the session that a response creates.
    pub(super) fn opened(
        &mut self,
        connection: Connection,
        answer: &Answer,
        path: &str,
        length: u64,
    ) -> Result<Session, Stop> {
        let Some(id) = answer.field("BITS-Session-Id") else {
            return answer.fail("BITS-Session-Id in the Ack for Create-Session");
        };
        self.sessions.push((path.to_owned(), id.clone()));
        let seed = self.sessions.len() as u64 ^ u64::from(id.bytes().last().unwrap_or_default());
        let content = Content { seed, length };
        Ok(Session::new(&self.shared, &self.log, connection, path, id, content))
    }

    /// Returns true if the server offers published entities for download.
    pub(super) fn has_downloads(&self) -> bool {
        self.shared.has_downloads.load(Ordering::Relaxed)
    }

    /// Downloads an entity.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Stop> {
        self.exchange(&self.shared.packet("GET", path)).await
    }

    /// Returns the published bytes of an entity; `None` if it does not exist.
    pub(super) async fn published(&self, path: &str) -> Result<Option<Vec<u8>>, Stop> {
        if let Some(root) = &self.shared.root {
            let name = path.strip_prefix(self.shared.target.path()).unwrap_or(path);
            return match std::fs::read(root.join(name)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Stop::Skip(format!("cannot read {name} in --root: {error}"))),
            };
        }
        if !self.has_downloads() {
            return Err(Stop::Skip("needs downloads (GET), or --root".into()));
        }
        let answer = self.get(path).await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 | 410 => Ok(None),
            _ => answer.fail("200 or 404 to GET"),
        }
    }

    /// Requires that an entity has exactly these bytes.
    pub(super) async fn has_content(&self, path: &str, content: Content) -> Outcome {
        match self.published(path).await? {
            Some(bytes) if bytes == content.all() => Ok(()),
            Some(bytes) => Err(Stop::Loss(content.difference(&bytes))),
            None => Err(Stop::Loss(format!(
                "expected an entity of {} bytes; it does not exist",
                content.length
            ))),
        }
    }

    /// Requires that an entity does not exist.
    pub(super) async fn is_absent(&self, path: &str) -> Outcome {
        match self.published(path).await? {
            None => Ok(()),
            Some(bytes) => {
                Err(Stop::Fail(format!("expected no entity; one of {} bytes exists", bytes.len())))
            }
        }
    }

    /// Sends all remaining bytes of a session as a client does, closes it, and verifies the entity.
    pub(super) async fn complete(&self, session: &mut Session) -> Outcome {
        session.finish().await?;
        self.has_content(&session.path, session.content).await
    }

    /// Cancels the sessions and removes the entities. Returns the names of those that remain.
    pub(super) async fn clean_up(&mut self) -> Vec<String> {
        // The end of a case is no evidence.
        let log = Arc::new(Mutex::new(Log::new(Peer::Server)));
        for (path, id) in std::mem::take(&mut self.sessions) {
            let packet = self.packet("Cancel-Session", &path).add("BITS-Session-Id", id);
            if let Ok(mut connection) = Connection::open(&self.shared, &log).await {
                connection.is_unlimited = true;
                let _ = connection.exchange(&packet).await;
            }
        }
        let mut remaining = std::mem::take(&mut self.entities);
        if let Some(root) = &self.shared.root {
            remaining.retain(|name| match std::fs::remove_file(root.join(name)) {
                Ok(()) => false,
                Err(error) => error.kind() != ErrorKind::NotFound,
            });
        }
        remaining
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
