//! Checks that every upload ends: from any state, if no more faults occur.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Mutex;

use bits_proto::client::{Poll, State};

use super::actions::Action;
use super::wire::{Link, Packet, Phase};
use super::{Checked, World};

/// More than any upload needs. An upload that takes longer is in a cycle.
const STEPS: usize = 300;

/// States from which an upload is known to end. Every state on the way to an end is added, so each is
/// followed only once.
#[derive(Default)]
pub struct Memory(Mutex<HashSet<u64>>);

/// Fate of requests on connections that the client has left.
#[derive(Clone, Copy, Hash)]
enum InFlight {
    /// They arrive before anything else happens.
    Arrives,
    /// They never arrive, and the server notices.
    Lost,
}

impl Checked {
    pub fn ends(&self, world: &World) -> bool {
        let no_old_links = world.old.is_empty();
        self.ends_if(world, InFlight::Arrives)
            && (no_old_links || self.ends_if(world, InFlight::Lost))
    }

    fn ends_if(&self, world: &World, rest: InFlight) -> bool {
        let mut world = World { left: 0, ..world.clone() };
        self.drop_unneeded_state(&mut world);
        let hasher = BuildHasherDefault::<DefaultHasher>::default();
        let mut passed = Vec::new();
        let ends = loop {
            // Once no old connection is left, their fate makes no difference.
            let print = hasher.hash_one((&world, (!world.old.is_empty()).then_some(rest)));
            if self.memory.0.lock().expect("no panic while locked").contains(&print) {
                break true;
            }
            passed.push(print);
            let Some(action) = self.fair_action(&world, rest) else { break true };
            if passed.len() > STEPS {
                break false;
            }
            let after = self.after(&world, action);
            if is_cancelled(&after) && !is_cancelled(&world) {
                // No one requested a cancellation.
                break false;
            }
            world = after;
        };
        if ends {
            self.memory.0.lock().expect("no panic while locked").extend(passed);
        }
        ends
    }

    /// Returns the next action if no faults occur, or `None` if the upload has ended.
    fn fair_action(&self, world: &World, rest: InFlight) -> Option<Action> {
        if matches!(world.upload.poll(), Poll::Finished | Poll::Cancelled) {
            return None;
        }
        if let Some(link) = world.old.first() {
            return Some(match (link.phase, rest) {
                (Phase::Coming, InFlight::Arrives) => fair_delivery(world, 1, link),
                (Phase::Coming | Phase::Answered(_), _) => Action::Lose(1),
                (Phase::Working { done: Some(_), .. }, _) => Action::Report(1),
                // The server's own work has no client that could disconnect.
                _ if link.packet.is_none() => Action::Work(1),
                (_, InFlight::Arrives) if link.can_be_done() => Action::Work(1),
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
        // Without faults, only one action is possible.
        let mut actions = Vec::new();
        self.of_client(world, &mut actions);
        assert!(actions.len() <= 1, "{actions:?}");
        actions.pop()
    }
}

fn is_cancelled(world: &World) -> bool {
    matches!(world.upload.state(), State::Cancel | State::Cancelled)
}

/// Delivers a request. Abandoned work expires sooner or later.
fn fair_delivery(world: &World, slot: usize, link: &Link) -> Action {
    let session = link.packet.and_then(Packet::session);
    let late = session.is_some_and(|it| world.is_busy(it) && !world.is_attended(it));
    Action::Deliver { slot, late, challenged: false }
}
