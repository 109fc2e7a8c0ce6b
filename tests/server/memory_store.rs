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
use support::sessions::{ALICE, begin, table};
use support::stores::Map;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
enum Operation {
    /// Inserts a session whose id the store has formed.
    Create(u16),
    /// Inserts a session with another id.
    Insert(u16),
    /// Removes one of the inserted sessions, which may have been removed before.
    Remove(usize),
    Update(usize),
    /// Inserts a session with the id of one that was inserted before.
    InsertAgain(usize),
}

/// Returns random bytes for a session.
fn random(key: u16) -> [u8; 16] {
    let random = u128::from(key).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    (random ^ random >> 61).to_le_bytes()
}

/// Returns the record of a new session. Each third session has a principal of its own.
fn record(key: u16, id_bytes: [u8; 16]) -> Record {
    let now = NOW + Duration::from_secs(key.into());
    let create = CreateSession::default();
    let session = Session::create(&create, Access::Granted, &PLAIN, id_bytes, now);
    let mut record = Record::new(session.expect("granted").0, format!("/{key}"));
    record.principal = (key % 3 == 0).then(|| format!("user-{key}").into());
    record
}

/// A store, a map with the same sessions, and the ids of all sessions that were ever inserted.
#[derive(Clone, Default)]
struct Stores {
    store: MemoryStore,
    map: Map,
    ids: Vec<Uuid>,
}

impl Stores {
    /// Inserts a record into both stores, and compares the results.
    fn insert(&mut self, record: &Record) {
        self.ids.push(record.session.id());
        assert_eq!(self.store.insert(record.clone()), Store::insert(&mut self.map, record.clone()));
    }

    /// Applies an operation to both stores, and compares the results.
    fn apply(&mut self, operation: Operation) {
        match operation {
            Operation::Create(key) => self.insert(&record(key, self.store.id_bytes(random(key)))),
            Operation::Insert(key) => self.insert(&record(key, random(key))),
            Operation::Remove(number) => {
                let Some(id) = self.id(number) else { return };
                let removed = Store::remove(&mut self.store, id);
                assert_eq!(removed, Store::remove(&mut self.map, id));
            }
            Operation::Update(number) => {
                let Some(id) = self.id(number) else { return };
                let change = |record: &mut Record| {
                    let updates = record.reply_url.as_ref().map_or(0, |url| url.len());
                    record.reply_url = Some(vec![b'/'; updates + 1].into());
                    updates
                };
                assert_eq!(self.store.update(id, change), self.map.update(id, change));
            }
            Operation::InsertAgain(number) => {
                let Some(id) = self.id(number) else { return };
                self.insert(&record(7, id.into_bytes()));
            }
        }
        assert_eq!(self.store.len(), self.map.len());
    }

    fn id(&self, number: usize) -> Option<Uuid> {
        self.ids.get(number % self.ids.len().max(1)).copied()
    }

    fn assert_equal(&self) {
        let Self { store, map, ids } = self;
        assert_eq!((store.len(), store.is_empty()), (map.len(), map.is_empty()));
        let mut records: Vec<_> = store.iter().collect();
        records.sort_by_key(|record| record.session.id());
        assert!(records.into_iter().eq(map.values()));
        assert!(ids.iter().all(|id| store.get(*id) == map.get(id)));
        assert_eq!(store.next_timeout(), map.next_timeout());
        let due = map.values().map(Record::timeout).nth(map.len() / 2).unwrap_or_default();
        let mut expired = store.expired(due).expect("no failure");
        expired.sort();
        assert_eq!(Ok(expired), map.expired(due));
        for principal in [None, Some("user-3"), Some("user-1")] {
            assert_eq!(store.count(principal), map.count(principal));
        }
    }
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let operation = (0..8, 0_u16..100).prop_map(|(kind, key)| match kind {
        0 | 1 => Operation::Create(key),
        2 => Operation::Insert(key),
        3..=5 => Operation::Remove(key.into()),
        6 => Operation::Update(key.into()),
        _ => Operation::InsertAgain(key.into()),
    });
    vec(operation, 0..400)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn operations_have_the_results_of_a_map(operations in operations()) {
        let mut stores = Stores::default();
        for operation in operations {
            stores.apply(operation);
        }
        stores.assert_equal();
        stores.clone().assert_equal();
    }
}

/// Thousands of sessions fill several blocks, and are removed in another order than they were inserted.
#[test]
fn many_sessions_are_inserted_and_removed() {
    const SESSIONS: u16 = 5000;
    for insert in [Operation::Create, Operation::Insert] {
        let mut stores = Stores::default();
        (0..SESSIONS).for_each(|key| stores.apply(insert(key)));
        stores.assert_equal();
        for count in 0..SESSIONS {
            let number = usize::from(count) * 2731 % usize::from(SESSIONS);
            let id = stores.ids[number];
            for _ in 0..2 {
                assert_eq!(Store::remove(&mut stores.store, id), Ok(()));
            }
            Store::remove(&mut stores.map, id).expect("no failure");
            if count % 2 == 0 {
                // Takes the slot of a removed session.
                stores.apply(insert(SESSIONS + count));
            }
            if count % 500 == 0 {
                stores.assert_equal();
            }
        }
        assert_eq!(stores.store.len(), usize::from(SESSIONS / 2));
        stores.assert_equal();
        (0..stores.ids.len()).for_each(|number| stores.apply(Operation::Remove(number)));
        assert!(stores.store.is_empty());
        stores.assert_equal();
    }
}

/// Returns the number of a slot in the id that the store forms: the exclusive or of the first four bytes and the
/// last four.
fn slot(store: &MemoryStore) -> u32 {
    let bytes = store.id_bytes(random(1));
    assert_eq!(bytes[4..], random(1)[4..], "the other bytes remain random");
    let word = |range: std::ops::Range<usize>| {
        u32::from_be_bytes(bytes[range].try_into().expect("four bytes"))
    };
    word(0..4) ^ word(12..16)
}

#[test]
fn ids_contain_the_number_of_the_next_slot() {
    let mut stores = Stores::default();
    for number in 0..20 {
        assert_eq!(slot(&stores.store), number);
        stores.apply(Operation::Create(number as u16));
    }
    // A session with another id takes no slot.
    stores.apply(Operation::Insert(100));
    assert_eq!(slot(&stores.store), 20);
    // The slots of removed sessions are used again, the first ones first, and then new ones.
    for number in [7, 19, 3] {
        stores.apply(Operation::Remove(number));
    }
    for number in [3, 7, 19, 20, 21] {
        assert_eq!(slot(&stores.store), number);
        stores.apply(Operation::Create(200 + number as u16));
    }
    stores.assert_equal();
    // Without sessions there are no slots.
    (0..stores.ids.len()).for_each(|number| stores.apply(Operation::Remove(number)));
    assert_eq!(slot(&stores.store), 0);
}

/// Like the sessions that a server restores when it starts.
#[test]
fn sessions_of_another_store_are_found() {
    let mut stores = Stores::default();
    (0..20).for_each(|key| stores.apply(Operation::Create(key)));
    [3, 7, 19].into_iter().for_each(|number| stores.apply(Operation::Remove(number)));
    let mut restored = Stores { ids: stores.ids.clone(), ..Stores::default() };
    stores.store.iter().for_each(|record| restored.insert(record));
    restored.assert_equal();
    (20..30).for_each(|key| restored.apply(Operation::Create(key)));
    restored.assert_equal();
}

#[test]
fn created_sessions_have_ids_of_the_store() {
    let mut sessions = table(MemoryStore::new(), PLAIN);
    // Also if the random bytes are repeated.
    for random in [7, 8, 8] {
        let id_bytes = sessions.store().id_bytes([random; 16]);
        let id = begin(&mut sessions, &ALICE, random);
        let expected = uuid::Builder::from_random_bytes(id_bytes).into_uuid();
        assert_eq!(id.guid(), Some(expected));
        assert!(sessions.store().get(expected).is_some());
    }
    assert_eq!(sessions.store().len(), 3);
}

#[test]
fn other_stores_use_the_random_bytes_as_they_are() {
    assert_eq!(Map::new().id_bytes(random(1)), random(1));
}

#[test]
fn debug_lists_the_records() {
    let mut store = MemoryStore::new();
    for key in [7, 8] {
        assert_eq!(store.insert(record(key, store.id_bytes(random(key)))), Ok(true));
    }
    let records: Vec<_> = store.iter().collect();
    assert_eq!((records.len(), format!("{store:?}")), (2, format!("{records:?}")));
}
