//! Session ids and protocols: syntax, and equality of GUIDs.

use crate::support::field_values;
use crate::support::messages;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::ErrorKind;
use bits_proto::field::{FieldName, Protocol, SessionId, SupportedProtocols};
use bits_proto::http1::{RequestLine, RequestTarget, Version};
use bits_proto::message::{CreateSession, NO_EXTRAS, ParseOptions, Request};
use field_values::{check_error, check_refused, read};
use messages::{PROTOCOL, protocols, session};
use uuid::Uuid;

const GUID: &str = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";
const BITS_1_5: u128 = 0x7df0354d_249b_430f_820d_3d2a9bef4931;

/// Returns the `n`-th of a series of protocols.
fn protocol(n: usize) -> Protocol {
    Protocol(Uuid::from_u128(n as u128 + 1))
}

fn list(count: usize) -> String {
    let items: Vec<_> = (0..count).map(|n| protocol(n).to_string()).collect();
    items.join(" ")
}

#[test]
fn a_session_id_is_1_to_100_visible_bytes() {
    for id in [
        "1",
        "-7",
        "!",
        "~",
        "a,b;c=\"d\"",
        "-9223372036854775808",
        "AbC_-xyz09",
        "%7BA0%7D",
        "../../x",
        GUID,
        &"x".repeat(100),
    ] {
        let read = session(id);
        assert_eq!((read.as_str(), read.as_bytes()), (id, id.as_bytes()));
        assert_eq!(read.to_string(), id);
    }
    assert_eq!(SessionId::MAX_LEN, 100);
}

#[test]
fn every_other_session_id_is_refused() {
    use ErrorKind::{Empty, InvalidByte, TooLong};
    let long = [101, 102, 4096].map(|len| ("x".repeat(len), TooLong, 100));
    check_refused::<SessionId<'_>>(FieldName::SessionId, &long);
    check_refused::<SessionId<'_>>(FieldName::SessionId, &[("", Empty, 0)]);
    for byte in (0..=b' ').chain(0x7F..=0xFF) {
        let rows = [([b'a', byte], InvalidByte, 1), ([byte, b'a'], InvalidByte, 0)];
        check_refused::<SessionId<'_>>(FieldName::SessionId, &rows);
    }
    // The last byte of the longest id is checked as well.
    let late = format!("{} ", "x".repeat(99));
    check_refused::<SessionId<'_>>(FieldName::SessionId, &[(late, InvalidByte, 99)]);
}

#[test]
fn spellings_of_one_guid_are_one_session() {
    let bare = GUID.trim_matches(['{', '}']);
    let spellings = [
        GUID.to_string(),
        GUID.to_lowercase(),
        bare.to_string(),
        bare.to_lowercase(),
        GUID.replace("A0FF", "a0Ff"),
    ];
    let hasher = RandomState::new();
    for a in &spellings {
        for b in &spellings {
            assert_eq!(session(a), session(b), "{a} and {b}");
            let (hash_a, hash_b) = (hasher.hash_one(session(a)), hasher.hash_one(session(b)));
            assert_eq!(hash_a, hash_b, "hashes of {a} and {b}");
            assert_ne!(hash_a, hasher.hash_one(session("1")), "hashes of {a} and 1");
        }
        assert_eq!(session(a).guid(), Uuid::parse_str(bare).ok(), "{a}");
        assert_eq!(session(a).as_str(), a, "the text is kept");
    }
    let set: HashSet<_> = spellings.iter().map(|id| session(id)).collect();
    assert_eq!(set.len(), 1, "{set:?}");
}

#[test]
fn ids_that_are_not_guids_are_compared_byte_for_byte() {
    let bare = GUID.trim_matches(['{', '}']);
    for (id, other) in [
        ("abc".to_string(), "ABC".to_string()),
        ("1".into(), "01".into()),
        ("%7b1%7d".into(), "%7B1%7D".into()),
        // One brace, other brackets, or no hyphens.
        (format!("{{{bare}"), bare.into()),
        (format!("{bare}}}"), bare.into()),
        (format!("{{{bare}"), format!("{{{}", bare.to_lowercase())),
        (format!("({bare})"), bare.into()),
        (format!("{{{{{bare}}}}}"), GUID.into()),
        (bare.replace('-', ""), bare.into()),
        (bare.replace('-', ""), bare.replace('-', "").to_lowercase()),
        (bare.replace('-', "_"), bare.into()),
        (format!("urn:uuid:{bare}"), bare.into()),
        (bare.replace('A', "G"), bare.replace('A', "G").to_lowercase()),
        // Hyphens at other places.
        ("A0FF591-14144-45B3-BF27-27AFC8EC8A67".into(), bare.into()),
    ] {
        assert_ne!(session(&id), session(&other));
        assert_eq!(session(&id).guid(), None, "{id}");
        assert_eq!(session(&id), session(&id.clone()));
    }
}

#[test]
fn one_bit_makes_another_session() {
    let guid = Uuid::parse_str(GUID).expect(GUID).as_u128();
    let id = SessionId::from(Uuid::from_u128(guid));
    for bit in 0..128 {
        let other = SessionId::from(Uuid::from_u128(guid ^ 1 << bit));
        assert_ne!(id, other, "bit {bit}");
        assert_eq!(session(&other.to_string().to_lowercase()), other, "bit {bit}");
    }
}

#[test]
fn a_guid_is_issued_in_braces_and_capitals() {
    let guid = Uuid::parse_str(GUID).expect(GUID);
    let issued = SessionId::from(guid);
    assert_eq!((issued.as_str(), issued.guid()), (GUID, Some(guid)));
    assert_eq!(issued, session(GUID));
    let nil = SessionId::from(Uuid::nil());
    assert_eq!(nil.to_string(), "{00000000-0000-0000-0000-000000000000}");
}

#[test]
fn random_bytes_become_a_version_4_guid() {
    for (bytes, text) in [
        ([0x00; 16], "{00000000-0000-4000-8000-000000000000}"),
        ([0xFF; 16], "{FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF}"),
        (
            0x00112233_44556677_8899aabb_ccddeeff_u128.to_be_bytes(),
            "{00112233-4455-4677-8899-AABBCCDDEEFF}",
        ),
    ] {
        let id = SessionId::from_random(bytes);
        assert_eq!(id.to_string(), text);
        let guid = id.guid().unwrap_or_else(|| panic!("{text} is a GUID"));
        assert_eq!(guid.get_version_num(), 4, "{text}");
        assert_eq!(guid.get_variant(), uuid::Variant::RFC4122, "{text}");
    }
}

#[test]
fn random_bytes_give_122_bits() {
    let id = |bits: u128| SessionId::from_random(bits.to_be_bytes());
    let kept = (0..128).filter(|bit| id(1 << bit) != id(0)).count();
    assert_eq!(kept, 122);
}

#[test]
fn a_protocol_is_a_guid() {
    let bare = PROTOCOL.trim_matches(['{', '}']);
    for text in [PROTOCOL, bare, &PROTOCOL.to_uppercase(), &bare.to_uppercase()] {
        assert_eq!(read::<Protocol>(text), Protocol::BITS_1_5, "{text}");
    }
    assert_eq!(Protocol::BITS_1_5, Protocol(Uuid::from_u128(BITS_1_5)));
    assert_eq!(read::<Protocol>(&PROTOCOL.to_uppercase()).to_string(), PROTOCOL);
    let rows = [
        "",
        "{}",
        &PROTOCOL[1..],
        &PROTOCOL[..37],
        "{7df0354d249b430f820d3d2a9bef4931}",
        "{7df0354d-249b-430f-820d-3d2a9bef493}",
        "{7df0354d-249b-430f-820d-3d2a9bef49311}",
        "{7df0354d-249b-430f-820d-3d2a9bef493g}",
        "{7df0354d 249b 430f 820d 3d2a9bef4931}",
        "{7df0354-d249b-430f-820d-3d2a9bef4931}",
        "(7df0354d-249b-430f-820d-3d2a9bef4931)",
        "{+df0354d-249b-430f-820d-3d2a9bef4931}",
        " {7df0354d-249b-430f-820d-3d2a9bef4931}",
        "{7df0354d-249b-430f-820d-3d2a9bef4931} ",
        "{7df0354d-249b-430f-820d-3d2a9bef4931},{7df0354d-249b-430f-820d-3d2a9bef4931}",
        "BITS 1.5",
    ]
    .map(|text| (text, ErrorKind::NotGuid, 0));
    check_refused::<Protocol>(FieldName::Protocol, &rows);
}

#[test]
fn every_digit_of_a_guid_counts() {
    for at in (0..36).filter(|at| ![8, 13, 18, 23].contains(at)) {
        let mut text = "00000000-0000-0000-0000-000000000000".to_string();
        for digit in "0123456789abcdefABCDEF".chars() {
            text.replace_range(at..=at, &digit.to_string());
            let guid = Uuid::parse_str(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(read::<Protocol>(&text), Protocol(guid), "{text}");
        }
        // The bytes next to the digits and letters in ASCII, and with the high bit set.
        for byte in [b'/', b':', b'@', b'G', b'`', b'g', 0xB0, 0xE1, 0x10, 0x00] {
            let mut text = text.clone().into_bytes();
            text[at] = byte;
            let mut twice = text.clone();
            twice.iter_mut().skip(at).take(2).for_each(|digit| *digit = byte);
            check_refused::<Protocol>(
                FieldName::Protocol,
                &[(text, ErrorKind::NotGuid, 0), (twice, ErrorKind::NotGuid, 0)],
            );
        }
    }
}

#[test]
fn items_are_separated_by_spaces_tabs_and_commas() {
    let (a, b) = (protocol(0), protocol(1));
    for text in [
        format!("{a} {b}"),
        format!("{a},{b}"),
        format!("{a}\t{b}"),
        format!("{a}, {b}"),
        format!("{a} ,\t, ,,{b}"),
        format!(" , {a} {b} ,\t,"),
        format!("{a} {b}").to_uppercase(),
        format!("{a} {b}").replace(['{', '}'], ""),
        format!("{a},{}", b.to_string().replace(['{', '}'], "")),
    ] {
        let offered = protocols(&text);
        assert!(offered.iter().eq([a, b]), "{text:?}: {offered:?}");
        assert_eq!(offered.to_string(), format!("{a} {b}"), "{text:?}");
        assert!(offered.contains(a) && offered.contains(b), "{text:?}");
        assert!(!offered.contains(protocol(2)), "{text:?}");
    }
}

#[test]
fn an_empty_or_invalid_list_is_rejected() {
    use ErrorKind::{NotGuid, ProtocolCount};
    let a = protocol(0);
    let rows = [
        (String::new(), ProtocolCount, 0),
        (" ".into(), ProtocolCount, 0),
        (", \t,".into(), ProtocolCount, 0),
        ("x".into(), NotGuid, 0),
        (" x".into(), NotGuid, 1),
        ("{}".into(), NotGuid, 0),
        (format!("{a}{a}"), NotGuid, 0),
        (format!("{a};{a}"), NotGuid, 0),
        (format!("{a} x"), NotGuid, 39),
        (format!("{a}, , {a}x {a}"), NotGuid, 42),
        (format!("{a}\n{a}"), NotGuid, 0),
        // Of the length of one item, but with a separator.
        (format!("{{{:36}}}", "x y"), NotGuid, 0),
        (format!("{{{:-^36}}}", ","), NotGuid, 0),
    ];
    check_refused::<SupportedProtocols<'_>>(FieldName::SupportedProtocols, &rows);
}

#[test]
fn at_most_100_protocols_are_read() {
    for (count, read) in [(1, 1), (99, 99), (100, 100), (101, 100), (102, 100), (500, 100)] {
        let text = list(count);
        let offered = protocols(&text);
        assert!(offered.iter().eq((0..read).map(protocol)), "{count} items");
        assert!(!offered.contains(protocol(100)), "{count} items");
        assert_eq!(offered.negotiate(&[protocol(100)]), None, "{count} items");
        let last = protocol(read - 1);
        assert_eq!(offered.negotiate(&[last]), Some(last), "{count} items");
    }
    let offered = format!("{} x", list(100));
    assert_eq!(protocols(&offered), protocols(&list(100)), "the 101st is ignored");
    let refused = [(format!("{} x", list(99)), ErrorKind::NotGuid, 99 * 39)];
    check_refused::<SupportedProtocols<'_>>(FieldName::SupportedProtocols, &refused);
}

#[test]
fn a_list_to_be_sent_has_1_to_100_protocols() {
    let many: Vec<_> = (0..101).map(protocol).collect();
    for count in [1, 2, 100] {
        let given = SupportedProtocols::new(&many[..count]);
        let given = given.unwrap_or_else(|error| panic!("{count}: {error}"));
        assert_eq!(given.to_string(), list(count), "{count}");
        assert_eq!(given, protocols(&list(count)), "{count}");
        assert!(given.contains(protocol(count - 1)), "{count}");
        assert!(!given.contains(protocol(count)), "{count}");
        let target = RequestTarget::try_from("/e").expect("a target");
        let create = CreateSession { supported_protocols: given, ..CreateSession::default() };
        let create = Request::from(create);
        let encoder = create.encode(target, &NO_EXTRAS).expect("a head");
        let mut values = Vec::new();
        encoder.for_each_field(|_, value| values.push(value.to_vec()));
        assert!(values.contains(&list(count).into_bytes()), "{count}");
    }
    for count in [0, 101] {
        let error = SupportedProtocols::new(&many[..count]).expect_err("a count out of range");
        let (field, kind) = (FieldName::SupportedProtocols, ErrorKind::ProtocolCount);
        check_error(&count.to_string(), error, field, kind, 0);
    }
    assert_eq!(SupportedProtocols::BITS_1_5.to_string(), PROTOCOL);
}

#[test]
fn the_clients_order_decides() {
    let text = list(3);
    let offered = protocols(&text);
    for (supported, chosen) in [
        (&[2, 1, 0][..], Some(0)),
        (&[2, 1], Some(1)),
        (&[2], Some(2)),
        (&[7, 2, 9], Some(2)),
        (&[7], None),
        (&[], None),
    ] {
        let list: Vec<_> = supported.iter().map(|n| protocol(*n)).collect();
        assert_eq!(offered.negotiate(&list), chosen.map(protocol), "{supported:?}");
    }
}

#[test]
fn lists_are_equal_with_the_same_protocols_in_the_same_order() {
    let (a, b) = (protocol(0), protocol(1));
    let ab = format!("{a} {b}");
    let given = [a, b];
    let given = SupportedProtocols::new(&given).expect("two");
    assert_eq!(protocols(&ab), protocols(&format!("{a},, {b}").to_uppercase()));
    assert_eq!(protocols(&ab), given);
    for other in [format!("{b} {a}"), a.to_string(), b.to_string(), format!("{a} {b} {b}")] {
        assert_ne!(protocols(&ab), protocols(&other), "{other}");
        assert_ne!(given, protocols(&other), "{other}");
    }
}

/// The parsed protocols and deviations, or the kind and field of the error.
type Offered = Result<(Vec<Protocol>, Deviations), (ErrorKind, Option<&'static str>)>;

/// Parses a Create-Session with a list that is spread over `fields`.
fn create(fields: &[String]) -> Offered {
    let line = RequestLine { method: "BITS_POST", target: "/e", version: Version::Http11 };
    let lists = fields.iter().map(|list| ("BITS-Supported-Protocols", list.as_bytes()));
    let pairs = [("BITS-Packet-Type", &b"Create-Session"[..]), ("Content-Length", b"0")];
    let decoded =
        Request::from_fields(line, pairs.into_iter().chain(lists), &ParseOptions::DEFAULT);
    let decoded = decoded.map_err(|error| (error.kind(), error.field()))?;
    let Request::CreateSession(create) = decoded.message else { panic!("{fields:?}: {decoded:?}") };
    Ok((create.supported_protocols.iter().collect(), decoded.deviations))
}

fn numbered(numbers: std::ops::Range<usize>) -> String {
    let items: Vec<_> = numbers.map(|n| protocol(n).to_string()).collect();
    items.join(" ")
}

#[test]
fn a_list_may_be_spread_over_four_fields() {
    let joined = Deviations::from_iter([Deviation::JoinedProtocols]);
    for (fields, count) in [
        (vec![numbered(0..1), numbered(1..2)], 2),
        (vec![numbered(0..2), numbered(2..3), numbered(3..5)], 5),
        (vec![numbered(0..1), numbered(1..2), numbered(2..3), numbered(3..4)], 4),
        (vec![String::new(), numbered(0..2)], 2),
        (vec![numbered(0..60), numbered(60..100)], 100),
    ] {
        let read: Vec<_> = (0..count).map(protocol).collect();
        assert_eq!(create(&fields), Ok((read, joined)), "{fields:?}");
    }
    let twice = vec![numbered(0..1), numbered(0..1)];
    assert_eq!(create(&twice), Ok((vec![protocol(0), protocol(0)], joined)), "equal fields");
}

#[test]
fn the_limit_counts_the_items_of_all_fields() {
    let fields = [numbered(0..60), numbered(60..110)];
    let deviations =
        Deviations::from_iter([Deviation::JoinedProtocols, Deviation::ExcessProtocols]);
    assert_eq!(create(&fields), Ok(((0..100).map(protocol).collect(), deviations)));
}

#[test]
fn a_list_over_five_fields_is_refused() {
    let five: Vec<_> = (0..5).map(|n| numbered(n..n + 1)).collect();
    let refused = Err((ErrorKind::ProtocolCount, Some("BITS-Supported-Protocols")));
    assert_eq!(create(&five), refused, "five fields");
    let equal = vec![numbered(0..1); 5];
    assert_eq!(create(&equal), refused, "five equal fields");
}

#[test]
fn fields_without_an_item_or_with_an_invalid_one_are_rejected() {
    let field = Some("BITS-Supported-Protocols");
    let empty = [String::new(), " , ".into()];
    assert_eq!(create(&empty), Err((ErrorKind::ProtocolCount, field)), "two empty fields");
    let wrong = [numbered(0..1), "x".into()];
    assert_eq!(
        create(&wrong),
        Err((ErrorKind::NotGuid, field)),
        "invalid item in the second field"
    );
}
