//! `bits conformance server` against `bits serve` on each storage, through TLS, and against nginx.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use bits_proto_test_servers::redis::RedisServer;
use bits_proto_test_servers::{azure, redis, s3};
use bits_proto_test_tools::interop::{self, Area};

use crate::conformance::{cases, examine, report};
use crate::node::Node;
use crate::proxy::{NGINX, Proxy};
use crate::upload_tls;
use crate::uploader::bits;

/// An address for the server application, which no other test uses.
const APPLICATION: &str = "127.0.0.9:9000";

/// Options without which the suite skips cases.
const OPTIONS: [&str; 2] = ["--application", "--root"];

/// The command, action and result of the trials with stores.
const COMMAND: &str = "bits conformance server http://HOST:PORT/";
const ACTION: &str = "suite for servers against bits serve";
const RESULT: &str = "every case passes, except those that need --application or --root";

fn serve(storage: &str, options: &[&str], variables: &[(&str, &str)]) -> Node {
    let mut command = bits("serve", Path::new("/nonexistent"));
    command.args(["--storage", storage]).args(options).envs(variables.iter().copied());
    Node::start(command)
}

/// Asserts that all cases pass, except those that need one of the `missing` options.
#[track_caller]
fn assert_passes(url: &str, options: &[&str], missing: &[&str]) {
    // A busy machine responds late, and most of the time of a case is spent waiting.
    let options = [&["--json", "--timeout", "60s", "--jobs", "8"], options].concat();
    let output = examine(url, &options);
    let report = report(&output);
    assert_eq!(cases(&report, "fail"), [], "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{output:?}");
    // By default, a stalled request keeps its session for longer than the case waits.
    let ids = cases(&report, "not-applicable").into_iter().map(|(id, _)| id);
    assert_eq!(ids.filter(|id| id != "body.overtaken").collect::<Vec<_>>(), [""; 0]);
    let skipped = cases(&report, "skipped");
    let needs = |option: &str| skipped.iter().filter(|(_, reason)| reason.contains(option)).count();
    let counts = missing.iter().map(|option| needs(option)).collect::<Vec<_>>();
    assert!(!counts.contains(&0), "{missing:?}: {counts:?}");
    assert_eq!(counts.iter().sum::<usize>(), skipped.len(), "{skipped:?}");
    assert!(cases(&report, "pass").len() > 200);
}

#[test]
fn bits_serve_in_a_folder_passes_every_case_and_keeps_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("outside/root");
    fs::create_dir_all(&root).expect("a root");
    let root_text = root.to_str().expect("text");
    let notify = format!("http://{APPLICATION}/");
    let server = serve(root_text, &["--notify", &notify], &[]);
    let options = ["--root", root_text, "--application", APPLICATION];
    assert_passes(&server.url(), &options, &[]);
    assert_eq!(fs::read_dir(&root).expect("a folder").count(), 0);
}

#[test]
fn bits_serve_lets_requests_overtake_a_stalled_one() {
    let server = serve("memory:", &["--sessions", "memory:", "--read-timeout", "1s"], &[]);
    let output =
        examine(&server.url(), &["--json", "--only", "body.overtaken", "--timeout", "60s"]);
    let passed = cases(&report(&output), "pass");
    assert_eq!(passed, [("body.overtaken".to_owned(), String::new())], "{output:?}");
}

#[test]
fn bits_serve_in_memory_passes_every_case() {
    let server = serve("memory:", &["--sessions", "memory:"], &[]);
    assert_passes(&server.url(), &[], &OPTIONS);
}

#[test]
fn bits_serve_with_redis_passes_every_case() {
    let Some(redis) = RedisServer::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let storage = folder.path().join("shared");
    let server = serve(storage.to_str().expect("text"), &["--sessions", &redis.url()], &[]);
    assert_passes(&server.url(), &[], &OPTIONS);
    let commands = ["bits serve --storage FOLDER --sessions redis://HOST:PORT/", COMMAND];
    redis::record(Area::Conformance, ACTION, &commands, RESULT);
}

#[test]
fn bits_serve_in_s3_passes_every_case() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let bucket = runtime.block_on(s3::Server::start());
    let storage = format!("s3://{}/conformance", s3::BUCKET);
    let server = serve(&storage, &[], &bucket.variables());
    assert_passes(&server.url(), &[], &OPTIONS);
    let commands = [&*format!("bits serve --storage {storage}"), COMMAND];
    s3::record(Area::Conformance, ACTION, &commands, RESULT);
}

#[test]
fn bits_serve_in_azure_passes_every_case() {
    let Some(emulator) = azure::Emulator::start() else { return };
    let storage = format!("az://{}/conformance", azure::CONTAINER);
    let server = serve(&storage, &[], &emulator.variables());
    assert_passes(&server.url(), &[], &OPTIONS);
    let commands = [&*format!("bits serve --storage {storage}"), COMMAND];
    azure::record(Area::Conformance, ACTION, &commands, RESULT);
}

#[test]
fn bits_serve_behind_tls_passes_every_case() {
    let server = serve("memory:", &["--sessions", "memory:"], &[]);
    let (port, certificate) = upload_tls::before(server.address);
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.pem");
    fs::write(&ca, certificate).expect("a file");
    let url = format!("https://localhost:{port}/");
    assert_passes(&url, &["--ca", ca.to_str().expect("text")], &OPTIONS);
}

#[test]
fn nginx_is_reported_as_not_a_bits_server_in_one_line() {
    let settings = "server { listen @LISTEN@; root @FOLDER@; }";
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let Some(nginx) = Proxy::start(&NGINX, nowhere, settings) else { return };
    let output = examine(&format!("http://{}/", nginx.address), &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("is not a BITS server") && error.contains("405"), "{error}");
    let commands = [&*NGINX.command_line(), COMMAND];
    let (_, result) = error.trim_end().split_once("is not").expect("checked before");
    let result = format!("one line: is not{result}");
    let action = "suite for servers against a server of files";
    interop::record(Area::Conformance, NGINX.name, action, &commands, &result);
}
