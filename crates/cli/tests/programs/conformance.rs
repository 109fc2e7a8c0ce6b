//! `bits conformance server` against `bits serve` on each storage, and against nginx.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::node::Node;
use crate::proxy::{NGINX, Proxy};
use crate::redis_server::RedisServer;
use crate::uploader::bits;

/// An address for the server application, which no other test uses.
const APPLICATION: &str = "127.0.0.9:9000";

/// Runs the suite.
fn examine(address: SocketAddr, options: &[&str]) -> Output {
    let mut command = bits("conformance", Path::new("/nonexistent"));
    let url = format!("http://{address}/");
    command.args(["server", &url]).args(options).output().expect("a program that starts")
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Returns the id and the reason of the cases with this verdict.
fn cases(report: &Value, verdict: &str) -> Vec<(String, String)> {
    let text = |case: &Value, name| case[name].as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().expect("cases").iter();
    let cases = cases.filter(|case| case["verdict"] == verdict);
    cases.map(|case| (text(case, "id"), text(case, "reason"))).collect()
}

/// Asserts that all cases pass, except those that need one of these.
#[track_caller]
fn assert_passes(output: &Output, missing: &[&str]) {
    let report = report(output);
    assert_eq!(cases(&report, "fail"), [], "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{output:?}");
    let mut skipped = cases(&report, "skipped");
    skipped.retain(|(_, reason)| !missing.iter().any(|it| reason.contains(it)));
    assert_eq!(skipped, []);
    assert!(cases(&report, "pass").len() > 200);
}

fn serve(storage: &Path, options: &[&str]) -> Node {
    let mut command = bits("serve", Path::new("/nonexistent"));
    command.arg("--storage").arg(storage).args(options);
    Node::start(command)
}

#[test]
fn bits_serve_in_a_folder_passes_every_case_and_keeps_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("outside/root");
    fs::create_dir_all(&root).expect("a root");
    let notify = format!("http://{APPLICATION}/");
    let server = serve(&root, &["--notify", &notify, "--read-timeout", "1s"]);
    let root_text = root.to_str().expect("text");
    let options = ["--json", "--root", root_text, "--application", APPLICATION];
    assert_passes(&examine(server.address, &options), &[]);
    assert_eq!(fs::read_dir(&root).expect("a folder").count(), 0);
}

#[test]
fn bits_serve_in_memory_passes_every_case() {
    let sessions = ["--sessions", "memory:"];
    let server = serve(Path::new("memory:"), &sessions);
    assert_passes(&examine(server.address, &["--json"]), &["--application", "--root"]);
}

#[test]
fn bits_serve_with_redis_passes_every_case() {
    let Some(redis) = RedisServer::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let server = serve(&folder.path().join("shared"), &["--sessions", &redis.url()]);
    assert_passes(&examine(server.address, &["--json"]), &["--application", "--root"]);
}

#[test]
fn a_server_without_bits_is_reported_in_one_line() {
    let settings = "server { listen @LISTEN@; root @FOLDER@; }";
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(nginx) = Proxy::start(&NGINX, nowhere, settings) else { return };
    let output = examine(nginx.address, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("is not a BITS server") && error.contains("405"), "{error}");
}

#[test]
fn failures_have_advice_evidence_and_an_exit_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("report.xml");
    // Refuses most fragments.
    let server = serve(Path::new("memory:"), &["--sessions", "memory:", "--max-fragment", "15"]);
    let junit_text = junit.to_str().expect("text");
    let options = ["--only", "upload.one_fragment", "--junit", junit_text, "--evidence"];
    let output = examine(server.address, &options);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let parts = [
        "FAIL upload.one_fragment (MUST, R2.2.6.3-1, R3.2.5.2.7-1)",
        "expected 200 with BITS-Received-Content-Range: 100; received 500",
        "Accept an entity in one fragment and publish exactly its bytes.",
        "Content-Range: bytes 0-99/100\\r\\n",
    ];
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let junit = fs::read_to_string(junit).expect("a report");
    assert!(
        junit.contains("<testcase name=\"upload.one_fragment\" classname=\"MUST\">"),
        "{junit}"
    );
    assert!(junit.contains("<failure message=\"expected 200"), "{junit}");
}

#[test]
fn cases_are_listed_selected_and_limited() {
    let list = |options: &[&str]| {
        let mut command = bits("conformance", Path::new("/nonexistent"));
        let output = command.args(["server", "--list", "--json"]).args(options).output();
        let output = output.expect("a program that starts");
        assert!(output.status.success(), "{output:?}");
        let cases = serde_json::from_slice::<Vec<Value>>(&output.stdout).expect("a list");
        cases.iter().map(|case| case["id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
    };
    assert!(list(&[]).len() > 200);
    assert_eq!(list(&["--only", "ping.body", "--only", "close.b*"]), ["ping.body", "close.body"]);

    let server = serve(Path::new("memory:"), &["--sessions", "memory:"]);
    let output = examine(server.address, &["--only", "upload", "--max-bytes", "40kB", "--json"]);
    let report = report(&output);
    assert!(output.status.success(), "{output:?}");
    let skipped = cases(&report, "skipped");
    assert!(
        skipped.iter().any(|(_, reason)| reason.contains("limit of 40000 bytes")),
        "{skipped:?}"
    );
    let bytes = report["bytes_sent"].as_u64().zip(report["bytes_received"].as_u64());
    assert!(bytes.is_some_and(|(sent, received)| sent + received <= 40_000), "{bytes:?}");

    let output = examine(server.address, &["--only", "nothing"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
