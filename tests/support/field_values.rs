//! Checks that all value types share.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::fmt::Debug;

use bits_proto::Error;
use bits_proto::error::{CheckStage, ErrorKind, Fault};
use bits_proto::field::FieldName;

/// Parses a valid value.
pub fn read<'v, T>(value: &'v (impl AsRef<[u8]> + ?Sized)) -> T
where
    T: TryFrom<&'v [u8], Error = Error>,
{
    let value = value.as_ref();
    T::try_from(value).unwrap_or_else(|error| panic!("{}: {error}", value.escape_ascii()))
}

/// Checks that each value is rejected with this kind and offset.
pub fn check_refused<'v, T>(field: FieldName, rows: &'v [(impl AsRef<[u8]>, ErrorKind, usize)])
where
    T: TryFrom<&'v [u8], Error = Error> + Debug,
{
    for (value, kind, offset) in rows {
        let value = value.as_ref();
        let case = format!("{field} {}", value.escape_ascii());
        match T::try_from(value) {
            Ok(read) => panic!("{case} was accepted as {read:?}"),
            Err(error) => check_error(&case, error, field, *kind, *offset),
        }
    }
}

/// Checks an error in a value that the caller built.
pub fn check_error(case: &str, error: Error, field: FieldName, kind: ErrorKind, offset: usize) {
    assert_eq!((error.kind(), error.offset()), (kind, Some(offset)), "{case}");
    assert_eq!(error.field(), Some(field.as_str()), "{case}");
    assert_eq!(error.section(), field.section(), "{case}");
    assert_eq!((error.fault(), error.stage()), (Fault::Caller, CheckStage::Packet), "{case}");
}

/// Returns the text in all combinations of letter case. The text must have few letters.
pub fn spellings(text: &str) -> Vec<String> {
    let letters: Vec<_> =
        text.char_indices().filter(|(_, it)| it.is_ascii_alphabetic()).map(|(at, _)| at).collect();
    let spell = |upper: u32| {
        let mut spelling = text.to_ascii_lowercase();
        for (bit, at) in letters.iter().enumerate().filter(|(bit, _)| upper >> bit & 1 == 1) {
            assert!(bit < 32, "too many letters");
            spelling[*at..=*at].make_ascii_uppercase();
        }
        spelling
    };
    (0..1 << letters.len()).map(spell).collect()
}

/// Returns texts that differ in one byte by more than letter case, have one byte less, or one byte
/// more.
pub fn near_misses(text: &str) -> Vec<String> {
    let mut misses = Vec::new();
    for at in 0..text.len() {
        let (before, after) = (&text[..at], &text[at + 1..]);
        misses.push(format!("{before}{after}"));
        misses.extend((0_u8..0x80).map(|byte| format!("{before}{}{after}", char::from(byte))));
    }
    misses.extend([format!("{text} "), format!(" {text}"), format!("{text}s")]);
    misses.retain(|miss| !miss.eq_ignore_ascii_case(text));
    misses
}
