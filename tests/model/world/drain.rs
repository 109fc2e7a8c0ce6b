//! That every upload ends: from any state, once nothing goes wrong any more.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;

use bits_proto::client::{Poll, State};

use super::actions::Action;
use super::wire::{Link, Packet, Phase};
use super::{Checked, World};

/// More than any upload needs; one that takes longer goes round in circles.
const STEPS: usize = 300;

/// States from which an upload is known to end. All that are passed on the way to an end are, so
/// each is gone through once.
#[derive(Default)]
pub struct Memory(Mutex<HashSet<u64>>);

/// What becomes of what is on its way on connections that the client has left.
#[derive(Clone, Copy, Hash)]
enum UnreadBody {
    /// It arrives, before anything else happens.
    Arrives,
    /// It never arrives, and the host notices that.
    IsLost,
}

impl Checked {
    pub fn ends(&self, world: &World) -> bool {
        let is_all_the_same = world.old.is_empty();
        self.ends_if(world, UnreadBody::Arrives)
            && (is_all_the_same || self.ends_if(world, UnreadBody::IsLost))
    }

    fn ends_if(&self, world: &World, rest: UnreadBody) -> bool {
        let mut world = World { left: 0, ..world.clone() };
        self.forget_what_no_longer_counts(&mut world);
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let mut passed = Vec::new();
        let ends = loop {
            // No connection is left any more, so once there is none, all goes on alike.
            let print = hasher.hash_one((&world, (!world.old.is_empty()).then_some(rest)));
            if self.memory.0.lock().expect("nobody panics with it").contains(&print) {
                break true;
            }
            passed.push(print);
            let Some(action) = self.fair(&world, rest) else { break true };
            if passed.len() > STEPS {
                break false;
            }
            let after = self.after(&world, action);
            if is_cancelled(&after) && !is_cancelled(&world) {
                // Nobody has asked for that.
                break false;
            }
            world = after;
        };
        if ends {
            self.memory.0.lock().expect("nobody panics with it").extend(passed);
        }
        ends
    }

    /// What happens next where all do their best; nothing once the upload has ended.
    fn fair(&self, world: &World, rest: UnreadBody) -> Option<Action> {
        if matches!(world.upload.poll(), Poll::Finished | Poll::Cancelled) {
            return None;
        }
        if let Some(link) = world.old.first() {
            return Some(match (link.phase, rest) {
                (Phase::Coming, UnreadBody::Arrives) => fair_delivery(world, 1, link),
                (Phase::Coming | Phase::Answered(_), _) => Action::Lose(1),
                (Phase::Working { done: Some(_), .. }, _) => Action::Report(1),
                // The server's own work has no client that could be gone.
                _ if link.packet.is_none() => Action::Work(1),
                (_, UnreadBody::Arrives) if link.can_be_done() => Action::Work(1),
                _ => Action::Disconnect(1),
            });
        }
        if let Some(link) = &world.link {
            return Some(match link.phase {
                Phase::Coming => fair_delivery(world, 0, link),
                Phase::Working { done: Some(_), .. } => Action::Report(0),
                Phase::Working { .. } => Action::Work(0),
                Phase::Answered(_) => Action::Take,
            });
        }
        // One thing is possible, as nothing goes wrong.
        let mut actions = Vec::new();
        self.of_client(world, &mut actions);
        assert!(actions.len() <= 1, "{actions:?}");
        actions.pop()
    }
}

fn is_cancelled(world: &World) -> bool {
    matches!(world.upload.state(), State::Cancel | State::Cancelled)
}

/// Work that nobody does any more counts as given up, sooner or later.
fn fair_delivery(world: &World, slot: usize, link: &Link) -> Action {
    let session = link.packet.and_then(Packet::session);
    let late = session.is_some_and(|it| world.is_busy(it) && !world.is_attended(it));
    Action::Deliver { slot, late, challenged: false }
}
