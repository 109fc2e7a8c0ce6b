//! Memory of a `MemoryStore`.

use std::time::Duration;

use bits_proto::message::CreateSession;
use bits_proto::server::{Access, MemoryStore, Policy, Record, Session, Store};
use uuid::Uuid;

use crate::counted::allocations;

const SESSIONS: u8 = 100;

/// Inserts sessions with ids of the store. Returns the number of allocations, and the ids.
fn fill(store: &mut MemoryStore, sessions: u8) -> (usize, Vec<Uuid>) {
    let mut total = 0;
    let ids = (0..sessions).map(|number| {
        let (create, policy) = (CreateSession::default(), Policy::DEFAULT);
        let id_bytes = store.id_bytes([number; 16]);
        let now = Duration::from_secs(1);
        let created = Session::create(&create, Access::Granted, &policy, id_bytes, now);
        let record = Record::new(created.expect("granted").0, "/a");
        let id = record.session.id();
        let (count, inserted) = allocations(|| store.insert(record));
        assert_eq!(inserted, Ok(true));
        total += count;
        id
    });
    let ids = ids.collect();
    (total, ids)
}

fn remove(store: &mut MemoryStore, ids: &[Uuid]) {
    ids.iter().for_each(|id| Store::remove(store, *id).expect("no failure"));
}

#[test]
fn memory_of_removed_sessions_is_used_again_or_freed() {
    let mut store = MemoryStore::new();
    let (first, ids) = fill(&mut store, SESSIONS);
    assert!(first >= 8, "{first} allocations, at least one for each block");
    let (last, others) = ids.split_last().expect("sessions");
    remove(&mut store, others);
    let (holes, others) = fill(&mut store, SESSIONS - 1);
    assert_eq!(holes, 0, "the last session keeps the slots before it");
    for id in &others {
        assert_eq!(store.get(*id).map(|record| record.session.id()), Some(*id));
    }
    remove(&mut store, &[*last]);
    remove(&mut store, &others);
    assert!(store.is_empty());
    let (again, _) = fill(&mut store, SESSIONS);
    assert!(again >= 5, "{again} allocations, as long blocks were freed");
}

/// Without a spare block, a session that ends and the next one would free and allocate a block.
#[test]
fn the_block_after_the_last_session_is_kept() {
    let mut store = MemoryStore::new();
    let (_, ids) = fill(&mut store, 65);
    remove(&mut store, &ids[63..]);
    let (count, _) = fill(&mut store, 2);
    assert_eq!(count, 0, "slot 63 ends a block, and slot 64 begins one");
}
