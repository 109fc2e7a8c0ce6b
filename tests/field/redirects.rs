//! The URLs of redirects.

use bits_proto::error::{Error, ErrorKind, Fault};
use bits_proto::field::ResolvedUrl;
#[cfg(feature = "alloc")]
use bits_proto::field::ResolvedUrlBuf;

const URL: &str = "https://user:secret@h.example/a/b/f?old=1";

/// Resolves a redirect into a buffer of the exact size, and checks that the owned URL is equal.
fn resolve(location: &str, url: &str) -> Result<(String, bool), Error> {
    #[cfg(feature = "alloc")]
    let owned = ResolvedUrlBuf::from_redirect(location.as_bytes(), url);
    let error = ResolvedUrl::from_redirect(location.as_bytes(), url, &mut []).unwrap_err();
    let ErrorKind::BufferTooSmall { needed } = error.kind() else {
        #[cfg(feature = "alloc")]
        assert_eq!(owned.unwrap_err(), error, "{location:?}");
        return Err(error);
    };
    assert_eq!((error.fault(), error.field()), (Fault::Caller, None));
    let mut short = vec![b'x'; needed - 1];
    assert!(ResolvedUrl::from_redirect(location.as_bytes(), url, &mut short).is_err());
    assert!(short.iter().all(|byte| *byte == b'x'), "{location:?}");
    let mut exact = vec![0; needed];
    let resolved = ResolvedUrl::from_redirect(location.as_bytes(), url, &mut exact).unwrap();
    #[cfg(feature = "alloc")]
    assert_eq!(owned, Ok(resolved.into()));
    Ok((resolved.as_str().to_owned(), resolved.is_same_origin()))
}

#[test]
fn a_redirect_is_resolved_against_the_requested_url() {
    for (location, expected) in [
        ("g", "https://h.example/a/b/g"),
        ("g/h", "https://h.example/a/b/g/h"),
        ("/g", "https://h.example/g"),
        ("?new=2", "https://h.example/a/b/f?new=2"),
        ("#part", "https://h.example/a/b/f?old=1#part"),
        ("g#part", "https://h.example/a/b/g#part"),
        ("./g", "https://h.example/a/b/g"),
        ("../g", "https://h.example/a/g"),
        ("../../../g", "https://h.example/g"),
        ("/x/%2E%2e/./g", "https://h.example/g"),
        ("//h.example/g", "https://h.example/g"),
        ("//H.EXAMPLE:443/g", "https://H.EXAMPLE:443/g"),
        ("https://h.example", "https://h.example/"),
        ("HTTPS://h.example/x/../g", "HTTPS://h.example/g"),
        ("https://evil:pw@h.example/g", "https://h.example/g"),
        ("two words", "https://h.example/a/b/two%20words"),
        (r"\g", "https://h.example/g"),
    ] {
        assert_eq!(resolve(location, URL), Ok((expected.to_owned(), true)), "{location:?}");
    }
}

#[test]
fn a_redirect_to_another_origin_is_visible() {
    for (location, expected) in [
        ("https://other.example/g", "https://other.example/g"),
        ("//other.example/g", "https://other.example/g"),
        (r"\\other.example\g", "https://other.example/g"),
        ("https://h.example:8443/g", "https://h.example:8443/g"),
        ("https://h.example@other.example/", "https://other.example/"),
    ] {
        assert_eq!(resolve(location, URL), Ok((expected.to_owned(), false)), "{location:?}");
    }
    // An upgrade is another origin, too.
    let upgraded = resolve("https://h.example/g", "http://h.example/f");
    assert_eq!(upgraded, Ok(("https://h.example/g".to_owned(), false)));
}

#[test]
fn a_redirect_from_https_to_http_is_rejected() {
    for location in ["http://h.example/g", "HTTP://other.example/", "http://h.example:443/"] {
        for url in [URL, "HTTPS://h.example/f"] {
            let error = resolve(location, url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InsecureRedirect, "{location:?}");
            let text = error.to_string();
            assert!(text.contains("redirect from https to http is not allowed"), "{text}");
        }
        assert!(resolve(location, "http://h.example/f").is_ok(), "{location:?}");
    }
}

#[test]
fn an_invalid_redirect_is_rejected() {
    for (location, kind) in [
        ("", ErrorKind::Empty),
        ("ftp://h.example/g", ErrorKind::UnsupportedScheme),
        ("javascript:alert(1)", ErrorKind::UnsupportedScheme),
        ("http:g", ErrorKind::NotAbsoluteUrl),
        ("//", ErrorKind::NotAbsoluteUrl),
        ("///g", ErrorKind::NotAbsoluteUrl),
        ("//h.example:65536/", ErrorKind::NotAbsoluteUrl),
        ("g\r\nSet-Cookie: a=b", ErrorKind::InvalidByte),
    ] {
        let error = resolve(location, URL).unwrap_err();
        assert_eq!((error.kind(), error.field()), (kind, None), "{location:?}");
    }
    for url in ["", "/f", "ftp://h.example/f", "h.example"] {
        assert_eq!(resolve("g", url).unwrap_err().kind(), ErrorKind::NotDestination, "{url:?}");
    }
}
