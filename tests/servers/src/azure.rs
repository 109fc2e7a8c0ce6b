//! Azurite, the emulator of Azure.
//!
//! `npm install --prefix target/azurite azurite` installs it. Without it, the tests fail if `CI` is set, and do
//! nothing otherwise.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bits_proto_test_tools::interop::{self, Area};

const PROGRAM: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/azurite/node_modules/.bin/azurite-blob");

/// The account that every emulator has, and its documented key.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The name of the only container.
pub const CONTAINER: &str = "bits";

/// Creates a container: `object_store` cannot.
const CREATE_CONTAINER: &str = r"
const [endpoint, account, key, container] = process.argv.slice(1);
const headers = { 'x-ms-date': new Date().toUTCString(), 'x-ms-version': '2021-08-06' };
const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
const text = `PUT\n${'\n'.repeat(11)}${lines}/${account}/${account}/${container}\nrestype:container`;
const hmac = require('crypto').createHmac('sha256', Buffer.from(key, 'base64'));
headers.Authorization = `SharedKey ${account}:${hmac.update(text).digest('base64')}`;
fetch(`${endpoint}/${container}?restype=container`, { method: 'PUT', headers })
    .then(response => process.exit(response.status === 201 ? 0 : 1));
";

/// An emulator with an empty container. It stops when the value is dropped.
pub struct Emulator {
    process: Child,
    endpoint: String,
}

impl Emulator {
    /// Starts the emulator if it is installed.
    pub fn start() -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            assert!(std::env::var_os("CI").is_none(), "{PROGRAM} is missing; install azurite");
            println!("azurite is not installed");
            return None;
        }
        let mut process = command().stdout(Stdio::piped()).spawn().expect("azurite starts");
        let lines = BufReader::new(process.stdout.take().expect("output")).lines();
        let mut lines = lines.map_while(Result::ok);
        let url = lines.find_map(|line| {
            let (_, url) = line.split_once("successfully listens on ")?;
            Some(url.trim().to_owned())
        });
        let emulator =
            Self { process, endpoint: format!("{}/{ACCOUNT}", url.expect("an address")) };
        let created = Command::new("node")
            .args(["-e", CREATE_CONTAINER, &emulator.endpoint, ACCOUNT, KEY, CONTAINER])
            .status();
        assert!(created.is_ok_and(|status| status.success()), "the container is not created");
        Some(emulator)
    }

    /// Returns the variables with which clients of Azure find the emulator.
    pub fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT),
            ("AZURE_STORAGE_ACCOUNT_KEY", KEY),
            ("AZURE_STORAGE_ENDPOINT", &self.endpoint),
            ("AZURE_ALLOW_HTTP", "true"),
        ]
    }
}

fn command() -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]).args([
        "--skipApiVersionCheck",
        "--loose",
        "--silent",
        "--disableTelemetry",
    ]);
    command
}

/// Records what was tried with Azurite, and with these further commands.
#[track_caller]
pub fn record(area: Area, action: &str, commands: &[&str], result: &str) {
    let azurite = interop::command_line(&command());
    let commands = [&[&*azurite], commands].concat();
    interop::record(area, "Azurite", action, &commands, result);
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
