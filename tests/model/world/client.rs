//! The client: one upload, and a caller that stores it when required.

use std::sync::Arc;
use std::time::Duration;

use bits_proto::client::{EventError, Poll, Upload};
use bits_proto::field::{ErrorContext, HResult};
use bits_proto::http1::StatusCode;
use bits_proto::message::Refusal;

use super::actions::Leaving;
use super::config::{Bug, Fault, Replaced};
use super::wire::{Link, Packet, Phase, Reply, session_of};
use super::{Checked, Coverage, Rule, World};

/// The client's clock.
const NOW: Duration = Duration::ZERO;

impl Checked {
    fn call(&self, world: &mut World, call: impl FnOnce(&mut Upload) -> Result<(), EventError>) {
        if call(Arc::make_mut(&mut world.upload)).is_err() {
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
        self.call(world, |upload| upload.handle_sending(NOW));
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
            unreachable!("a response")
        };
        let restarts = world.upload.restarts();
        let reply = match (self.config.bug, reply.received()) {
            (Some(Bug::OffsetOfSent), Some(_)) => offset_of_sent(reply, packet),
            _ => reply,
        };
        let is_refusal = matches!(reply, Reply::Refused { .. });
        self.call(world, |upload| {
            // A refusal may arrive before all is sent.
            if !is_refusal {
                upload.handle_sent(NOW)?;
            }
            upload.handle_ack(&reply.ack(), NOW)
        });
        if world.upload.restarts() > restarts {
            self.cover(Coverage::StartedOver);
        }
        if matches!(reply, Reply::Refused { received: Some(_), .. }) {
            self.cover(Coverage::OutOfSync);
        }
    }

    pub fn garble(&self, world: &mut World) {
        world.link = None;
        let status = StatusCode::try_from(502).expect("a status");
        self.call(world, |upload| {
            upload.handle_sent(NOW)?;
            upload.handle_unreadable(Some(status), NOW)
        });
        self.cover(Coverage::Garbled);
    }

    pub fn refuse(&self, world: &mut World, replaced: Replaced) {
        world.link = None;
        let refusal = |status| {
            let status = StatusCode::try_from(status).expect("a status");
            Refusal::new(status).expect("a refusal")
        };
        let code = HResult::new(1).expect("not zero");
        let refusal = match replaced {
            Replaced::NotFound => refusal(404),
            Replaced::ByApplication => {
                refusal(413).with_error(code, ErrorContext::REMOTE_APPLICATION)
            }
            Replaced::InOtherWords => refusal(500).with_error(code, ErrorContext::SERVER),
        };
        self.call(world, |upload| upload.handle_ack(&refusal.into(), NOW));
    }

    pub fn notice(&self, world: &mut World) {
        self.call(world, |upload| upload.handle_transport_failure(NOW));
    }

    pub fn wake(&self, world: &mut World) {
        Arc::make_mut(&mut world.upload).handle_timeout(NOW);
    }

    pub fn resume(&self, world: &mut World) {
        self.call(world, Upload::resume);
        self.save(world);
        self.cover(Coverage::Resumed);
    }

    pub fn give_credentials(&self, world: &mut World) {
        self.call(world, Upload::provide_credentials);
        self.cover(Coverage::Challenged);
    }

    pub fn close_without_reply(&self, world: &mut World) {
        self.call(world, Upload::close_without_reply);
        self.save(world);
    }

    pub fn fetch(&self, world: &mut World) {
        let url = world.upload.reply_url().expect("a reply is due");
        let session = url.as_bytes()[0] - b'0';
        if world.host.books[usize::from(session)].has_reply {
            self.cover(Coverage::Fetched);
            return self.call(world, Upload::handle_reply_fetched);
        }
        if !world.host.is_over(session) {
            world.break_rule(Rule::ReplyKept);
        }
        self.unfetched(world);
    }

    pub fn unfetched(&self, world: &mut World) {
        self.call(world, |upload| upload.handle_reply_failed(NOW));
    }

    /// The client leaves its connection, or loses it.
    pub fn leave(&self, world: &mut World, why: Leaving, until: u64) {
        self.abandon(world, until);
        match why {
            // The client notices it later.
            Leaving::Broken => {}
            Leaving::Unanswered | Leaving::Unsent => self.call(world, |upload| {
                if why == Leaving::Unanswered {
                    upload.handle_sent(NOW)?;
                }
                upload.handle_timeout(NOW);
                Ok(())
            }),
            Leaving::Paused => {
                self.call(world, Upload::pause);
                self.save(world);
                self.cover(Coverage::Paused);
            }
            Leaving::Cancelled => {
                self.call(world, Upload::cancel);
                self.save(world);
            }
            Leaving::Restarted => {
                if let Some(id) = world.upload.session_id().and_then(|id| id.guid()) {
                    // The client forgets the session, regardless of its use.
                    world.host.books[usize::from(session_of(id))].is_lost = true;
                }
                self.call(world, Upload::restart);
                self.save(world);
            }
            Leaving::Crashed => {
                world.upload = Arc::clone(&world.saved);
                if !world.upload.state().is_terminal() {
                    self.call(world, Upload::resume);
                }
                self.cover(Coverage::ClientCrashed);
            }
        }
    }

    /// Requests on the client's connection continue without it, up to this byte.
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

    /// Ends the oldest connection if there are more than the configuration allows.
    fn end_oldest(&self, world: &mut World) {
        if world.old[0].job().is_some() { self.disconnect(world, 1) } else { world.drop_link(1) }
    }
}

/// Replaces the offset of a response by the end of what was sent.
fn offset_of_sent(reply: Reply, packet: Packet) -> Reply {
    let (_, end) = packet.body();
    match reply {
        Reply::Held { url_of, .. } => Reply::Held { next: end, url_of },
        Reply::Refused { status, code, .. } => Reply::Refused { status, code, received: Some(end) },
        other => other,
    }
}
