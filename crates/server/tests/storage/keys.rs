//! Valid and invalid keys.

use bits_server::{InvalidKey, Key};

#[track_caller]
fn accepts(text: &str, folder: &str, name: &str) {
    let key: Key = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!((key.folder(), key.name()), (folder, name), "{text:?}");
    assert_eq!((key.as_str(), key.to_string().as_str()), (text, text));
    let json = serde_json::to_string(&key).expect("JSON");
    assert_eq!(serde_json::from_str::<Key>(&json).expect("a valid key"), key);
}

#[track_caller]
fn rejects(text: &str, error: InvalidKey) {
    assert_eq!(text.parse::<Key>(), Err(error), "{text:?}");
    let json = serde_json::to_string(text).expect("JSON");
    assert!(serde_json::from_str::<Key>(&json).is_err(), "{text:?}");
}

#[test]
fn names_of_files_on_windows_are_accepted() {
    accepts("e", "", "e");
    accepts("dir/e.bin", "dir", "e.bin");
    accepts("a/b/c/d", "a/b/c", "d");
    accepts(".hidden", "", ".hidden");
    accepts("...a", "", "...a");
    accepts("a..b", "", "a..b");
    accepts("CONSOLE", "", "CONSOLE");
    accepts("COM10", "", "COM10");
    accepts("Bericht (2).log", "", "Bericht (2).log");
    accepts("machine 7/Größe/日本", "machine 7/Größe", "日本");
    accepts("%2e%2e", "", "%2e%2e");
    accepts("a+b=c,d;e@f!$'()~#&", "", "a+b=c,d;e@f!$'()~#&");
}

#[test]
fn names_with_a_special_meaning_are_rejected() {
    let keys = [
        // Folders, and empty names.
        "",
        "/",
        "//",
        "dir/",
        "/e",
        "a//b",
        "//server/share",
        // Names that lead somewhere else.
        ".",
        "..",
        "../e",
        "a/../../e",
        "a/./b",
        "a/..",
        "...",
        ". ",
        ".. ",
        // Separators in a name, drives and streams.
        "a\\b",
        "..\\e",
        "C:",
        "c:/e",
        "C:\\e",
        "e:stream",
        "e::$DATA",
        // Control characters, and characters that Windows does not allow.
        "\0",
        "e\0.txt",
        "a\nb",
        "a\r\nHost:b",
        "\u{7f}",
        "a\u{1f}b",
        "\u{85}",
        "a*",
        "a?b",
        "a\"b",
        "a<b",
        "a>b",
        "a|b",
        // Devices.
        "CON",
        "con",
        "NUL.txt",
        "nul.tar.gz",
        "PRN",
        "aux",
        "COM1",
        "com9.log",
        "LPT1",
        "COM¹",
        "lpt³.txt",
        "CONIN$",
        "conout$",
        "NUL .txt",
        "dir/CON/e",
        // Names that Windows would shorten.
        "e.",
        "e..",
        "e ",
        "e .",
        "dir./e",
        "dir /e",
    ];
    for key in keys {
        rejects(key, InvalidKey::Name);
    }
}

#[test]
fn names_and_keys_that_are_too_long_are_rejected() {
    let name = "n".repeat(255);
    accepts(&name, "", &name);
    rejects(&format!("{name}n"), InvalidKey::TooLong);
    // 128 characters, 256 bytes.
    rejects(&"ä".repeat(128), InvalidKey::TooLong);
    let folder = ["n".repeat(224), "n".repeat(224), "n".repeat(224)].join("/");
    let last = "n".repeat(899 - folder.len());
    accepts(&format!("{folder}/{last}"), &folder, &last);
    rejects(&format!("{folder}/{last}n"), InvalidKey::TooLong);
}
