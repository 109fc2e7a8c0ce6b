//! A session and an upload under any sequence of events.

use arbitrary::{Result, Unstructured};

use super::generators;
use crate::support::any_session::World;
use crate::support::any_upload::Run;

/// Maximum number of events of one input.
const MAX_EVENTS: usize = 64;

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
        world.check_steps(&[generators::event(input)?]);
    }
    world.check_ends();
    Ok(())
}

pub fn client_steps(data: &[u8]) {
    let _ = upload(&mut Unstructured::new(data));
}

fn upload(input: &mut Unstructured<'_>) -> Result<()> {
    let mut run = Run::new(generators::upload(input)?);
    let held_by_server = input.int_in_range(0..=30)?;
    for _ in 0..MAX_EVENTS {
        if input.is_empty() {
            break;
        }
        run.check_step(generators::step(input)?);
    }
    run.check_ends(held_by_server);
    Ok(())
}
