//! Suites over Azure: the emulator Azurite.
//!
//! `npm install --prefix target/azurite azurite` installs it. Without it, the tests fail if `CI` is set, and do
//! nothing otherwise.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use bits_server::sessions::ObjectSessions;
use bits_server::storage::ObjectStorage;
use bits_server::testing;
use object_store::azure::{MicrosoftAzure, MicrosoftAzureBuilder};

const PROGRAM: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/azurite/node_modules/.bin/azurite-blob");

/// The account that every emulator has, and its documented key.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const CONTAINER: &str = "bits";

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
struct Emulator {
    process: Child,
    endpoint: String,
}

impl Emulator {
    /// Starts the emulator if it is installed.
    fn start() -> Option<Self> {
        if !Path::new(PROGRAM).exists() {
            assert!(std::env::var_os("CI").is_none(), "{PROGRAM} is missing; install azurite");
            println!("azurite is not installed");
            return None;
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut process = Command::new(PROGRAM)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"])
            .args(["--skipApiVersionCheck", "--loose", "--silent", "--disableTelemetry"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("azurite starts");
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

    fn store(&self) -> MicrosoftAzure {
        let builder = MicrosoftAzureBuilder::new()
            .with_account(ACCOUNT)
            .with_access_key(KEY)
            .with_endpoint(self.endpoint.clone())
            .with_allow_http(true)
            .with_container_name(CONTAINER);
        builder.build().expect("a client")
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::session_store(move |name| {
        let sessions = ObjectSessions::new(emulator.store()).prefix(name);
        async { Ok(sessions) }
    });
    report.await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(emulator.store()).prefix(name);
        async { Ok(storage) }
    });
    report.await.assert_passed();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entities_that_are_assembled_apart_in_azure_conform() {
    let Some(emulator) = Emulator::start().map(Arc::new) else { return };
    let report = testing::storage(move |name| {
        let storage = ObjectStorage::new(emulator.store()).prefix(name).assemble_apart(true);
        async { Ok(storage) }
    });
    report.await.assert_passed();
}
