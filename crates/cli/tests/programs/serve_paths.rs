//! Destinations of the program `serve` are below its root.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::http_client::*;
use crate::server::{Server, files};

/// Returns the contents of all files in a folder, without following links.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let content = |path: &PathBuf| {
        let is_link = path.symlink_metadata().is_ok_and(|it| it.is_symlink());
        (!is_link).then(|| fs::read(path).expect("a file"))
    };
    files(folder).into_iter().map(|path| (path.clone(), content(&path))).collect()
}

/// Sends Create-Session as bytes, since some of these targets cannot be encoded by the crate.
fn create_at(server: &Server, target: &str) -> Answer {
    let mut connection = Connection::open(server);
    connection.raw(format!(
        "BITS_POST {target} HTTP/1.1\r\nHost: origin.example\r\n\
         BITS-Packet-Type: Create-Session\r\n\
         BITS-Supported-Protocols: {{7df0354d-249b-430f-820d-3d2a9bef4931}}\r\n\
         Content-Length: 0\r\n\r\n"
    ));
    connection.answer()
}

/// Asserts that uploads to the target are refused. hyper refuses invalid targets without an Ack.
#[track_caller]
fn refuses(server: &Server, target: &str) {
    let answer = create_at(server, target);
    let is_target =
        target.starts_with('/') && target.bytes().all(|it| it.is_ascii_graphic() && it != b'\\');
    if is_target {
        assert!(
            [INVALID_NAME, ACCESS_DENIED, INVALID_ARGUMENT].contains(&answer.refused()),
            "{target:?}: {answer:?}"
        );
    } else {
        assert!([400, 403].contains(&answer.status), "{target:?}: {answer:?}");
    }
}

#[test]
fn no_target_leads_out_of_the_root() {
    let server = Server::start_in(
        |root| {
            let beside = root.parent().expect("a parent").parent().expect("another").join("beside");
            fs::create_dir(&beside).expect("a folder");
            fs::write(beside.join("secret"), "secret").expect("a file");
            fs::create_dir(root.join("folder")).expect("a folder");
            symlink(&beside, root.join("link")).expect("a link");
            symlink("../../../beside", root.join("folder/link")).expect("a link");
            symlink(beside.join("new"), root.join("dangling")).expect("a link");
            symlink("..", root.join("up")).expect("a link");
        },
        &["--allow-overwrite"],
    );
    let home = server.root().parent().and_then(Path::parent).expect("folders").to_path_buf();
    let everything = || {
        let mut found = snapshot(&home);
        found.retain(|path, _| !path.ends_with("log"));
        found
    };
    let before = everything();
    let long = format!("/{}", "n".repeat(300));
    let targets = [
        "/../x",
        "/../beside/x",
        "/folder/../../x",
        "/folder/../x",
        "/./x",
        "/folder/./x",
        "/%2e%2e/x",
        "/%2E%2E/x",
        "/.%2e/x",
        "/%2e./x",
        "/folder/%2e%2e/%2e%2e/x",
        "/%2e/x",
        "/..%2fx",
        "/..%2Fx",
        "/folder%2fx",
        "/%2fetc%2fx",
        "/%2f",
        "/..%5cx",
        "/..%5Cx",
        "/folder%5c..%5c..%5cx",
        "/..\\x",
        "/folder\\x",
        "/%5c%5chost%5cshare%5cx",
        "//x",
        "/folder//x",
        "//folder/x",
        "///x",
        "/",
        "/folder/",
        "/x/",
        "/folder",
        "/folder/.",
        "/folder/..",
        "/..",
        "/.",
        "/c:/x",
        "/c:x",
        "/C%3a%5cx",
        "/x:stream",
        "/x::$DATA",
        "/x%3astream",
        "/x%00",
        "/x%00.txt",
        "/%00",
        "/x%0a",
        "/x%0d%0ay",
        "/x%01",
        "/x%7f",
        "/x%1b",
        "/x%",
        "/x%2",
        "/x%zz",
        "/x%%41",
        "/%ff",
        "/%c0%ae%c0%ae/x",
        "/%c0%af",
        "/%ed%a0%80",
        "/%252e%252e%252fx/../y",
        "/CON",
        "/con",
        "/nul",
        "/NUL.txt",
        "/aux.tar.gz",
        "/prn",
        "/COM1",
        "/com9.log",
        "/LPT1",
        "/COM%C2%B9",
        "/lpt%c2%b3.x",
        "/folder/con",
        "/con/x",
        "/CONIN$",
        "/x.",
        "/x%20",
        "/x.%20.",
        "/folder./x",
        "/folder%20/x",
        "/con%20",
        "/x%2a",
        "/x%3f",
        "/x%22",
        "/x%3c",
        "/x%3e",
        "/x%7c",
        "/missing/x",
        "/link/x",
        "/link/secret",
        "/link/../x",
        "/folder/link/x",
        "/up/x",
        "/up/sessions/x",
        "/up/root/x",
        "/../sessions/x",
        &long,
        "*",
        "x",
        "http://",
        "/BITS-Sessions/x",
        "/BITS-Sessions/Replies/x/response",
        "/bits-sessions/replies/x",
    ];
    for target in targets {
        refuses(&server, target);
        assert_eq!(everything(), before, "{target:?}");
    }
    for target in [
        "/link/secret",
        "/folder/link/secret",
        "/up/sessions/x",
        "/..%2f..%2fbeside/secret",
        "/../../beside/secret",
        "/%2e%2e/%2e%2e/beside/secret",
        "/link",
        "/up",
        "/folder",
        "/",
        "/dangling",
    ] {
        for method in ["GET", "HEAD"] {
            let answer = Connection::open(&server).fetch(method, target, &[]);
            assert!([400, 403, 404].contains(&answer.status), "{method} {target}: {answer:?}");
            assert!(!answer.body.windows(6).any(|it| it == b"secret"), "{target}");
        }
    }
    server.assert_clean();
}

/// A link at the destination may be replaced, but its target is never modified.
#[test]
fn the_target_of_a_link_is_not_modified() {
    for name in ["file", "dangling"] {
        let server = Server::start_in(
            |root| {
                let beside = root.parent().and_then(Path::parent).expect("folders").join("beside");
                fs::write(&beside, "precious").expect("a file");
                symlink(&beside, root.join("file")).expect("a link");
                symlink(beside.with_extension("new"), root.join("dangling")).expect("a link");
            },
            &["--allow-overwrite"],
        );
        let beside = server.root().parent().and_then(Path::parent).expect("folders").join("beside");
        let target = format!("/{name}");
        let answer = create_at(&server, &target);
        if answer.status == 200 {
            let id = answer.session();
            let stored = ask(&server, &target, &fragment(id, 0..5, 5), b"bytes");
            assert_eq!(stored.received(), 5);
            let closed = ask(&server, &target, &close(id), b"");
            if closed.status == 200 {
                assert!(!server.path(name).is_symlink(), "the entity replaces the link");
                assert_eq!(server.entity(name), b"bytes");
            } else {
                ask(&server, &target, &cancel(id), b"");
            }
        }
        assert_eq!(fs::read(&beside).expect("the file"), b"precious");
        assert!(!beside.with_extension("new").exists(), "nothing is written through the link");
        server.assert_clean();
    }
}

#[test]
fn unusual_names_are_accepted() {
    let server =
        Server::start_in(|root| fs::create_dir_all(root.join("a/b c")).expect("folders"), &[]);
    let names = [
        ("/plain", "plain"),
        ("/with%20space", "with space"),
        ("/gr%C3%BC%C3%9Fe", "grüße"),
        ("/%E6%97%A5%E6%9C%AC", "日本"),
        ("/a/in-a", "a/in-a"),
        ("/a/b%20c/deep", "a/b c/deep"),
        ("/%41%42", "AB"),
        ("/100%25", "100%"),
        ("/%252e%252e", "%2e%2e"),
        ("/%252fx", "%2fx"),
        ("/two..dots", "two..dots"),
        ("/...x", "...x"),
        ("/a%23b", "a#b"),
        ("/a+b", "a+b"),
        ("/~a,b;c=d&e@f!$'()", "~a,b;c=d&e@f!$'()"),
        ("/console", "console"),
        ("/com10", "com10"),
    ];
    for (target, name) in names {
        upload(&server, target, name.as_bytes());
        assert_eq!(server.entity(name), name.as_bytes(), "{target}");
        let fetched = Connection::open(&server).fetch("GET", target, &[]);
        assert_eq!((fetched.status, fetched.body), (200, name.into()), "{target}");
    }
    assert_eq!(files(&server.root()).len(), names.len());
    server.assert_clean();
}

/// Different encodings of a name belong to the same session.
#[test]
fn encodings_of_a_destination_share_its_session() {
    let server = Server::start(&[]);
    let id = create_session(&server, "/a%20b");
    let absolute = format!("http://{}/a%20b", server.address);
    assert_eq!(ask(&server, &absolute, &fragment(id, 0..5, 10), b"01234").received(), 5);
    let rest = ask(&server, "/a%20b", &fragment(id, 5..10, 10), b"56789");
    assert_eq!(rest.received(), 10);
    ask(&server, &absolute, &close(id), b"").closed();
    assert_eq!(server.entity("a b"), b"0123456789");
    server.assert_clean();
}

#[test]
fn existing_files_are_replaced_only_if_that_is_allowed() {
    let prepare = |root: &Path| {
        fs::write(root.join("e"), "old").expect("a file");
        fs::create_dir(root.join("folder")).expect("a folder");
    };
    let server = Server::start_in(prepare, &[]);
    assert_eq!(ask(&server, "/e", &create(), b"").refused(), EXISTS);
    assert_eq!(server.entity("e"), b"old");
    // A file that is created during the upload is not replaced either.
    let id = create_session(&server, "/late");
    assert_eq!(ask(&server, "/late", &fragment(id, 0..5, 5), b"bytes").received(), 5);
    fs::write(server.path("late"), "first").expect("a file");
    assert_eq!(ask(&server, "/late", &close(id), b"").refused(), EXISTS);
    assert_eq!(server.entity("late"), b"first");
    // After its removal, the entity can be published.
    fs::remove_file(server.path("late")).expect("a file");
    ask(&server, "/late", &close(id), b"").closed();
    assert_eq!(server.entity("late"), b"bytes");
    server.assert_clean();

    let server = Server::start_in(prepare, &["--allow-overwrite"]);
    upload(&server, "/e", b"new");
    assert_eq!(server.entity("e"), b"new");
    upload(&server, "/e", b"");
    assert_eq!(server.entity("e"), b"");
    refuses(&server, "/folder");
    assert!(server.path("folder").is_dir());
    server.assert_clean();
}
