//! Properties of all value types, for generated text and bytes.

use crate::support;
use bits_proto::field::{
    ContentName, CopyFileToDestination, OriginalRequestUrl, ReplyUrl, RequestDataFileName,
    ResponseDataFileName, SessionId, StaticResponseUrl,
};
use proptest::collection::vec;
use proptest::prelude::*;
use support::cases::config;
use support::inputs::dirty;
use support::texts::check_as_every_value;

/// Generates text that is a valid or nearly valid value of some field.
fn value_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        dirty(40),
        "[+ ]?[0-9]{1,22}",
        "(0x|0X|x|X)?[0-9a-fA-F]{0,9}",
        r"(?i:bytes)[ \t=]{0,2}[0-9]{1,3}-[0-9]{1,4}/([0-9]{1,5}|\*)",
        r"([ ,\t]?\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?[ ,\t]?){1,4}",
        r"(?i:identity|gzip|ping|ack|fragment|(create|close|cancel)-session)",
        r"(?i:https?|ftp|file)?:?[/\\]{0,2}([a-z]@)?[a-z0-9.\[\]:]{0,12}[/\\?#a-z{}]{0,12}",
        r"\[?[0-9a-f:]{2,20}\]?(:[0-9]{0,6})?",
        r"[a-zA-Z0-9._-]{1,12}(:[0-9]{0,6})?",
        r"(Sun|Sunday)(, | )([0-9]{2}[ -]Feb[ -]([0-9]{2}){1,2}|Feb [ 0-9][0-9]) 1[0-9]:[0-6]{2}:[0-9]{2} (GMT|19[0-9]{2})",
        r"([0-9]{1,3}\.){3}[0-9]{1,3}(:[0-9]{1,5})?",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..config() })]

    #[test]
    fn an_accepted_value_is_parsed_again_from_its_display(text in value_text()) {
        check_as_every_value(&text);
    }

    /// Checks the bytes of the value instead of its text, because a value may be any bytes.
    #[test]
    fn no_accepted_value_contains_a_line_end_or_nul(bytes in vec(
        prop_oneof![8 => any::<u8>(), 1 => proptest::sample::select(b"\r\n\0".to_vec())],
        0..12,
    )) {
        let accepted = [
            ContentName::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            CopyFileToDestination::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            OriginalRequestUrl::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            ReplyUrl::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            RequestDataFileName::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            ResponseDataFileName::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            SessionId::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
            StaticResponseUrl::try_from(&bytes[..]).map(|value| value.as_bytes().to_vec()),
        ];
        for value in accepted.into_iter().flatten() {
            prop_assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
            prop_assert_eq!(&value, &bytes);
        }
    }
}

#[test]
fn every_byte_of_an_id_is_checked() {
    for length in 1..=20 {
        for at in 0..length {
            for byte in 0..=u8::MAX {
                let mut id = vec![b'a'; length];
                id[at] = byte;
                let expected = if byte.is_ascii_graphic() { None } else { Some(at) };
                let read = SessionId::try_from(&*id);
                assert_eq!(read.err().map(|error| error.offset()), expected.map(Some), "{byte}");
            }
        }
    }
}
