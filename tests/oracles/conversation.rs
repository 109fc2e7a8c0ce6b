//! A client and a server over a wire on which anything goes wrong, with an observer between them.

use crate::world::World;
use crate::world::rng::ScriptedRng;

/// The input decides what happens; behind its end a generator does.
pub fn conversation(data: &[u8]) {
    let Some((seed, given)) = data.split_first_chunk() else { return };
    let seed = u64::from(u16::from_le_bytes(*seed));
    World::from_rng(ScriptedRng::with_bytes(given, seed), seed).run_checked();
}
