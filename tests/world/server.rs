//! A server without files. It counts the stored bytes of each entity and checks that each byte belongs at its
//! offset.

use core::ops::Range;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use bits_proto::client::Mode;
use bits_proto::field::{HResult, HostId, HostIdFallbackTimeout, ReceivedContentRange, ReplyUrl};
use bits_proto::message::{Ack, Request};
use bits_proto::server::{
    Access, CommitAt, HostError, Notified, OverlapRule, Policy, Record, Reply, RequestContext,
    SessionHost, SessionLimits, Sessions, SessionsResponse, Step, StoreBytes, WorkToken,
};
use rand::{Rng as _, RngCore as _};
use uuid::Uuid;

use super::Size;
use super::faults::Fault;
use super::reports;
use super::rng::ScriptedRng;
use crate::support::stores::Broken;

pub type Table = Sessions<'static, Broken>;

pub struct Server {
    sessions: Table,
    /// The sessions as last stored. They survive a crash.
    stored: BTreeMap<Uuid, Record>,
    /// Number of stored bytes of each session's entity. Survives a crash.
    pub entities: BTreeMap<Uuid, u64>,
    /// Deleted entities. They survive a crash.
    deleted: BTreeSet<Uuid>,
    /// Existing replies. They survive a crash.
    pub replies: BTreeMap<Uuid, String>,
    /// Number of commits of each session's entity.
    pub committed: BTreeMap<Uuid, u64>,
    /// Number of notifications about each session's entity.
    pub notified: BTreeMap<Uuid, u64>,
    /// Number of restarts from the stored sessions.
    pub crashes: u64,
    pub mode: Mode,
    total: u64,
    pub lost_sessions: u64,
    max_stored: u64,
}

impl Server {
    pub fn new(random: &mut ScriptedRng, mode: Mode, total: u64, size: Size) -> Self {
        let trims = random.random_bool(0.7);
        let overlap = if trims { OverlapRule::Trim } else { OverlapRule::Refuse };
        let commit_at = match random.random_range(0..3) {
            0 => CommitAt::LastFragment,
            _ => CommitAt::Close,
        };
        let max_fragment = match random.random_range(0..4) {
            // More than the shortest fragment of the client.
            0 => (total * 3 / (size.fragments * 2)).max(6 * 1024),
            _ => u64::MAX,
        };
        let notification = mode == Mode::UploadReply || random.random_bool(0.2);
        let host = random.random_bool(0.3).then(|| {
            let host_id = HostId::try_from("node-1.example").unwrap();
            let has_fallback = random.random_bool(0.7);
            SessionHost::new(host_id, has_fallback.then_some(HostIdFallbackTimeout(60)))
        });
        let policy = Policy::DEFAULT
            .with_overlap(overlap)
            .with_commit_at(commit_at)
            .with_max_fragment(max_fragment)
            .with_notification(notification)
            .with_overwrites(true)
            // As long as a client retries, so that one resumption is enough.
            .with_work_timeout(Duration::from_secs(5 * 60))
            .with_host(host);
        let sessions = Sessions::new(Broken::default(), policy, SessionLimits::default());
        Self {
            sessions,
            stored: BTreeMap::new(),
            entities: BTreeMap::new(),
            deleted: BTreeSet::new(),
            replies: BTreeMap::new(),
            committed: BTreeMap::new(),
            notified: BTreeMap::new(),
            crashes: 0,
            mode,
            total,
            lost_sessions: 0,
            max_stored: 0,
        }
    }

    pub fn policy(&self) -> &Policy<'static> {
        self.sessions.policy()
    }

    pub fn sessions(&self) -> &BTreeMap<Uuid, Record> {
        &self.sessions.store().map
    }

    /// Returns the largest number of bytes that one entity ever had.
    pub fn max_stored(&self) -> u64 {
        self.max_stored
    }

    /// Returns the reply at a URL. It must exist.
    pub fn reply(&self, url: &[u8]) -> String {
        let found = self.replies.values().find(|reply| reply.as_bytes() == url);
        found.expect("the reply was deleted before it was fetched").clone()
    }

    /// Handles one request. Returns `None` if the connection breaks before the response.
    pub fn handle(
        &mut self,
        request: &Request<'_>,
        body: &Range<u64>,
        fault: Option<Fault>,
        now: Duration,
        random: &mut ScriptedRng,
    ) -> Option<SessionsResponse<'static>> {
        if fault == Some(Fault::Expired) {
            self.expire_all(now);
        }
        let access = match fault {
            Some(Fault::Unauthenticated) => Access::Unauthenticated,
            _ => Access::Granted,
        };
        let context = RequestContext::new("/entity", access, now).with_principal(Some("alice"));
        // Always from the seed, so that ids differ for any input.
        let random_id = || {
            let mut bytes = [0; 16];
            random.fill_bytes(&mut bytes);
            bytes
        };
        let mut step = self.sessions.handle_request(request, &context, random_id).unwrap();
        let mut body = body.clone();
        let (mut steps, mut last_token) = (0, None);
        loop {
            if !matches!(step, Step::Store(_)) {
                // Persists the session before a step that is not requested again after a crash.
                self.persist();
            }
            if fault == Some(Fault::ServerCrash(steps)) && !matches!(step, Step::Answer(_)) {
                return self.crash(step, random);
            }
            let token = reports::token(&step);
            if let Some(token) = token.filter(|_| fault == Some(Fault::StoreFails(steps))) {
                reports::without_store(&self.sessions, token);
                return self.crash(step, random);
            }
            last_token = token.or(last_token);
            steps += 1;
            step = match step {
                Step::Store(store) => self.store(store, &mut body, fault, now, random)?,
                Step::Notify(token) => self.notify(token, fault, now),
                Step::KeepReply(token) => self.keep_reply(token, fault, now),
                Step::Commit(token) => self.commit(token, fault),
                Step::Discard(discard) => {
                    if discard.entity {
                        self.delete(discard.token.session_id());
                    }
                    if discard.reply {
                        self.replies.remove(&discard.token.session_id());
                    }
                    self.sessions.handle_discarded(discard.token).unwrap()
                }
                Step::Answer(answer) => {
                    self.check(request, &answer.ack());
                    if let Some(token) = last_token.filter(|_| fault == Some(Fault::ReportedTwice))
                    {
                        reports::twice(&mut self.sessions, token);
                    }
                    return Some(answer);
                }
                _ => panic!("a request must be answered: {step:?}"),
            };
        }
    }

    /// Stores a part of the requested bytes. Returns `None` if the connection breaks.
    fn store(
        &mut self,
        store: StoreBytes,
        body: &mut Range<u64>,
        fault: Option<Fault>,
        now: Duration,
        random: &mut ScriptedRng,
    ) -> Option<Step<SessionsResponse<'static>>> {
        let length = body.end - body.start;
        let arrives = match fault {
            Some(Fault::BodyCut(part) | Fault::BodyStalls(part) | Fault::DiskFull(part)) => {
                length * part / 1000
            }
            _ => length,
        };
        body.start += store.skip;
        let arrives = arrives.saturating_sub(store.skip);
        // The byte at offset n of the client's entity belongs at offset n.
        assert_eq!(body.start, store.offset, "a byte is stored at another offset");
        assert!(store.take <= body.end - body.start, "more bytes are requested than the body has");
        let whole = arrives >= store.take;
        let piece = if whole && random.random_bool(0.7) {
            store.take
        } else {
            random.random_range(0..=arrives.min(store.take))
        };
        let piece = if whole { piece } else { arrives };
        let id = store.token.session_id();
        if self.deleted.contains(&id) {
            // The stored session is older than the deletion of the bytes.
            self.lost_sessions += 1;
            return Some(self.sessions.handle_failed(store.token, HostError::EntityLost).unwrap());
        }
        let held = self.entities.entry(id).or_default();
        assert!(store.offset <= *held, "the entity would have a gap");
        // Only a server that restarted from an older state requests bytes again.
        assert!(store.offset == *held || self.crashes > 0, "bytes are stored twice");
        *held = (*held).max(store.offset + piece);
        self.max_stored = self.max_stored.max(*held);
        body.start += piece;
        if fault == Some(Fault::EntityLost) {
            self.delete(id);
            self.lost_sessions += 1;
            return Some(self.sessions.handle_failed(store.token, HostError::EntityLost).unwrap());
        }
        let step = self.sessions.handle_stored(store.token, piece, now).unwrap();
        if whole {
            return Some(step);
        }
        self.persist();
        match fault {
            Some(Fault::DiskFull(_)) => {
                Some(self.sessions.handle_failed(store.token, HostError::DiskFull).unwrap())
            }
            Some(Fault::BodyCut(_)) => {
                self.sessions.handle_disconnected(store.token).unwrap();
                self.persist();
                None
            }
            _ => None,
        }
    }

    fn notify(
        &mut self,
        token: WorkToken,
        fault: Option<Fault>,
        now: Duration,
    ) -> Step<SessionsResponse<'static>> {
        let id = token.session_id();
        assert_eq!(
            self.entities.get(&id).copied().unwrap_or(0),
            self.total,
            "the entity is incomplete"
        );
        if fault == Some(Fault::WorkFails) {
            let status = 500.try_into().unwrap();
            let error = HostError::Application { status, code: HResult::new(0x8000_4005) };
            return self.sessions.handle_failed(token, error).unwrap();
        }
        *self.notified.entry(id).or_default() += 1;
        if self.mode != Mode::UploadReply {
            let notified = Notified::new(true, Reply::None);
            return self.sessions.handle_notified(token, notified, None, now).unwrap();
        }
        // The application writes its reply to a file.
        self.replies.insert(id, format!(r"BITS-Sessions\Replies\{{{id}}}\reply"));
        self.sessions.handle_accepted(token, true, now).unwrap()
    }

    fn keep_reply(
        &mut self,
        token: WorkToken,
        fault: Option<Fault>,
        now: Duration,
    ) -> Step<SessionsResponse<'static>> {
        if fault == Some(Fault::WorkFails) {
            return self.sessions.handle_failed(token, HostError::Other).unwrap();
        }
        let url = self.replies.get(&token.session_id()).expect("the application accepted it");
        let url = ReplyUrl::try_from(&**url).unwrap();
        self.sessions.handle_reply(token, Reply::Kept, Some(url), now).unwrap()
    }

    fn commit(
        &mut self,
        token: WorkToken,
        fault: Option<Fault>,
    ) -> Step<SessionsResponse<'static>> {
        if fault == Some(Fault::WorkFails) {
            return self.sessions.handle_failed(token, HostError::Other).unwrap();
        }
        self.place(token);
        self.sessions.handle_committed(token).unwrap()
    }

    /// Moves the entity, unless it was moved before a crash.
    fn place(&mut self, token: WorkToken) {
        let id = token.session_id();
        let committed = self.committed.entry(id).or_default();
        let stored = self.entities.remove(&id);
        if *committed == 0 || stored.is_some() {
            assert_eq!(stored.unwrap_or(0), self.total, "the committed entity is incomplete");
            *committed += 1;
        }
    }

    /// Restarts the server. The current work may be done, but its result is not stored.
    fn crash<A>(
        &mut self,
        step: Step<A>,
        random: &mut ScriptedRng,
    ) -> Option<SessionsResponse<'static>> {
        match step {
            Step::Commit(token) if random.random_bool(0.5) => self.place(token),
            Step::Discard(discard) if random.random_bool(0.5) && discard.entity => {
                self.delete(discard.token.session_id());
            }
            _ => {}
        }
        self.crashes += 1;
        let mut sessions = restore(&self.stored);
        for record in sessions.values_mut() {
            // Another process does not know that the work was interrupted, and waits.
            if random.random_bool(0.7) {
                record.session.recover();
            }
        }
        let policy = *self.policy();
        self.lost_sessions += self.sessions().len().saturating_sub(sessions.len()) as u64;
        let store = Broken { map: sessions, ..Broken::default() };
        self.sessions = Sessions::new(store, policy, SessionLimits::default());
        None
    }

    fn expire_all(&mut self, now: Duration) {
        let ids: Vec<Uuid> = self.sessions().keys().copied().collect();
        for id in ids {
            if let Some(discard) = self.sessions.expire(id, now).unwrap() {
                self.delete(id);
                self.replies.remove(&id);
                assert_eq!(self.sessions.handle_discarded(discard.token).unwrap(), Step::Done);
            }
        }
        self.lost_sessions += 1;
        self.persist();
    }

    fn delete(&mut self, id: Uuid) {
        self.entities.remove(&id);
        self.deleted.insert(id);
    }

    fn persist(&mut self) {
        self.stored = self.sessions().clone();
    }

    /// Checks that all acknowledged bytes are stored.
    fn check(&self, request: &Request<'_>, ack: &Ack<'_>) {
        let received = match ack {
            Ack::Fragment(ack) => Some(ack.received),
            Ack::Refused(refusal) => refusal.received(),
            _ => None,
        };
        let Some(ReceivedContentRange(received)) = received else { return };
        let id = request.session_id().and_then(|id| id.guid()).unwrap();
        let stored = match self.committed.get(&id) {
            Some(1..) => self.total,
            _ => self.entities.get(&id).copied().unwrap_or(0),
        };
        assert!(received <= stored, "acknowledged {received} bytes, but stored {stored}");
    }
}

/// Stores and restores the sessions, as another process would.
fn restore(sessions: &BTreeMap<Uuid, Record>) -> BTreeMap<Uuid, Record> {
    let stored = serde_json::to_string(sessions).unwrap();
    let again = serde_json::from_str(&stored).unwrap();
    assert_eq!(sessions, &again);
    again
}
