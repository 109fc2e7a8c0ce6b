//! Downloads from our own server.

use bits_proto::download::field::EntityTag;
use bits_proto::download::{ByteRange, Entity, Options, Validator};
use bits_proto::field::HttpDate;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::support::watched_download::WatchedDownload;

/// Returns a download of random ranges, whose entity does not change.
fn random_download(seed: u32) -> WatchedDownload<'static> {
    let mut random = SmallRng::seed_from_u64(seed.into());
    let length = random.random_range(1..300);
    let tag = random.random_bool(0.5).then(|| EntityTag::try_from("\"a\"").expect("a tag"));
    let entity =
        Entity::new(length).with_modified(HttpDate::from_unix_seconds(784_111_777)).with_tag(tag);
    let range = |random: &mut SmallRng| {
        let first = random.random_range(0..length);
        ByteRange::new(first, random.random_range(first..length)).expect("a range")
    };
    let ranges: Vec<_> = (0..random.random_range(0..12)).map(|_| range(&mut random)).collect();
    let validators =
        [Validator::None, Validator::IfUnmodifiedSince, Validator::IfMatch, Validator::IfRange];
    let is_whole_at_once = ranges.is_empty() && random.random_bool(0.5);
    let max_length = if is_whole_at_once { u64::MAX } else { random.random_range(1..200) };
    let options = Options::DEFAULT
        .with_head_first(!is_whole_at_once && (ranges.is_empty() || random.random_bool(0.5)))
        .with_validator(validators[random.random_range(0..4)])
        .with_max_length(max_length)
        .with_max_ranges(random.random_range(1..12));
    let (replaced_at, broken, piece_length) = (u32::MAX, None, usize::MAX);
    let versions = [entity, entity];
    WatchedDownload { ranges, options, seed, versions, replaced_at, broken, piece_length }
}

#[test]
fn downloads_from_our_own_server_violate_no_rule() {
    for seed in 0..2000 {
        let watched = random_download(seed).run();
        assert!(watched.is_finished, "seed {seed}");
        assert_eq!(watched.violations, [], "seed {seed}");
    }
}

/// The client starts over, or continues on another connection.
#[test]
fn changes_of_the_entity_and_lost_connections_violate_no_rule() {
    for seed in 0..2000 {
        let mut download = random_download(seed);
        let [first, second] = &mut download.versions;
        second.length = 299 - first.length / 2;
        second.modified = HttpDate::from_unix_seconds(784_111_778);
        second.tag = first.tag.and(EntityTag::try_from("\"b\"").ok());
        download.replaced_at = seed % 4;
        download.broken = Some((seed / 4 % 4, seed as usize % 100));
        download.piece_length = 1 + seed as usize % 9;
        assert_eq!(download.run().violations, [], "seed {seed}");
    }
}
