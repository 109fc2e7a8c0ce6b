//! Error codes and error contexts: syntax, names and descriptions.

use crate::support::field_values;
use std::collections::BTreeSet;

use bits_proto::error::ErrorKind;
use bits_proto::field::{ErrorContext, FieldName, HResult};
use field_values::check_error;

/// The values on Microsoft's page on BITS return values, in its order, followed by the values that
/// are only in \[MC-BUP\] 2.2.1.2.
const NAMED: [(&str, u32); 62] = [
    ("BG_S_PARTIAL_COMPLETE", 0x0020_0017),
    ("BG_S_UNABLE_TO_DELETE_FILES", 0x0020_001A),
    ("BG_S_OVERRIDDEN_BY_POLICY", 0x0020_0055),
    ("BG_E_NOT_FOUND", 0x8020_0001),
    ("BG_E_INVALID_STATE", 0x8020_0002),
    ("BG_E_EMPTY", 0x8020_0003),
    ("BG_E_FILE_NOT_AVAILABLE", 0x8020_0004),
    ("BG_E_PROTOCOL_NOT_AVAILABLE", 0x8020_0005),
    ("BG_E_DESTINATION_LOCKED", 0x8020_000D),
    ("BG_E_VOLUME_CHANGED", 0x8020_000E),
    ("BG_E_ERROR_INFORMATION_UNAVAILABLE", 0x8020_000F),
    ("BG_E_NETWORK_DISCONNECTED", 0x8020_0010),
    ("BG_E_MISSING_FILE_SIZE", 0x8020_0011),
    ("BG_E_INSUFFICIENT_HTTP_SUPPORT", 0x8020_0012),
    ("BG_E_INSUFFICIENT_RANGE_SUPPORT", 0x8020_0013),
    ("BG_E_REMOTE_NOT_SUPPORTED", 0x8020_0014),
    ("BG_E_NEW_OWNER_DIFF_MAPPING", 0x8020_0015),
    ("BG_E_NEW_OWNER_NO_FILE_ACCESS", 0x8020_0016),
    ("BG_E_PROXY_LIST_TOO_LARGE", 0x8020_0018),
    ("BG_E_PROXY_BYPASS_LIST_TOO_LARGE", 0x8020_0019),
    ("BG_E_TOO_MANY_FILES", 0x8020_001C),
    ("BG_E_LOCAL_FILE_CHANGED", 0x8020_001D),
    ("BG_E_TOO_LARGE", 0x8020_0020),
    ("BG_E_STRING_TOO_LONG", 0x8020_0021),
    ("BG_E_CLIENT_SERVER_PROTOCOL_MISMATCH", 0x8020_0022),
    ("BG_E_SERVER_EXECUTE_ENABLED", 0x8020_0023),
    ("BG_E_USERNAME_TOO_LARGE", 0x8020_0025),
    ("BG_E_PASSWORD_TOO_LARGE", 0x8020_0026),
    ("BG_E_INVALID_AUTH_TARGET", 0x8020_0027),
    ("BG_E_INVALID_AUTH_SCHEME", 0x8020_0028),
    ("BG_E_INVALID_RANGE", 0x8020_002B),
    ("BG_E_OVERLAPPING_RANGES", 0x8020_002C),
    ("BG_E_BLOCKED_BY_POLICY", 0x8020_003E),
    ("BG_E_INVALID_PROXY_INFO", 0x8020_003F),
    ("BG_E_INVALID_CREDENTIALS", 0x8020_0040),
    ("BG_E_RECORD_DELETED", 0x8020_0042),
    ("BG_E_UPNP_ERROR", 0x8020_0045),
    ("BG_E_PEERCACHING_DISABLED", 0x8020_0047),
    ("BG_E_BUSYCACHERECORD", 0x8020_0048),
    ("BG_E_TOO_MANY_JOBS_PER_USER", 0x8020_0049),
    ("BG_E_TOO_MANY_JOBS_PER_MACHINE", 0x8020_0050),
    ("BG_E_TOO_MANY_FILES_IN_JOB", 0x8020_0051),
    ("BG_E_TOO_MANY_RANGES_IN_FILE", 0x8020_0052),
    ("BG_E_VALIDATION_FAILED", 0x8020_0053),
    ("BG_E_MAXDOWNLOAD_TIMEOUT", 0x8020_0054),
    ("BG_E_HTTP_ERROR_400", 0x8019_0190),
    ("BG_E_HTTP_ERROR_401", 0x8019_0191),
    ("BG_E_HTTP_ERROR_404", 0x8019_0194),
    ("BG_E_HTTP_ERROR_407", 0x8019_0197),
    ("BG_E_HTTP_ERROR_414", 0x8019_019E),
    ("BG_E_HTTP_ERROR_501", 0x8019_01F5),
    ("BG_E_HTTP_ERROR_503", 0x8019_01F7),
    ("BG_E_HTTP_ERROR_504", 0x8019_01F8),
    ("BG_E_HTTP_ERROR_505", 0x8019_01F9),
    ("BG_E_SESSION_NOT_FOUND", 0x8020_001F),
    ("E_ACCESSDENIED", 0x8007_0005),
    ("E_INVALIDARG", 0x8007_0057),
    ("FILE_EXISTS", 0x8007_0050),
    ("INVALID_NAME", 0x8007_007B),
    ("ALREADY_EXISTS", 0x8007_00B7),
    ("DISK_FULL", 0x8007_0070),
    ("DISK_FULL_MC_BUP", 0x8007_0112),
];

fn code(value: u32) -> HResult {
    HResult::new(value).unwrap_or_else(|| panic!("{value:#X} is zero"))
}

#[test]
fn every_documented_value_has_its_name() {
    for (name, value) in NAMED {
        assert_eq!(code(value).name(), Some(name), "{value:#X}");
        let description = code(value).description().unwrap_or_default();
        assert!(!description.is_empty() && !description.ends_with('.'), "{name}: {description:?}");
    }
    let listed: BTreeSet<_> = NAMED.iter().map(|(_, value)| *value).collect();
    let known: BTreeSet<_> = HResult::KNOWN.iter().map(|code| code.get()).collect();
    assert_eq!(listed, known, "this table and HResult::KNOWN");
    assert_eq!(HResult::KNOWN.len(), known.len(), "a value is in HResult::KNOWN twice");
}

#[test]
fn the_constants_have_their_values() {
    for (constant, value) in [
        (HResult::E_ACCESSDENIED, 0x8007_0005),
        (HResult::E_INVALIDARG, 0x8007_0057),
        (HResult::FILE_EXISTS, 0x8007_0050),
        (HResult::INVALID_NAME, 0x8007_007B),
        (HResult::ALREADY_EXISTS, 0x8007_00B7),
        (HResult::DISK_FULL, 0x8007_0070),
        (HResult::DISK_FULL_MC_BUP, 0x8007_0112),
        (HResult::BG_E_SESSION_NOT_FOUND, 0x8020_001F),
        (HResult::BG_E_TOO_LARGE, 0x8020_0020),
    ] {
        assert_eq!(constant.get(), value);
    }
    assert_eq!((ErrorContext::SERVER.0, ErrorContext::REMOTE_APPLICATION.0), (5, 7));
}

#[test]
fn other_values_are_kept_without_a_name() {
    let named: BTreeSet<_> = NAMED.iter().map(|(_, value)| *value).collect();
    let near = named.iter().flat_map(|value| [value - 1, value + 1, value ^ 0x8000_0000]);
    for value in near.chain([1, 0x8007_0002, u32::MAX]).filter(|value| !named.contains(value)) {
        assert_eq!((code(value).name(), code(value).description()), (None, None), "{value:#X}");
        assert_eq!(code(value).get(), value);
    }
}

#[test]
fn a_code_is_displayed_with_its_name_or_its_http_status() {
    for (value, displayed) in [
        (0x8020_001F, "0x8020001F BG_E_SESSION_NOT_FOUND"),
        (0x8019_0194, "0x80190194 BG_E_HTTP_ERROR_404"),
        (0x8019_0193, "0x80190193 HTTP 403"),
        (0x8019_0064, "0x80190064 HTTP 100"),
        (0x8019_03E7, "0x801903E7 HTTP 999"),
        // Three digits make a status code.
        (0x8019_0063, "0x80190063"),
        (0x8019_03E8, "0x801903E8"),
        (0x801A_0193, "0x801A0193"),
        (0x0000_0193, "0x00000193"),
        (1, "0x00000001"),
    ] {
        assert_eq!(code(value).with_name().to_string(), displayed);
        let status = displayed.split_once("HTTP ").map(|(_, status)| status.to_owned());
        if code(value).name().is_none() {
            assert_eq!(code(value).http_status().map(|status| status.to_string()), status);
        }
    }
}

#[test]
fn the_code_of_a_status_represents_that_status() {
    for number in 300..=999 {
        let code = HResult::from_status(number).expect("a status from 300 to 999");
        assert_eq!(code.http_status().map(u16::from), Some(number));
    }
}

#[test]
fn both_spellings_of_a_full_disk_are_one() {
    for (_, value) in NAMED {
        let full = value == 0x8007_0070 || value == 0x8007_0112;
        assert_eq!(code(value).is_disk_full(), full, "{value:#X}");
    }
}

#[test]
fn a_code_is_read_with_every_prefix() {
    for (text, value) in [
        ("0x8020001F", 0x8020_001F),
        ("0X8020001F", 0x8020_001F),
        ("x8020001F", 0x8020_001F),
        ("X8020001F", 0x8020_001F),
        ("8020001F", 0x8020_001F),
        ("0x8020001f", 0x8020_001F),
        ("0xABCDEF09", 0xABCD_EF09),
        ("0x1", 1),
        ("1", 1),
        ("10", 16),
        ("x1", 1),
        ("00000001", 1),
        ("0xFFFFFFFF", u32::MAX),
    ] {
        assert_eq!(HResult::parse(text), Ok(HResult::new(value)), "{text}");
        assert_eq!(ErrorContext::parse(text), Ok(Some(ErrorContext(value))), "{text}");
    }
}

#[test]
fn zero_and_empty_values_mean_no_error() {
    for text in ["", "0", "0x0", "x0", "00000000", "0x00000000"] {
        assert_eq!(HResult::parse(text), Ok(None), "{text:?}");
    }
    assert_eq!(HResult::new(0), None);
    assert_eq!(ErrorContext::parse(""), Ok(None));
    assert_eq!(ErrorContext::parse("0x0"), Ok(Some(ErrorContext(0))));
}

#[test]
fn a_code_that_is_not_hexadecimal_is_refused() {
    for (text, offset) in [
        ("0x", 2),
        ("0X", 2),
        ("x", 1),
        ("0x123456789", 2),
        ("123456789", 0),
        ("0x080070057", 2),
        ("+80070057", 0),
        ("-1", 0),
        ("0x+1", 2),
        ("0x-1", 2),
        ("0x 1", 2),
        ("0x1 ", 3),
        (" 0x1", 0),
        ("0x0x1", 3),
        ("xx1", 1),
        ("0x8020001G", 9),
        ("#1", 0),
        ("E_FAIL", 1),
        ("0x1h", 3),
        ("0x1_0", 3),
        ("0x\u{663}", 2),
    ] {
        let error = HResult::parse(text).expect_err(text);
        check_error(text, error, FieldName::Error, ErrorKind::NotHexadecimal, offset);
        let error = ErrorContext::parse(text).expect_err(text);
        check_error(text, error, FieldName::ErrorContext, ErrorKind::NotHexadecimal, offset);
    }
}

#[test]
fn no_other_byte_is_a_hexadecimal_digit() {
    for byte in (0..=0xFF_u8).filter(|byte| !byte.is_ascii_hexdigit()) {
        let text = [b'0', b'x', b'1', byte];
        let case = text.escape_ascii().to_string();
        let error = HResult::parse(text).expect_err(&case);
        check_error(&case, error, FieldName::Error, ErrorKind::NotHexadecimal, 3);
    }
}

#[test]
fn a_code_is_written_with_eight_digits() {
    for (value, text) in [
        (1, "0x00000001"),
        (0x8007_0057, "0x80070057"),
        (0x8020_001F, "0x8020001F"),
        (0xABCD_EF09, "0xABCDEF09"),
        (u32::MAX, "0xFFFFFFFF"),
    ] {
        assert_eq!(code(value).to_string(), text);
    }
}

#[test]
fn a_context_is_written_without_leading_zeros() {
    for (value, text, is_known) in [
        (0, "0x0", false),
        (5, "0x5", true),
        (6, "0x6", false),
        (7, "0x7", true),
        (0x10, "0x10", false),
        (0xABC, "0xABC", false),
        (0x500, "0x500", false),
        (u32::MAX, "0xFFFFFFFF", false),
    ] {
        assert_eq!(ErrorContext(value).to_string(), text);
        assert_eq!(ErrorContext(value).is_known(), is_known, "{text}");
    }
}

#[test]
fn a_code_with_the_highest_bit_is_a_failure() {
    for (number, is_failure) in [
        (1, false),
        (0x0020_0017, false),
        (0x7FFF_FFFF, false),
        (0x8000_0000, true),
        (0x8020_001F, true),
        (u32::MAX, true),
    ] {
        let code = HResult::new(number).expect("not zero");
        assert_eq!(code.is_failure(), is_failure, "{number:#x}");
    }
}
