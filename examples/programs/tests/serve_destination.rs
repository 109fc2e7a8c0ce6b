//! `serve`: which targets of requests are destinations, and how those are spelt.

use bits_proto_programs::serve::path::BadPath::{
    self, Encoding, Escape, Name, NotAbsolute, Reserved, TooLong,
};
use bits_proto_programs::serve::path::{RESERVED, decoded, destination};

#[track_caller]
fn is_refused(target: &str, why: BadPath) {
    let refused = destination(target).map(|taken| taken.as_str().to_owned());
    assert_eq!(refused, Err(why), "{target:?}");
    assert!(!why.to_string().is_empty());
}

#[track_caller]
fn is_taken(target: &str, folder: &str, name: &str) {
    let taken = destination(target).unwrap_or_else(|why| panic!("{target:?}: {why}"));
    assert_eq!((taken.folder(), taken.name()), (folder, name), "{target:?}");
    let path = if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
    assert_eq!(taken.as_str(), path);
}

#[test]
fn plain_names_are_taken() {
    is_taken("/e", ".", "e");
    is_taken("/dir/e.bin", "dir", "e.bin");
    is_taken("/a/b/c/d", "a/b/c", "d");
    is_taken("/.hidden", ".", ".hidden");
    is_taken("/...a", ".", "...a");
    is_taken("/a..b", ".", "a..b");
    is_taken("/CONSOLE", ".", "CONSOLE");
    is_taken("/COM10", ".", "COM10");
    is_taken("/dir/BITS-Sessions", "dir", "BITS-Sessions");
}

#[test]
fn escapes_are_read_once() {
    is_taken("/%65", ".", "e");
    is_taken("/a%20b", ".", "a b");
    is_taken("/%C3%A4/%c3%b6", "ä", "ö");
    is_taken("/%2565", ".", "%65");
    is_taken("/100%25", ".", "100%");
    assert_eq!(destination("/dir/e"), destination("/%64i%72/%65"));
    for target in ["/%", "/a%2", "/%zz", "/%2g", "/a%/b", "/%%41", "/%C3%A", "/%+1"] {
        is_refused(target, Escape);
    }
    for target in ["/%ff", "/%C3", "/%c0%af", "/%C0%AE%C0%AE", "/%ED%A0%80", "/a/%80/b"] {
        is_refused(target, Encoding);
    }
    assert_eq!(decoded("a%2Fb").as_deref(), Ok("a/b"));
}

#[test]
fn what_is_no_path_is_refused() {
    for target in ["", "e", "*", "http://origin.example/e", "%2Fe", "..", "\\e"] {
        is_refused(target, NotAbsolute);
    }
}

#[test]
fn what_is_no_plain_name_is_refused() {
    let targets = [
        // The root, folders, and names that are empty.
        "/",
        "//",
        "/dir/",
        "/a//b",
        "//etc/passwd",
        "//server/share",
        // Names that lead somewhere else.
        "/.",
        "/..",
        "/../e",
        "/a/../../e",
        "/a/./b",
        "/%2e",
        "/%2E%2e/e",
        "/.%2e/e",
        "/a/%2e%2e",
        "/...",
        "/. ",
        "/..%20",
        // Separators in a name, drives and streams.
        "/a%2fb",
        "/..%2f..%2fe",
        "/%2Fetc%2Fpasswd",
        "/a\\b",
        "/a%5cb",
        "/..%5C..%5Ce",
        "/C:",
        "/c:/e",
        "/C%3A%5Ce",
        "/e:stream",
        "/e%3A%3A$DATA",
        // Controls, and what Windows does not take.
        "/%00",
        "/e%00.txt",
        "/a%0ab",
        "/a%0D%0AHost:b",
        "/%7f",
        "/a%1Fb",
        "/%C2%85",
        "/a*",
        "/a%3fb",
        "/a%22b",
        "/a%3Cb",
        "/a%3Eb",
        "/a%7Cb",
        "/a|b",
        // Devices.
        "/CON",
        "/con",
        "/NUL.txt",
        "/nul.tar.gz",
        "/PRN",
        "/aux",
        "/COM1",
        "/com9.log",
        "/LPT1",
        "/COM%C2%B9",
        "/lpt%c2%b3.txt",
        "/CONIN$",
        "/conout$",
        "/NUL%20.txt",
        "/dir/CON/e",
        // Names that Windows would cut.
        "/e.",
        "/e..",
        "/e%20",
        "/e%2e",
        "/e .",
        "/dir./e",
        "/dir%20/e",
    ];
    for target in targets {
        is_refused(target, Name);
    }
}

#[test]
fn what_is_too_long_is_refused() {
    let name = "n".repeat(255);
    is_taken(&format!("/{name}"), ".", &name);
    is_refused(&format!("/{name}n"), TooLong);
    // 128 characters, 256 bytes.
    is_refused(&format!("/{}", "%C3%A4".repeat(128)), TooLong);
    let folder = vec!["0123456"; 255].join("/");
    is_taken(&format!("/{folder}/1234567"), &folder, "1234567");
    is_refused(&format!("/{folder}/123456789"), TooLong);
}

#[test]
fn where_replies_are_nothing_is_uploaded() {
    for target in [
        "/BITS-Sessions",
        "/bits-sessions/e",
        "/%42ITS-Sessions/Replies/e",
        "/BITS%2DSESSIONS/Replies/1/response",
    ] {
        is_refused(target, Reserved);
    }
    assert_eq!(RESERVED, "BITS-Sessions");
}
