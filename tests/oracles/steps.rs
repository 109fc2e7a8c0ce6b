//! A session and an upload under whatever may come, in any order.

use arbitrary::{Result, Unstructured};

use super::generators;
use crate::support::any_session::World;
use crate::support::any_upload::Run;

/// The most events of one input.
const MOST: usize = 64;

pub fn server_steps(data: &[u8]) {
    // An input that ends early has fewer events.
    let _ = session(&mut Unstructured::new(data));
}

fn session(input: &mut Unstructured<'_>) -> Result<()> {
    let mut world = World::new(generators::policy(input)?);
    for _ in 0..MOST {
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
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        run.check_step(generators::step(input)?);
    }
    run.check_ends(held_by_server);
    Ok(())
}
