//! Records for the cases.

use std::time::Duration;

use bits_proto::field::ContentRange;
use bits_proto::message::{CreateSession, Fragment};
use bits_proto::server::{Access, Policy, Record, Session};
use serde_json::json;
use uuid::Uuid;

use super::super::suite::{Outcome, ensure, eventually};
use crate::BoxError;
use crate::sessions::{SessionRecord, SessionStore, Version, Versioned};
use crate::storage::Staged;

/// Timeout of the records whose timeout does not matter.
const TIMEOUT: Duration = Duration::from_secs(1_700_000_000);

/// Returns a new session. Equal numbers result in equal ids.
pub(super) fn record(number: u8) -> Result<SessionRecord, BoxError> {
    expiring(number, TIMEOUT)
}

/// Returns a new session that expires at `timeout`.
pub(super) fn expiring(number: u8, timeout: Duration) -> Result<SessionRecord, BoxError> {
    let policy = Policy::DEFAULT.with_session_timeout(timeout);
    let (request, access) = (CreateSession::default(), Access::Granted);
    let created = Session::create(&request, access, &policy, [number; 16], Duration::ZERO);
    let (session, _) = created.map_err(|refusal| format!("{refusal:?}"))?;
    let record = Record::new(session, "/folder/entity");
    Ok(SessionRecord::new(record, "folder/entity".parse()?, Staged::default()))
}

/// Returns a new session of a principal.
pub(super) fn owned(number: u8, principal: &str) -> Result<SessionRecord, BoxError> {
    let mut record = record(number)?;
    record.record.principal = Some(principal.into());
    Ok(record)
}

/// Returns a session with unusual values in all fields.
pub(super) fn full(number: u8) -> Result<SessionRecord, BoxError> {
    let mut record = record(number)?;
    // Work is in progress.
    let range = ContentRange::new(0, (1 << 40) - 1, u64::MAX)?;
    let session = &mut record.record.session;
    let request = Fragment::new(session.session_id(), range).into();
    let step = session.handle_request(&request, Access::Granted, &Policy::DEFAULT, TIMEOUT / 2);
    ensure!(step.token().is_some(), "the session does not accept a fragment: {step:?}");
    let url = "/Gr\u{f6}\u{df}e%20(2).log?a=\"b\"&c='d'\\";
    record.record = Record::new(record.record.session, url);
    record.record.principal = Some("DOMAIN\\m\u{fc}ller\0\n\u{1f600}".into());
    record.record.reply_url = Some(Box::new([b'/', 0, 0x80, 0xff, b'\n', b'"']));
    record.key = "machine-7/Gr\u{f6}\u{df}e (2) \u{1f600}.log".parse()?;
    record.staged =
        Staged(json!({ "parts": [{ "tag": "\"a\"", "length": u64::MAX }], "tail": null }));
    record.data = json!({
        "text": "\0\u{1}\t\r\n\"\\/\u{7f}\u{e9}\u{2028}\u{feff}\u{1f600}",
        "numbers": [0, -1, i64::MIN, u64::MAX, 0.5],
        "": { "nested": [[], {}, null, true, false] },
        "$type": "not special",
    });
    Ok(record)
}

/// Returns a copy of a record whose data is a number.
pub(super) fn numbered(record: &SessionRecord, number: u64) -> SessionRecord {
    let mut record = record.clone();
    record.data = number.into();
    record
}

/// Loads a session that must exist.
pub(super) async fn load(store: &dyn SessionStore, id: Uuid) -> Result<Versioned, BoxError> {
    store.load(id).await?.ok_or_else(|| format!("load of session {id} returned None").into())
}

/// Inserts a new session and returns its version.
pub(super) async fn insert(
    store: &dyn SessionStore,
    record: &SessionRecord,
) -> Result<Version, BoxError> {
    ensure!(store.insert(record).await?, "insert of a new session returned false");
    Ok(load(store, record.id()).await?.version)
}

/// Replaces a record whose version is current, and returns the new version.
pub(super) async fn replace(
    store: &dyn SessionStore,
    expected: &Version,
    record: &SessionRecord,
) -> Result<Version, BoxError> {
    let replaced = store.replace(expected, record).await?;
    replaced.ok_or_else(|| "replace with the current version returned None".into())
}

/// Removes a session whose version is current.
pub(super) async fn remove(
    store: &dyn SessionStore,
    id: Uuid,
    expected: &Version,
) -> Result<(), BoxError> {
    let removed = store.remove(id, expected).await?;
    ensure!(removed, "remove with the current version returned false");
    Ok(())
}

/// Checks that exactly this record is stored.
pub(super) async fn expect(
    store: &dyn SessionStore,
    record: &SessionRecord,
    when: &str,
) -> Result<Version, BoxError> {
    let found = load(store, record.id()).await?;
    ensure!(found.record == *record, "{when}: expected {record:?}, got {:?}", found.record);
    Ok(found.version)
}

/// Checks the number of sessions of one or all principals.
pub(super) async fn expect_count(
    store: &dyn SessionStore,
    principal: Option<&str>,
    count: usize,
) -> Outcome {
    let what = format!("number of sessions of {principal:?}");
    eventually(&what, count, || store.count(principal)).await
}

/// Checks that exactly these sessions have expired.
pub(super) async fn expect_expired(
    store: &dyn SessionStore,
    now: Duration,
    expected: impl IntoIterator<Item = Uuid>,
) -> Outcome {
    let what = format!("sessions that have expired at {now:?}");
    let mut expected: Vec<_> = expected.into_iter().collect();
    expected.sort_unstable();
    eventually(&what, expected, || async {
        let mut expired = store.expired(now, usize::MAX).await?;
        expired.sort_unstable();
        Ok::<_, BoxError>(expired)
    })
    .await
}
