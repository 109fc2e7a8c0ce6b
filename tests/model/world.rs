//! The state machines of this crate under a model checker: one upload and one server. The network between
//! them loses, repeats and delays requests, and both sides may crash.
//!
//! The state machines are those of the library; only their environment is modelled. Each action is one call of
//! an embedder, together with the work that the call requires. Entities have a few bytes, and the byte at
//! offset `n` has the value `n`.
//!
//! Clocks do not advance: every timer is due as soon as it is set, and fires when the checker decides. Faults
//! are taken from a budget, so their number is limited. From every state, the upload must end if no more
//! faults occur.

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

use properties::{Coverage, Rule};

/// The server's clock. The client's clock is always zero.
const NOW: Duration = Duration::from_secs(1_700_000_000);
/// Time after which work counts as abandoned.
const WORK_TIMEOUT: Duration = Duration::from_secs(60);

/// The state of everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    upload: Arc<Upload>,
    /// The upload as last stored by the client.
    saved: Arc<Upload>,
    /// The connection that the client reads from.
    link: Option<Link>,
    /// Connections that the client no longer reads from, the oldest first. Requests on them may still
    /// arrive.
    old: Vec<Link>,
    host: Host,
    /// Number of faults that may still occur.
    left: u8,
    /// The broken rules, one bit each.
    broken: u16,
}

/// A configuration to check.
pub struct Checked {
    config: Config,
    policy: Policy<'static>,
    /// The upload in its initial state.
    fresh: Arc<Upload>,
    /// All events that occurred in any state. Kept outside the states, because it would multiply them.
    covered: AtomicU32,
    memory: Memory,
}

impl Checked {
    pub fn new(config: Config) -> Self {
        let policy = Policy::DEFAULT
            .with_overlap(config.overlap)
            .with_commit_at(config.commit_at)
            .with_notification(config.notification || config.mode == Mode::UploadReply)
            .with_overwrites(true)
            .with_store_timeout(WORK_TIMEOUT)
            .with_work_timeout(WORK_TIMEOUT);
        let fresh = Arc::new(Self::upload(&config));
        Self { config, policy, fresh, covered: AtomicU32::new(0), memory: Memory::default() }
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

    fn cover(&self, event: Coverage) {
        self.covered.fetch_or(1 << event as u32, Ordering::Relaxed);
    }

    fn covers(&self, event: Coverage) -> bool {
        self.covered.load(Ordering::Relaxed) & (1 << event as u32) != 0
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

    /// Returns a connection: the client's current one, or one that it has left.
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
