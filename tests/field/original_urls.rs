//! BITS-Original-Request-URL: what may be sent, and its composition from the parts of a request.

use crate::support::field_values;
use bits_proto::deviation::{Deviation, Deviations};
use bits_proto::error::{ErrorKind, Fault};
use bits_proto::field::{FieldName, OriginalRequestUrl};
use bits_proto::http1::{RequestLine, RequestTarget, Version};
use bits_proto::message::NotificationRequest;
use field_values::{check_refused, read};

#[test]
fn an_absolute_escaped_url_is_accepted() {
    for text in [
        "http://origin.example/dir/entity",
        "HTTPS://origin.example:8443/two%20words?q=1%2F2&x=@",
        "http://[2001:db8::1]:80/e",
        "http://o",
        "http://o?q",
        "http://o:/caf%c3%A9;v=1/~a'(b)*!$,[c]",
    ] {
        let url: OriginalRequestUrl<'_> = read(text);
        assert_eq!((url.as_bytes(), url.to_string()), (text.as_bytes(), text.to_owned()));
    }
}

#[test]
fn a_url_that_must_not_be_sent_is_refused_at_the_byte() {
    use ErrorKind::{Empty, InvalidByte, NotAbsoluteUrl, UnsupportedScheme};
    check_refused::<OriginalRequestUrl<'_>>(
        FieldName::OriginalRequestUrl,
        &[
            (&b""[..], Empty, 0),
            (b"/dir/entity", NotAbsoluteUrl, 0),
            (b"entity", NotAbsoluteUrl, 0),
            (b"//origin.example/e", NotAbsoluteUrl, 0),
            (b"http:/e", NotAbsoluteUrl, 0),
            (b"http:///e", NotAbsoluteUrl, 0),
            (b"http://o:65536/e", NotAbsoluteUrl, 0),
            (b"ftp://o/e", UnsupportedScheme, 0),
            (b"http://o/two words", InvalidByte, 12),
            (b"http://o/caf\xE9", InvalidByte, 12),
            (b"http://o/a\tb", InvalidByte, 10),
            (b"http://o/a\r\nX: y", InvalidByte, 10),
            (b"http://o/{1}", InvalidByte, 9),
            (br"http://o/a\b", InvalidByte, 10),
            (b"http://o/e#top", InvalidByte, 10),
            (b"http://o/100%", InvalidByte, 12),
            (b"http://o/100%2", InvalidByte, 12),
            (b"http://o/%2G", InvalidByte, 9),
            (b"http://o/%41%G1", InvalidByte, 12),
            (b"http://o%zz/e", InvalidByte, 8),
            (b"https://user:secret@o/e", InvalidByte, 8),
        ],
    );
}

#[test]
fn every_byte_of_a_path_is_checked() {
    for byte in 0..=u8::MAX {
        let url = [b"http://o/a".as_slice(), &[byte], b"b"].concat();
        let is_allowed = byte.is_ascii_graphic() && !br##""#%<>\^`{|}"##.contains(&byte);
        let refused = OriginalRequestUrl::try_from(&*url).map_err(|error| error.offset());
        let expected = if is_allowed { Ok(&*url) } else { Err(Some(10)) };
        assert_eq!(refused.map(|it| it.as_bytes()), expected, "{}", byte.escape_ascii());
    }
}

#[test]
fn a_notification_with_a_url_that_must_not_be_sent_is_still_parsed() {
    let line = RequestLine { method: "POST", target: "/app", version: Version::Http11 };
    let relative = Deviations::from_iter([Deviation::RelativeOriginalUrl]);
    for (url, deviations) in [
        ("/two words", relative),
        ("ftp://o/e", relative),
        ("http://o/two words", Deviations::EMPTY),
        ("http://o/100%", Deviations::EMPTY),
    ] {
        let fields = [("BITS-Original-Request-URL", url.as_bytes()), ("Content-Length", &b"0"[..])];
        let decoded = NotificationRequest::from_fields(line, fields).expect(url);
        assert_eq!(decoded.message.original_request_url.as_bytes(), url.as_bytes());
        assert_eq!(decoded.deviations, deviations, "{url}");
    }
}

/// Composes into a buffer of exactly the required size, after trying a smaller one.
fn compose(scheme: &str, host: &str, target: &str) -> Result<String, ErrorKind> {
    let target = RequestTarget::try_from(target).expect("a target");
    let compose = |out| OriginalRequestUrl::compose_into(scheme, host, target, out);
    let error = compose(&mut []).expect_err("no buffer");
    assert_eq!((error.field(), error.fault()), (Some("BITS-Original-Request-URL"), Fault::Caller));
    let ErrorKind::BufferTooSmall { needed } = error.kind() else { return Err(error.kind()) };

    let mut short = vec![0xA5; needed - 1];
    let error = OriginalRequestUrl::compose_into(scheme, host, target, &mut short);
    let error = error.expect_err("a short buffer");
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed });
    assert!(short.iter().all(|byte| *byte == 0xA5), "written to a buffer that is too small");

    let mut long = vec![0xA5; needed + 1];
    let url = OriginalRequestUrl::compose_into(scheme, host, target, &mut long);
    let text = url.expect("a large buffer").to_string();
    assert_eq!((text.len(), long[needed]), (needed, 0xA5));
    assert_eq!(read::<OriginalRequestUrl<'_>>(&text).to_string(), text);
    #[cfg(feature = "alloc")]
    assert_eq!(OriginalRequestUrl::compose(scheme, host, target), Ok(text.clone()));
    Ok(text)
}

#[test]
fn the_url_is_composed_of_scheme_host_and_target() {
    for (scheme, host, target, url) in [
        ("http", "o", "/", "http://o/"),
        ("https", "origin.example:8443", "/dir/e?q=1", "https://origin.example:8443/dir/e?q=1"),
        ("http", "[::1]:8080", "/e", "http://[::1]:8080/e"),
        ("http", "o", "//e", "http://o//e"),
        // Bytes that a URL must not contain are escaped; escapes are kept.
        ("http", "o", r#"/{1}\a"b"#, "http://o/%7B1%7D%5Ca%22b"),
        ("http", "o", "/%41/100%/%zz", "http://o/%41/100%25/%25zz"),
        ("http", "o", "/e?q#top", "http://o/e?q"),
        // An absolute request target replaces scheme and host.
        ("http", "proxy", "https://u:p@o:1/e?q#top", "https://o:1/e?q"),
        ("ftp", "", "http://o", "http://o"),
    ] {
        assert_eq!(compose(scheme, host, target), Ok(url.to_owned()), "{target}");
    }
}

#[test]
fn invalid_parts_of_a_url_are_refused() {
    for (scheme, host, target, kind) in [
        ("ftp", "o", "/e", ErrorKind::UnsupportedScheme),
        ("", "o", "/e", ErrorKind::UnsupportedScheme),
        ("http", "", "/e", ErrorKind::NotHost),
        ("http", "u@o", "/e", ErrorKind::NotHost),
        ("http", "o/path", "/e", ErrorKind::NotHost),
        ("http", "o:x", "/e", ErrorKind::NotHost),
        ("http", "two words", "/e", ErrorKind::NotHost),
        ("http", "o", "*", ErrorKind::NotAbsoluteUrl),
        ("http", "o", "o:443", ErrorKind::NotAbsoluteUrl),
        ("http", "o", "ftp://o/e", ErrorKind::NotAbsoluteUrl),
    ] {
        assert_eq!(compose(scheme, host, target), Err(kind), "{scheme} {host} {target}");
    }
}
