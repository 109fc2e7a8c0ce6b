//! A client and a server on a faulty wire, with an observer between them.

use crate::world::rng::ScriptedRng;
use crate::world::{Size, World};

/// Long uploads mostly repeat the states of short ones, and take four times as long.
const SHORT: Size = Size { fragments: 6, faults: 12 };

/// The input makes the choices; after its end, a seeded generator does. One seed in eight gives a long upload.
pub fn conversation(data: &[u8]) {
    let Some((seed, given)) = data.split_first_chunk() else { return };
    let seed = u64::from(u16::from_le_bytes(*seed));
    // The last four bits select whether heads are encoded.
    let size = if seed / 16 % 8 == 0 { Size::LONG } else { SHORT };
    let random = ScriptedRng::with_bytes(given, seed);
    World::from_rng(random, seed, size).run_checked();
}
