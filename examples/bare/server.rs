//! An upload server that needs only `core`: no allocator, no files, no threads.
//!
//! A device accepts one entity, such as new firmware, at one destination. It has buffers of fixed
//! size and a fixed number of sessions, each with a slot of flash memory. It handles one connection
//! at a time, so a request cannot be overtaken by another one, and the embedding rules of fencing
//! and cancellation are met.

use core::time::Duration;

use bits_proto::message::{
    Ack, CreateSession, HeaderSlots, PingAck, Refusal, Request, RequestHead,
};
use bits_proto::server::{
    Access, Answer, Discard, HostError, Notified, Policy, Reply, Session, State, Step, StoreBytes,
    UnreadBody, WorkToken,
};

use super::connection::{Connection, FIELDS, LIMITS, PIECE, Transport};

/// Target of uploads.
pub const DESTINATION: &str = "/firmware";

/// The hardware: persistent memory, a clock, and a source of unpredictable random bytes.
pub trait Device {
    /// Capacity of a slot, in bytes.
    const CAPACITY: u64;

    /// Writes a part of an entity. Offsets are consecutive and each byte is written once. The
    /// exception are bytes that were not acknowledged before a power failure.
    fn write(&mut self, slot: usize, offset: u64, bytes: &[u8]) -> Result<(), HostError>;

    /// Publishes a complete entity.
    fn commit(&mut self, slot: usize, length: u64) -> Result<(), HostError>;

    /// Erases a slot.
    fn erase(&mut self, slot: usize) -> Result<(), HostError>;

    /// Returns the time since an arbitrary point.
    fn now(&self) -> Duration;

    /// Returns random bytes.
    fn random(&mut self) -> [u8; 16];
}

/// A server with a fixed number of sessions.
pub struct Server<D, const SESSIONS: usize> {
    device: D,
    policy: Policy<'static>,
    sessions: [Option<Session>; SESSIONS],
}

/// The connection has ended or must be closed.
#[derive(Debug)]
pub struct Closed;

impl<E: core::error::Error> From<E> for Closed {
    fn from(_: E) -> Self {
        Self
    }
}

impl<D: Device, const SESSIONS: usize> Server<D, SESSIONS> {
    /// Creates a server without sessions.
    pub const fn new(device: D) -> Self {
        let policy = Policy::DEFAULT
            .with_max_entity(D::CAPACITY)
            .with_overwrites(true)
            .with_drain_limit(D::CAPACITY);
        Self { device, policy, sessions: [None; SESSIONS] }
    }

    /// Returns the device.
    pub const fn device(&mut self) -> &mut D {
        &mut self.device
    }

    /// Serves a connection until it ends.
    pub fn serve(&mut self, transport: &mut impl Transport) {
        self.expire();
        let mut connection = Connection::new(transport);
        while self.serve_message(&mut connection).is_ok() {}
    }

    fn serve_message<T: Transport>(
        &mut self,
        connection: &mut Connection<'_, T>,
    ) -> Result<(), Closed> {
        if let Err(error) = connection.fill()? {
            let answer = Answer::for_error(&error, None, &self.policy);
            return connection.send(&answer.ack(None), answer.unread_body, &self.policy);
        }
        // A copy, as the buffer receives further bytes while the request is handled.
        let bytes = connection.buffer;
        let mut slots = HeaderSlots::<FIELDS>::with_capacity();
        let head = RequestHead::parse_with_limits(&bytes, &mut slots, &LIMITS)?;
        let head = head.complete().ok_or(Closed)?;
        let length = head.framing().content_length;
        connection.take_head(head.len(), length.unwrap_or(0));
        let answer = match Request::from_head(&head, &self.policy.requests) {
            Ok(decoded) => self.work(&decoded.message, head.line().target, connection)?,
            Err(error) => {
                let answer = Answer::for_error(&error, length, &self.policy);
                (answer.ack(None), answer.unread_body)
            }
        };
        connection.send(&answer.0, answer.1, &self.policy)
    }

    fn work<T: Transport>(
        &mut self,
        request: &Request<'_>,
        target: &str,
        body: &mut Connection<'_, T>,
    ) -> Result<(Ack<'static>, UnreadBody), Closed> {
        let access = if target == DESTINATION { Access::Granted } else { Access::Denied };
        let not_found = Answer::session_not_found(request.content_length(), &self.policy);
        // A client without access does not learn which sessions exist.
        if let Some(refusal) = access.refusal() {
            return Ok((refusal.into(), not_found.unread_body));
        }
        match request {
            Request::Ping(_) => return Ok((PingAck.into(), UnreadBody::None)),
            Request::CreateSession(create) => {
                return Ok((self.create(create, access), UnreadBody::None));
            }
            _ => {}
        }
        let id = request.session_id().and_then(|id| id.guid());
        let is_it = |it: &Session| Some(it.id()) == id;
        let mut slots = self.sessions.iter_mut().enumerate();
        let found = slots.find_map(|(slot, it)| Some((slot, it.as_mut().filter(|it| is_it(it))?)));
        let Some((slot, session)) = found else {
            return Ok((not_found.ack(None), not_found.unread_body));
        };
        let work = Work { device: &mut self.device, policy: &self.policy, session, slot };
        let answer = work.answer(request, access, body);
        self.forget_ended();
        answer.map(|answer| (answer.ack(None), answer.unread_body))
    }

    fn create(&mut self, create: &CreateSession<'_>, access: Access) -> Ack<'static> {
        let Some(free) = self.sessions.iter_mut().find(|it| it.is_none()) else {
            return Refusal::unavailable().into();
        };
        let (random, now) = (self.device.random(), self.device.now());
        match Session::create(create, access, &self.policy, random, now) {
            Ok((session, ack)) => {
                *free = Some(session);
                ack.into()
            }
            Err(refusal) => refusal.into(),
        }
    }

    /// Frees the slots of expired sessions.
    fn expire(&mut self) {
        let now = self.device.now();
        for (slot, session) in self.sessions.iter_mut().enumerate() {
            let Some(session) = session else { continue };
            let Some(Step::Discard(discard)) = session.handle_timeout(&self.policy, now) else {
                continue;
            };
            // If this fails, it is repeated at the next connection.
            if self.device.erase(slot).is_ok() {
                let _ = session.handle_discarded(discard.token);
            }
        }
        self.forget_ended();
    }

    fn forget_ended(&mut self) {
        for slot in &mut self.sessions {
            *slot = slot.filter(|session| session.state() != State::Ended);
        }
    }
}

/// A request of a session.
struct Work<'s, D> {
    device: &'s mut D,
    policy: &'s Policy<'static>,
    session: &'s mut Session,
    slot: usize,
}

impl<D: Device> Work<'_, D> {
    /// Carries out the steps of the session until there is an answer.
    fn answer<T: Transport>(
        mut self,
        request: &Request<'_>,
        access: Access,
        body: &mut Connection<'_, T>,
    ) -> Result<Answer, Closed> {
        let now = self.device.now();
        let mut step = self.session.handle_request(request, access, self.policy, now);
        loop {
            step = match step {
                Step::Store(bytes) => self.store(&bytes, body)?,
                // There is no server application to notify.
                Step::Notify(token) => {
                    let notified = Notified::new(true, Reply::None);
                    let now = self.device.now();
                    self.session.handle_notified(token, notified, self.policy, now)?
                }
                Step::Commit(token) => self.commit(token)?,
                Step::Discard(Discard { token, .. }) => match self.device.erase(self.slot) {
                    Ok(()) => self.session.handle_discarded(token)?,
                    Err(error) => self.session.handle_failed(token, error, self.policy)?,
                },
                Step::Answer(answer) => return Ok(answer),
                _ => return Err(Closed),
            };
        }
    }

    /// Stores the next piece and reports it. The next step asks for the bytes that follow.
    fn store<T: Transport>(
        &mut self,
        bytes: &StoreBytes,
        body: &mut Connection<'_, T>,
    ) -> Result<Step, Closed> {
        let StoreBytes { token, skip, offset, take, .. } = *bytes;
        let mut room = [0; PIECE];
        body.skip(skip);
        let piece = body.next(take, &mut room);
        if piece.is_empty() {
            self.session.handle_disconnected(token)?;
            return Err(Closed);
        }
        let now = self.device.now();
        Ok(match self.device.write(self.slot, offset, piece) {
            Ok(()) => self.session.handle_stored(token, piece.len() as u64, self.policy, now)?,
            Err(error) => self.session.handle_failed(token, error, self.policy)?,
        })
    }

    fn commit(&mut self, token: WorkToken) -> Result<Step, Closed> {
        match self.device.commit(self.slot, self.session.received().0) {
            Ok(()) => Ok(self.session.handle_committed(token)?),
            Err(error) => Ok(self.session.handle_failed(token, error, self.policy)?),
        }
    }
}
