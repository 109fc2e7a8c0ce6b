//! Records for the tests.

use std::time::Duration;

use bits_proto::message::CreateSession;
use bits_proto::server::{Access, Policy, Record, Session};
use bits_server::sessions::{SessionRecord, SessionStore, Version, Versioned};
use bits_server::storage::Staged;

/// Returns a new session. Equal numbers result in equal ids.
pub fn record(number: u8) -> SessionRecord {
    let (request, access) = (CreateSession::default(), Access::Granted);
    let now = Duration::from_secs(1_700_000_000);
    let created = Session::create(&request, access, &Policy::DEFAULT, [number; 16], now);
    let (session, _) = created.expect("a session");
    let mut record = Record::new(session, "/folder/entity");
    record.principal = Some("a".into());
    SessionRecord::new(record, "folder/entity".parse().expect("a key"), Staged::default())
}

/// Returns a session whose data is a number.
pub fn numbered(number: u8, data: u64) -> SessionRecord {
    let mut record = record(number);
    record.data = data.into();
    record
}

/// Loads a session that must exist.
pub async fn load(store: &impl SessionStore, number: u8) -> Versioned {
    let found = store.load(record(number).id()).await;
    found.expect("a store that works").expect("a session")
}

/// Inserts a new session and returns its version.
pub async fn insert(store: &impl SessionStore, number: u8) -> Version {
    assert!(store.insert(&record(number)).await.expect("a store that works"));
    load(store, number).await.version
}
