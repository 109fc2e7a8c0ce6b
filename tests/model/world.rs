//! The machines of this crate under a model checker: one upload, one server, and between them a
//! network that loses, doubles and delays, with crashes on both sides.
//!
//! The machines are the very ones that programs use; what is modelled is what is around them. Each
//! action of the model is one call that a host would make, and what the host does for it. Entities
//! have a few bytes, and the byte at offset `n` is the number `n`.
//!
//! Time stands still: every timer is due as soon as it is set, and fires when the checker says so.
//! Whatever goes wrong is taken from a budget, so there is an end to it, and from any state the
//! upload has to come to its end once nothing goes wrong any more.

mod actions;
mod client;
pub mod config;
mod drain;
mod host;
pub mod properties;
mod store;
pub mod walk;
mod wire;
mod work;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bits_proto::client::{FragmentSizing, Mode, Options, Upload};
use bits_proto::server::Policy;
use stateright::{Model, Property};

use actions::Action;
use config::{Config, Fault};
use drain::Memory;
use host::Host;
use wire::Link;

use properties::{Rule, Sight};

/// The server's clock. The client's stands at zero.
const NOW: Duration = Duration::from_secs(1_700_000_000);
/// When work counts as given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// All there is at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    upload: Arc<Upload>,
    /// The upload as the client had stored it.
    saved: Arc<Upload>,
    /// The connection that the client reads from.
    link: Option<Link>,
    /// Connections that nobody reads from any more, the oldest first. What was on its way on them
    /// may still arrive.
    old: Vec<Link>,
    host: Host,
    /// How many things may still go wrong.
    left: u8,
    /// The rules that were broken, a bit for each.
    broken: u16,
}

/// A configuration that is checked.
pub struct Checked {
    config: Config,
    policy: Policy<'static>,
    /// The upload that nothing has happened to.
    fresh: Arc<Upload>,
    /// What was seen in any state. Kept beside the states, which it would multiply.
    seen: AtomicU32,
    memory: Memory,
}

impl Checked {
    pub fn new(config: Config) -> Self {
        let policy = Policy {
            overlap: config.overlap,
            commit_at: config.commit_at,
            notification: config.notification || config.mode == Mode::UploadReply,
            overwrites: true,
            store_timeout: PATIENCE,
            work_timeout: PATIENCE,
            ..Policy::DEFAULT
        };
        let fresh = Arc::new(Self::upload(&config));
        Self { config, policy, fresh, seen: AtomicU32::new(0), memory: Memory::default() }
    }

    fn upload(config: &Config) -> Upload {
        let options = Options::DEFAULT
            .with_mode(config.mode)
            .with_fragments(FragmentSizing::with_bounds(config.fragment, 1, config.fragment))
            .with_request_timeout(Duration::ZERO)
            .with_response_timeout(Duration::ZERO)
            .with_initial_backoff(Duration::ZERO)
            .with_max_backoff(Duration::ZERO)
            .with_max_retries(1)
            .with_max_restarts(1)
            .with_max_stalls(1);
        Upload::new(config.total, options, 0)
    }

    fn see(&self, sight: Sight) {
        self.seen.fetch_or(1 << sight as u32, Ordering::Relaxed);
    }

    fn has_seen(&self, sight: Sight) -> bool {
        self.seen.load(Ordering::Relaxed) & (1 << sight as u32) != 0
    }

    fn allows(&self, world: &World, fault: Fault) -> bool {
        world.left > 0 && self.config.faults.contains(fault)
    }
}

impl World {
    fn break_rule(&mut self, rule: Rule) {
        self.broken |= 1 << rule as u16;
    }

    fn keeps(&self, rule: Rule) -> bool {
        self.broken & (1 << rule as u16) == 0
    }

    /// A connection: the client's own, or one that it has left.
    fn link(&self, slot: usize) -> Option<&Link> {
        match slot.checked_sub(1) {
            None => self.link.as_ref(),
            Some(index) => self.old.get(index),
        }
    }

    fn link_mut(&mut self, slot: usize) -> &mut Link {
        match slot.checked_sub(1) {
            None => self.link.as_mut().expect("the client has a connection"),
            Some(index) => &mut self.old[index],
        }
    }

    fn drop_link(&mut self, slot: usize) {
        match slot.checked_sub(1) {
            None => self.link = None,
            Some(index) => drop(self.old.remove(index)),
        }
    }

    fn slots(&self) -> impl Iterator<Item = (usize, &Link)> {
        (0..=self.old.len()).filter_map(|slot| Some((slot, self.link(slot)?)))
    }
}

impl Model for Checked {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            saved: Arc::clone(&self.fresh),
            upload: Arc::clone(&self.fresh),
            link: None,
            old: Vec::new(),
            host: Host::new(self.config.keeps_ended),
            left: self.config.budget,
            broken: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.possible(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(self.after(world, action))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}
