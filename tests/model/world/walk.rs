//! Walks through the model at random, past an observer on the client's side of the wire.

use bits_proto::message::{Ack, CancelSessionAck, CloseSessionAck};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use stateright::Model as _;

use super::actions::Action;
use super::config::Config;
use super::wire::{Link, Packet, Phase, Reply, session_id};
use super::{Checked, World};
use crate::support::watch::Watch;

/// One walk, to the end of the upload or for so many steps. What goes by breaks no rule, or the
/// watch says so.
pub fn walk(config: Config, seed: u64, steps: usize) -> Watch {
    let model = Checked::new(config);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut watch = Watch::new();
    let mut world = model.init_states().swap_remove(0);
    for _ in 0..steps {
        let mut actions = Vec::new();
        model.actions(&world, &mut actions);
        // Faults are many; what is due goes on in half of the steps.
        let due = random.random_bool(0.5).then(|| actions.first().copied()).flatten();
        let Some(action) = due.or_else(|| actions.choose(&mut random).copied()) else { break };
        let after = model.after(&world, action);
        observe(&mut watch, config.total, &world, action, &after);
        world = after;
    }
    watch
}

fn observe(watch: &mut Watch, total: u64, before: &World, action: Action, after: &World) {
    match (action, &before.link, &after.link) {
        (Action::Send, _, Some(Link { packet: Some(packet), .. })) => {
            watch.request(&packet.request(total));
        }
        (
            Action::Take,
            Some(Link { packet: Some(packet), phase: Phase::Answered(reply), .. }),
            _,
        ) => {
            watch.answer(&ack(*reply, *packet));
        }
        // The client has left its connection, or lost it, perhaps after an answer.
        (Action::Leave { .. }, ..) | (_, Some(_), None) => watch.disconnected(),
        _ => {}
    }
}

/// The Ack with the id of its session, which the model leaves out.
fn ack(reply: Reply, packet: Packet) -> Ack<'static> {
    let session_id = packet.session().map(|session| session_id(session).into());
    match reply.ack() {
        Ack::Fragment(mut ack) => {
            ack.session_id = session_id;
            ack.into()
        }
        Ack::CloseSession(_) => CloseSessionAck { session_id }.into(),
        Ack::CancelSession(_) => CancelSessionAck { session_id }.into(),
        other => other,
    }
}
