//! `MemoryStore`, compared with a `BTreeMap`.
#![cfg(feature = "alloc")]

use crate::support;
use std::time::Duration;

use bits_proto::message::CreateSession;
use bits_proto::server::{Access, MemoryStore, Record, Session, Store};
use proptest::collection::vec;
use proptest::prelude::*;
use support::cases::config;
use support::session::*;
use support::stores::Map;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
enum Operation {
    Insert(u16),
    Remove(u16),
    Update(u16),
}

/// Returns the record of a new session. Each third session has a principal of its own.
fn record(key: u16) -> Record {
    let mut random = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    random ^= random >> 61;
    let now = NOW + Duration::from_secs(key.into());
    let random = random.to_le_bytes();
    let create = CreateSession::default();
    let session = Session::create(&create, Access::Granted, &PLAIN, random, now);
    let mut record = Record::new(session.expect("granted").0, format!("/{key}"));
    record.principal = (key % 3 == 0).then(|| format!("user-{key}").into());
    record
}

fn id(key: u16) -> Uuid {
    record(key).session.id()
}

/// Applies an operation to both stores, and compares the results.
fn apply(operation: Operation, store: &mut MemoryStore, map: &mut Map) {
    match operation {
        Operation::Insert(key) => {
            assert_eq!(store.insert(record(key)), Store::insert(map, record(key)));
        }
        Operation::Remove(key) => {
            assert_eq!(Store::remove(store, id(key)), Store::remove(map, id(key)));
        }
        Operation::Update(key) => {
            let change = |record: &mut Record| {
                let updates = record.reply_url.as_ref().map_or(0, |url| url.len());
                record.reply_url = Some(vec![b'/'; updates + 1].into());
                updates
            };
            assert_eq!(store.update(id(key), change), map.update(id(key), change));
        }
    }
}

fn assert_equal(store: &MemoryStore, map: &Map) {
    assert_eq!((store.len(), store.is_empty()), (map.len(), map.is_empty()));
    let mut records: Vec<_> = store.iter().collect();
    records.sort_by_key(|record| record.session.id());
    assert!(records.into_iter().eq(map.values()));
    assert!(map.iter().all(|(id, record)| store.get(*id) == Some(record)));
    assert_eq!(store.next_timeout(), map.next_timeout());
    let due = map.values().map(Record::timeout).nth(map.len() / 2).unwrap_or_default();
    let mut expired = store.expired(due).expect("no failure");
    expired.sort();
    assert_eq!(Ok(expired), map.expired(due));
    for principal in [None, Some("user-3"), Some("user-1")] {
        assert_eq!(store.count(principal), map.count(principal));
    }
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let keys = 0_u16..100;
    let operation = (0..5, keys).prop_map(|(kind, key)| match kind {
        0 | 1 => Operation::Insert(key),
        2 | 3 => Operation::Remove(key),
        _ => Operation::Update(key),
    });
    vec(operation, 0..400)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn operations_have_the_results_of_a_map(operations in operations()) {
        let (mut store, mut map) = (MemoryStore::new(), Map::new());
        for operation in operations {
            apply(operation, &mut store, &mut map);
            prop_assert_eq!(store.len(), map.len());
        }
        assert_equal(&store, &map);
        assert_equal(&store.clone(), &map);
    }
}

/// Thousands of sessions fill several blocks, and are removed in another order than they were inserted.
#[test]
fn many_sessions_are_inserted_and_removed() {
    const SESSIONS: u16 = 5000;
    let (mut store, mut map) = (MemoryStore::new(), Map::new());
    for key in 0..SESSIONS {
        apply(Operation::Insert(key), &mut store, &mut map);
    }
    assert_equal(&store, &map);
    for count in 0..SESSIONS {
        let key = (u32::from(count) * 2731 % u32::from(SESSIONS)) as u16;
        apply(Operation::Remove(key), &mut store, &mut map);
        apply(Operation::Remove(key), &mut store, &mut map);
        if count % 2 == 0 {
            // Takes the place of a removed session.
            apply(Operation::Insert(SESSIONS + count), &mut store, &mut map);
        }
        if count % 500 == 0 {
            assert_equal(&store, &map);
        }
    }
    assert_eq!(store.len(), usize::from(SESSIONS / 2));
    assert_equal(&store, &map);
    for count in 0..SESSIONS {
        apply(Operation::Remove(SESSIONS + count), &mut store, &mut map);
    }
    assert!(store.is_empty());
    assert_equal(&store, &map);
}

#[test]
fn debug_lists_the_records() {
    let mut store = MemoryStore::new();
    assert_eq!(store.insert(record(7)), Ok(true));
    assert_eq!(format!("{store:?}"), format!("[{:?}]", record(7)));
}
