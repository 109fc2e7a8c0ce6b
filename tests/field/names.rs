//! The names of the fields: recognition of names and other spellings.

use crate::support::field_values;
use std::collections::BTreeSet;

use bits_proto::field::FieldName;
use field_values::near_misses;

/// Every documented name, with the section of \[MC-BUP\] that defines it.
const NAMES: [(FieldName, &str, &str); 24] = [
    (FieldName::Error, "BITS-Error", "2.2.1.2"),
    (FieldName::RetryAfter, "Retry-After", "2.2.1"),
    (FieldName::HostId, "BITS-Host-Id", "2.2.3.2"),
    (FieldName::ContentName, "Content-Name", "2.2.1.1"),
    (FieldName::Protocol, "BITS-Protocol", "2.2.3.2"),
    (FieldName::ContentRange, "Content-Range", "2.2.6.1"),
    (FieldName::ReplyUrl, "BITS-Reply-URL", "2.2.7.2"),
    (FieldName::ContentLength, "Content-Length", "2.2.1.1"),
    (FieldName::SessionId, "BITS-Session-Id", "2.2.1.2"),
    (FieldName::ErrorCode, "BITS-Error-Code", "2.2.1.2"),
    (FieldName::AcceptEncoding, "Accept-encoding", "2.2.3.1"),
    (FieldName::PacketType, "BITS-Packet-Type", "2.2.1.2"),
    (FieldName::ContentEncoding, "Content-Encoding", "2.2.6.1"),
    (FieldName::TransferEncoding, "Transfer-Encoding", "2.2.1.1"),
    (FieldName::ErrorContext, "BITS-Error-Context", "2.2.1.2"),
    (FieldName::MethodOverride, "X-HTTP-Method-Override", "2.2.1"),
    (FieldName::SupportedProtocols, "BITS-Supported-Protocols", "2.2.2.2"),
    (FieldName::StaticResponseUrl, "BITS-Static-Response-URL", "2.2.13.2"),
    (FieldName::OriginalRequestUrl, "BITS-Original-Request-URL", "2.2.12.2"),
    (FieldName::RequestDataFileName, "BITS-Request-DataFile-Name", "2.2.12.2"),
    (FieldName::ReceivedContentRange, "BITS-Received-Content-Range", "2.2.7.2"),
    (FieldName::ResponseDataFileName, "BITS-Response-DataFile-Name", "2.2.12.2"),
    (FieldName::HostIdFallbackTimeout, "BITS-Host-Id-Fallback-Timeout", "2.2.3.2"),
    (FieldName::CopyFileToDestination, "BITS-Copy-File-To-Destination", "2.2.13.2"),
];

/// Other spellings that are in use.
const SPELLINGS: [(FieldName, &str); 3] = [
    (FieldName::RequestDataFileName, "BITS-Request-DataEntity-Name"),
    (FieldName::ResponseDataFileName, "BITS-Response-DataEntity-Name"),
    (FieldName::ReceivedContentRange, "BITS-Recieved-Content-Range"),
];

fn recognisable() -> impl Iterator<Item = (FieldName, &'static str)> {
    NAMES.into_iter().map(|(field, name, _)| (field, name)).chain(SPELLINGS)
}

/// `bITS-sESSION-iD`
fn swapped(name: &str) -> String {
    let swap = |letter: char| match letter {
        'a'..='z' => letter.to_ascii_uppercase(),
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(swap).collect()
}

/// `BiTs-sEsSiOn-Id`
fn alternating(name: &str) -> String {
    let spell = |(at, letter): (usize, char)| match at % 2 {
        0 => letter.to_ascii_uppercase(),
        _ => letter.to_ascii_lowercase(),
    };
    name.chars().enumerate().map(spell).collect()
}

#[test]
fn every_name_is_the_documented_one() {
    for (field, name, section) in NAMES {
        assert_eq!((field.as_str(), field.to_string().as_str()), (name, name));
        assert_eq!(field.section(), section, "{name}");
    }
    let listed: BTreeSet<_> = NAMES.iter().map(|(field, ..)| *field).collect();
    let all: BTreeSet<_> = FieldName::ALL.iter().copied().collect();
    assert_eq!(listed, all, "this table and FieldName::ALL");
    assert_eq!(FieldName::ALL.len(), all.len(), "a field is in FieldName::ALL twice");
}

#[test]
fn names_are_recognised_in_any_letter_case() {
    for (field, name) in recognisable() {
        let spellings = [
            name.to_string(),
            name.to_ascii_lowercase(),
            name.to_ascii_uppercase(),
            swapped(name),
            alternating(name),
            swapped(&alternating(name)),
        ];
        for spelling in spellings {
            assert_eq!(FieldName::from_name(&spelling), Some(field), "{spelling}");
        }
    }
}

#[test]
fn one_letter_more_or_less_in_another_case_changes_nothing() {
    for (field, name) in recognisable() {
        for at in 0..name.len() {
            let swapped = format!("{}{}{}", &name[..at], swapped(&name[at..=at]), &name[at + 1..]);
            assert_eq!(FieldName::from_name(&swapped), Some(field), "{swapped}");
        }
    }
}

#[test]
fn a_name_with_one_different_byte_is_not_recognised() {
    for (_, name) in recognisable() {
        for miss in near_misses(name) {
            // The result may be another of the names.
            let other = recognisable().find(|(_, other)| other.eq_ignore_ascii_case(&miss));
            let other = other.map(|(field, _)| field);
            assert_eq!(FieldName::from_name(&miss), other, "{miss:?} for {name}");
        }
    }
}

#[test]
fn only_letters_have_two_cases() {
    // `-` and CR differ only in the bit that distinguishes `A` and `a`.
    for (_, name) in recognisable() {
        let folded: String = name.replace('-', "\r");
        assert_eq!(FieldName::from_name(&folded), None, "{folded:?}");
        for (at, _) in name.match_indices('-') {
            let folded = format!("{}\r{}", &name[..at], &name[at + 1..]);
            assert_eq!(FieldName::from_name(&folded), None, "{folded:?}");
        }
    }
}

#[test]
fn unknown_names_are_not_recognised() {
    for name in [
        "",
        "-",
        "Host",
        "BITS",
        "BITS-",
        // A misprint of the specification.
        "BITS-Package-Type",
        "BITS_Session_Id",
        "BITS Session Id",
        "X-BITS-Session-Id",
        "BITS-Recieved-Content-Renge",
        "BITS-Request-DataEntity-Names",
        "Content-Length\0",
        "BITS-Sess\u{131}on-Id",
        // Unicode folds the Kelvin sign to k.
        "BITS-Pac\u{212A}et-Type",
    ] {
        assert_eq!(FieldName::from_name(name), None, "{name:?}");
    }
}

#[test]
fn the_first_value_of_a_field_is_found() {
    let fields: [(&str, &[u8]); 4] = [
        ("Host", b"h"),
        ("bits-session-ID", b"first"),
        ("BITS-Session-Id", b"second"),
        ("BITS-Recieved-Content-Range", b"5"),
    ];
    assert_eq!(FieldName::SessionId.find_in(fields), Some(&b"first"[..]));
    assert_eq!(FieldName::ReceivedContentRange.find_in(fields), Some(&b"5"[..]));
    assert_eq!(FieldName::ContentRange.find_in(fields), None);
}
