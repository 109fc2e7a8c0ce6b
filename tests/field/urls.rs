//! URLs of the server: syntax, and resolving of reply URLs.

use crate::support::field_values;
use bits_proto::error::{ErrorKind, Fault};
#[cfg(feature = "alloc")]
use bits_proto::field::ResolvedUrlBuf;
use bits_proto::field::{FieldName, ReplyUrl, StaticResponseUrl};
use field_values::{check_error, check_refused, read};

const DESTINATION: &str = "http://origin.example/dir/entity";

/// Resolves in a buffer of exactly the required size, after trying a smaller one.
fn resolve(reference: &[u8], destination: &str) -> Result<(String, bool), ErrorKind> {
    let case = format!("{} at {destination}", reference.escape_ascii());
    let url: ReplyUrl<'_> = read(reference);
    let Err(error) = url.resolve_into(destination, &mut []) else { panic!("{case}: no buffer") };
    let ErrorKind::BufferTooSmall { needed } = error.kind() else { return Err(error.kind()) };
    assert_eq!((error.field(), error.fault()), (Some("BITS-Reply-URL"), Fault::Caller), "{case}");

    // Bytes that no URL contains, to detect bytes that were not written.
    let mut short = vec![0xA5; needed - 1];
    let error = url.resolve_into(destination, &mut short).expect_err(&case);
    assert_eq!(error.kind(), ErrorKind::BufferTooSmall { needed }, "{case}");
    assert!(
        short.iter().all(|byte| *byte == 0xA5),
        "{case}: written to a buffer that is too small"
    );

    let mut long = vec![0xA5; needed + 7];
    let exact = &mut long[..needed];
    let resolved = url.resolve_into(destination, exact).unwrap_or_else(|e| panic!("{case}: {e}"));
    let (text, same_origin) = (resolved.as_str().to_owned(), resolved.is_same_origin());
    #[cfg(feature = "alloc")]
    let owned = ResolvedUrlBuf::from(resolved);
    assert_eq!(resolved.to_string(), text, "{case}");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{case}: {text:?}");
    assert!(long[needed..].iter().all(|byte| *byte == 0xA5), "{case}: written too far");

    let in_long = url.resolve_into(destination, &mut long).map(|it| it.to_string());
    assert_eq!(in_long, Ok(text.clone()), "{case}: in a larger buffer");
    #[cfg(feature = "alloc")]
    assert_eq!(url.resolve(destination), Ok(owned), "{case}: allocated");
    Ok((text, same_origin))
}

fn check_resolved(rows: &[(&str, &str)], destination: &str, same_origin: bool) {
    for (reference, url) in rows {
        let resolved = resolve(reference.as_bytes(), destination);
        let expected = Ok((url.to_string(), same_origin));
        assert_eq!(resolved, expected, "{reference:?} at {destination}");
    }
}

#[test]
fn a_relative_reply_url_is_resolved_in_the_directory_of_the_destination() {
    let rows = [
        ("reply.bin", "http://origin.example/dir/reply.bin"),
        ("a/b", "http://origin.example/dir/a/b"),
        (
            r"BITS-Sessions\Replies\{A0FF5911}\responsefile.bin",
            "http://origin.example/dir/BITS-Sessions/Replies/%7BA0FF5911%7D/responsefile.bin",
        ),
        ("a?q=1#f", "http://origin.example/dir/a?q=1#f"),
        ("a/?q", "http://origin.example/dir/a/?q"),
        ("x/http://o", "http://origin.example/dir/x/http://o"),
        ("a//b", "http://origin.example/dir/a//b"),
    ];
    check_resolved(&rows, DESTINATION, true);
    check_resolved(&[("r", "http://o/r")], "http://o", true);
    check_resolved(&[("r", "http://o/r")], "http://o/", true);
    check_resolved(&[("r", "http://o/r")], "http://o/e", true);
    check_resolved(&[("r", "http://o/r")], "http://o?q=/x/y", true);
    check_resolved(&[("r", "http://o/a/r")], "http://o/a/e?q=/x/y#/z/", true);
    check_resolved(&[("r", "http://o/a/b/r")], "http://o/a/b/", true);
    check_resolved(&[("r", "http://o/a/r")], r"http://o\a\e", true);
    check_resolved(&[("r", "https://o:8443/a/r")], "https://o:8443/a/e", true);
    check_resolved(&[("r", "http://[::1]:8080/r")], "http://[::1]:8080/e", true);
    check_resolved(&[("r", "http://o/%7Ba%7D/r")], "http://o/{a}/e", true);
}

#[test]
fn an_absolute_path_keeps_only_the_origin() {
    let rows = [
        ("/r", "http://origin.example/r"),
        (r"\r\s", "http://origin.example/r/s"),
        ("/", "http://origin.example/"),
        ("/r?q#f", "http://origin.example/r?q#f"),
        ("/a:b", "http://origin.example/a:b"),
        ("/.//evil.example", "http://origin.example//evil.example"),
    ];
    check_resolved(&rows, DESTINATION, true);
}

#[test]
fn a_query_alone_belongs_to_the_destination() {
    let destination = "http://o/dir/entity?old=1#f";
    check_resolved(&[("?r=1", "http://o/dir/entity?r=1")], destination, true);
    check_resolved(&[("?", "http://o/dir/entity?")], destination, true);
    check_resolved(&[("?a#g", "http://o/dir/entity?a#g")], destination, true);
    check_resolved(&[("?r", "http://o/?r")], "http://o", true);
}

#[test]
fn a_fragment_alone_keeps_the_query() {
    // RFC 3986 section 5.2.2: without path and query, the query of the base is kept.
    check_resolved(&[("#g", "http://o/e?old=1#g")], "http://o/e?old=1#f", true);
    check_resolved(&[("#g", "http://o/e#g")], "http://o/e#f", true);
    check_resolved(&[("#?g", "http://o/e?old=1#?g")], "http://o/e?old=1", true);
    check_resolved(&[("#{g}", "http://o/?%7Bq%7D#%7Bg%7D")], "http://o?{q}#?x", true);
    // With a path or a host, the query of the base is not kept.
    check_resolved(&[("r#g", "http://o/r#g"), ("//o#g", "http://o/#g")], "http://o/e?old=1", true);
}

#[test]
fn dot_segments_are_removed() {
    let rows = [
        (".", "http://o/a/b/"),
        ("./", "http://o/a/b/"),
        ("./r", "http://o/a/b/r"),
        ("..", "http://o/a/"),
        ("../", "http://o/a/"),
        ("../r", "http://o/a/r"),
        ("../..", "http://o/"),
        ("../../r", "http://o/r"),
        ("../../../r", "http://o/r"),
        ("../../../../../../..", "http://o/"),
        ("/..", "http://o/"),
        ("/../r", "http://o/r"),
        ("/.", "http://o/"),
        ("x/./y/../r", "http://o/a/b/x/r"),
        ("x/..", "http://o/a/b/"),
        ("x/.", "http://o/a/b/x/"),
        ("x//../r", "http://o/a/b/x/r"),
        (r"..\..\r", "http://o/r"),
        (r"..\../..\..\r", "http://o/r"),
        (r"x\..\r", "http://o/a/b/r"),
        ("%2e%2e/r", "http://o/a/r"),
        ("%2E%2e/%2e./.%2E/r", "http://o/r"),
        ("%2e/r", "http://o/a/b/r"),
        ("x/%2e%2E", "http://o/a/b/"),
        (r"%2e.\r", "http://o/a/r"),
        ("../r?../q", "http://o/a/r?../q"),
        ("r?/../../q", "http://o/a/b/r?/../../q"),
        ("r#/../f", "http://o/a/b/r#/../f"),
        // Dots in a name.
        (".../r", "http://o/a/b/.../r"),
        ("..r", "http://o/a/b/..r"),
        (".r/r..", "http://o/a/b/.r/r.."),
        ("%2e%2e%2e/r", "http://o/a/b/%2e%2e%2e/r"),
        (". ./r", "http://o/a/b/.%20./r"),
        ("%252e%252e/r", "http://o/a/b/%252e%252e/r"),
        ("..%2Fr", "http://o/a/b/..%2Fr"),
    ];
    check_resolved(&rows, "http://o/a/b/e", true);
    check_resolved(&[("r", "http://o/x/r")], "http://o/a/../x/./e", true);
    check_resolved(&[("r", "http://o/x/r")], "http://o/%2e%2e/x/e", true);
    check_resolved(&[("?q", "http://o/e?q")], "http://o/a/../e", true);
    check_resolved(&[("http://o/a/../../r", "http://o/r")], "http://o/e", true);
    check_resolved(&[("//o/a/../../r", "http://o/r")], "http://o/e", true);
}

#[test]
fn bytes_that_a_url_may_not_contain_are_encoded() {
    let rows = [
        ("a b", "http://o/a%20b"),
        ("a\tb", "http://o/a%09b"),
        ("é", "http://o/%C3%A9"),
        ("\"<>^`{|}", "http://o/%22%3C%3E%5E%60%7B%7C%7D"),
        ("-._~!$&'()*+,;=@", "http://o/-._~!$&'()*+,;=@"),
        ("100%", "http://o/100%25"),
        ("%4", "http://o/%254"),
        ("%zz%4g", "http://o/%25zz%254g"),
        ("%%41", "http://o/%25%41"),
        ("%41%7b%7B%00", "http://o/%41%7b%7B%00"),
        ("a?{b} \\é%zz%41", "http://o/a?%7Bb%7D%20%5C%C3%A9%25zz%41"),
        ("a#{b}", "http://o/a#%7Bb%7D"),
        ("%5C..%5Cr", "http://o/%5C..%5Cr"),
    ];
    check_resolved(&rows, "http://o/e", true);
    let latin_1 = resolve(b"caf\xE9?\xFF", "http://o/e");
    assert_eq!(latin_1, Ok(("http://o/caf%E9?%FF".into(), true)));
}

#[test]
fn an_absolute_url_of_the_same_origin_is_recognised() {
    let rows = [
        ("http://origin.example/r", "http://origin.example/r"),
        ("http://origin.example", "http://origin.example/"),
        ("http://origin.example?q", "http://origin.example/?q"),
        ("http://origin.example:80/r", "http://origin.example:80/r"),
        ("http://origin.example:0080/r", "http://origin.example:0080/r"),
        ("http://origin.example:/r", "http://origin.example:/r"),
        ("HTTP://ORIGIN.example/R", "HTTP://ORIGIN.example/R"),
        ("http://u:p@origin.example/r", "http://origin.example/r"),
        ("http://evil.example@origin.example/r", "http://origin.example/r"),
        (r"http://origin.example\r\s", "http://origin.example/r/s"),
        ("//origin.example/r", "http://origin.example/r"),
        ("//origin.example", "http://origin.example/"),
        (r"\\origin.example\r", "http://origin.example/r"),
        ("//u:p@ORIGIN.EXAMPLE:80/r", "http://ORIGIN.EXAMPLE:80/r"),
    ];
    check_resolved(&rows, DESTINATION, true);
    check_resolved(&rows, "http://origin.example:80/dir/entity", true);
    check_resolved(&[("https://o:443/r", "https://o:443/r")], "https://o/e", true);
    check_resolved(&[("https://o/r", "https://o/r")], "https://o:443/e", true);
    check_resolved(&[("http://o:8080/r", "http://o:8080/r")], "http://o:8080/e", true);
    check_resolved(&[("http://[::A]/r", "http://[::A]/r")], "http://[::a]/e", true);
}

#[test]
fn every_other_origin_is_flagged() {
    let rows = [
        ("https://origin.example/r", "https://origin.example/r"),
        ("https://origin.example:80/r", "https://origin.example:80/r"),
        ("http://origin.example:443/r", "http://origin.example:443/r"),
        ("http://origin.example:8080/r", "http://origin.example:8080/r"),
        ("http://origin.example:65535/r", "http://origin.example:65535/r"),
        ("http://origin.example./r", "http://origin.example./r"),
        ("http://origin.example.evil/r", "http://origin.example.evil/r"),
        ("http://xorigin.example/r", "http://xorigin.example/r"),
        ("http://evil.example/origin.example/r", "http://evil.example/origin.example/r"),
        ("http://origin.example@evil.example/r", "http://evil.example/r"),
        ("http://origin.example:80@evil.example/r", "http://evil.example/r"),
        ("http://a@origin.example@evil.example/r", "http://evil.example/r"),
        ("http://evil.example#@origin.example/", "http://evil.example/#@origin.example/"),
        ("http://evil.example?@origin.example/", "http://evil.example/?@origin.example/"),
        (r"http://evil.example\@origin.example/", "http://evil.example/@origin.example/"),
        ("//evil/x", "http://evil/x"),
        (r"\\evil\x", "http://evil/x"),
        (r"/\evil/x", "http://evil/x"),
        (r"\/evil/x", "http://evil/x"),
        ("//evil", "http://evil/"),
        ("//evil?q", "http://evil/?q"),
        ("//evil:80/x", "http://evil:80/x"),
        ("//origin.example:81/x", "http://origin.example:81/x"),
        ("//u:p@evil/x", "http://evil/x"),
        ("//[::1]/x", "http://[::1]/x"),
    ];
    check_resolved(&rows, DESTINATION, false);
    check_resolved(&[("http://o/r", "http://o/r")], "https://o/e", false);
    check_resolved(&[("http://o/r", "http://o/r")], "http://o:8080/e", false);
    check_resolved(&[("//o/r", "http://o/r")], "http://o:8080/e", false);
    check_resolved(&[("//evil/r", "https://evil/r")], "https://o/e", false);
}

#[test]
fn control_characters_do_not_make_another_origin() {
    // Browsers leave tabs out before they read a URL.
    let rows = [
        ("ht\ttp://evil/x", "http://o/d/ht%09tp://evil/x"),
        ("/\t/evil/x", "http://o/%09/evil/x"),
        ("x\t//evil", "http://o/d/x%09//evil"),
    ];
    check_resolved(&rows, "http://o/d/e", true);
}

#[test]
fn user_and_password_are_left_out() {
    check_resolved(&[("r", "http://o/r"), ("/r", "http://o/r")], "http://u:p@o/e", true);
    check_resolved(&[("?q", "http://o:81/e?q")], "http://u:p@o:81/e", true);
    check_resolved(&[("r", "http://o/r")], "http://u:p@x@o/e", true);
    check_resolved(&[("http://v:w@o/r", "http://o/r")], "http://u:p@o/e", true);
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    use ErrorKind::{NotAbsoluteUrl, NotDestination};
    for (reference, destination, kind) in [
        ("r", "", NotDestination),
        ("r", "/e", NotDestination),
        ("r", "o/e", NotDestination),
        ("r", "http:///e", NotDestination),
        ("r", "http://o:65536/e", NotDestination),
        ("r", "http://o{}/e", NotDestination),
        ("//o:65536/r", DESTINATION, NotAbsoluteUrl),
        // 2^16 + 80, which a cast would make 80.
        ("//origin.example:65616/r", DESTINATION, NotAbsoluteUrl),
        ("//a\"b/r", DESTINATION, NotAbsoluteUrl),
        ("r", "ftp://o/e", NotDestination),
        ("r", r"C:\e", NotDestination),
        ("http://o/r", "/e", NotDestination),
        ("///r", DESTINATION, NotAbsoluteUrl),
        (r"\\", DESTINATION, NotAbsoluteUrl),
        ("//evil:8x/", DESTINATION, NotAbsoluteUrl),
        ("//u@/", DESTINATION, NotAbsoluteUrl),
        ("//a b/", DESTINATION, NotAbsoluteUrl),
        ("//[::1/", DESTINATION, NotAbsoluteUrl),
    ] {
        let case = format!("{reference:?} at {destination:?}");
        assert_eq!(resolve(reference.as_bytes(), destination), Err(kind), "{case}");
        let url: ReplyUrl<'_> = read(reference);
        let error = url.resolve_into(destination, &mut []).expect_err(&case);
        // An error in the caller's URL is not in a field.
        match kind {
            NotDestination => assert_eq!((error.kind(), error.field()), (kind, None), "{case}"),
            _ => check_error(&case, error, FieldName::ReplyUrl, kind, 0),
        }
    }
    let accented: ReplyUrl<'_> = read("//h\u{F4}te/");
    let error = accented.resolve_into(DESTINATION, &mut []).expect_err("a host that is not ASCII");
    assert_eq!(error.kind(), NotAbsoluteUrl);
}

#[test]
fn a_url_with_a_scheme_is_absolute_and_http() {
    use ErrorKind::{NotAbsoluteUrl, UnsupportedScheme};
    let rows = [
        ("ftp://o/r", UnsupportedScheme, 0),
        ("file:///etc/passwd", UnsupportedScheme, 0),
        ("javascript:alert(1)", UnsupportedScheme, 0),
        ("data:,x", UnsupportedScheme, 0),
        ("a:b", UnsupportedScheme, 0),
        ("a+b-c.1:x", UnsupportedScheme, 0),
        (r"C:\replies\1", UnsupportedScheme, 0),
        ("https+x://o/r", UnsupportedScheme, 0),
        ("http:", NotAbsoluteUrl, 0),
        ("HTTPS:r", NotAbsoluteUrl, 0),
        ("http:/o/r", NotAbsoluteUrl, 0),
        ("http://", NotAbsoluteUrl, 0),
        ("http:///r", NotAbsoluteUrl, 0),
        ("https://?q", NotAbsoluteUrl, 0),
        ("https://:443/", NotAbsoluteUrl, 0),
        ("http://u@/", NotAbsoluteUrl, 0),
        ("http://@/", NotAbsoluteUrl, 0),
        ("http://:@/", NotAbsoluteUrl, 0),
        ("http://:", NotAbsoluteUrl, 0),
        ("http://o:x/", NotAbsoluteUrl, 0),
        ("http://o:65536/", NotAbsoluteUrl, 0),
        ("http://o:18446744073709551696/", NotAbsoluteUrl, 0),
        (r"http:\\o\r", NotAbsoluteUrl, 0),
        ("http://[::1/", NotAbsoluteUrl, 0),
        ("http://a b/", NotAbsoluteUrl, 0),
        ("http://h\u{F4}te/", NotAbsoluteUrl, 0),
    ];
    check_refused::<ReplyUrl<'_>>(FieldName::ReplyUrl, &rows);
    check_refused::<StaticResponseUrl<'_>>(FieldName::StaticResponseUrl, &rows);
}

#[test]
fn a_host_holds_no_bytes_that_a_url_cannot_hold() {
    let hosts = "\"<>^`{|}".chars().map(|byte| format!("http://a{byte}b/r"));
    let rows: Vec<_> = hosts.map(|url| (url, ErrorKind::NotAbsoluteUrl, 0)).collect();
    check_refused::<ReplyUrl<'_>>(FieldName::ReplyUrl, &rows);
    check_refused::<StaticResponseUrl<'_>>(FieldName::StaticResponseUrl, &rows);
}

#[test]
fn a_url_without_a_scheme_is_relative() {
    // A scheme begins with a letter, and a slash or another mark comes before no colon in it.
    for text in ["1:2", "+a:b", "./a:b", "a/b:c", "a_b:c", "{a}:b", ":", "a?b:c", "é:x", "//h/"] {
        assert_eq!(read::<ReplyUrl<'_>>(text).as_bytes(), text.as_bytes());
        assert_eq!(read::<StaticResponseUrl<'_>>(text).as_bytes(), text.as_bytes());
    }
}

#[test]
fn a_long_reply_url_is_taken_whole() {
    let reference = format!("{}/../r{{}}", "\\x".repeat(1500));
    let expected = format!("http://o{}/r%7B%7D", "/x".repeat(1499));
    assert_eq!(resolve(reference.as_bytes(), "http://o/e"), Ok((expected, true)));
}
