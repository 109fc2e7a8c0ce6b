//! The standard traits of the value types: one row per type and trait.

use std::collections::BTreeSet;
use std::collections::hash_map::DefaultHasher;
use std::fmt::{Debug, Display, LowerHex, UpperHex};
use std::hash::{Hash, Hasher};
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::field::{
    ContentEncoding, ContentName, ContentRange, CopyFileToDestination, ErrorContext, HResult,
    HostId, HostIdFallbackTimeout, OriginalRequestUrl, PacketType, Protocol, ReceivedContentRange,
    ReplyUrl, RequestDataFileName, ResponseDataFileName, SessionId, StaticResponseUrl,
    SupportedProtocols,
};
use bits_proto::http1::StatusCode;
use uuid::Uuid;

const GUID: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Converts a valid and an invalid value from text and bytes. The valid one is shown unchanged.
fn check_conversions<'v, T>(valid: &'v str, invalid: Option<(&'v str, ErrorKind)>)
where
    T: TryFrom<&'v str, Error = Error> + TryFrom<&'v [u8], Error = Error>,
    T: Copy + Eq + Hash + Debug + Display,
{
    let value = T::try_from(valid).unwrap_or_else(|error| panic!("{valid:?}: {error}"));
    assert_eq!(T::try_from(valid.as_bytes()), Ok(value), "{valid:?}");
    assert_eq!(value.to_string(), valid);
    assert!(!format!("{value:?}").is_empty(), "{valid:?}");
    assert_eq!(hash(&value), hash(&T::try_from(valid).expect(valid)), "{valid:?}");
    let Some((invalid, kind)) = invalid else { return };
    let error = T::try_from(invalid).expect_err(invalid);
    assert_eq!(error.kind(), kind, "{invalid:?}");
    let received = Some(invalid.as_bytes()).map(|bytes| &bytes[..bytes.len().min(40)]);
    assert_eq!(error.received(), received, "{invalid:?}");
    assert_eq!(T::try_from(invalid.as_bytes()), Err(error), "{invalid:?}");
}

/// `FromStr` accepts and rejects the same text as `TryFrom`.
fn check_from_str<'v, T>(valid: &'v str, invalid: &'v str, kind: ErrorKind)
where
    T: FromStr<Err = Error> + TryFrom<&'v str, Error = Error> + TryFrom<&'v [u8], Error = Error>,
    T: Copy + Eq + Hash + Debug + Display,
{
    check_conversions::<T>(valid, Some((invalid, kind)));
    assert_eq!(valid.parse(), T::try_from(valid), "{valid:?}");
    assert_eq!(invalid.parse(), T::try_from(invalid), "{invalid:?}");
}

#[test]
fn types_that_own_their_value_are_parsed_from_text_and_bytes() {
    check_from_str::<ContentEncoding>("identity", "gzip", ErrorKind::UnsupportedEncoding);
    check_from_str::<ContentRange>("bytes 0-9/10", "bytes 0-10/10", ErrorKind::LastBeyondTotal);
    check_from_str::<ErrorContext>("0x7", "", ErrorKind::Empty);
    check_from_str::<ErrorContext>("0x5", "5h", ErrorKind::NotHexadecimal);
    check_from_str::<HResult>("0x80070057", "", ErrorKind::Empty);
    check_from_str::<HResult>("0x80070057", "0x0", ErrorKind::ZeroErrorCode);
    check_from_str::<HResult>("0x8020001F", "0x8020001FF", ErrorKind::NotHexadecimal);
    check_from_str::<HostIdFallbackTimeout>("110", "4294967296", ErrorKind::NumberTooLarge);
    check_from_str::<PacketType>("Create-Session", "Pong", ErrorKind::UnknownPacketType);
    check_from_str::<Protocol>(GUID, "{7df0354d}", ErrorKind::NotGuid);
    check_from_str::<ReceivedContentRange>("213", "+213", ErrorKind::NotDecimal);
}

#[test]
fn types_that_borrow_their_value_are_converted_from_text_and_bytes() {
    let long = "x".repeat(101);
    let empty = Some(("", ErrorKind::Empty));
    let control = Some(("a\u{7F}b", ErrorKind::InvalidByte));
    check_conversions::<ContentName<'_>>("report.bin", control);
    check_conversions::<CopyFileToDestination<'_>>("1", control);
    check_conversions::<HostId<'_>>("origin.example:8080", Some(("h/", ErrorKind::NotHost)));
    check_conversions::<OriginalRequestUrl<'_>>("http://o/e", empty);
    check_conversions::<ReplyUrl<'_>>("r.bin", Some(("ftp://o", ErrorKind::UnsupportedScheme)));
    check_conversions::<RequestDataFileName<'_>>(r"C:\1", empty);
    check_conversions::<ResponseDataFileName<'_>>(r"C:\2", empty);
    check_conversions::<SessionId<'_>>("{1}", Some((&long, ErrorKind::TooLong)));
    check_conversions::<StaticResponseUrl<'_>>("https://o/r", empty);
    check_conversions::<SupportedProtocols<'_>>(GUID, Some((",", ErrorKind::ProtocolCount)));
}

#[test]
fn text_and_bytes_are_borrowed() {
    fn check<T>(value: &T, text: &str)
    where
        T: AsRef<[u8]>,
    {
        assert_eq!(value.as_ref(), text.as_bytes(), "{text}");
    }
    fn value<'v, T: TryFrom<&'v str, Error = Error>>(text: &'v str) -> T {
        T::try_from(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }
    check(&value::<ContentName<'_>>("a b"), "a b");
    check(&value::<CopyFileToDestination<'_>>("yes"), "yes");
    check(&value::<HostId<'_>>("h:1"), "h:1");
    check(&value::<OriginalRequestUrl<'_>>("http://o/e"), "http://o/e");
    check(&value::<ReplyUrl<'_>>("r"), "r");
    check(&value::<RequestDataFileName<'_>>("/1"), "/1");
    check(&value::<ResponseDataFileName<'_>>("/2"), "/2");
    check(&value::<SessionId<'_>>("{1}"), "{1}");
    check(&value::<StaticResponseUrl<'_>>("r"), "r");

    assert_eq!(AsRef::<str>::as_ref(&ContentEncoding::Identity), "identity");
    assert_eq!(AsRef::<str>::as_ref(&value::<HostId<'_>>("h:1")), "h:1");
    assert_eq!(AsRef::<str>::as_ref(&value::<SessionId<'_>>("{1}")), "{1}");
    for packet_type in PacketType::ALL {
        assert_eq!(AsRef::<str>::as_ref(packet_type), packet_type.as_str());
        assert_eq!(packet_type.as_str().parse(), Ok(*packet_type));
    }
}

#[test]
fn numbers_convert_both_ways() {
    for number in [0, 1, 5, 0x8007_0057, u32::MAX] {
        assert_eq!(u32::from(ErrorContext::from(number)), number);
        assert_eq!(u32::from(HostIdFallbackTimeout::from(number)), number);
        assert_eq!(u64::from(ReceivedContentRange::from(u64::from(number))), u64::from(number));
        match (HResult::try_from(number), NonZeroU32::new(number)) {
            (Ok(code), Some(nonzero)) => {
                assert_eq!((u32::from(code), HResult::from(nonzero)), (number, code));
            }
            (Err(error), None) => {
                assert_eq!((error.kind(), error.offset()), (ErrorKind::ZeroErrorCode, None));
                assert_eq!(error.field(), Some("BITS-Error"));
            }
            (code, _) => panic!("{number}: {code:?}"),
        }
    }
    let guid = Uuid::from(Protocol::BITS_1_5);
    assert_eq!(Protocol::from(guid), Protocol::BITS_1_5);
    assert_eq!(HostIdFallbackTimeout::from(7).limit(), Some(Duration::from_secs(7)));
}

#[test]
fn codes_are_formatted_in_hexadecimal() {
    fn check<T: LowerHex + UpperHex + Display>(value: T, lower: &str, upper: &str, text: &str) {
        assert_eq!(format!("{value:x} {value:#010x}"), lower);
        assert_eq!(format!("{value:X} {value:#010X}"), upper);
        assert_eq!(value.to_string(), text);
    }
    let code = HResult::BG_E_SESSION_NOT_FOUND;
    check(code, "8020001f 0x8020001f", "8020001F 0x8020001F", "0x8020001F");
    check(ErrorContext(0xAB), "ab 0x000000ab", "AB 0x000000AB", "0xAB");
}

#[test]
fn defaults_are_the_usual_values() {
    assert_eq!(ContentEncoding::default(), ContentEncoding::Identity);
    assert_eq!(CopyFileToDestination::default().as_bytes(), b"1");
    assert_eq!(ReceivedContentRange::default(), ReceivedContentRange(0));
    assert_eq!(SupportedProtocols::default(), SupportedProtocols::BITS_1_5);
}

#[test]
fn order_and_hash_are_consistent_with_equality() {
    let guid = "{11111111-1111-1111-1111-11111111111A}";
    let texts = [guid, "11111111-1111-1111-1111-11111111111a", "{1", "-1", "~", "1", "1 "];
    let ids: Vec<_> = texts.iter().filter_map(|text| SessionId::try_from(*text).ok()).collect();
    assert_eq!(ids.len(), 6);
    for left in &ids {
        for right in &ids {
            assert_eq!(left == right, left.cmp(right).is_eq(), "{left} and {right}");
            assert_eq!(left.cmp(right), right.cmp(left).reverse(), "{left} and {right}");
            assert!(left != right || hash(left) == hash(right), "{left} and {right}");
        }
    }
    let distinct: BTreeSet<_> = ids.iter().collect();
    assert_eq!(distinct.len(), 5, "{distinct:?}");

    let slice = [Protocol::BITS_1_5];
    let slice = SupportedProtocols::new(&slice).expect("one protocol");
    let parsed = SupportedProtocols::try_from(GUID).expect("one protocol");
    assert_eq!((slice, hash(&slice)), (parsed, hash(&parsed)));
}

#[test]
fn a_status_code_compares_with_a_number() {
    assert_eq!(StatusCode::OK, 200);
    assert_eq!(416, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_ne!(StatusCode::OK, 201);
}
