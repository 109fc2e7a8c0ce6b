//! Values whose bytes are not interpreted, and safe names.

use crate::support::field_values;
use bits_proto::Error;
use bits_proto::error::ErrorKind;
use bits_proto::field::{
    ContentName, CopyFileToDestination, FieldName, ReplyUrl, RequestDataFileName,
    ResponseDataFileName, StaticResponseUrl,
};
use bits_proto::http1::{RequestLine, StatusCode, StatusLine, Version};
use bits_proto::message::{
    Ack, AckContext, METHOD, NotificationRequest, NotificationResponse, ParseOptions, Request,
};
use field_values::read;

/// The bytes of a parsed value, and its text.
type Taken = Result<(Vec<u8>, String), Error>;

/// A value type whose bytes are not interpreted.
struct Opaque {
    field: FieldName,
    may_be_empty: bool,
    read: fn(&[u8]) -> Taken,
}

macro_rules! opaque {
    ($type:ident $may_be_empty:literal) => {
        Opaque {
            field: FieldName::$type,
            may_be_empty: $may_be_empty,
            read: |value| {
                $type::try_from(value).map(|read| (read.as_bytes().to_vec(), read.to_string()))
            },
        }
    };
}

const OPAQUE: [Opaque; 6] = [
    opaque!(ContentName true),
    opaque!(CopyFileToDestination true),
    opaque!(RequestDataFileName false),
    opaque!(ResponseDataFileName false),
    opaque!(StaticResponseUrl false),
    opaque!(ReplyUrl false),
];

impl Opaque {
    fn check_accepted(&self, value: &[u8]) {
        let case = format!("{} {}", self.field, value.escape_ascii());
        let (bytes, text) = (self.read)(value).unwrap_or_else(|error| panic!("{case}: {error}"));
        assert_eq!(bytes, value, "{case}");
        if let Ok(value) = std::str::from_utf8(value) {
            assert_eq!(text, value, "{case}");
        }
    }

    fn check_refused(&self, value: &[u8], kind: ErrorKind, offset: usize) {
        let case = format!("{} {}", self.field, value.escape_ascii());
        let error = (self.read)(value).expect_err(&case);
        field_values::check_error(&case, error, self.field, kind, offset);
    }
}

#[test]
fn opaque_values_are_unchanged() {
    let longest = [b'n'; 4096];
    for opaque in OPAQUE {
        for value in ["a", "report 1.bin", "a\tb", r"\\host\share\x", "é"] {
            opaque.check_accepted(value.as_bytes());
        }
        opaque.check_accepted(b"caf\xE9");
        opaque.check_accepted(&longest);
    }
}

#[test]
fn the_limit_of_a_content_name_is_that_of_any_value() {
    let name = opaque!(ContentName true);
    name.check_refused(&[b'n'; 4097], ErrorKind::TooLong, 4096);
}

#[test]
fn opaque_values_contain_all_bytes_that_a_field_allows() {
    for (opaque, byte) in OPAQUE.iter().flat_map(|opaque| (0..=0xFF_u8).map(move |it| (opaque, it)))
    {
        let value = [b'a', byte, b'b'];
        match byte {
            // A colon makes the text before it a scheme.
            b':' => {}
            b'\t' | b' '..=0x7E | 0x80.. => opaque.check_accepted(&value),
            _ => opaque.check_refused(&value, ErrorKind::InvalidByte, 1),
        }
    }
}

#[test]
fn opaque_values_have_no_outer_white_space() {
    for opaque in &OPAQUE {
        for (value, offset) in
            [(" a", 0), ("\ta", 0), ("a ", 1), ("a\t", 1), (" ", 0), ("a\r\nX: y", 1), ("a\0", 1)]
        {
            opaque.check_refused(value.as_bytes(), ErrorKind::InvalidByte, offset);
        }
        if opaque.may_be_empty {
            opaque.check_accepted(b"");
        } else {
            opaque.check_refused(b"", ErrorKind::Empty, 0);
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_replaced_in_display() {
    let name: ContentName = read(b"caf\xE9.bin");
    assert_eq!(name.to_string(), "caf\u{FFFD}.bin");
    let path: RequestDataFileName = read(b"\xFFx\xC3");
    assert_eq!(path.to_string(), "\u{FFFD}x\u{FFFD}");
}

#[test]
fn the_copy_field_is_written_as_1() {
    assert_eq!(CopyFileToDestination::default().as_bytes(), b"1");
    assert_eq!(CopyFileToDestination::default(), read("1"));
    assert_ne!(CopyFileToDestination::default(), read("0"));
}

fn is_safe(name: &[u8]) -> bool {
    read::<ContentName>(name).is_safe()
}

#[test]
fn plain_names_are_safe() {
    for name in [
        "report.bin",
        "a",
        "two words.txt",
        ".hidden",
        "..a",
        "a..b",
        "naïve.txt",
        "console",
        "xcon",
        "con1",
        "conin",
        "auxiliary.txt",
        "nul_.txt",
        "com",
        "com.txt",
        "lpt",
        "com10",
        "com1a",
        "xcom1",
        "comx",
        "com¼",
        "lpt⁴",
        "a.con",
        "%2e%2e",
        "~$x",
    ] {
        assert!(is_safe(name.as_bytes()), "{name}");
    }
    assert!(is_safe(b"caf\xE9"), "Latin-1");
    assert!(is_safe(b"COM\xBC"), "a Latin-1 byte that is not a digit");
}

#[test]
fn names_that_are_special_to_a_file_system_are_not_safe() {
    for byte in br#"\/:*?"<>|"# {
        for name in [vec![*byte], vec![b'a', *byte], vec![*byte, b'a'], vec![b'a', *byte, b'b']] {
            assert!(!is_safe(&name), "{}", name.escape_ascii());
        }
    }
    for name in ["", ".", "..", "...", "a.", "a..", ". .", "a .", "a\tb", "C:x", "x:stream"] {
        assert!(!is_safe(name.as_bytes()), "{name:?}");
    }
}

#[test]
fn device_names_are_not_safe() {
    let named = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].map(|it| it.as_bytes().to_vec());
    let digits = (b'0'..=b'9').map(|digit| vec![digit]);
    let superscripts = ["¹", "²", "³"].map(|it| it.as_bytes().to_vec());
    let latin_1 = [0xB9, 0xB2, 0xB3].map(|byte| vec![byte]);
    let numbers: Vec<_> = digits.chain(superscripts).chain(latin_1).collect();
    let ports = ["COM", "LPT"]
        .iter()
        .flat_map(|port| numbers.iter().map(|number| [port.as_bytes(), number].concat()));
    for device in named.into_iter().chain(ports) {
        for suffix in ["", ".txt", ".tar.gz", " .log", "  .x", ".a b"] {
            let name = [&device, suffix.as_bytes()].concat();
            for name in [name.to_ascii_lowercase(), name.to_ascii_uppercase(), name] {
                assert!(!is_safe(&name), "{}", name.escape_ascii());
            }
        }
    }
    assert!(!is_safe(b"cOn.TxT"), "mixed case");
}

/// Values of a head have no such bytes. Another HTTP stack may not have checked them.
#[test]
fn a_byte_that_no_field_can_transport_is_rejected_in_fields_of_another_stack() {
    let request = |method| RequestLine { method, target: "/e", version: Version::Http11 };
    let response = StatusLine { version: Version::Http11, status: StatusCode::OK, reason: "" };
    let fragment = AckContext::Fragment { session_id: None, content_range: None, sent_up_to: None };
    let read = |field: FieldName, value: &[u8]| {
        let length = [("Content-Length", &b"0"[..])];
        let url = Some(("BITS-Original-Request-URL", &b"http://h/e"[..]));
        let files = ["BITS-Request-DataFile-Name", "BITS-Response-DataFile-Name"];
        let files = files.map(|name| (name, &b"C:\\1"[..]));
        let other = files.into_iter().chain(url).filter(|(name, _)| *name != field.as_str());
        let value = length.into_iter().chain([(field.as_str(), value)]);
        match field {
            FieldName::ContentName => {
                let fields = value.chain([("BITS-Packet-Type", &b"Ping"[..])]);
                let read = Request::from_fields(request(METHOD), fields, &ParseOptions::DEFAULT);
                read.map(drop)
            }
            FieldName::ReplyUrl => {
                let received = [("BITS-Received-Content-Range", &b"1"[..])];
                let fields = value.chain(received).chain([("BITS-Packet-Type", &b"Ack"[..])]);
                Ack::from_fields(response, fields, &fragment).map(drop)
            }
            FieldName::StaticResponseUrl | FieldName::CopyFileToDestination => {
                NotificationResponse::from_fields(response, value).map(drop)
            }
            _ => NotificationRequest::from_fields(request("POST"), value.chain(other)).map(drop),
        }
    };
    for field in [
        FieldName::ContentName,
        FieldName::ReplyUrl,
        FieldName::StaticResponseUrl,
        FieldName::CopyFileToDestination,
        FieldName::OriginalRequestUrl,
        FieldName::RequestDataFileName,
        FieldName::ResponseDataFileName,
    ] {
        assert_eq!(read(field, b"a/b"), Ok(()), "{field}");
        for byte in (0..=u8::MAX).filter(|byte| *byte != b'\t' && byte.is_ascii_control()) {
            let error = read(field, &[b'a', byte, b'b']).expect_err(field.as_str());
            assert_eq!(
                (error.kind(), error.field()),
                (ErrorKind::InvalidByte, Some(field.as_str()))
            );
        }
    }
}
