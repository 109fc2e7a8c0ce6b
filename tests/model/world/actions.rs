//! The possible actions and their effects.

use std::sync::Arc;

use bits_proto::client::{Exchange, Poll, State, StopReason, Upload};

use super::config::{Fault, Replaced};
use super::wire::{Job, Link, Packet, Phase};
use super::{Checked, NOW, World};

/// One step. A slot is a connection: 0 is the client's current connection, the others are connections that it
/// has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The client sends the next request.
    Send,
    /// The client receives the response.
    Take,
    /// The client notices that its connection is lost.
    Notice,
    /// The client's waiting time is over.
    Wake,
    Resume,
    Fetch,
    CloseWithoutReply,
    GiveCredentials,
    /// A request arrives. `late`: the work on the previous one exceeded the time limit.
    Deliver {
        slot: usize,
        late: bool,
        challenged: bool,
    },
    /// The server does the requested work and reports it.
    Work(usize),
    /// The server does the requested work.
    Do(usize),
    /// The server reports the work.
    Report(usize),
    /// The server notices that the client is gone, and stops the work.
    Disconnect(usize),
    /// A request on an old connection never arrives.
    Lose(usize),
    /// The server ends expired sessions.
    Sweep,
    /// The client leaves its connection. The bytes before `until` still arrive.
    Leave {
        why: Leaving,
        until: u64,
    },
    Duplicate,
    /// `done`: the work of this connection was finished just before and not reported.
    Crash {
        recover: bool,
        done: Option<usize>,
    },
    Hang(usize),
    Expire(u8),
    LoseEntity(usize),
    Fail(usize),
    Garble,
    /// A refusal replaces the server's response.
    Refuse(Replaced),
    Stray(u8),
    Unfetched,
}

/// Reasons for the client to leave its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    Broken,
    /// Its timer expired after all was sent.
    Unanswered,
    /// Its timer expired while it was sending.
    Unsent,
    Paused,
    Cancelled,
    Restarted,
    Crashed,
}

impl Leaving {
    const ALL: [Self; 7] = [
        Self::Broken,
        Self::Unanswered,
        Self::Unsent,
        Self::Paused,
        Self::Cancelled,
        Self::Restarted,
        Self::Crashed,
    ];

    const fn fault(self) -> Fault {
        match self {
            Self::Broken => Fault::Break,
            Self::Unanswered | Self::Unsent => Fault::GiveUp,
            Self::Paused => Fault::Pause,
            Self::Cancelled => Fault::Cancel,
            Self::Restarted => Fault::Restart,
            Self::Crashed => Fault::ClientCrash,
        }
    }
}

impl Checked {
    pub fn possible(&self, world: &World, actions: &mut Vec<Action>) {
        self.of_client(world, actions);
        for (slot, link) in world.slots() {
            self.of_link(world, slot, link, actions);
        }
        if world.must_sweep() {
            actions.push(Action::Sweep);
        }
        if world.left == 0 {
            return;
        }
        for why in Leaving::ALL {
            if self.allows(world, why.fault()) && self.can_leave(world, why) {
                let ends = world.link.as_ref().map_or(0..=0, |link| link.at..=link.until);
                actions.extend(ends.map(|until| Action::Leave { why, until }));
            }
        }
        self.of_server(world, actions);
    }

    pub fn of_client(&self, world: &World, actions: &mut Vec<Action>) {
        let upload = &world.upload;
        match (&world.link, upload.poll()) {
            (Some(Link { phase: Phase::Answered(_), .. }), _) => {
                actions.push(Action::Take);
                if self.allows(world, Fault::Garble) {
                    actions.push(Action::Garble);
                }
                if self.allows(world, Fault::Refuse) {
                    let is_close = upload.state() == State::Close;
                    let all = Replaced::ALL.into_iter();
                    // The server itself, which sends a code, knows whether it closed the session.
                    let possible = all.filter(|it| !is_close || *it == Replaced::NotFound);
                    actions.extend(possible.map(Action::Refuse));
                }
            }
            (Some(_), _) | (_, Poll::Finished | Poll::Cancelled) => {}
            (None, Poll::Send(_)) => actions.push(Action::Send),
            (None, Poll::Wait(_)) if upload.exchange() == Exchange::BackOff => {
                actions.push(Action::Wake);
            }
            (None, Poll::Wait(_)) => actions.push(Action::Notice),
            (None, Poll::FetchReply) => {
                actions.push(Action::Fetch);
                if self.allows(world, Fault::Unfetched) {
                    actions.push(Action::Unfetched);
                }
            }
            (None, Poll::ReplyMissing | Poll::Suspended(StopReason::ReplyUnavailable)) => {
                actions.push(Action::CloseWithoutReply);
            }
            (None, Poll::Credentials(_)) => actions.push(Action::GiveCredentials),
            (None, Poll::Suspended(_) | Poll::Failed(_)) => actions.push(Action::Resume),
            (None, other) => unreachable!("{other:?}"),
        }
    }

    fn can_leave(&self, world: &World, why: Leaving) -> bool {
        let (upload, link) = (&world.upload, &world.link);
        let has_ended = upload.state().is_terminal();
        match why {
            Leaving::Broken | Leaving::Unanswered => link.is_some(),
            // Only fragments become smaller after this.
            Leaving::Unsent => {
                matches!(link, Some(Link { packet: Some(Packet::Fragment { .. }), .. }))
            }
            Leaving::Paused => !has_ended && Upload::clone(upload).pause().is_ok(),
            Leaving::Cancelled => !has_ended,
            Leaving::Restarted => Upload::clone(upload).restart().is_ok(),
            Leaving::Crashed => world.saved != world.upload,
        }
    }

    fn of_link(&self, world: &World, slot: usize, link: &Link, actions: &mut Vec<Action>) {
        match link.phase {
            Phase::Coming => {
                actions.push(Action::Deliver { slot, late: false, challenged: false });
                if self.allows(world, Fault::Challenge) {
                    actions.push(Action::Deliver { slot, late: false, challenged: true });
                }
                if self.can_take_over(world, link) {
                    actions.push(Action::Deliver { slot, late: true, challenged: false });
                }
                if slot > 0 {
                    actions.push(Action::Lose(slot));
                }
            }
            Phase::Working { done: Some(_), .. } => actions.push(Action::Report(slot)),
            Phase::Working { ref job, done: None } => self.of_work(world, slot, link, job, actions),
            Phase::Answered(_) => {}
        }
    }

    fn of_work(
        &self,
        world: &World,
        slot: usize,
        link: &Link,
        job: &Job,
        actions: &mut Vec<Action>,
    ) {
        if link.can_be_done() {
            actions.push(Action::Work(slot));
            if self.allows(world, Fault::Slow) {
                actions.push(Action::Do(slot));
            }
        }
        if slot > 0 && link.packet.is_some() {
            actions.push(Action::Disconnect(slot));
        }
        if self.allows(world, Fault::Hang) {
            actions.push(Action::Hang(slot));
        }
        let book = &world.host.books[usize::from(job.session())];
        if book.token != Some(job.token()) {
            return;
        }
        if self.allows(world, Fault::Fail) {
            actions.push(Action::Fail(slot));
        }
        // For a reply alone, the error would mean that the reply is lost.
        let needs_entity = !book.is_committed && !matches!(job, Job::Discard(it) if !it.entity);
        if self.allows(world, Fault::LoseEntity) && needs_entity {
            actions.push(Action::LoseEntity(slot));
        }
    }

    /// Returns true if the work that blocks the request may count as abandoned.
    fn can_take_over(&self, world: &World, link: &Link) -> bool {
        let Some(session) = link.packet.and_then(Packet::session) else { return false };
        world.is_busy(session) && (!world.is_attended(session) || self.allows(world, Fault::Late))
    }

    fn of_server(&self, world: &World, actions: &mut Vec<Action>) {
        let has_room = world.old.len() < self.config.old;
        let is_coming = world.link.as_ref().is_some_and(|link| link.phase == Phase::Coming);
        if self.allows(world, Fault::Duplicate) && has_room && is_coming {
            actions.push(Action::Duplicate);
        }
        let sessions = 0..u8::try_from(world.host.books.len()).expect("a few sessions");
        for session in sessions.filter(|session| world.host.table.is_alive(*session)) {
            if self.allows(world, Fault::Expire) && !world.host.books[usize::from(session)].is_lost
            {
                actions.push(Action::Expire(session));
            }
            // Without any fragment this would create an empty entity, which is correct.
            let has_begun =
                world.host.table.session(session).is_some_and(|it| it.total().is_some());
            if self.allows(world, Fault::Stray) && has_room && has_begun {
                actions.push(Action::Stray(session));
            }
        }
        if self.allows(world, Fault::Crash) {
            for recover in [true, false] {
                actions.push(Action::Crash { recover, done: None });
                let works = world.slots().filter(|(_, link)| link.can_be_done());
                actions.extend(works.map(|(slot, _)| Action::Crash { recover, done: Some(slot) }));
            }
        }
    }

    pub fn after(&self, world: &World, action: Action) -> World {
        let mut world = world.clone();
        if self.costs(&world, action) {
            world.left -= 1;
        }
        match action {
            Action::Send => self.send(&mut world),
            Action::Take => self.take(&mut world),
            Action::Notice => self.notice(&mut world),
            Action::Wake => self.wake(&mut world),
            Action::Resume => self.resume(&mut world),
            Action::Fetch => self.fetch(&mut world),
            Action::CloseWithoutReply => self.close_without_reply(&mut world),
            Action::GiveCredentials => self.give_credentials(&mut world),
            Action::Deliver { slot, late, challenged } => {
                self.deliver(&mut world, slot, late, challenged);
            }
            Action::Work(slot) => {
                self.work(&mut world, slot);
                self.report(&mut world, slot);
            }
            Action::Do(slot) => self.work(&mut world, slot),
            Action::Report(slot) => self.report(&mut world, slot),
            Action::Disconnect(slot) => self.disconnect(&mut world, slot),
            Action::Lose(slot) => world.drop_link(slot),
            Action::Sweep => self.sweep(&mut world),
            Action::Leave { why, until } => self.leave(&mut world, why, until),
            Action::Duplicate => self.double(&mut world),
            Action::Crash { recover, done } => self.crash(&mut world, recover, done),
            Action::Hang(slot) => self.hang(&mut world, slot),
            Action::Expire(session) => self.expire(&mut world, session),
            Action::LoseEntity(slot) => self.lose_entity(&mut world, slot),
            Action::Fail(slot) => self.fail(&mut world, slot),
            Action::Garble => self.garble(&mut world),
            Action::Refuse(replaced) => self.refuse(&mut world, replaced),
            Action::Stray(session) => self.stray(&mut world, session),
            Action::Unfetched => self.unfetched(&mut world),
        }
        self.drop_unneeded_state(&mut world);
        world
    }

    fn costs(&self, world: &World, action: Action) -> bool {
        match action {
            Action::Send
            | Action::Take
            | Action::Notice
            | Action::Wake
            | Action::Resume
            | Action::Fetch
            | Action::CloseWithoutReply
            | Action::GiveCredentials
            | Action::Work(_)
            | Action::Report(_)
            | Action::Disconnect(_)
            | Action::Lose(_)
            | Action::Sweep => false,
            Action::Deliver { slot, late, challenged } => {
                let packet = world.link(slot).and_then(|link| link.packet);
                let session = packet.and_then(Packet::session);
                challenged || late && session.is_some_and(|it| world.is_attended(it))
            }
            Action::Do(_)
            | Action::Leave { .. }
            | Action::Duplicate
            | Action::Crash { .. }
            | Action::Hang(_)
            | Action::Expire(_)
            | Action::LoseEntity(_)
            | Action::Fail(_)
            | Action::Garble
            | Action::Refuse(_)
            | Action::Stray(_)
            | Action::Unfetched => true,
        }
    }

    /// Without further crashes, stored state does not matter. Dropping it reduces the number of states.
    pub fn drop_unneeded_state(&self, world: &mut World) {
        if !self.allows(world, Fault::ClientCrash) {
            world.saved = Arc::clone(&self.fresh);
        }
        if !self.allows(world, Fault::Crash) {
            world.host.drop_stored();
        }
    }
}

impl World {
    pub fn is_busy(&self, session: u8) -> bool {
        self.host.table.session(session).is_some_and(|session| session.is_busy(NOW))
    }

    /// Returns true if some request or the server itself still does the session's current work.
    pub fn is_attended(&self, session: u8) -> bool {
        let token = self.host.books[usize::from(session)].token;
        token.is_some() && self.slots().any(|(_, link)| link.job().map(|job| job.token()) == token)
    }
}
