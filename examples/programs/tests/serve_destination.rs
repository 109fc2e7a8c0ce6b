//! `serve`: valid and invalid request targets, and the normal form of destinations.

use bits_proto_programs::serve::path::BadPath::{
    self, Encoding, Escape, Name, NotAbsolute, Reserved, TooLong,
};
use bits_proto_programs::serve::path::{RESERVED, decoded, destination};

#[track_caller]
fn rejects(target: &str, why: BadPath) {
    let rejected = destination(target).map(|accepted| accepted.as_str().to_owned());
    assert_eq!(rejected, Err(why), "{target:?}");
    assert!(!why.to_string().is_empty());
}

#[track_caller]
fn accepts(target: &str, folder: &str, name: &str) {
    let accepted = destination(target).unwrap_or_else(|why| panic!("{target:?}: {why}"));
    assert_eq!((accepted.folder(), accepted.name()), (folder, name), "{target:?}");
    let path = if folder == "." { name.to_owned() } else { format!("{folder}/{name}") };
    assert_eq!(accepted.as_str(), path);
}

#[test]
fn plain_names_are_accepted() {
    accepts("/e", ".", "e");
    accepts("/dir/e.bin", "dir", "e.bin");
    accepts("/a/b/c/d", "a/b/c", "d");
    accepts("/.hidden", ".", ".hidden");
    accepts("/...a", ".", "...a");
    accepts("/a..b", ".", "a..b");
    accepts("/CONSOLE", ".", "CONSOLE");
    accepts("/COM10", ".", "COM10");
    accepts("/dir/BITS-Sessions", "dir", "BITS-Sessions");
}

#[test]
fn escapes_are_decoded_once() {
    accepts("/%65", ".", "e");
    accepts("/a%20b", ".", "a b");
    accepts("/%C3%A4/%c3%b6", "ä", "ö");
    accepts("/%2565", ".", "%65");
    accepts("/100%25", ".", "100%");
    assert_eq!(destination("/dir/e"), destination("/%64i%72/%65"));
    for target in ["/%", "/a%2", "/%zz", "/%2g", "/a%/b", "/%%41", "/%C3%A", "/%+1"] {
        rejects(target, Escape);
    }
    for target in ["/%ff", "/%C3", "/%c0%af", "/%C0%AE%C0%AE", "/%ED%A0%80", "/a/%80/b"] {
        rejects(target, Encoding);
    }
    assert_eq!(decoded("a%2Fb").as_deref(), Ok("a/b"));
}

#[test]
fn targets_that_are_not_paths_are_rejected() {
    for target in ["", "e", "*", "http://origin.example/e", "%2Fe", "..", "\\e"] {
        rejects(target, NotAbsolute);
    }
}

#[test]
fn names_that_are_not_plain_are_rejected() {
    let targets = [
        // The root, folders, and empty names.
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
        // Control characters, and characters that Windows does not allow.
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
        // Names that Windows would shorten.
        "/e.",
        "/e..",
        "/e%20",
        "/e%2e",
        "/e .",
        "/dir./e",
        "/dir%20/e",
    ];
    for target in targets {
        rejects(target, Name);
    }
}

#[test]
fn names_and_paths_that_are_too_long_are_rejected() {
    let name = "n".repeat(255);
    accepts(&format!("/{name}"), ".", &name);
    rejects(&format!("/{name}n"), TooLong);
    // 128 characters, 256 bytes.
    rejects(&format!("/{}", "%C3%A4".repeat(128)), TooLong);
    let folder = vec!["0123456"; 255].join("/");
    accepts(&format!("/{folder}/1234567"), &folder, "1234567");
    rejects(&format!("/{folder}/123456789"), TooLong);
}

#[test]
fn the_path_of_replies_is_reserved() {
    for target in [
        "/BITS-Sessions",
        "/bits-sessions/e",
        "/%42ITS-Sessions/Replies/e",
        "/BITS%2DSESSIONS/Replies/1/response",
    ] {
        rejects(target, Reserved);
    }
    assert_eq!(RESERVED, "BITS-Sessions");
}
