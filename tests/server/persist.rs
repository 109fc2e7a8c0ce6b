//! Persistent form of sessions, and rejection of damaged forms.
#![cfg(feature = "serde")]

use crate::support;
use std::collections::HashSet;

use bits_proto::server::{EndReason, Session, State, Step};
use serde_json::{Value, json};
use support::session::*;

fn stored(session: &Session) -> Value {
    serde_json::to_value(session).expect("a session can be stored")
}

fn read(value: &Value) -> Result<Session, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

fn situation(what: &str) -> Situation {
    let situation = situations().into_iter().find(|situation| situation.what == what);
    situation.unwrap_or_else(|| panic!("{what}"))
}

/// Returns the persistent form of a situation with one field changed.
fn damaged(what: &str, field: &str, value: Value) -> Value {
    let mut form = stored(&situation(what).server.session);
    let old = form.get_mut(field).unwrap_or_else(|| panic!("{field}"));
    assert_ne!(*old, value, "{what}: {field} unchanged");
    *old = value;
    form
}

const FIELDS: [&str; 16] = [
    "unread_body",
    "version",
    "id",
    "state",
    "pending",
    "token_number",
    "work_deadline",
    "next",
    "total",
    "remaining",
    "notified",
    "forbidden_code",
    "committed",
    "entity_lost",
    "end_reason",
    "expires_at",
];

#[test]
fn every_session_is_restored_unchanged() {
    for situation in situations() {
        let form = stored(&situation.server.session);
        assert_eq!(read(&form), Ok(situation.server.session), "{}", situation.what);
        let text = serde_json::to_string(&situation.server.session).expect("stored");
        let session: Session = serde_json::from_str(&text).expect("read");
        assert_eq!(session, situation.server.session, "{}", situation.what);
    }
}

#[test]
fn a_session_and_its_copy_hash_alike_and_others_do_not() {
    let sessions: Vec<Session> =
        situations().iter().map(|situation| situation.server.session).collect();
    let different: HashSet<Session> = sessions.iter().copied().collect();
    let is_first = |(index, session)| !sessions[..index].contains(session);
    assert_eq!(different.len(), sessions.iter().enumerate().filter(|it| is_first(*it)).count());
    for session in &sessions {
        assert!(different.contains(&read(&stored(session)).expect("it reads back")));
    }
}

#[test]
fn a_waiting_session_persists_no_previous_work() {
    for situation in situations().iter().filter(|situation| situation.token.is_none()) {
        let form = stored(&situation.server.session);
        assert_eq!(form["pending"], json!(null), "{}", situation.what);
        assert_eq!(form["remaining"], json!(0), "{}", situation.what);
        assert_eq!(form["work_deadline"], json!({ "secs": 0, "nanos": 0 }), "{}", situation.what);
    }
}

/// The persistent form must not change without a new version.
#[test]
fn the_stored_form_is_the_first_version() {
    let session = situation("storing the last bytes").server.session;
    let form = json!({
        "version": 1,
        "id": "07070707-0707-4707-8707-070707070707",
        "state": "storing",
        "pending": "fragment",
        "token_number": 2,
        "work_deadline": { "secs": 1_700_000_300, "nanos": 0 },
        "next": 70,
        "total": 100,
        "remaining": 30,
        "unread_body": "none",
        "notified": null,
        "forbidden_code": null,
        "committed": false,
        "entity_lost": false,
        "end_reason": null,
        "expires_at": { "secs": 1_701_209_600, "nanos": 0 },
    });
    assert_eq!(stored(&session), form);
    assert_eq!(read(&form), Ok(session));
    let form = stored(&situation("complete with a reply").server.session);
    assert_eq!(form["notified"], json!({ "copy_to_destination": true, "reply": "kept" }));
    let form = stored(&situation("accepted").server.session);
    assert_eq!(form["state"], json!("accepted"));
    assert_eq!(form["notified"], json!({ "copy_to_destination": true, "reply": "pending" }));
    assert_eq!(stored(&situation("replying").server.session)["state"], json!("replying"));
    assert_eq!(
        stored(&situation("forbidden").server.session)["forbidden_code"],
        json!(0x8019_0193_u32)
    );
    let endings: Vec<_> =
        ["closed", "closed too early", "cancelled", "lost", "lost, with a reply", "timed out"]
            .map(|what| stored(&situation(what).server.session)["end_reason"].clone())
            .into();
    let expected = [
        "closed",
        "closed-incomplete",
        "cancelled",
        "entity-lost",
        "accepted-entity-lost",
        "timed-out",
    ];
    assert_eq!(endings, expected);
}

// Damaged forms.

#[test]
fn another_version_is_refused() {
    for version in [0, 2, 255] {
        let error = read(&damaged("new", "version", json!(version))).expect_err("refused");
        assert_eq!(error, format!("stored session has version {version}, expected 1"));
    }
}

#[test]
fn a_field_of_another_type_or_name_is_refused() {
    for field in FIELDS {
        for value in [json!([]), json!("?"), json!(-1)] {
            let error = read(&damaged("storing the last bytes", field, value.clone()));
            assert!(error.is_err(), "{field}: {value}");
        }
    }
    let mut form = stored(&situation("new").server.session);
    form["more"] = json!(0);
    let error = read(&form).expect_err("refused");
    assert!(error.starts_with("unknown field `more`"), "{error}");
    for (field, value, expected) in [
        ("state", json!("init"), "unknown variant `init`"),
        ("pending", json!("ping"), "unknown variant `ping`"),
        ("end_reason", json!("?"), "unknown variant `?`"),
        ("next", json!("50"), "invalid type: string"),
        ("token_number", json!(1_u64 << 32), "invalid value"),
        ("id", json!("07"), "UUID parsing failed"),
        ("committed", json!(0), "invalid type: integer"),
        ("entity_lost", json!(0), "invalid type: integer"),
        ("notified", json!({ "reply": "kept" }), "missing field `copy_to_destination`"),
    ] {
        let error = read(&damaged("new", field, value)).expect_err(field);
        assert!(error.contains(expected), "{field}: {error}");
    }
}

const NULLABLE: [&str; 5] = ["pending", "total", "notified", "forbidden_code", "end_reason"];

#[test]
fn a_missing_field_is_refused() {
    for field in FIELDS.iter().filter(|field| !NULLABLE.contains(field)) {
        let mut form = stored(&situation("new").server.session);
        form.as_object_mut().and_then(|form| form.remove(*field)).expect("present");
        let error = read(&form).expect_err(field);
        assert_eq!(error, format!("missing field `{field}`"));
    }
}

/// A missing field is an error even if `null` would be valid.
#[test]
fn a_missing_field_that_may_be_null_is_refused() {
    let is_taken = |field: &&str| {
        situations().iter().any(|situation| {
            let mut form = stored(&situation.server.session);
            form.as_object_mut().and_then(|form| form.remove(*field)).expect("present");
            read(&form).is_ok()
        })
    };
    let taken: Vec<_> = NULLABLE.iter().filter(|field| is_taken(field)).collect();
    assert_eq!(taken, Vec::<&&str>::new());
}

#[test]
fn a_contradiction_is_refused_with_its_rule() {
    const KEPT: &str = r#"{ "copy_to_destination": true, "reply": "kept" }"#;
    let more_held = "`next` exceeds `total`";
    let more_come = "`remaining` exceeds the missing bytes";
    let no_work = "`remaining` without `pending`";
    let nothing = "state \"storing\" without `remaining`";
    let missing = "`state` requires a complete entity";
    let work = "`pending` does not match `state`";
    let notified = "`notified` does not match `state`";
    let committed = "`committed` requires a complete entity";
    let not_committed = "state \"committed\" without `committed`";
    let lost = "`entity_lost` does not match `state`";
    let lost_after = "`entity_lost` and `committed` are both set";
    let end = "`end_reason` does not match `state`";
    let kept: Value = serde_json::from_str(KEPT).expect("JSON");
    for (what, field, value, expected) in [
        ("with bytes", "total", json!(49), more_held),
        ("with bytes", "total", json!(null), more_held),
        ("with bytes", "next", json!(101), more_held),
        ("with bytes", "next", json!(u64::MAX), more_held),
        ("with bytes", "remaining", json!(1), no_work),
        ("with bytes", "remaining", json!(51), more_come),
        ("storing the last bytes", "remaining", json!(31), more_come),
        ("storing the last bytes", "remaining", json!(u64::MAX), more_come),
        ("storing the last bytes", "remaining", json!(0), nothing),
        ("storing the last bytes", "total", json!(99), more_come),
        ("storing the last bytes", "pending", json!(null), no_work),
        ("storing the last bytes", "pending", json!("close"), work),
        ("storing the last bytes", "pending", json!("timeout"), work),
        ("new", "pending", json!("fragment"), work),
        ("new", "state", json!("wait-for-close"), missing),
        ("with bytes", "state", json!("unnotified"), missing),
        ("with bytes", "state", json!("storing"), nothing),
        ("with bytes", "state", json!("ended"), end),
        ("with bytes", "notified", kept.clone(), notified),
        ("with bytes", "committed", json!(true), committed),
        ("with bytes", "end_reason", json!("closed-incomplete"), end),
        ("notifying", "total", json!(101), missing),
        ("notifying", "pending", json!(null), work),
        ("notifying", "pending", json!("cancel"), work),
        ("notifying", "notified", kept, notified),
        ("complete", "notified", json!(null), notified),
        ("complete", "pending", json!("close"), work),
        ("complete", "state", json!("committed"), not_committed),
        ("complete", "state", json!("receiving"), notified),
        ("committing", "pending", json!("close"), work),
        ("committing", "pending", json!("timeout"), work),
        ("committed", "committed", json!(false), not_committed),
        ("committed", "entity_lost", json!(true), lost),
        ("complete", "entity_lost", json!(true), lost),
        ("closed", "entity_lost", json!(true), lost_after),
        ("committed", "pending", json!("fragment"), work),
        ("closing", "pending", json!("fragment"), work),
        ("closing", "pending", json!(null), work),
        ("closing", "end_reason", json!("closed"), end),
        ("cancelling", "end_reason", json!(null), end),
        ("cancelling", "committed", json!(true), committed),
        ("cancelled", "end_reason", json!(null), end),
        ("cancelled", "pending", json!("cancel"), work),
    ] {
        let value = damaged(what, field, value);
        let error = read(&value).expect_err(&value.to_string());
        assert_eq!(error, format!("stored session is invalid: {expected}"), "{what}: {field}");
    }
}

/// No session can reach these combinations, and each would cause a wrong step later.
#[test]
fn a_contradiction_with_a_late_effect_is_refused() {
    let not_copied = json!({ "copy_to_destination": false, "reply": "none" });
    let notified = json!({ "copy_to_destination": true, "reply": "kept" });
    let pending = json!({ "copy_to_destination": true, "reply": "pending" });
    let mut taken = Vec::new();
    for (what, field, value) in [
        // All bytes are received, and no fragment can complete the entity: a Close would delete it.
        ("with bytes", "total", json!(50)),
        ("new", "total", json!(0)),
        // The application would not be notified.
        ("with bytes", "forbidden_code", json!(1)),
        ("complete", "forbidden_code", json!(1)),
        ("notifying", "forbidden_code", json!(1)),
        // A Cancel would not delete the bytes.
        ("complete", "committed", json!(true)),
        ("to be notified again", "committed", json!(true)),
        ("notifying", "committed", json!(true)),
        ("committing", "committed", json!(true)),
        ("closing", "committed", json!(true)),
        // An entity that must not be published is being published.
        ("committing", "notified", not_copied.clone()),
        ("closing", "notified", not_copied.clone()),
        ("committed", "notified", not_copied),
        // Contradicting end reasons.
        ("closed too early", "end_reason", json!("closed")),
        ("closed", "end_reason", json!("closed-incomplete")),
        ("closing too early", "end_reason", json!("cancelled")),
        ("closing too early", "pending", json!("fragment")),
        ("closed too early", "notified", notified.clone()),
        // A reply that is not stored would count as kept, and one that is stored as pending.
        ("replying", "notified", notified.clone()),
        ("accepted", "notified", notified),
        ("complete with a reply", "notified", pending.clone()),
        ("closing", "notified", pending),
        // The application would be notified again.
        ("accepted", "notified", json!(null)),
        ("replying", "notified", json!(null)),
        ("accepted", "state", json!("unnotified")),
        ("replying", "state", json!("notifying")),
        ("accepted", "pending", json!("fragment")),
        ("replying", "pending", json!(null)),
        ("replying", "pending", json!("cancel")),
        ("lost", "end_reason", json!("accepted-entity-lost")),
        // A session without work has no deadline.
        ("new", "work_deadline", json!({ "secs": 1, "nanos": 0 })),
    ] {
        let form = damaged(what, field, value);
        if read(&form).is_ok() {
            taken.push(format!("{what}: {field} {}", form[field]));
        }
    }
    assert_eq!(taken, Vec::<String>::new());
}

// Continuing a restored session.

#[test]
fn a_restored_session_continues() {
    for situation in situations() {
        let before = situation.server;
        let mut recovered =
            Server { session: read(&stored(&before.session)).expect("read"), ..before };
        recovered.session.recover();
        assert!(!recovered.session.is_busy(before.now), "{}", situation.what);
        let mut late = Server { session: read(&stored(&before.session)).expect("read"), ..before };
        late.now += 300 * SECOND;
        assert!(!late.session.is_busy(late.now), "{}", situation.what);
        // The next request is accepted, and the old token is stale.
        for server in [&mut recovered, &mut late] {
            if situation.what == "timing out" {
                let token = discards(server.timeout().expect("due")).token;
                assert!(
                    server.session.handle_discarded(situation.token.expect("a token")).is_err()
                );
                assert_eq!(server.discarded(token), Step::Done);
                continue;
            }
            let step = server.cancel();
            if let Some(token) = situation.token {
                assert!(server.session.handle_discarded(token).is_err(), "{}", situation.what);
            }
            if situation.state == State::Ended {
                assert_eq!(refused(step), NOT_FOUND, "{}", situation.what);
            } else if situation.what == "committed" {
                assert!(is_cancelled(step));
            } else {
                let token = discards(step).token;
                assert!(is_cancelled(server.discarded(token)), "{}", situation.what);
                let ending = before.session.end_reason().unwrap_or(EndReason::Cancelled);
                assert_eq!(server.session.end_reason(), Some(ending), "{}", situation.what);
            }
        }
    }
}

#[test]
fn work_continues_in_a_restored_session() {
    let situation = situation("storing the last bytes");
    let session = read(&stored(&situation.server.session)).expect("read");
    let mut server = Server { session, ..situation.server };
    assert_eq!(received(server.stored(situation.token.expect("a token"), 30)), 100);
}

#[cfg(feature = "alloc")]
#[test]
fn a_record_is_stored_with_its_texts() {
    use bits_proto::server::Record;

    let session = situation("with bytes").server.session;
    let long = format!("/{}", "e".repeat(200));
    for url in ["", "/e", &*long] {
        let record = Record::new(session, url);
        let text = serde_json::to_string(&record).expect("stored");
        assert!(text.contains(&format!("\"url\":\"{url}\"")), "{text}");
        assert_eq!(serde_json::from_str::<Record>(&text).expect("read"), record);
    }
    let mut record = Record::new(session, "/e");
    record.principal = Some("alice".into());
    record.reply_url = Some(b"/reply\xFF"[..].into());
    let text = serde_json::to_string(&record).expect("stored");
    let read: Record = serde_json::from_str(&text).expect("read");
    assert_eq!(read, record);
    let damaged = text.replace(r#""next":50"#, r#""next":150"#);
    assert_ne!(damaged, text);
    let error = serde_json::from_str::<Record>(&damaged);
    let error = error.expect_err("damaged").to_string();
    assert!(error.starts_with("stored session is invalid: `next` exceeds"), "{error}");
}
