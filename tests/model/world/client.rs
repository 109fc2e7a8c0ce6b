//! The client's half: one upload, and a caller that stores it when it has to.

use std::sync::Arc;
use std::time::Duration;

use bits_proto::client::{EventError, Poll, Upload};
use bits_proto::http1::StatusCode;

use super::actions::Leaving;
use super::config::{Bug, Fault};
use super::wire::{Link, Packet, Phase, Reply};
use super::{Checked, Rule, Sight, World};

/// The client's clock.
const NOW: Duration = Duration::ZERO;

impl Checked {
    fn tell(&self, world: &mut World, tell: impl FnOnce(&mut Upload) -> Result<(), EventError>) {
        if tell(Arc::make_mut(&mut world.upload)).is_err() {
            world.break_rule(Rule::Taken);
        }
    }

    fn save(&self, world: &mut World) {
        if self.config.faults.contains(Fault::ClientCrash) {
            world.saved = Arc::clone(&world.upload);
        }
    }

    pub fn send(&self, world: &mut World) {
        let Poll::Send(transmit) = world.upload.poll() else { unreachable!("something is due") };
        let packet = Packet::of(&transmit);
        self.tell(world, |upload| upload.handle_sending(NOW));
        self.save(world);
        if let Packet::Close(session) = packet {
            world.host.books[usize::from(session)].is_closing = true;
        }
        world.link = Some(Link::of(packet));
    }

    pub fn take(&self, world: &mut World) {
        let Some(Link { phase: Phase::Answered(reply), packet: Some(packet), .. }) =
            world.link.take()
        else {
            unreachable!("there is an answer")
        };
        let restarts = world.upload.restarts();
        let reply = match (self.config.bug, reply.received()) {
            (Some(Bug::OffsetOfSent), Some(_)) => offset_of_sent(reply, packet),
            _ => reply,
        };
        let is_refusal = matches!(reply, Reply::Refused { .. });
        self.tell(world, |upload| {
            // A refusal may come before all is sent.
            if !is_refusal {
                upload.handle_sent(NOW)?;
            }
            upload.handle_ack(&reply.ack(), NOW)
        });
        if world.upload.restarts() > restarts {
            self.see(Sight::StartedOver);
        }
        if matches!(reply, Reply::Refused { received: Some(_), .. }) {
            self.see(Sight::OutOfSync);
        }
    }

    pub fn garble(&self, world: &mut World) {
        world.link = None;
        let status = StatusCode::try_from(502).expect("a status");
        self.tell(world, |upload| {
            upload.handle_sent(NOW)?;
            upload.handle_unreadable(Some(status), NOW)
        });
        self.see(Sight::Garbled);
    }

    pub fn notice(&self, world: &mut World) {
        self.tell(world, |upload| upload.handle_transport_failure(NOW));
    }

    pub fn wake(&self, world: &mut World) {
        Arc::make_mut(&mut world.upload).handle_timeout(NOW);
    }

    pub fn resume(&self, world: &mut World) {
        self.tell(world, Upload::resume);
        self.save(world);
        self.see(Sight::Resumed);
    }

    pub fn give_credentials(&self, world: &mut World) {
        self.tell(world, Upload::provide_credentials);
        self.see(Sight::Challenged);
    }

    pub fn close_without_reply(&self, world: &mut World) {
        self.tell(world, Upload::close_without_reply);
        self.save(world);
    }

    pub fn fetch(&self, world: &mut World) {
        let url = world.upload.reply_url().expect("a reply is due");
        let session = url.as_bytes()[0] - b'0';
        if world.host.books[usize::from(session)].has_reply {
            self.see(Sight::Fetched);
            return self.tell(world, Upload::handle_reply_fetched);
        }
        if !world.host.is_over(session) {
            world.break_rule(Rule::ReplyKept);
        }
        self.unfetched(world);
    }

    pub fn unfetched(&self, world: &mut World) {
        self.tell(world, |upload| upload.handle_reply_failed(NOW));
    }

    /// The client has no use for its connection any more, or no connection.
    pub fn leave(&self, world: &mut World, why: Leaving, until: u64) {
        self.abandon(world, until);
        match why {
            // It is noticed later.
            Leaving::Broken => {}
            Leaving::Unanswered | Leaving::Unsent => self.tell(world, |upload| {
                if why == Leaving::Unanswered {
                    upload.handle_sent(NOW)?;
                }
                upload.handle_timeout(NOW);
                Ok(())
            }),
            Leaving::Paused => {
                self.tell(world, Upload::pause);
                self.save(world);
                self.see(Sight::Paused);
            }
            Leaving::Cancelled => {
                self.tell(world, Upload::cancel);
                self.save(world);
            }
            Leaving::Crashed => {
                world.upload = Arc::clone(&world.saved);
                if !world.upload.state().is_terminal() {
                    self.tell(world, Upload::resume);
                }
                self.see(Sight::ClientCrashed);
            }
        }
    }

    /// What is on the client's connection goes on without it, up to this byte.
    fn abandon(&self, world: &mut World, until: u64) {
        let Some(link) = world.link.take() else { return };
        if matches!(link.phase, Phase::Answered(_)) {
            return;
        }
        while world.old.len() >= self.config.old.max(1) {
            self.end_oldest(world);
        }
        world.old.push(Link { until, ..link });
    }

    /// There would be too many connections to look at: the oldest comes to an end.
    fn end_oldest(&self, world: &mut World) {
        if world.old[0].job().is_some() { self.disconnect(world, 1) } else { world.drop_link(1) }
    }
}

/// An answer that has all that was sent.
fn offset_of_sent(reply: Reply, packet: Packet) -> Reply {
    let (_, end) = packet.body();
    match reply {
        Reply::Held { url_of, .. } => Reply::Held { next: end, url_of },
        Reply::Refused { status, code, .. } => Reply::Refused { status, code, received: Some(end) },
        other => other,
    }
}
