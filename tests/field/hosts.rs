//! BITS-Host-Id: syntax, and rewriting of URLs.

use crate::support::field_values;
use std::net::{Ipv4Addr, Ipv6Addr};

use bits_proto::error::ErrorKind;
use bits_proto::field::{FieldName, Host, HostId};
use field_values::{check_refused, read};

fn v6(text: &str) -> Host<'static> {
    Host::V6(text.parse::<Ipv6Addr>().unwrap_or_else(|error| panic!("{text}: {error}")))
}

#[test]
fn a_host_is_a_name_or_an_address() {
    let v4 = Host::V4(Ipv4Addr::new(192, 0, 2, 1));
    for (text, host, port) in [
        ("host", Host::Name("host"), None),
        ("h", Host::Name("h"), None),
        ("Origin.Example", Host::Name("Origin.Example"), None),
        ("srv_1.xn--nave-6pa.example", Host::Name("srv_1.xn--nave-6pa.example"), None),
        ("3com.example", Host::Name("3com.example"), None),
        ("192.0.2.1", v4, None),
        ("::1", v6("::1"), None),
        ("2001:db8::1", v6("2001:db8::1"), None),
        ("2001:DB8:0:0:0:0:0:1", v6("2001:db8::1"), None),
        ("::ffff:192.0.2.1", v6("::ffff:192.0.2.1"), None),
        ("[2001:db8::1]", v6("2001:db8::1"), None),
        ("[::]", v6("::"), None),
        // Without brackets, all of it is the address.
        ("2001:db8::1:8080", v6("2001:db8::1:8080"), None),
        ("host:8080", Host::Name("host"), Some(8080)),
        ("192.0.2.1:80", v4, Some(80)),
        ("[2001:db8::1]:8080", v6("2001:db8::1"), Some(8080)),
        ("host:65535", Host::Name("host"), Some(65535)),
        ("host:00080", Host::Name("host"), Some(80)),
    ] {
        let id: HostId<'_> = read(text);
        assert_eq!((id.host(), id.port()), (host, port), "{text}");
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
    }
}

#[test]
fn a_value_that_is_not_only_a_host_is_rejected() {
    check_refused::<HostId<'_>>(FieldName::HostId, &[("", ErrorKind::Empty, 0)]);
    let rows = [
        // Some resolvers interpret these as addresses.
        "1",
        "127.1",
        "256.1.1.1",
        "01.2.3.4",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "0X7F000001",
        "127.0.0.0x1",
        "127.0.0.0x1.",
        "host.0x",
        "..",
        "a..b",
        ".a",
        "a..",
        "host/",
        "host/path",
        r"host\path",
        "/host",
        "//host",
        r"\\host",
        "user@host",
        "user:secret@host",
        "@host",
        "host?query",
        "host?",
        "host#fragment",
        "http://host",
        "http:host",
        "host name",
        " host",
        "host ",
        "host\t",
        "host\0",
        "host\r\nX: y",
        "hôte.example",
        "host%2Fpath",
        "a,b",
        "host;x",
        "*",
        "\"host\"",
        "host:",
        ":",
        ":80",
        "host:port",
        "host:+80",
        "host:-1",
        "host: 80",
        "host:80 ",
        "host:0x50",
        "host:65536",
        // 2^32 + 80 and 2^64 + 80, which a cast would truncate to 80.
        "host:4294967376",
        "host:18446744073709551696",
        "host:80:80",
        "192.0.2.1:",
        "[::1",
        "::1]",
        "[::1]x",
        "[::1]:",
        "[::1]:65536",
        "[::1]:80:80",
        "[::1]80",
        "[[::1]]",
        "[]",
        "[]:80",
        "[host]",
        "[192.0.2.1]",
        "[fe80::1%25eth0]",
        "fe80::1%eth0",
        "2001:db8:::1",
        "1:2:3:4:5:6:7:8:9",
        "::g",
    ]
    .map(|text| (text, ErrorKind::NotHost, 0));
    check_refused::<HostId<'_>>(FieldName::HostId, &rows);
    let latin_1 = [(b"h\xF4te", ErrorKind::NotHost, 0)];
    check_refused::<HostId<'_>>(FieldName::HostId, &latin_1);
}

#[test]
fn names_have_letters_digits_and_three_marks() {
    for byte in 0..=0xFF_u8 {
        let name = [b'a', byte, b'b'];
        let fine = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if fine {
            let id: HostId<'_> = read(&name);
            assert_eq!(id.as_str().as_bytes(), name);
        } else {
            check_refused::<HostId<'_>>(FieldName::HostId, &[(name, ErrorKind::NotHost, 0)]);
        }
    }
}

#[test]
fn the_host_of_a_url_is_replaced_and_nothing_else() {
    for (host, url, rewritten) in [
        ("h2", "http://o/e", "http://h2/e"),
        ("h2", "https://o/e", "https://h2/e"),
        ("h2", "HTTP://O/E", "HTTP://h2/E"),
        ("h2", "http://o", "http://h2"),
        ("h2", "http://o/", "http://h2/"),
        ("h2", "http://o?q=o", "http://h2?q=o"),
        ("h2", "http://o#f", "http://h2#f"),
        ("h2", "http://o:8080/e", "http://h2:8080/e"),
        ("h2", "http://o:/e", "http://h2:/e"),
        ("h2", "http://u:p@o:8080/e?q=1#f", "http://u:p@h2:8080/e?q=1#f"),
        ("h2", "http://u@o/e", "http://u@h2/e"),
        ("h2", "http://o/o/u@o:1/o?o@o", "http://h2/o/u@o:1/o?o@o"),
        ("h2", "http://[2001:db8::2]/e", "http://h2/e"),
        ("h2", "http://u@[2001:db8::2]:8080/e", "http://u@h2:8080/e"),
        ("h2:81", "http://o/e", "http://h2:81/e"),
        ("h2:81", "http://o:8080/e", "http://h2:81/e"),
        ("h2:81", "http://u@[::2]:8080?q", "http://u@h2:81?q"),
        ("192.0.2.1", "http://o:8080/e", "http://192.0.2.1:8080/e"),
        ("2001:db8::1", "http://o:8080/e", "http://[2001:db8::1]:8080/e"),
        ("[2001:db8::1]", "http://o/e", "http://[2001:db8::1]/e"),
        ("[2001:db8::1]:81", "http://o:8080/e", "http://[2001:db8::1]:81/e"),
        ("[2001:db8::1]:81", "http://[::2]/e", "http://[2001:db8::1]:81/e"),
    ] {
        let id: HostId<'_> = read(host);
        let rewritten_url =
            id.rewrite(url).unwrap_or_else(|error| panic!("{host}, {url}: {error}"));
        assert_eq!(rewritten_url.to_string(), rewritten, "{host} in {url}");
        assert_eq!(rewritten_url.host_id(), id, "{host} in {url}");
    }
}

#[test]
fn only_absolute_http_urls_are_rewritten() {
    let id: HostId<'_> = read("h2");
    for url in [
        "",
        "/e",
        "//o/e",
        "o/e",
        "http",
        "http:",
        "http:/o/e",
        "http://",
        "http:///e",
        "http://:80/e",
        "http://u@/e",
        "http://o:8x/e",
        "http://o:-1/e",
        "http://o:65536/e",
        "http://o{}/e",
        "http://a b/e",
        "http://[::1/e",
        "http://[::1]x/e",
        " http://o/e",
        "://o/e",
        "ftp://o/e",
        "httpx://o/e",
        "file:///e",
        "javascript:alert(1)",
    ] {
        let error = id.rewrite(url).expect_err(url);
        assert_eq!((error.kind(), error.field()), (ErrorKind::NotDestination, None), "{url}");
    }
}
