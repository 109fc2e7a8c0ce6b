//! The program `serve` with independent download clients: wget2, aria2, and REDbot, which checks how a
//! server implements HTTP.
//!
//! The tests are skipped if a client is not installed, except in CI.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use bits_proto_test_tools::interop::{self, Area};

use crate::http_client::*;
use crate::installed::find;
use crate::server::Server;
use tempfile::TempDir;

/// A server with an entity at `/e`, and a folder for the client.
struct Download {
    server: Server,
    entity: Vec<u8>,
    folder: TempDir,
}

/// A client that succeeded.
struct Ran {
    command: String,
    text: String,
}

impl Download {
    fn new(length: usize) -> Self {
        let (server, entity) = (Server::start(&[]), entity(60, length));
        upload(&server, "/e", &entity);
        Self { server, entity, folder: tempfile::tempdir().expect("a folder") }
    }

    fn url(&self) -> String {
        format!("http://{}/e", self.server.address)
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("e")
    }

    /// Runs a client in its folder and returns its output.
    #[track_caller]
    fn run(&self, client: &mut Command) -> Ran {
        let command = interop::command_line(client);
        let output = client.current_dir(self.folder.path()).output().expect("a client");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let text = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success(), "{text}");
        Ran { command, text }
    }

    /// Returns the number of responses with a status.
    fn responses(&self, status: u16) -> usize {
        self.server.log().matches(&format!("status={status}")).count()
    }

    #[track_caller]
    fn assert_complete(&self) {
        assert!(fs::read(self.path()).expect("a file") == self.entity);
        self.server.assert_clean();
    }
}

#[test]
fn wget2_fetches_over_several_connections() {
    if find("wget2").is_none() {
        return;
    }
    let download = Download::new(3_000_000);
    let arguments = ["--chunk-size=500k", "--max-threads=4", "--tries=1", "--progress=none"];
    let ran = download.run(Command::new("wget2").args(arguments).arg(download.url()));
    assert!(download.responses(206) > 3, "{}", download.server.log());
    download.assert_complete();
    let action = "download of 3,000,000 bytes over several connections";
    let result = "206 to each range; file is identical";
    interop::record(Area::Clients, "wget2", action, &[&ran.command], result);
}

#[test]
fn wget2_resumes_and_fetches_only_a_newer_entity() {
    if find("wget2").is_none() {
        return;
    }
    let download = Download::new(1_000_000);
    fs::write(download.path(), &download.entity[..400_000]).expect("a file");
    let resumed =
        download.run(Command::new("wget2").args(["--continue", "--tries=1"]).arg(download.url()));
    assert_eq!(download.responses(206), 1, "{}", download.server.log());
    let repeated = download
        .run(Command::new("wget2").args(["--timestamping", "--tries=1"]).arg(download.url()));
    assert_eq!(download.responses(304), 1, "{}", download.server.log());
    download.assert_complete();
    let action = "download that resumes, and repeats only for a newer entity";
    let commands = [&*resumed.command, &repeated.command];
    interop::record(Area::Clients, "wget2", action, &commands, "206, 304; file is identical");
}

#[test]
fn aria2_fetches_over_several_connections_and_resumes() {
    if find("aria2c").is_none() {
        return;
    }
    let download = Download::new(8_000_000);
    // Slow enough that all connections are used.
    let arguments =
        ["-x4", "-s4", "-k1M", "-c", "--no-conf", "--max-tries=1", "--max-download-limit=8M"];
    let run = || download.run(Command::new("aria2c").args(arguments).arg(download.url()));
    run();
    // The first connection requests the whole entity.
    let ranges = download.responses(206);
    assert!(ranges >= 3, "{}", download.server.log());
    download.assert_complete();
    fs::write(download.path(), &download.entity[..1_000_000]).expect("a file");
    let ran = run();
    assert!(download.responses(206) > ranges, "{}", download.server.log());
    download.assert_complete();
    let action = "download of 8,000,000 bytes over several connections, and one that resumes";
    let result = "206 to each range; file is identical";
    interop::record(Area::Clients, "aria2", action, &[&ran.command], result);
}

/// REDbot repeats a request with ranges, conditions and other methods, and compares the responses.
#[test]
fn redbot_finds_no_problem() {
    let Some(redbot) = find("redbot") else { return };
    let download = Download::new(100_000);
    let ran = download.run(Command::new(redbot).args(["-o", "har"]).arg(download.url()));
    let report: serde_json::Value = serde_json::from_str(&ran.text).expect("JSON");
    let notes = report["log"]["entries"][0]["_red_messages"].as_array().expect("notes");
    let with_level = |level: &str| {
        let notes = notes.iter().filter(|note| note["level"] == level);
        let ids = notes.map(|note| note["note_id"].as_str().expect("an id").to_owned());
        ids.collect::<Vec<_>>()
    };
    let mut good = with_level("GOOD");
    good.sort();
    assert_eq!(good, ["CL_CORRECT", "DATE_CORRECT", "IMS_304", "INM_304", "RANGE_CORRECT"]);
    assert_eq!(with_level("BAD"), [""; 0]);
    // Caching is not restricted, because conditions detect a changed entity.
    assert_eq!(with_level("WARN"), ["FRESHNESS_HEURISTIC"]);
    download.server.assert_clean();
    let action = "checks of downloads: ranges, conditions, methods";
    let result = format!("good: {}; no errors", good.join(", "));
    interop::record(Area::Clients, "REDbot", action, &[&ran.command], &result);
}
