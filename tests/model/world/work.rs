//! What the host does for a session, and how it reports it.

use bits_proto::http1::StatusCode;
use bits_proto::server::{HostError, Notified, Reply, SessionsError, SessionsResponse, Step};

use super::config::Bug;
use super::wire::{Done, Job, Link, Packet, Phase, reply_url};
use super::{Checked, NOW, Rule, Sight, World};
use bits_proto::client::Mode;

/// What the server application says.
pub const fn told(has_reply: bool) -> Notified {
    Notified { copy_to_destination: true, reply: if has_reply { Reply::Kept } else { Reply::None } }
}

impl Checked {
    fn has_reply(&self) -> bool {
        matches!(self.config.mode, Mode::UploadReply)
    }

    /// Does what was asked for, without a report.
    pub fn work(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("somebody works");
        let Phase::Working { job, .. } = link.phase else { unreachable!("somebody works") };
        let session = job.session();
        let book = world.book(session);
        let is_asked = book.token == Some(job.token());
        let is_there = !book.is_gone && !book.is_committed;
        let done = match job {
            Job::Store(_) if !is_there => Done::Lost,
            Job::Store(store) => {
                let bytes = (link.until - link.at).min(self.config.piece).min(store.take);
                for byte in 0..bytes {
                    let (offset, value) = (store.offset + byte, link.at + byte);
                    self.write(world, session, offset, value, is_asked);
                }
                Done::Well(bytes)
            }
            Job::Notify(_) => {
                self.notify(world, session, is_asked);
                Done::Well(0)
            }
            Job::Commit(_) if book.is_gone => Done::Lost,
            Job::Commit(_) => {
                self.place(world, session, is_asked);
                Done::Well(0)
            }
            Job::Discard(discard) => {
                self.discard(world, &link, discard.entity, discard.reply);
                Done::Well(0)
            }
        };
        let link = world.link_mut(slot);
        if let Done::Well(bytes) = done {
            link.at += bytes;
        }
        link.phase = Phase::Working { job, done: Some(done) };
    }

    /// Stores a byte of the body. What somebody stores whose work counts as given up is the same
    /// byte at the same place, and is not reported.
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

    pub fn notify(&self, world: &mut World, session: u8, is_asked: bool) {
        let has_reply = self.has_reply();
        let book = world.book(session);
        book.has_reply |= has_reply && !book.has_ended;
        if book.is_told && is_asked {
            world.break_rule(Rule::NotifiedOnce);
        }
    }

    /// Puts the entity at its destination, unless it is there already.
    fn place(&self, world: &mut World, session: u8, is_asked: bool) {
        let total = self.config.total;
        let book = world.book(session);
        let is_again = is_asked && book.is_placed_known;
        let is_whole = book.is_committed || book.bytes.iter().copied().map(u64::from).eq(0..total);
        book.is_committed = true;
        book.bytes.clear();
        if is_again {
            world.break_rule(Rule::PlacedOnce);
        }
        if !is_whole {
            world.break_rule(Rule::Whole);
        }
    }

    fn discard(&self, world: &mut World, link: &Link, entity: bool, reply: bool) {
        let session = link.job().expect("somebody works").session();
        let is_close = matches!(link.packet, Some(Packet::Close(_)));
        if self.config.bug == Some(Bug::CommittedEarly) && entity && is_close {
            return self.place(world, session, true);
        }
        let book = world.book(session);
        let is_committed = entity && book.is_placed_known;
        if entity && !book.is_committed {
            book.bytes.clear();
            book.is_gone = true;
        }
        book.has_reply &= !reply;
        if is_committed {
            world.break_rule(Rule::PlacedForGood);
        }
    }

    pub fn report(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("somebody works");
        let Phase::Working { job, done: Some(done) } = link.phase else {
            unreachable!("something is done")
        };
        let (token, session, policy) = (job.token(), job.session(), self.policy);
        let url = self.has_reply().then(|| reply_url(session));
        let has_reply = url.is_some();
        let outcome = self.with_sessions(world, policy, |sessions| match (job, done) {
            (_, Done::Lost) => sessions.handle_failed(token, HostError::EntityLost),
            (Job::Store(_), Done::Well(bytes)) => sessions.handle_stored(token, bytes, NOW),
            (Job::Notify(_), _) => sessions.handle_notified(token, told(has_reply), url, NOW),
            (Job::Commit(_), _) => sessions.handle_committed(token),
            (Job::Discard(_), _) => sessions.handle_discarded(token),
        });
        if outcome.is_ok() {
            let book = world.book(session);
            match (job, done) {
                (Job::Store(_), Done::Well(bytes)) => book.counted += bytes,
                (Job::Notify(_), _) => book.is_told = true,
                (Job::Commit(_), Done::Well(_)) => book.is_placed_known = true,
                (Job::Store(_) | Job::Commit(_), Done::Lost) | (Job::Discard(_), _) => {}
            }
        }
        self.go_on_if_taken(world, slot, &job, outcome);
    }

    /// Reports are taken of work that was asked for last, and of no other.
    fn go_on_if_taken<E>(
        &self,
        world: &mut World,
        slot: usize,
        job: &Job,
        outcome: Result<Step<SessionsResponse<'static>>, SessionsError<E>>,
    ) {
        let is_asked = world.book(job.session()).token == Some(job.token());
        if outcome.is_ok() != is_asked {
            world.break_rule(Rule::Taken);
        }
        match outcome {
            Ok(step) => self.go_on(world, slot, step),
            Err(_) => {
                // The connection is closed: whoever took over answers.
                self.see(Sight::ReportedTooLate);
                world.drop_link(slot);
            }
        }
    }

    pub fn fail(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("somebody works");
        let error = match job {
            Job::Store(_) => HostError::DiskFull,
            Job::Notify(_) => {
                let status = StatusCode::try_from(500).expect("a status");
                HostError::Application { status, code: None }
            }
            Job::Commit(_) | Job::Discard(_) => HostError::Other,
        };
        self.see(Sight::Failed);
        self.report_failure(world, slot, &job, error);
    }

    pub fn lose_entity(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("somebody works");
        let book = world.book(job.session());
        book.bytes.clear();
        (book.is_gone, book.is_lost) = (true, true);
        self.see(Sight::EntityLost);
        self.report_failure(world, slot, &job, HostError::EntityLost);
    }

    fn report_failure(&self, world: &mut World, slot: usize, job: &Job, error: HostError) {
        let (token, policy) = (job.token(), self.policy);
        let outcome =
            self.with_sessions(world, policy, |sessions| sessions.handle_failed(token, error));
        self.go_on_if_taken(world, slot, job, outcome);
    }

    /// The host leaves the work on a request whose client is gone.
    pub fn disconnect(&self, world: &mut World, slot: usize) {
        let link = *world.link(slot).expect("somebody works");
        let job = *link.job().expect("somebody works");
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
            self.see(Sight::StoredInPart);
        }
        world.drop_link(slot);
    }

    /// Whoever works on it is never heard of again.
    pub fn hang(&self, world: &mut World, slot: usize) {
        let job = *world.link(slot).and_then(Link::job).expect("somebody works");
        let book = world.book(job.session());
        if book.token == Some(job.token()) {
            book.token = None;
        }
        self.see(Sight::Hung);
        world.drop_link(slot);
    }
}
