//! Random walks through the model, with an observer on the client's side of the wire.

use bits_proto::message::{Ack, CancelSessionAck, CloseSessionAck};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use stateright::Model as _;

use super::actions::Action;
use super::config::Config;
use super::wire::{Link, Packet, Phase, Reply, session_id};
use super::{Checked, World};
use crate::support::wire_observer::WireObserver;

/// Walks to the end of the upload, or for the given number of steps. The observer must find no violation.
pub fn walk(config: Config, seed: u64, steps: usize) -> WireObserver {
    let model = Checked::new(config);
    let mut random = SmallRng::seed_from_u64(seed);
    let mut observer = WireObserver::new();
    let mut world = model.init_states().swap_remove(0);
    for _ in 0..steps {
        let mut actions = Vec::new();
        model.actions(&world, &mut actions);
        // Most actions are faults, so the regular action is chosen in half of the steps.
        let due = random.random_bool(0.5).then(|| actions.first().copied()).flatten();
        let Some(action) = due.or_else(|| actions.choose(&mut random).copied()) else { break };
        let after = model.after(&world, action);
        observe(&mut observer, config.total, &world, action, &after);
        world = after;
    }
    observer
}

fn observe(observer: &mut WireObserver, total: u64, before: &World, action: Action, after: &World) {
    match (action, &before.link, &after.link) {
        (Action::Send, _, Some(Link { packet: Some(packet), .. })) => {
            observer.request(&packet.request(total));
        }
        (
            Action::Take,
            Some(Link { packet: Some(packet), phase: Phase::Answered(reply), .. }),
            _,
        ) => {
            observer.answer(&ack(*reply, *packet));
        }
        // The client has left or lost its connection, possibly after a response.
        (Action::Leave { .. }, ..) | (_, Some(_), None) => observer.disconnected(),
        _ => {}
    }
}

/// Returns the Ack with its session id, which the model leaves out.
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
