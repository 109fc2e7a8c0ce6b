//! `Sessions`: ownership, limits and timeouts.
#![cfg(feature = "alloc")]

use crate::support;
use std::cell::Cell;
use std::fmt::Debug;
use std::time::Duration;

use bits_proto::field::{ReplyUrl, SessionId};
use bits_proto::message::{Ack, Refusal};
use bits_proto::server::{
    Access, EventError, MemoryStore, RequestContext, SessionLimits, Sessions, SessionsError, Step,
    Store, UnreadBody,
};
use support::session::*;
use support::sessions::*;
use support::stores::{Broken, Contested, Map, Stale};
use uuid::Uuid;

/// Returns a changed copy.
fn with<T: Copy>(value: T, change: impl FnOnce(&mut T)) -> T {
    let mut copy = value;
    change(&mut copy);
    copy
}

/// A complete upload with a reply, in any store.
fn upload<S: Store<Error: Debug>>(store: S) -> S {
    let mut sessions = table(store, NOTIFYING);
    assert_eq!(*sessions.policy(), NOTIFYING);
    let id = begin(&mut sessions, &ALICE, 7);
    assert_eq!(sessions.store().count(None).expect("a number"), 1);
    let store = store_request(send(&mut sessions, fragment(id, 0, 99, 100), &ALICE));
    assert_eq!(store_request(sessions.handle_stored(store.token, 60, NOW)).offset, 60);
    let notify = token(sessions.handle_stored(store.token, 40, NOW));
    let url = ReplyUrl::try_from("http://app/reply").expect("a URL");
    let step = sessions.handle_notified(notify, KEPT_REPLY, Some(url), NOW).expect("accepted");
    for answer in
        [ack(step), ack(send(&mut sessions, fragment(id, 50, 99, 100), &ALICE).expect("accepted"))]
    {
        let Ack::Fragment(ack) = answer.ack() else { panic!("{answer:?}") };
        assert_eq!((ack.received.0, ack.reply_url), (100, Some(url)));
    }
    let commit = token(send(&mut sessions, close(id), &ALICE));
    let discard = token(sessions.handle_committed(commit));
    assert_eq!(sessions.store().count(Some("alice")).expect("a number"), 1);
    let answer = ack(sessions.handle_discarded(discard).expect("accepted"));
    assert!(matches!(answer.ack(), Ack::CloseSession(_)));
    assert_eq!(sessions.store().count(None).expect("a number"), 0, "it is forgotten");
    assert_eq!(refused_by(send(&mut sessions, close(id), &ALICE)), NOT_FOUND);
    let late = sessions.handle_discarded(discard).expect_err("there is no session");
    assert!(matches!(late, SessionsError::Event(EventError::StaleToken)));
    sessions.into_store()
}

#[test]
fn an_upload_works_over_every_store() {
    assert!(upload(Map::new()).is_empty());
    assert!(upload(MemoryStore::new()).is_empty());
    assert!(upload(Contested::default()).map.is_empty());
    assert!(upload(Broken::default()).map.is_empty());
    #[cfg(feature = "std")]
    assert!(
        upload(std::collections::HashMap::<Uuid, bits_proto::server::Record>::new()).is_empty()
    );
}

#[test]
fn a_session_can_be_looked_up_for_its_total() {
    let mut sessions = table(Map::new(), PLAIN);
    let id = begin(&mut sessions, &ALICE, 7);
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE));
    let key = id.guid().expect("a GUID");
    let session = sessions.session(key).expect("a store").expect("a session");
    assert_eq!((session.id(), session.total()), (key, Some(100)));
    assert_eq!(session.received().0, 0);
    let _ = sessions.handle_stored(store.token, 10, NOW).expect("accepted");
    let session = sessions.session(key).expect("a store").expect("a session");
    assert_eq!(session.received().0, 10);
    assert_eq!(sessions.session(Uuid::nil()), Ok(None));
}

#[test]
fn a_step_after_a_report_skips_nothing() {
    let mut sessions = table(Map::new(), PLAIN);
    let id = begin(&mut sessions, &ALICE, 7);
    let first = store_request(send(&mut sessions, fragment(id, 0, 39, 100), &ALICE));
    let _ = sessions.handle_stored(first.token, 40, NOW).expect("accepted");
    let repeated = store_request(send(&mut sessions, fragment(id, 10, 99, 100), &ALICE));
    assert_eq!((repeated.skip, repeated.offset, repeated.take), (30, 40, 60));
    let reported = store_request(sessions.handle_stored(repeated.token, 0, NOW));
    assert_eq!((reported.skip, reported.offset, reported.take), (0, 40, 60));
}

// Ownership.

/// Short and long texts are kept differently.
#[test]
fn a_session_exists_only_for_a_url_of_any_length() {
    let text = "/\u{e9}".repeat(100);
    let urls: Vec<_> = (0..=text.len()).filter_map(|length| text.get(..length)).collect();
    for (index, url) in urls.iter().enumerate() {
        let mut sessions = table(Map::new(), PLAIN);
        let owner = with(ALICE, |it| it.url = url);
        let id = begin(&mut sessions, &owner, 7);
        let record = sessions.store().values().next().expect("a session");
        assert_eq!((record.url(), record), (*url, &record.clone()));
        let neighbours = [index.checked_sub(1), Some(index + 1)];
        for other in neighbours.into_iter().flatten().filter_map(|index| urls.get(index)) {
            let stranger = with(owner, |it| it.url = other);
            let answer = ack(send(&mut sessions, cancel(id), &stranger).expect("no failure"));
            assert_eq!(answer.ack(), Refusal::session_not_found().into(), "{url} {other}");
        }
        let step = send(&mut sessions, cancel(id), &owner).expect("no failure");
        assert!(matches!(step, Step::Discard(_)), "{url}: {step:?}");
    }
}

#[test]
fn a_session_exists_only_for_its_url_and_its_principal() {
    for principal in [Some("alice"), None] {
        let mut sessions = table(Map::new(), PLAIN);
        let owner = with(ALICE, |it| it.principal = principal);
        let id = begin(&mut sessions, &owner, 7);
        let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &owner));
        assert_eq!(
            ack(sessions.handle_stored(store.token, 10, NOW).expect("accepted")).unread_body,
            UnreadBody::None
        );
        let before = sessions.store().clone();
        let other = if principal.is_some() { None } else { Some("alice") };
        for stranger in [
            with(owner, |it| it.url = "/b"),
            with(owner, |it| it.url = "/A"),
            with(owner, |it| it.url = ""),
            with(owner, |it| it.principal = Some("bob")),
            with(owner, |it| it.principal = Some("")),
            with(owner, |it| it.principal = other),
        ] {
            for request in [fragment(id, 10, 19, 100), close(id), cancel(id)] {
                let answer = ack(send(&mut sessions, request, &stranger).expect("no failure"));
                assert_eq!(answer.ack(), Refusal::session_not_found().into());
                let body = request.content_length();
                let rest = if body == 0 { UnreadBody::None } else { UnreadBody::Drain(body) };
                assert_eq!(answer.unread_body, rest, "{stranger:?}");
                assert_eq!(sessions.store(), &before, "{stranger:?}");
            }
        }
        assert_eq!(
            store_request(send(&mut sessions, fragment(id, 10, 19, 100), &owner)).offset,
            10
        );
    }
}

#[test]
fn access_is_checked_before_the_session_lookup() {
    // A store that always fails shows whether it was called.
    for (access, expected) in [
        (Access::Unauthenticated, (401, None, None)),
        (Access::Denied, ACCESS_DENIED),
        (Access::InvalidName, INVALID_NAME),
        (Access::Disabled, DISABLED),
    ] {
        let broken = Broken { map: Map::new(), works: Cell::new(0) };
        let mut sessions = table(broken, PLAIN);
        let id = SessionId::from_random([7; 16]);
        for request in [create(), ping(), fragment(id, 0, 9, 10), close(id), cancel(id)] {
            let context = with(ALICE, |it| it.access = access);
            assert_eq!(refused_by(send(&mut sessions, request, &context)), expected);
        }
    }
}

#[test]
fn a_ping_does_not_use_the_store() {
    let mut sessions = table(Broken { map: Map::new(), works: Cell::new(0) }, PLAIN);
    let answer = ack(send(&mut sessions, ping(), &ALICE).expect("no failure"));
    assert_eq!((answer.ack().status().get(), answer.unread_body), (200, UnreadBody::None));
}

#[test]
fn ids_consist_of_the_random_bytes() {
    let mut sessions = table(Map::new(), PLAIN);
    let ids: Vec<_> = (0..4).map(|byte| begin(&mut sessions, &ALICE, byte)).collect();
    // A second Create-Session for a URL creates another session. Both ids have the version and the
    // variant of RFC 4122.
    let texts: Vec<_> = ids.iter().map(SessionId::as_str).collect();
    assert_eq!(texts[3], "{03030303-0303-4303-8303-030303030303}");
    assert_eq!(texts[0], "{00000000-0000-4000-8000-000000000000}");
    assert_eq!(sessions.store().len(), 4);
    // A session id in the request is ignored.
    let theirs = SessionId::try_from("{11111111-1111-4111-8111-111111111111}").expect("an id");
    assert_eq!(refused_by(send(&mut sessions, fragment(theirs, 0, 9, 10), &ALICE)), NOT_FOUND);
    assert_eq!(sessions.store().len(), 4);
}

/// Repeated random bytes, as after copying a virtual machine, give no access to another session.
#[test]
fn an_existing_id_is_not_issued_again() {
    let mut sessions = table(Map::new(), PLAIN);
    let id = begin(&mut sessions, &ALICE, 7);
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 100), &ALICE));
    ack(sessions.handle_stored(store.token, 10, NOW).expect("accepted"));
    let before = sessions.store().clone();
    let bob = with(ALICE, |it| {
        it.url = "/b";
        it.principal = Some("bob");
    });
    for context in [ALICE, bob] {
        let step = sessions.handle_request(&create(), &context, || [7; 16]);
        assert_eq!(refused_by(step), BUSY, "{context:?}");
        assert_eq!(sessions.store(), &before, "{context:?}");
    }
    begin(&mut sessions, &bob, 8);
}

#[test]
fn a_session_is_found_in_any_spelling_of_its_guid() {
    let mut sessions = table(Map::new(), PLAIN);
    let issued = begin(&mut sessions, &ALICE, 0xAB);
    assert_eq!(issued.as_str(), "{ABABABAB-ABAB-4BAB-ABAB-ABABABABABAB}");
    for (index, spelling) in [
        "{ABABABAB-ABAB-4BAB-ABAB-ABABABABABAB}",
        "{abababab-abab-4bab-abab-abababababab}",
        "ABABABAB-ABAB-4BAB-ABAB-ABABABABABAB",
        "abababab-abab-4bab-ABAB-abababababab",
    ]
    .into_iter()
    .enumerate()
    {
        let id = SessionId::try_from(spelling).expect("an id");
        let at = index as u64;
        let store = store_request(send(&mut sessions, fragment(id, at, at, 9), &ALICE));
        let answer = ack(sessions.handle_stored(store.token, 1, NOW).expect("accepted"));
        let Ack::Fragment(ack) = answer.ack() else { panic!("{answer:?}") };
        assert_eq!(ack.session_id, Some(issued), "{spelling}");
        assert_eq!(ack.session_id.expect("an id").as_str(), issued.as_str());
    }
    for other in ["1", "-7", "../x", "{ABABABAB-ABAB-4BAB-ABAB-ABABABABABAC}", "ABABABAB"] {
        let id = SessionId::try_from(other).expect("an id");
        assert_eq!(refused_by(send(&mut sessions, close(id), &ALICE)), NOT_FOUND, "{other}");
    }
    assert_eq!(sessions.store().len(), 1);
}

// Limits.

#[test]
fn the_number_of_sessions_is_limited() {
    let limits = SessionLimits::default().with_max_sessions(4).with_max_sessions_per_principal(2);
    let mut sessions = Sessions::new(Map::new(), PLAIN, limits);
    let (bob, anonymous) =
        (with(ALICE, |it| it.principal = Some("bob")), with(ALICE, |it| it.principal = None));
    let first = begin(&mut sessions, &ALICE, 1);
    begin(&mut sessions, &ALICE, 2);
    assert_eq!(refused_by(send(&mut sessions, create(), &ALICE)), BUSY, "no random bytes for it");
    begin(&mut sessions, &bob, 3);
    // Sessions without a principal do not count for any principal.
    begin(&mut sessions, &anonymous, 4);
    for context in [ALICE, bob, anonymous] {
        assert_eq!(refused_by(send(&mut sessions, create(), &context)), BUSY);
    }
    assert_eq!(sessions.store().len(), 4);
    let discard = token(send(&mut sessions, cancel(first), &ALICE));
    assert_eq!(refused_by(send(&mut sessions, create(), &ALICE)), BUSY, "not removed yet");
    ack(sessions.handle_discarded(discard).expect("accepted"));
    begin(&mut sessions, &ALICE, 5);
    // Sessions without a principal count for the total limit only.
    let mut sessions = Sessions::new(Map::new(), PLAIN, limits);
    for random in 0..4 {
        begin(&mut sessions, &anonymous, random);
    }
    assert_eq!(refused_by(send(&mut sessions, create(), &anonymous)), BUSY);
}

#[test]
fn by_default_100_000_sessions_are_created_and_50_for_each_principal() {
    let mut sessions = table(MemoryStore::new(), PLAIN);
    let mut number = 0_u128;
    let mut creates = |count: usize, context: &RequestContext<'_>| {
        for _ in 0..count {
            number += 1;
            let random = || number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
            let step = sessions.handle_request(&create(), context, || random().to_le_bytes());
            assert!(matches!(ack(step.expect("no failure")).ack(), Ack::CreateSession(_)));
        }
        assert_eq!(refused_by(send(&mut sessions, create(), context)), BUSY);
    };
    creates(50, &ALICE);
    creates(100_000 - 50, &with(ALICE, |it| it.principal = None));
}

#[test]
fn a_refused_create_session_creates_no_session() {
    let mut sessions = table(Map::new(), PLAIN);
    let context = with(ALICE, |it| it.access = Access::GrantedOverExisting);
    let step = sessions.handle_request(&create(), &context, || [7; 16]);
    assert_eq!(refused_by(step), EXISTS);
    assert!(sessions.store().is_empty());
}

// Time.

#[test]
fn expired_sessions_are_ended() {
    let mut sessions = table(Map::new(), PLAIN);
    let old = begin(&mut sessions, &ALICE, 1);
    let later = NOW + SECOND;
    let new = begin(&mut sessions, &with(ALICE, |it| it.now = later), 2);
    let busy = begin(&mut sessions, &ALICE, 3);
    let due = NOW + 14 * DAY;
    store_request(send(
        &mut sessions,
        fragment(busy, 0, 9, 10),
        &with(ALICE, |it| it.now = due - SECOND),
    ));
    assert_eq!(sessions.handle_timeout(due - Duration::from_nanos(1)), Ok(vec![]));
    assert_eq!(sessions.poll_timeout(), Ok(Some(due)));
    let discards = sessions.handle_timeout(due).expect("no failure");
    let ids: Vec<_> = discards.iter().map(|it| it.token.session_id()).collect();
    assert_eq!(ids, [old.guid().expect("a GUID")]);
    assert_eq!(sessions.handle_discarded(discards[0].token), Ok(Step::Done));
    assert_eq!(sessions.store().len(), 2);
    // The other two expire later, or are still at work.
    assert_eq!(sessions.poll_timeout(), Ok(Some(later + 14 * DAY)));
    // A session without data to delete is removed at once.
    let mut early = table(Map::new(), EARLY);
    assert_eq!(early.poll_timeout(), Ok(None));
    let id = begin(&mut early, &ALICE, 1);
    let store = store_request(send(&mut early, fragment(id, 0, 9, 10), &ALICE));
    let commit = token(early.handle_stored(store.token, 10, NOW));
    ack(early.handle_committed(commit).expect("accepted"));
    assert_eq!(early.handle_timeout(due), Ok(vec![]));
    assert!(early.store().is_empty());
    // Expires one session before its time.
    let id = new.guid().expect("a GUID");
    let discard = sessions.expire(id, later).expect("no failure").expect("not at work");
    assert_eq!((discard.token.session_id(), what(&discard)), (id, (true, false)));
    assert_eq!(sessions.expire(Uuid::nil(), later), Ok(None));
}

#[test]
fn renewed_work_does_not_time_out() {
    let mut sessions = table(Map::new(), NOTIFYING);
    let id = begin(&mut sessions, &ALICE, 1);
    let store = store_request(send(&mut sessions, fragment(id, 0, 9, 10), &ALICE));
    let work = token(sessions.handle_stored(store.token, 10, NOW));
    let again = |sessions: &mut Sessions<'static, Map>, now| {
        send(sessions, fragment(id, 0, 9, 10), &with(ALICE, |it| it.now = now))
    };
    let later = NOW + 299 * SECOND;
    assert_eq!(sessions.renew(work, later), Ok(()));
    assert_eq!(refused_by(again(&mut sessions, later + 299 * SECOND)), BUSY);
    token(again(&mut sessions, later + 300 * SECOND));
    let aborted = sessions.renew(work, later + 300 * SECOND);
    assert_eq!(aborted, Err(SessionsError::Event(EventError::StaleToken)));
}

/// A shared store may list a session that another server has just continued.
#[test]
fn a_session_that_was_continued_meanwhile_is_not_ended() {
    let mut sessions = table(Stale::default(), PLAIN);
    let id = begin(&mut sessions, &ALICE, 1);
    assert_eq!(sessions.handle_timeout(NOW + DAY), Ok(vec![]), "13 days too early");
    assert_eq!(store_request(send(&mut sessions, fragment(id, 0, 9, 10), &ALICE)).take, 10);
}
