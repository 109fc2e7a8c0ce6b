//! Short messages, and reports of the inspector on dialogues that contain them.

use serde_json::Value;

use super::capture::{Segment, dialogue_of, plain_pcap};
use super::inspector::{inspect, json_lines, text, without_packets};
use super::vectors;

/// Initial sequence numbers of both sides, where a test does not choose its own.
pub const INITIAL: [u32; 2] = [1_000_000, 2_000_000];

pub fn explain(file: &[u8]) -> Vec<Value> {
    let output = inspect("vectors", &["--json", "-"], file);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code < 2) && errors.is_empty(), "{errors}");
    json_lines(&output)
}

/// Returns `kind verdict missing` of each message.
pub fn words(reports: &[Value]) -> Vec<String> {
    let of = |it: &Value| match &it["missing"] {
        Value::Number(zero) if zero.as_u64() == Some(0) => {
            format!("{} {}", text(it, "kind"), text(it, "verdict"))
        }
        missing => format!("{} {} -{missing}", text(it, "kind"), text(it, "verdict")),
    };
    reports.iter().map(of).collect()
}

/// Returns the names of the rules that each message violates.
pub fn rules(reports: &[Value]) -> Vec<Vec<String>> {
    let of = |report: &Value| {
        let violations = report["violations"].as_array().expect("a list");
        violations.iter().map(|violation| text(violation, "rule").to_string()).collect()
    };
    reports.iter().map(of).collect()
}

#[track_caller]
pub fn assert_says(segments: &[Segment], expected: &[&str]) {
    assert_eq!(words(&explain(&plain_pcap(segments))), expected);
}

pub const ID: &str = "{3F9C1A52-7E64-4B0D-8A2F-6D15C0E4B793}";

pub fn ping() -> Vec<u8> {
    b"BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Ping\r\nContent-Length: 0\r\n\r\n".to_vec()
}

pub fn ping_ack() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nContent-Length: 0\r\n\r\n".to_vec()
}

pub fn fragment(first: u64, length: u64, total: u64) -> Vec<u8> {
    let last = first + length - 1;
    format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Fragment\r\nBITS-Session-Id: {ID}\r\n\
         Content-Range: bytes {first}-{last}/{total}\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

pub fn fragment_ack(next: u64) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {ID}\r\n\
         BITS-Received-Content-Range: {next}\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

pub fn close() -> Vec<u8> {
    format!(
        "BITS_POST /e HTTP/1.1\r\nBITS-Packet-Type: Close-Session\r\nBITS-Session-Id: {ID}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

pub fn close_ack() -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\nBITS-Packet-Type: Ack\r\nBITS-Session-Id: {ID}\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

pub fn plain(messages: &[Vec<u8>]) -> Vec<Value> {
    let reports = json_lines(&inspect("vectors", &["--json", "-"], &messages.concat()));
    reports.iter().map(without_packets).collect()
}

/// Returns the upload of the vectors in short segments, on this port.
pub fn upload(port: u16, initial: [u32; 2]) -> Vec<Segment> {
    dialogue_of(port, initial, &vectors::conversation("upload.http"), 100)
}

#[track_caller]
pub fn assert_is_upload(segments: &[Segment]) {
    let reports = explain(&plain_pcap(segments));
    let found: Vec<_> = reports.iter().map(without_packets).collect();
    assert_eq!(found, plain(&vectors::conversation("upload.http")));
    assert!(reports.iter().all(|report| report["missing"] == 0));
}
