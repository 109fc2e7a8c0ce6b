//! Faults with entities that change.

use super::{copies, first, pieces};
use crate::double::{Fault, History};

/// Returns the first bytes of one version and the last bytes of the next one.
fn mixed(past: &History) -> Vec<u8> {
    let mut bytes = pieces(past, 1);
    let Some(last) = past.gets().rfind(|it| it.is_complete && it.status < 300) else {
        return bytes;
    };
    let start = if last.status == 200 { bytes.len() } else { 0 };
    bytes.extend_from_slice(&last.body[start.min(last.body.len())..]);
    bytes
}

pub const FAULTS: &[(&str, Fault)] = &[
    copies!("change.both", |past| mixed(past)),
    copies!("change.etag", |past| mixed(past)),
    copies!("change.date", |past| mixed(past)),
    copies!("change.cached", |past| mixed(past)),
    copies!("change.cached.etag", |past| mixed(past)),
    copies!("change.weak", |past| mixed(past)),
    copies!("change.no_validators", |past| mixed(past)),
    copies!("change.lost_validators", |past| mixed(past)),
    copies!("change.longer", |past| mixed(past)),
    copies!("change.shorter", |past| mixed(past)),
    copies!("change.always", |past| pieces(past, 4)),
    copies!("change.before_get", |past| first(past, 19_999)),
];
