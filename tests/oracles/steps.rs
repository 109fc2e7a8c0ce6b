//! A session and an upload under any sequence of events.

use arbitrary::{Result, Unstructured};

use super::generators;
use crate::support::any_session::World;
use crate::support::any_upload::{Format, Run};

/// Maximum number of events of one input.
const MAX_EVENTS: usize = 64;

/// Returns true if the state is to be persisted and restored after the next event: the input chooses with the
/// byte that selects the event. A check after each event would take most of the time.
fn persists(input: &Unstructured<'_>) -> bool {
    input.peek_bytes(1).is_some_and(|next| next[0] >= 0xE0)
}

pub fn server_steps(data: &[u8]) {
    // An input that ends early has fewer events.
    let _ = session(&mut Unstructured::new(data));
}

fn session(input: &mut Unstructured<'_>) -> Result<()> {
    let mut world = World::new(generators::policy(input)?);
    for _ in 0..MAX_EVENTS {
        if input.is_empty() {
            break;
        }
        let is_persisted = persists(input);
        world.check_steps(&[generators::event(input)?]);
        if is_persisted {
            world.check_persistence();
        }
    }
    world.check_persistence();
    world.check_ends();
    Ok(())
}

pub fn client_steps(data: &[u8]) {
    let _ = upload(&mut Unstructured::new(data));
}

fn upload(input: &mut Unstructured<'_>) -> Result<()> {
    let mut run = Run::new(generators::upload(input)?);
    let held_by_server = input.int_in_range(0..=30)?;
    let mut formats = Format::ALL.into_iter().cycle();
    let mut next_format = || formats.next().expect("an endless sequence");
    for _ in 0..MAX_EVENTS {
        if input.is_empty() {
            break;
        }
        let (format, is_persisted) = (next_format(), persists(input));
        run.check_step(generators::step(input)?);
        if is_persisted {
            run.check_persistence(format);
        }
    }
    run.check_persistence(next_format());
    run.check_ends(held_by_server);
    Ok(())
}
