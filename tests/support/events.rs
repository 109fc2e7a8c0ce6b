//! Strategies for the events of a session.
#![cfg(all(feature = "alloc", feature = "serde"))]

use bits_proto::server::{
    Access, CommitAt, EarlyClose, HostError, Notified, OverlapRule, Policy, Reply,
};
use proptest::prelude::*;
use proptest::sample::select;

use super::any_session::{Bytes, Event, Range, Which};
use super::session::{PLAIN, application};

/// Denied access, in all variants.
pub const DENIALS: [Access; 4] =
    [Access::Unauthenticated, Access::Denied, Access::InvalidName, Access::Disabled];

/// Replies that a server application may leave.
pub const REPLIES: [Reply; 4] = [Reply::None, Reply::Static, Reply::Kept, Reply::Pending];

/// Returns all variants of a host error, with application statuses of each class.
pub fn host_errors() -> [HostError; 9] {
    [
        HostError::DiskFull,
        HostError::AccessDenied,
        HostError::DestinationExists,
        HostError::DestinationIsFolder,
        HostError::EntityLost,
        HostError::Other,
        application(403, 0),
        application(500, 7),
        application(200, 0),
    ]
}

pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => requests(),
        10 => reports(),
        1 => time(),
        1 => policy().prop_map(|policy| Event::Policy(Box::new(policy))),
    ]
}

fn requests() -> impl Strategy<Value = Event> {
    let before = select(vec![0, 0, 0, 0, 1, 5, 40, u64::MAX]);
    let total = select(vec![40, 40, 40, 40, 40, 40, 40, 40, 41, 9]);
    let near = (before, 1..60_u64, total).prop_map(|(before, len, total)| Range::Near {
        before,
        len,
        total,
    });
    let range = prop_oneof![19 => near, 1 => super::values::range().prop_map(Range::Any)];
    let fragment = (range, prop::bool::weighted(0.98))
        .prop_map(|(range, is_ours)| Event::Fragment { range, is_ours });
    let denied = select(&DENIALS[..]);
    prop_oneof![
        14 => fragment,
        3 => Just(Event::Close),
        2 => select(vec![Event::Cancel, Event::Ping, Event::Create]),
        1 => denied.prop_map(Event::Access),
    ]
}

fn reports() -> impl Strategy<Value = Event> {
    let which = || {
        select(
            vec![Which::Due; 18]
                .into_iter()
                .chain([Which::Older, Which::OfAnother])
                .collect::<Vec<_>>(),
        )
    };
    let bytes = prop_oneof![
        6 => Just(Bytes::All),
        3 => (0..45_u64).prop_map(Bytes::Some),
        1 => Just(Bytes::TooMany),
    ];
    let notified = (prop::bool::weighted(0.8), select(&REPLIES[..]))
        .prop_map(|(copy_to_destination, reply)| Notified::new(copy_to_destination, reply));
    let error = select(host_errors().to_vec());
    prop_oneof![
        8 => (which(), bytes).prop_map(|(token, bytes)| Event::Stored { token, bytes }),
        5 => (which(), notified).prop_map(|(token, notified)| Event::Notified(token, notified)),
        3 => (which(), any::<bool>()).prop_map(|(token, copy)| Event::Accepted(token, copy)),
        3 => (which(), select(&REPLIES[..])).prop_map(|(token, reply)| Event::Replied(token, reply)),
        5 => which().prop_map(Event::Committed),
        2 => which().prop_map(Event::Discarded),
        1 => (which(), error).prop_map(|(token, error)| Event::Failed(token, error)),
        1 => which().prop_map(Event::Disconnected),
    ]
}

fn time() -> impl Strategy<Value = Event> {
    let seconds = select(vec![0, 1, 299, 300, 1_000, 14 * 86_400]);
    prop_oneof![
        4 => (seconds, prop::bool::weighted(0.3))
            .prop_map(|(seconds, back)| Event::Time { seconds, back }),
        4 => Just(Event::Timeout),
        1 => select(vec![Event::Recover, Event::Expire]),
    ]
}

pub fn policy() -> impl Strategy<Value = Policy<'static>> {
    let small = || select(vec![u64::MAX, u64::MAX, u64::MAX, u64::MAX, u64::MAX, 40, 40, 20]);
    let bools = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (bools, small(), small(), select(vec![0, 10, u64::MAX])).prop_map(
        |((strict, early, empty, refuse, notification), max_entity, max_fragment, drain_limit)| {
            PLAIN
                .with_overlap(if strict { OverlapRule::Refuse } else { OverlapRule::Trim })
                .with_commit_at(if early { CommitAt::LastFragment } else { CommitAt::Close })
                .with_empty_entities(empty)
                .with_early_close(if refuse { EarlyClose::Refuse } else { EarlyClose::Discard })
                .with_notification(notification)
                .with_max_entity(max_entity)
                .with_max_fragment(max_fragment)
                .with_drain_limit(drain_limit)
        },
    )
}
