//! Strategies for extra fields, and for changes to bytes.

use bits_proto::field::FieldName;
use bits_proto::message::MessageKind;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::read::is_extra;
use super::values::content;

pub type OwnedExtras = Vec<(String, Vec<u8>)>;

/// Returns fields of the transport, and protocol fields that some messages ignore.
pub fn extras() -> impl Strategy<Value = OwnedExtras> {
    let usual = select(vec!["Host", "User-Agent", "Accept", "ACCEPT", "Connection", "connection"]);
    let known = select(FieldName::ALL).prop_map(FieldName::as_str);
    let name = prop_oneof![
        2 => usual.prop_map(String::from),
        1 => known.prop_map(String::from),
        2 => "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,20}",
    ];
    vec((name, content(0..30)), 0..7)
}

/// Returns the extras that a message of this kind can be written with, each known protocol field at most
/// once.
pub fn valid_extras(kind: MessageKind, extras: &OwnedExtras) -> Vec<(&str, &[u8])> {
    let mut seen = Vec::new();
    let mut valid = Vec::new();
    for (name, value) in extras {
        let field = FieldName::from_name(name);
        let is_framing =
            matches!(field, Some(FieldName::ContentLength | FieldName::TransferEncoding));
        let is_first = field.is_none() || !seen.contains(&field);
        if is_extra(kind, name) && !is_framing && is_first {
            seen.push(field);
            valid.push((name.as_str(), value.as_slice()));
        }
    }
    valid
}

/// One change to bytes.
#[derive(Clone, Debug)]
pub enum Mutation {
    Flip(Index, u8),
    Insert(Index, u8),
    Delete(Index),
    Truncate(Index),
    DuplicateLine(Index),
}

pub fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let byte = || prop_oneof![any::<u8>(), select(b"\r\n\0 \t:/{}-+".to_vec())];
    let index = any::<Index>;
    let one = prop_oneof![
        4 => (index(), 0..8_u8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        4 => (index(), byte()).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        4 => index().prop_map(Mutation::Delete),
        1 => index().prop_map(Mutation::Truncate),
        2 => index().prop_map(Mutation::DuplicateLine),
    ];
    vec(one, 0..5)
}

impl Mutation {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        if len == 0 {
            return;
        }
        match self {
            Self::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
            Self::Insert(at, byte) => bytes.insert(at.index(len), *byte),
            Self::Delete(at) => drop(bytes.remove(at.index(len))),
            Self::Truncate(at) => bytes.truncate(at.index(len)),
            Self::DuplicateLine(at) => duplicate_line(bytes, at.index(len)),
        }
    }
}

fn duplicate_line(bytes: &mut Vec<u8>, at: usize) {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n');
    let end = end.map_or(bytes.len(), |end| at + end + 1);
    let line = bytes[start..end].to_vec();
    bytes.splice(end..end, line);
}

/// Returns texts in which line ends and NUL are frequent.
pub fn dirty(len: usize) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        4 => proptest::char::range('!', '~'),
        1 => proptest::sample::select(vec!['\r', '\n', '\0', ' ', '\t', ':', '\u{7F}', 'ä']),
    ];
    vec(letter, 0..len).prop_map(String::from_iter)
}
