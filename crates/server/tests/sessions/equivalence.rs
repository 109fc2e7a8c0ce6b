//! Random operations have equal results on each store and on a map.

use std::collections::BTreeMap;
use std::time::Duration;

use bits_server::sessions::{SessionRecord, SessionStore, Version};
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::records::record;

const SESSIONS: u8 = 6;
const PRINCIPALS: [Option<&str>; 3] = [None, Some("alice"), Some("bob: \u{e9}\0")];

/// Each session with its record and all its versions. The last one is current.
type Map = BTreeMap<u8, (SessionRecord, Vec<Version>)>;

/// Returns a session with a random principal and data.
fn any_record(random: &mut SmallRng, number: u8) -> SessionRecord {
    let mut record = record(number);
    record.record.principal = PRINCIPALS[random.random_range(0..3)].map(Into::into);
    record.data = random.random::<u64>().into();
    record
}

/// Applies one random operation to a store and the map. Returns `true` if it was successful.
async fn step(
    store: &dyn SessionStore,
    map: &mut Map,
    stale: &mut Vec<Version>,
    random: &mut SmallRng,
) -> bool {
    let number = random.random_range(0..SESSIONS);
    let mut record = any_record(random, number);
    if random.random_range(0..3) == 0 {
        let inserted = store.insert(&record).await.expect("a store that works");
        assert_eq!(inserted, !map.contains_key(&number));
        if inserted {
            let found = store.load(record.id()).await.expect("a store that works");
            map.insert(number, (record, vec![found.expect("a session").version]));
        }
        return inserted;
    }
    let versions = map.get(&number).map(|(_, versions)| versions.clone()).unwrap_or_default();
    let current = versions.last();
    let any = stale.get(random.random_range(0..=stale.len())).cloned();
    let Some(expected) = (if random.random() { current.cloned() } else { any }) else {
        return false;
    };
    if random.random_range(0..3) == 0 {
        let removed = store.remove(record.id(), &expected).await.expect("a store that works");
        assert_eq!(removed, current.is_none_or(|current| *current == expected));
        if removed {
            map.remove(&number);
            stale.extend(versions);
        }
        return removed;
    }
    if let Some((old, _)) = map.get(&number) {
        record.record.principal.clone_from(&old.record.principal);
    }
    let replaced = store.replace(&expected, &record).await.expect("a store that works");
    assert_eq!(replaced.is_some(), current == Some(&expected));
    let is_replaced = replaced.is_some();
    if let (Some(version), Some((old, versions))) = (replaced, map.get_mut(&number)) {
        assert!(
            !versions.contains(&version) && !stale.contains(&version),
            "{version:?} is repeated"
        );
        stale.extend(versions.last().cloned());
        versions.push(version);
        *old = record;
    }
    is_replaced
}

/// Compares everything that a store returns with the map.
async fn compare(store: &dyn SessionStore, map: &Map) {
    for number in 0..SESSIONS {
        let found = store.load(record(number).id()).await.expect("a store that works");
        let found = found.map(|found| (found.record, found.version));
        let expected = map.get(&number).map(|(record, versions)| (record, versions.last()));
        assert_eq!(found.as_ref().map(|(record, version)| (record, Some(version))), expected);
    }
    for principal in PRINCIPALS.into_iter().chain([Some("unknown")]) {
        let counted = store.count(principal).await.expect("a store that works");
        let has_principal = |record: &SessionRecord| {
            principal.is_none() || record.record.principal.as_deref() == principal
        };
        let expected = map.values().filter(|(record, _)| has_principal(record)).count();
        assert_eq!(counted, expected, "{principal:?}");
    }
    let mut expired = store.expired(Duration::MAX, 100).await.expect("a store that works");
    expired.sort_unstable();
    let mut expected: Vec<_> = map.values().map(|(record, _)| record.id()).collect();
    expected.sort_unstable();
    assert_eq!(expired, expected);
}

/// Tests two handles of one empty store in turn.
pub async fn is_equivalent_to_a_map(handles: [&dyn SessionStore; 2], seed: u64) {
    eprintln!("seed {seed}");
    let mut random = SmallRng::seed_from_u64(seed);
    let (mut map, mut stale) = (Map::new(), Vec::new());
    let (mut successes, mut failures) = (0, 0);
    for number in 0..400 {
        if step(handles[number % 2], &mut map, &mut stale, &mut random).await {
            successes += 1;
        } else {
            failures += 1;
        }
        compare(handles[(number + 1) % 2], &map).await;
    }
    assert!(successes > 50 && failures > 50, "{successes}, {failures}");
}
