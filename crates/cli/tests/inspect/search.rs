//! The search for heads among other bytes: what is found, what is not, and that its cost is linear.

use bits_cli::inspect::conversation::{self, Context};
use bits_cli::inspect::sniff::{Found, find_head, is_head};
use bits_cli::inspect::source::Direction::{self, Request, Response};

/// Returns the position and direction of the first head in either direction.
fn found(bytes: &[u8]) -> Option<(usize, Direction)> {
    let found = find_head(bytes, None);
    for direction in [Request, Response] {
        let only = find_head(bytes, Some(direction));
        // The other direction has no earlier head, and the same one is found alone.
        assert!(only.is_none_or(|only| found.is_some_and(|found| found.at <= only.at)));
        assert!(found.is_none_or(|found| found.direction != direction || only == Some(found)));
    }
    found.map(|Found { at, direction }| {
        assert!(is_head(&bytes[at..], direction), "the listing continues there");
        (at, direction)
    })
}

#[test]
fn heads_are_found_behind_any_bytes() {
    let requests = [
        "BITS_POST /e HTTP/1.1\r\nHost: h\r\n\r\n",
        "BITS_POST /my file HTTP/1.1\r\nHost: h\r\n\r\n",
        "CCM_POST /e HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://h/ HTTP/1.0\r\n\r\n",
        "OPTIONS * HTTP/1.1\nHost: h\n\n",
        "CONNECT h:443 HTTP/1.1\r\n\r\n",
    ];
    let responses = [
        "HTTP/1.1 200 OK\r\nServer: s\r\n\r\n",
        "HTTP/1.0 404 Not Found\r\n\r\n",
        "HTTP/1.1 200\r\nServer: s\r\n\r\n",
        "HTTP/1.1 200 \r\nServer: s\r\n\r\n",
        "HTTP/1.1 500 \u{e9}t\u{e9}\r\nServer: s\r\n\r\n",
    ];
    let before =
        ["", "junk", "\r\n", "\0\u{1}\u{7f}", "GET ", "a b c ", "HTTP/1.1 ", "POST /x y\r\n"];
    for before in before {
        for (heads, direction) in [(&requests[..], Request), (&responses, Response)] {
            for head in heads {
                let bytes = [before, head].concat();
                let expected = Some((before.len(), direction));
                assert_eq!(found(bytes.as_bytes()), expected, "{bytes:?}");
            }
        }
    }
}

#[test]
fn an_unknown_method_is_found_at_the_beginning_of_a_line() {
    let head = "FROB /x HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(found(head.as_bytes()), Some((0, Request)));
    assert_eq!(found(format!("line\n{head}").as_bytes()), Some((5, Request)));
    assert_eq!(found(format!("\0\n\n{head}").as_bytes()), Some((3, Request)));
    assert_eq!(found(format!("\0{head}").as_bytes()), None);
    // The bytes end with the start line.
    for end in ["", "\r", "\r\n", "\n", "\r\nHos"] {
        let cut = format!("FROB /x HTTP/1.1{end}");
        assert_eq!(found(cut.as_bytes()), Some((0, Request)), "{cut:?}");
    }
}

#[test]
fn the_method_nearest_to_the_version_counts() {
    let line = "GET /a POST /b BITS_POST /c HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(found(line.as_bytes()), Some((15, Request)));
    // The longest known method counts.
    assert_eq!(found(b"XCCM_POST /c HTTP/1.1\r\n\r\n"), Some((1, Request)));
}

#[test]
fn text_about_http_is_no_head() {
    for text in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 200",
        "HTTP/1.1 2OO OK\r\nServer: s\r\n",
        "HTTP/1.1  200 OK\r\nServer: s\r\n",
        "HTTP/1.x 200 OK\r\nServer: s\r\n",
        "HTTP/2.0 200 OK\r\nServer: s\r\n",
        "HTTP/1.1 2000 OK\r\nServer: s\r\n",
        "HTTP/1.1 200 OK\r\nno field line\r\n",
        "HTTP/1.1 200 OK\r\n: no name\r\n",
        "HTTP/1.1 200 O\x01K\r\nServer: s\r\n",
        "GET /x HTTP/1.1 \r\nHost: h\r\n",
        "GET /x HTTP/1.1\r\nno field line\r\n",
        "GET /x HTTP/1.10\r\nHost: h\r\n",
        "\"GET /x HTTP/1.1\" 200 17\r\nHost: h\r\n",
        "GET /xHTTP/1.1\r\nHost: h\r\n",
        "get /x HTTP/1.1x\r\nHost: h\r\n",
        "OPTIONS sip:a SIP/2.0\r\nVia: b\r\n",
    ] {
        assert_eq!(found(text.as_bytes()), None, "{text:?}");
    }
    let long = format!("HTTP/1.1 200 {}\r\nServer: s\r\n", "x".repeat(200));
    assert_eq!(found(long.as_bytes()), None);
    let long = format!("HTTP/1.1 200 OK\r\n{}: s\r\n", "x".repeat(200));
    assert_eq!(found(long.as_bytes()), None);
    let long = format!("{} /x HTTP/1.1\r\nHost: h\r\n", "x".repeat(9000));
    assert_eq!(found(long.as_bytes()), None);
    let long = format!("GET /{} HTTP/1.1\r\nHost: h\r\n", "x".repeat(9000));
    assert_eq!(found(long.as_bytes()), None);
}

#[test]
fn a_start_line_suffices_where_a_head_is_expected() {
    for (line, direction) in [
        ("BITS_POST /e HTTP/1.1\r\n", Request),
        ("\r\n\r\nBITS_POST /e HTTP/1.1\r\n", Request),
        ("BITS_POST /e HTTP/3\r\n", Request),
        ("BITS_POST /e\r\n", Request),
        ("bits_post /e HTTP/1.1\r\n", Request),
        ("BITS_POST /e HT", Request),
        ("BITS_PO", Request),
        ("G", Request),
        ("HTTP/2 200\r\n", Response),
        ("HTTP/1.1 ", Response),
        ("HT", Response),
    ] {
        assert!(is_head(line.as_bytes(), direction), "{line:?}");
    }
    for (line, direction) in [
        ("", Request),
        ("\r\n", Request),
        ("500: Internal Server Error", Request),
        ("500: Internal Server Error\r\n", Request),
        ("FROB /x", Request),
        ("FROB /x\r\n", Request),
        ("zzzBITS_POST /e HTTP/1.1\r\n", Request),
        (" BITS_POST /e HTTP/1.1\r\n", Request),
        ("OPTIONS sip:a SIP/2.0\r\nVia: b\r\n", Request),
        ("OPTIONS rtsp://h RTSP/1.0\r\n", Request),
        ("HTTP/1.1 200 OK\r\n", Request),
        ("", Response),
        ("\r\n", Response),
        ("BITS_POST /e HTTP/1.1\r\n", Response),
        ("HTML", Response),
    ] {
        assert!(!is_head(line.as_bytes(), direction), "{line:?}");
    }
}

/// If the cost of a position depended on the length of the input, each case would take hours.
#[test]
fn the_cost_of_the_search_is_linear() {
    let repeated = |part: &str| part.repeat((4 << 20) / part.len());
    let coded = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for bytes in [
        repeated("HTTP/1."),
        repeated("HTTP/1.1 200 "),
        repeated("HTTP/1.1 200 OK\r\n?"),
        repeated("GET "),
        repeated("G E T "),
        repeated("GET / HTTP/1.1"),
        repeated("GET / HTTP/1.1\r\n?"),
        repeated("a: b HTTP/1.1\r\n"),
        repeated("\r\n"),
        repeated("\n\n\n ") + "x",
        // Malformed heads end at the next one, or at the maximum length of a head.
        repeated("GET / HTTP/1.1\r\nx y\r\n"),
        format!("GET / HTTP/1.1\r\n{}", repeated("x: y\r\n")),
        // Bodies without a length, and malformed ones in chunks that reach to the end.
        repeated("HTTP/1.1 200 OK\r\n\r\nx"),
        repeated(&format!("{coded}3FFFFF\r\n")),
        repeated(&format!("{coded}1\r\na\r\n")),
        format!("{}{}?", repeated(&format!("{coded}36\r\n")), repeated("1\r\na\r\n")),
    ] {
        let reports = conversation::explain("", bytes.as_bytes(), Context::default());
        let covered: u64 = reports.iter().map(|report| report.length).sum();
        let possible = bytes.trim_end().len() as u64..=bytes.len() as u64;
        assert!(possible.contains(&covered), "{covered} of {possible:?} of {:?}", &bytes[..30]);
    }
}
