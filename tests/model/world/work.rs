//! The work of the embedder for a session, and its reports.

use bits_proto::http1::StatusCode;
use bits_proto::server::{HostError, Notified, Reply, SessionsError, SessionsResponse, Step};

use super::config::Bug;
use super::wire::{Done, Job, Link, Packet, Phase, reply_url};
use super::{Checked, Coverage, NOW, Rule, World};
use bits_proto::client::Mode;

/// Returns the response of the server application.
pub const fn application_response(has_reply: bool) -> Notified {
    Notified::new(true, if has_reply { Reply::Kept } else { Reply::None })
}

impl Checked {
    fn has_reply(&self) -> bool {
        matches!(self.config.mode, Mode::UploadReply)
    }

    /// Does the requested work without reporting it.
    pub fn work(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("a request with work");
        let Phase::Working { job, .. } = link.phase else { unreachable!("a request with work") };
        let session = job.session();
        let book = world.book(session);
        let is_asked = book.token == Some(job.token());
        let is_there = !book.is_deleted && !book.is_committed;
        let done = match job {
            Job::Store(_) if !is_there => Done::Lost,
            Job::Store(store) => {
                let bytes = (link.until - link.at).min(self.config.piece).min(store.take);
                let shift = u64::from(self.config.bug == Some(Bug::StoredTooFar));
                for byte in 0..bytes {
                    let (offset, value) = (store.offset + byte + shift, link.at + byte);
                    self.write(world, session, offset, value, is_asked);
                }
                Done::Finished(bytes)
            }
            Job::Notify(_) => {
                self.notify(world, session);
                Done::Finished(0)
            }
            // The application has written its reply to a file, which is looked up.
            Job::KeepReply(_) => Done::Finished(0),
            Job::Commit(_) if book.is_deleted => Done::Lost,
            Job::Commit(_) if self.config.bug == Some(Bug::NotCommitted) => Done::Finished(0),
            Job::Commit(_) => {
                self.place(world, session, is_asked);
                Done::Finished(0)
            }
            Job::Discard(discard) => {
                self.discard(world, &link, discard.entity, discard.reply);
                Done::Finished(0)
            }
        };
        let link = world.link_mut(slot);
        if let Done::Finished(bytes) = done {
            link.at += bytes;
        }
        link.phase = Phase::Working { job, done: Some(done) };
    }

    /// Stores a byte of the body. Work that counts as abandoned stores the same byte at the same offset, and is
    /// not reported.
    pub fn write(&self, world: &mut World, session: u8, offset: u64, value: u64, is_asked: bool) {
        let book = world.book(session);
        let is_again = is_asked && offset < book.counted;
        let end = book.bytes.len() as u64;
        let value_of_byte = u8::try_from(value).expect("a few bytes");
        if offset == end {
            book.bytes.push(value_of_byte);
        } else if offset < end {
            book.bytes[usize::try_from(offset).expect("a few bytes")] = value_of_byte;
        }
        if offset > end {
            world.break_rule(Rule::NoHole);
        }
        if value != offset {
            world.break_rule(Rule::InPlace);
        }
        if is_again {
            world.break_rule(Rule::StoredOnce);
        }
    }

    /// The application is notified, accepts the entity, and writes its reply.
    fn notify(&self, world: &mut World, session: u8) {
        let has_reply = self.has_reply();
        let book = world.book(session);
        book.has_reply |= has_reply && !book.has_ended;
    }

    /// A notification begins. The server cannot stop it if the acceptance of an earlier one is reported
    /// meanwhile.
    pub fn begin_notification(&self, world: &mut World, session: u8) {
        if world.book(session).is_notified {
            world.break_rule(Rule::NotifiedOnce);
        }
    }

    /// Moves the entity to its destination, unless it is already there.
    pub fn place(&self, world: &mut World, session: u8, is_asked: bool) {
        let total = self.config.total;
        let book = world.book(session);
        let is_again = is_asked && book.is_commit_reported;
        let is_whole = book.is_committed || book.bytes.iter().copied().map(u64::from).eq(0..total);
        book.is_committed = true;
        book.bytes.clear();
        book.has_reply &= self.config.bug != Some(Bug::ReplyDeleted);
        if is_again {
            world.break_rule(Rule::PlacedOnce);
        }
        if !is_whole {
            world.break_rule(Rule::Whole);
        }
    }

    fn discard(&self, world: &mut World, link: &Link, entity: bool, reply: bool) {
        let session = link.job().expect("a request with work").session();
        let is_close = matches!(link.packet, Some(Packet::Close(_)));
        let entity = match self.config.bug {
            Some(Bug::CommittedEarly) if entity && is_close => {
                return self.place(world, session, true);
            }
            Some(Bug::NotDiscarded) => return,
            Some(Bug::DiscardedCommitted) => true,
            _ => entity,
        };
        let book = world.book(session);
        let is_committed = entity && book.is_commit_reported;
        if entity && !book.is_committed {
            book.bytes.clear();
            book.is_deleted = true;
        }
        book.has_reply &= !reply;
        if is_committed {
            world.break_rule(Rule::PlacedForGood);
        }
    }

    pub fn report(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("a request with work");
        let Phase::Working { job, done: Some(done) } = link.phase else {
            unreachable!("something is done")
        };
        let (token, session, policy) = (job.token(), job.session(), self.policy);
        let url = self.has_reply().then(|| reply_url(session));
        let has_reply = url.is_some();
        let overstated = u64::from(self.config.bug == Some(Bug::Overstated));
        let before = (self.config.bug == Some(Bug::WorkNotSaved)).then(|| world.host.table.clone());
        let outcome = self.with_sessions(world, policy, |sessions| match (job, done) {
            (_, Done::Lost) => sessions.handle_failed(token, HostError::EntityLost),
            (Job::Store(_), Done::Finished(bytes)) => {
                sessions.handle_stored(token, bytes + overstated, NOW)
            }
            (Job::Notify(_), _) => sessions.handle_accepted(token, true, NOW),
            (Job::KeepReply(_), _) => {
                let reply = application_response(has_reply).reply;
                sessions.handle_reply(token, reply, url, NOW)
            }
            (Job::Commit(_), _) => sessions.handle_committed(token),
            (Job::Discard(_), _) => sessions.handle_discarded(token),
        });
        if let Some(before) = before {
            world.host.table = before;
        }
        if outcome.is_ok() {
            let book = world.book(session);
            match (job, done) {
                (Job::Store(_), Done::Finished(bytes)) => book.counted += bytes,
                (Job::Notify(_), _) => book.is_notified = true,
                (Job::Commit(_), Done::Finished(_)) => book.is_commit_reported = true,
                (Job::Store(_) | Job::Commit(_), Done::Lost)
                | (Job::KeepReply(_) | Job::Discard(_), _) => {}
            }
        }
        self.go_on_if_taken(world, slot, &job, outcome);
    }

    /// Checks that a report is accepted if and only if it belongs to the current work.
    fn go_on_if_taken<E>(
        &self,
        world: &mut World,
        slot: usize,
        job: &Job,
        outcome: Result<Step<SessionsResponse<'static>>, SessionsError<E>>,
    ) {
        let is_asked = world.book(job.session()).token == Some(job.token());
        let is_late = matches!((job, &outcome), (Job::Notify(_), Ok(Step::Answer(_))));
        if is_late && !is_asked {
            // The acceptance counts. The connection is closed: the request that took over answers.
            self.cover(Coverage::AcceptedTooLate);
            self.persist(world, job.session());
            return world.drop_link(slot);
        }
        if outcome.is_ok() != is_asked {
            world.break_rule(Rule::Taken);
        }
        match outcome {
            Ok(step) => self.go_on(world, slot, step),
            Err(_) => {
                // The connection is closed: the request that took over answers.
                self.cover(Coverage::ReportedTooLate);
                world.drop_link(slot);
            }
        }
    }

    pub fn fail(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("a request with work");
        let error = match job {
            Job::Store(_) => HostError::DiskFull,
            Job::Notify(_) => {
                let status = StatusCode::try_from(500).expect("a status");
                HostError::Application { status, code: None }
            }
            Job::KeepReply(_) | Job::Commit(_) | Job::Discard(_) => HostError::Other,
        };
        self.cover(Coverage::Failed);
        self.report_failure(world, slot, &job, error);
    }

    pub fn lose_entity(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("a request with work");
        let book = world.book(job.session());
        book.bytes.clear();
        (book.is_deleted, book.is_lost) = (true, true);
        self.cover(Coverage::EntityLost);
        self.report_failure(world, slot, &job, HostError::EntityLost);
    }

    fn report_failure(&self, world: &mut World, slot: usize, job: &Job, error: HostError) {
        let (token, policy) = (job.token(), self.policy);
        let outcome =
            self.with_sessions(world, policy, |sessions| sessions.handle_failed(token, error));
        self.go_on_if_taken(world, slot, job, outcome);
    }

    /// The server stops the work on a request whose client has disconnected.
    pub fn disconnect(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("a request with work");
        let job = *link.job().expect("a request with work");
        let (token, policy) = (job.token(), self.policy);
        let outcome =
            self.with_sessions(world, policy, |sessions| sessions.handle_disconnected(token));
        let book = world.book(job.session());
        let is_asked = book.token == Some(token);
        if is_asked {
            book.token = None;
        }
        if outcome.is_ok() != is_asked {
            world.break_rule(Rule::Taken);
        }
        if matches!(job, Job::Store(_)) && link.packet.is_some_and(|it| it.body().0 < link.at) {
            self.cover(Coverage::StoredInPart);
        }
        world.drop_link(slot);
    }

    /// The work on the request is never finished or reported.
    pub fn hang(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("a request with work");
        let book = world.book(job.session());
        if book.token == Some(job.token()) {
            book.token = None;
        }
        self.cover(Coverage::Hung);
        world.drop_link(slot);
    }
}
