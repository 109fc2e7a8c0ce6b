//! Reports and options of `bits conformance server`; `bits conformance client` against `bits upload`, `bits download`
//! and curl.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;

use quick_xml::XmlVersion;
use quick_xml::events::Event;
use serde_json::Value;

use crate::installed;
use crate::node::Node;
use crate::uploader::bits;

/// Runs the suite.
pub fn examine(url: &str, options: &[&str]) -> Output {
    let mut command = bits("conformance", Path::new("/nonexistent"));
    command.args(["server", url]).args(options).output().expect("a program that starts")
}

pub fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Returns the id and the reason of the cases with this verdict.
pub fn cases(report: &Value, verdict: &str) -> Vec<(String, String)> {
    let text = |case: &Value, name| case[name].as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().expect("cases").iter();
    let cases = cases.filter(|case| case["verdict"] == verdict);
    cases.map(|case| (text(case, "id"), text(case, "reason"))).collect()
}

fn serve(options: &[&str]) -> Node {
    let mut command = bits("serve", Path::new("/nonexistent"));
    command.args(["--storage", "memory:", "--sessions", "memory:"]).args(options);
    Node::start(command)
}

#[test]
fn failures_have_advice_evidence_and_an_exit_status() {
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("report.xml");
    // Refuses most fragments.
    let server = serve(&["--max-fragment", "15"]);
    let junit_text = junit.to_str().expect("text");
    let options = ["--only", "upload.one_fragment", "--junit", junit_text, "--evidence"];
    let output = examine(&server.url(), &options);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    let parts = [
        "FAIL upload.one_fragment (MUST, [MC-BUP] 2.2.6.3, [MC-BUP] 3.2.5.2.7)",
        "expected 200 with BITS-Received-Content-Range: 100; received 500",
        "Accept an entity in one fragment and publish exactly its bytes.",
        "Content-Range: bytes 0-99/100\\r\\n",
    ];
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let junit = fs::read_to_string(junit).expect("a report");
    assert!(junit.contains("Content-Range: bytes 0-99/100\\r\\n"), "the evidence: {junit}");
}

/// An element of XML: its name and its attributes.
type Element = (String, BTreeMap<String, String>);

fn elements(xml: &str) -> Vec<Element> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let mut reader = quick_xml::Reader::from_str(xml);
    let mut elements = Vec::new();
    loop {
        match reader.read_event().expect("XML") {
            Event::Start(element) | Event::Empty(element) => {
                let attributes = element.attributes().map(|it| {
                    let it = it.expect("an attribute");
                    let value = it.normalized_value(XmlVersion::Implicit1_0).expect("a value");
                    (text(it.key.as_ref()), value.into_owned())
                });
                elements.push((text(element.name().as_ref()), attributes.collect()));
            }
            Event::Eof => return elements,
            _ => {}
        }
    }
}

/// Returns the elements of the report that JUnit has for cases in JSON.
fn expected_elements(url: &str, cases: &[Value]) -> Vec<Element> {
    let text = |case: &Value, name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let area = |case: &Value| text(case, "id").split('.').next().map(str::to_owned);
    let count = |cases: &[Value], verdicts: &[&str]| {
        let is_counted = |case: &&Value| verdicts.contains(&&*text(case, "verdict"));
        cases.iter().filter(is_counted).count().to_string()
    };
    let element = |name: &str, attributes: &[(&str, String)]| -> Element {
        let attributes = attributes.iter().map(|(name, value)| (name.to_string(), value.clone()));
        (name.to_owned(), attributes.collect())
    };
    let of_all = [
        ("name", url.to_owned()),
        ("tests", cases.len().to_string()),
        ("failures", count(cases, &["fail"])),
    ];
    let mut elements = vec![element("testsuites", &of_all)];
    for cases in cases.chunk_by(|a, b| area(a) == area(b)) {
        let of_suite = [
            ("name", area(&cases[0]).expect("an area")),
            ("tests", cases.len().to_string()),
            ("failures", count(cases, &["fail"])),
            ("skipped", count(cases, &["skipped", "not-applicable"])),
        ];
        elements.push(element("testsuite", &of_suite));
        for case in cases {
            let of_case = [("name", text(case, "id")), ("classname", text(case, "level"))];
            elements.push(element("testcase", &of_case));
            let message = [("message", text(case, "reason"))];
            match &*text(case, "verdict") {
                "pass" => {}
                "fail" => elements.push(element("failure", &message)),
                _ => elements.push(element("skipped", &message)),
            }
        }
    }
    elements
}

#[test]
fn the_reports_as_json_and_junit_agree() {
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("report.xml");
    let server = serve(&["--max-fragment", "15"]);
    let selection = ["--only", "upload", "--only", "path", "--only", "close"];
    let options = ["--json", "--junit", junit.to_str().expect("text")];
    let report = report(&examine(&server.url(), &[&options[..], &selection].concat()));
    let all = report["cases"].as_array().expect("cases");
    for verdict in ["pass", "fail", "skipped"] {
        assert!(!cases(&report, verdict).is_empty(), "no {verdict} in {report}");
    }
    let found = elements(&fs::read_to_string(junit).expect("a report"));
    assert_eq!(found, expected_elements(&server.url(), all));
    for case in all {
        let keys = case.as_object().expect("an object").keys().map(String::as_str);
        let keys = keys.filter(|key| *key != "reason").collect::<Vec<_>>();
        let expected = [
            "id",
            "level",
            "requirements",
            "advice",
            "verdict",
            "loses_data",
            "findings",
            "evidence",
        ];
        assert_eq!(keys, expected);
        assert_eq!(case["verdict"] == "pass", case.get("reason").is_none(), "{case}");
    }
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

    let server = serve(&[]);
    let output = examine(&server.url(), &["--only", "upload", "--max-bytes", "40kB", "--json"]);
    let report = report(&output);
    assert!(output.status.success(), "{output:?}");
    let skipped = cases(&report, "skipped");
    assert!(
        skipped.iter().any(|(_, reason)| reason.contains("limit of 40000 bytes")),
        "{skipped:?}"
    );
    let bytes = report["bytes_sent"].as_u64().zip(report["bytes_received"].as_u64());
    assert!(bytes.is_some_and(|(sent, received)| sent + received <= 40_000), "{bytes:?}");

    let output = examine(&server.url(), &["--only", "nothing"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

/// Examines a command.
fn examine_client(options: &[&str], client: &[&str]) -> Output {
    let mut command = bits("conformance", Path::new("/nonexistent"));
    command.arg("client").args(options).arg("--").args(client);
    command.output().expect("a program that starts")
}

const BITS: &str = env!("CARGO_BIN_EXE_bits");
/// Options of a client that retries soon.
const QUICK: [&str; 8] =
    ["--quiet", "--no-proxy", "--retry-delay", "20ms", "--retries", "4", "--timeout", "10s"];

/// Asserts that all cases pass, except those that need a part of the command.
#[track_caller]
fn assert_client_passes(output: &Output, missing: &[&str], least: usize) {
    let report = report(output);
    assert_eq!(cases(&report, "fail"), [], "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{output:?}");
    let mut skipped = cases(&report, "skipped");
    skipped.retain(|(_, reason)| !missing.iter().any(|it| reason.starts_with(it)));
    assert_eq!(skipped, []);
    assert!(cases(&report, "pass").len() >= least, "{} cases pass", cases(&report, "pass").len());
}

// 15 s alone: each case runs the program once.
#[test]
fn bits_upload_passes_every_case() {
    let client = [
        &[BITS, "upload", "--resume", "{dir}", "--fragment-size", "16KiB"][..],
        &["--reply", "{reply}", "--basic", "{user}:{password}"],
        &QUICK,
        &["{file}", "{url}"],
    ];
    let output = examine_client(&["--json", "--timeout", "90s"], &client.concat());
    assert_client_passes(&output, &["needs a command without {"], 150);
}

#[test]
fn bits_download_passes_every_case() {
    let client = [
        &[BITS, "download", "--resume", "{dir}", "--basic", "{user}:{password}"][..],
        &QUICK,
        &["{url}", "{file}"],
    ];
    let options = ["--json", "--timeout", "90s", "--direction", "download"];
    let output = examine_client(&options, &client.concat());
    assert_client_passes(&output, &["needs a command without {user}"], 80);
}

#[test]
fn a_client_without_bits_is_reported_in_one_line() {
    let client = ["curl", "--silent", "--noproxy", "*", "--upload-file", "{file}", "{url}"];
    if installed::find("curl").is_none() {
        return;
    }
    let output = examine_client(&[], &client);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("is not a client") && error.contains("PUT /"), "{error}");
}

#[test]
fn curl_mixes_versions_of_a_file_that_changes() {
    if installed::find("curl").is_none() {
        return;
    }
    // The second transfer continues the first one.
    let script = "curl -sf -o \"$0\" \"$1\" || exec curl -sf -C - -o \"$0\" \"$1\"";
    let client = ["sh", "-c", script, "{file}", "{url}"];
    let folder = tempfile::tempdir().expect("a folder");
    let junit = folder.path().join("report.xml");
    let junit = junit.to_str().expect("a path in UTF-8");
    let options = ["--direction", "download", "--json", "--junit", junit];
    let only = ["--only", "download", "--only", "change.cached"];
    let output = examine_client(&[&options[..], &only].concat(), &client);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&output);
    let failed = cases(&report, "fail");
    let names = failed.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["change.cached", "change.cached.etag"]);
    let reason = &failed[0].1;
    assert!(reason.contains("wrong file: it has 20000 of 20000 bytes"), "{reason}");
    assert_eq!(cases(&report, "pass").len(), 4);
    let xml = fs::read_to_string(junit).expect("a report");
    assert!(xml.contains("tests=\"6\" failures=\"2\""), "{xml}");
}

#[test]
fn faults_of_a_client_have_advice_evidence_and_an_exit_status() {
    // The command of a client that ends before the upload.
    let script = "exec \"$0\" upload --quiet --no-proxy --no-resume --retries 0 \"$1\" \"$2\"";
    let client = ["sh", "-c", script, BITS, "{file}", "{url}"];
    let output = examine_client(&["--only", "retry.status_503", "--evidence"], &client);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "FAIL retry.status_503 (robustness, [MC-BUP] 3.1.5.2.1, RFC 9110 15.6)",
        "expected the client to finish; it reports: exit status: 1: ",
        "Retry after the page of a proxy with status 503, in the same session.",
        "Bits-Packet-Type: Fragment",
        "HTTP/1.1 503 Status",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn a_client_needs_a_command_with_its_placeholders() {
    for (client, reason) in [
        (&["true", "{file}"][..], "command without {url}"),
        (&["true", "{url}"], "command without {file}"),
        (&["/nonexistent/client", "{file}", "{url}"], "cannot be started"),
    ] {
        let output = examine_client(&[], client);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(reason), "{error}");
    }
    let output = examine_client(&["--list"], &[]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("upload.one_byte"));
}

/// Returns a free port after which another one is free.
fn two_ports() -> u16 {
    loop {
        let first = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = first.local_addr().expect("an address").port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

#[test]
fn all_cases_can_share_a_port() {
    let port = two_ports();
    let listen = format!("127.0.0.1:{port}");
    let options = ["--listen", &listen, "--host", "localhost", "--only", "upload", "--json"];
    let client = [&[BITS, "upload", "--no-resume"][..], &QUICK, &["{file}", "{url}"]].concat();
    let output = examine_client(&options, &client);
    let report = report(&output);
    assert!(output.status.success(), "{output:?}");
    let host = format!("Host: localhost:{port}");
    let evidence = report["cases"][0]["evidence"].to_string();
    assert!(evidence.contains(&host), "{evidence}");
}
