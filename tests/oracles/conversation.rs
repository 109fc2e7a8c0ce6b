//! A client and a server on a faulty wire, with an observer between them.

use crate::world::World;
use crate::world::rng::ScriptedRng;

/// The input makes the choices; after its end, a seeded generator does.
pub fn conversation(data: &[u8]) {
    let Some((seed, given)) = data.split_first_chunk() else { return };
    let seed = u64::from(u16::from_le_bytes(*seed));
    World::from_rng(ScriptedRng::with_bytes(given, seed), seed).run_checked();
}
