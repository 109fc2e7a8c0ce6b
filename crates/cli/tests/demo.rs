//! `bits demo`: an upload over loopback, with and without cut connections.

use std::process::{Command, Output};

fn bits(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bits")).args(arguments).output().expect("the program runs")
}

fn demo(arguments: &[&str]) -> String {
    let output = bits(&[&["demo"], arguments].concat());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{text}");
    assert_eq!(text.lines().last(), Some("The uploaded file is identical."), "{text}");
    text
}

#[test]
fn an_upload_is_explained() {
    let text = demo(&[]);
    assert!(text.contains("10 requests, 10 responses"), "{text}");
    assert!(text.contains("violations          none"), "{text}");
}

#[test]
fn an_upload_survives_cut_connections() {
    for seed in ["1", "7", "42"] {
        let text = demo(&["--faults", seed]);
        assert!(text.contains("incomplete"), "{text}");
        assert!(text.contains("violations          none"), "{text}");
    }
}

#[test]
fn the_capture_can_be_inspected() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, capture) = (folder.path().join("file"), folder.path().join("demo.pcap"));
    std::fs::write(&file, b"content").expect("a file");
    let path = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    demo(&[&path(&file), "--capture", &path(&capture)]);
    let inspected = bits(&["inspect", "--json", &path(&capture)]);
    assert_eq!(inspected.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&inspected.stdout).lines().count(), 6);
}

#[test]
fn a_missing_file_is_named() {
    let output = bits(&["demo", "/nonexistent/file"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nonexistent/file"));
}
