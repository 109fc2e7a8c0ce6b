//! `serve`: folders that are missing, and sessions that cannot be stored.

use std::fs;

use crate::server::{Server, command};
use crate::text_client::{create, packet, start, talk};

/// A change that cannot be stored is not acknowledged, and the client may retry.
#[test]
fn a_folder_of_sessions_that_fails_is_503() {
    let server = start(&[]);
    let session = create(&server);
    let kept = server.session_files();
    let record = kept.iter().find(|path| path.extension().is_some_and(|it| it == "json"));
    let record = record.unwrap_or_else(|| panic!("no record: {kept:?}"));
    let in_the_way = record.with_extension("new");
    fs::create_dir(&in_the_way).expect("an obstacle");
    let fields = format!("{session}Content-Range: bytes 0-5/12\r\nConnection: close\r\n");
    let fragment = [packet("Fragment", &fields, "entity")];
    let before = fs::read(record).expect("the record");
    let answer = talk(&server, &fragment);
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("Bits-Packet-Type: Ack\r\n"), "{answer}");
    assert_eq!(fs::read(record).expect("the record"), before);
    fs::remove_dir(&in_the_way).expect("no obstacle");
    let answer = talk(&server, &fragment);
    assert!(answer.contains("Bits-Received-Content-Range: 6\r\n"), "{answer}");
}

/// The name of the folder may be a typing error.
#[test]
fn a_folder_that_is_created_is_in_the_log() {
    let mut server = Server::start_without_root();
    let line = format!("created folder {}, which did not exist", server.root().display());
    assert_eq!(server.log().matches(&line).count(), 1, "{}", server.log());
    server.restart();
    assert_eq!(server.log().matches(&line).count(), 1, "{}", server.log());
}

#[test]
fn a_folder_without_a_parent_is_not_created() {
    let folder = tempfile::tempdir().expect("a folder");
    let parent = folder.path().join("typo");
    let output = command(&parent.join("files"), None)
        .args(["--listen", "127.0.0.1:0"])
        .output()
        .expect("a program that ends");
    let text = String::from_utf8_lossy(&output.stderr);
    let reason = format!("--storage {}/files: cannot create the folder: ", parent.display());
    assert!(output.status.code() == Some(1) && text.contains(&reason), "{text}");
    assert!(!parent.exists());
}
