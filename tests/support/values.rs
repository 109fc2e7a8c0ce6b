//! Strategies for any value that can be built, kept with the text that it borrows.

use bits_proto::field::{ContentRange, HostId, Protocol, ReplyUrl, SessionId, SupportedProtocols};
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

/// Returns bytes that a field transports unchanged.
pub fn content(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        8 => b' '..=b'~',
        1 => Just(b'\t'),
        1 => 0x80_u8..=0xFF,
    ];
    let least = len.start;
    vec(byte, len).prop_map(move |bytes| {
        let mut bytes = bytes.trim_ascii().to_vec();
        bytes.resize(bytes.len().max(least), b'x');
        bytes
    })
}

fn guid_text((guid, style): (u128, u8)) -> String {
    let guid = Uuid::from_u128(guid);
    match style {
        0 => guid.braced().to_string(),
        1 => guid.braced().to_string().to_uppercase(),
        2 => guid.to_string(),
        _ => guid.to_string().to_uppercase(),
    }
}

#[derive(Clone, Debug)]
pub enum SessionSpec {
    Text(String),
    Random([u8; 16]),
    Guid(u128),
}

impl SessionSpec {
    pub fn view(&self) -> SessionId<'_> {
        match self {
            Self::Text(text) => SessionId::try_from(text.as_str()).expect("visible ASCII"),
            Self::Random(bytes) => SessionId::from_random(*bytes),
            Self::Guid(guid) => Uuid::from_u128(*guid).into(),
        }
    }
}

pub fn session() -> impl Strategy<Value = SessionSpec> {
    prop_oneof![
        "[!-~]{1,100}".prop_map(SessionSpec::Text),
        (any::<u128>(), 0..4_u8).prop_map(guid_text).prop_map(SessionSpec::Text),
        any::<[u8; 16]>().prop_map(SessionSpec::Random),
        any::<u128>().prop_map(SessionSpec::Guid),
    ]
}

#[derive(Clone, Debug)]
pub enum ProtocolsSpec {
    Given(Vec<Protocol>),
    Text(String),
}

impl ProtocolsSpec {
    pub fn view(&self) -> SupportedProtocols<'_> {
        match self {
            Self::Given(list) => SupportedProtocols::new(list).expect("1 to 100"),
            Self::Text(text) => SupportedProtocols::try_from(text.as_str()).expect("a list"),
        }
    }
}

pub fn protocols() -> impl Strategy<Value = ProtocolsSpec> {
    let given = |len| {
        vec(any::<u128>().prop_map(|guid| Protocol(Uuid::from_u128(guid))), len)
            .prop_map(ProtocolsSpec::Given)
    };
    let item = (any::<u128>(), 0..4_u8).prop_map(guid_text);
    let text = vec((item, "[ ,\t]{1,3}"), 1..5).prop_map(|items| {
        ProtocolsSpec::Text(items.into_iter().map(|(item, gap)| item + &gap).collect())
    });
    prop_oneof![
        1 => Just(ProtocolsSpec::Given(vec![Protocol::BITS_1_5])),
        4 => given(1..4),
        1 => given(95..101),
        4 => text,
    ]
}

/// Returns small and huge ranges, and every order of their ends.
pub fn range() -> impl Strategy<Value = ContentRange> {
    let number = || prop_oneof![0..20_u64, any::<u64>()];
    (number(), number(), number()).prop_filter_map("no range", |(a, b, c)| {
        let mut ends = [a, b, c];
        ends.sort_unstable();
        ContentRange::new(ends[0], ends[1], ends[2]).ok()
    })
}

/// Returns a valid reference, absolute or relative.
pub fn reference() -> impl Strategy<Value = Vec<u8>> {
    let sendable = |bytes: &Vec<u8>| ReplyUrl::try_from(&bytes[..]).is_ok();
    prop_oneof![
        2 => "(?i:https?)://[a-z0-9.-]{1,20}(:[0-9]{1,5})?(/[!-~]{0,20})?".prop_map(String::into_bytes),
        2 => r"[a-z]{1,9}\\[{}a-z0-9\\]{1,30}".prop_map(String::into_bytes),
        2 => content(1..40),
        1 => content(2190..2210),
    ]
    .prop_filter("another scheme", sendable)
}

pub fn host() -> impl Strategy<Value = String> {
    let sendable = |text: &String| HostId::try_from(text.as_str()).is_ok();
    let port = || "(:[1-9][0-9]{0,3})?";
    prop_oneof![
        ("([A-Za-z0-9_-]{1,9}[.]){0,3}[a-z][A-Za-z0-9_-]{0,9}[.]?", port())
            .prop_map(|(name, port)| name + &port),
        (any::<std::net::Ipv4Addr>(), port())
            .prop_map(|(address, port)| format!("{address}{port}")),
        (any::<std::net::Ipv6Addr>(), port())
            .prop_map(|(address, port)| format!("[{address}]{port}")),
        any::<std::net::Ipv6Addr>().prop_map(|address| address.to_string()),
    ]
    .prop_filter("no host", sendable)
}
