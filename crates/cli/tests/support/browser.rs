//! Chromium without a window, driven by chromedriver. Each browser has an empty profile.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::installed;

const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// The key of the id of an element, according to the WebDriver specification.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Time limit of a command, which includes the start of Chromium and the loading of a page.
const TIMEOUT: Duration = Duration::from_secs(60);

/// One browser at a time: the tests share few processors.
static TURN: Mutex<()> = Mutex::new(());

/// Keys as WebDriver writes them.
#[derive(Clone, Copy)]
pub enum Key {
    Tab = 0xE004,
    Enter = 0xE007,
    Space = 0xE00D,
}

pub struct Browser {
    /// The URL of the WebDriver session.
    session: String,
    http: reqwest::Client,
    runtime: Runtime,
    driver: Child,
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Browser {
    /// Returns `None` if Chromium or chromedriver is not installed.
    pub fn start() -> Option<Self> {
        let (chromium, chromedriver) =
            (installed::find("chromium")?, installed::find("chromedriver")?);
        // The HTTP client needs a provider, although it does not use TLS. Fails if there is one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().expect("a folder");
        let mut driver = Command::new(chromedriver)
            .arg("--port=0")
            .env("HOME", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let port = port(&mut driver);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let http = reqwest::Client::builder().no_proxy().timeout(TIMEOUT).build();
        let http = http.expect("a client");
        let session = format!("http://127.0.0.1:{port}/session");
        let mut browser = Self { session, http, runtime, driver, folder, _turn: turn };
        let capabilities = capabilities(&chromium, browser.folder.path());
        let created = browser.post("", &capabilities);
        let id = created["sessionId"].as_str().expect("a session");
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    /// Sends a command to chromedriver and returns its result.
    fn command(&self, method: Method, path: &str, body: String) -> Result<Value, reqwest::Error> {
        let request = self.http.request(method, format!("{}{path}", self.session)).body(body);
        let text = self.runtime.block_on(async { request.send().await?.text().await })?;
        let mut response: Value = serde_json::from_str(&text).expect("JSON");
        Ok(response["value"].take())
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let value =
            self.command(Method::POST, path, body.to_string()).expect("chromedriver answers");
        assert!(value.get("error").is_none(), "{path} {body}: {value}");
        value
    }

    #[track_caller]
    fn get(&self, path: &str) -> String {
        let value = self.command(Method::GET, path, String::new()).expect("chromedriver answers");
        value.as_str().unwrap_or_else(|| panic!("{path}: {value}")).into()
    }

    /// Returns a file in the folder of the browser.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens a page of a file.
    pub fn open(&self, page: &Path) {
        let url = url::Url::from_file_path(page).expect("an absolute path");
        self.post("/url", &json!({ "url": url.as_str() }));
    }

    /// Runs a function body in JavaScript and returns its result.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Clicks on the middle of the first element, which must be visible.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.post(&format!("{}/click", self.element(selector)), &json!({}));
    }

    /// Presses a key in the first element.
    #[track_caller]
    pub fn press(&self, selector: &str, key: Key) {
        let text = char::from_u32(key as u32).expect("a character");
        self.post(&format!("{}/value", self.element(selector)), &json!({ "text": text }));
    }

    /// Returns the displayed text of an element.
    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.get(&format!("{}/text", self.element(selector)))
    }

    /// Returns the path of the commands for the first element.
    #[track_caller]
    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        format!("/element/{}", found[ELEMENT].as_str().expect("an id"))
    }

    /// Returns a picture of the visible part of the page, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        BASE64_STANDARD.decode(self.get("/screenshot")).expect("base64")
    }

    /// Sets the size of the page.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Chooses `light` or `dark`.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.post("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    /// Returns the messages of the console since the last call, which include violations of the policy of
    /// the page.
    pub fn console(&self) -> Vec<String> {
        self.log("browser")
    }

    /// Returns the URLs that pages of files requested since the last call. The browser opens pages of its
    /// own first.
    pub fn requests(&self) -> Vec<String> {
        let mut urls = Vec::new();
        for entry in self.log("performance") {
            let event: Value = serde_json::from_str(&entry).expect("JSON");
            let parameters = &event["message"]["params"];
            let is_of_browser =
                parameters["documentURL"].as_str().is_some_and(|url| url.starts_with("chrome"));
            if event["message"]["method"] == "Network.requestWillBeSent" && !is_of_browser {
                urls.push(parameters["request"]["url"].as_str().expect("a URL").to_owned());
            }
        }
        urls
    }

    fn log(&self, kind: &str) -> Vec<String> {
        let entries = self.post("/se/log", &json!({ "type": kind }));
        let message = |entry: &Value| entry["message"].as_str().expect("text").to_owned();
        entries.as_array().expect("a list").iter().map(message).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Closes Chromium. chromedriver closes it too, if it answers no more.
        let _ = self.command(Method::DELETE, "", String::new());
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn capabilities(chromium: &Path, folder: &Path) -> Value {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let flags: Vec<_> = FLAGS.into_iter().chain([profile.as_str()]).collect();
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": { "binary": chromium, "args": flags },
        "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
    } } })
}

/// Returns the port that chromedriver prints. Its output stays open, so that it can print more.
fn port(driver: &mut Child) -> u16 {
    let mut output = BufReader::new(driver.stdout.take().expect("a pipe"));
    let port = |line: String| {
        let (_, port) = line.split_once("started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    };
    let found = output.by_ref().lines().map_while(Result::ok).find_map(port);
    driver.stdout = Some(output.into_inner());
    found.expect("a port")
}
