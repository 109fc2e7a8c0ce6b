//! The table of proxies in the guide `stacks`, compared with real proxies: changes that they make to
//! requests and responses. A test is skipped if its proxy is not installed, except in CI.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use bits_proto_test_tools::interop::{self, Area};

use crate::bits_server::{Reaction, Server, status};
use crate::proxy::*;
use crate::proxy_client::*;
use crate::wait::poll;

/// Columns of the table in the guide, after the name and the version.
const COLUMNS: [&str; 8] = [
    "BITS_POST",
    "Content-Length: 0",
    "field names",
    "Host",
    "to the server",
    "2 MiB of body",
    "body is sent on",
    "response without length",
];
const TARGET: &str = "/dir/entity";
const SESSION: &str = "BITS-Session-Id: {11111111-2222-3333-4444-555555555555}\r\n";
const ACK: &str = "BITS-Packet-Type: Ack";
/// A packet type for which the server sends no length in its response.
const NO_LENGTH: &str = "No-Length";
/// Rows of this name are measured without the settings of the guide.
const WITHOUT_SETTINGS: &str = " without settings";
/// Time to wait for a request that a proxy may hold back until its body is complete.
const BUFFERED: Duration = Duration::from_secs(2);

/// A proxy before a server that records what arrives.
struct Measurement {
    proxy: Proxy,
    server: Server,
}

impl Measurement {
    /// Starts a proxy with the settings of the guide and these changes.
    fn start(software: &Software, changes: &[(&str, &str)]) -> Option<Self> {
        let server = Server::start(|seen| {
            let ack = status(200, &[ACK, "BITS-Received-Content-Range: 7"]);
            match (seen.kind.as_str(), seen.field("Connection")) {
                (NO_LENGTH, _) => {
                    Reaction::RespondAndClose(ack.replace("Content-Length: 0\r\n", ""))
                }
                (_, Some("close")) => Reaction::RespondAndClose(ack),
                _ => Reaction::Respond(ack),
            }
        });
        let proxy = Proxy::start(software, server.address, &software.settings(changes))?;
        Some(Self { proxy, server })
    }

    /// Sends a request. Returns the head that arrives at the server, if one does, and the response.
    fn ask(&self, fields: &str, body: &[u8]) -> (Option<String>, Response) {
        let before = self.server.seen().len();
        let response = talk(self.proxy.address, &head(TARGET, fields), body);
        let seen = self.server.seen().split_off(before);
        assert!(seen.len() < 2, "{fields} arrives more than once: {seen:?}");
        (seen.into_iter().next().map(|seen| seen.head), response)
    }

    /// Returns the cells of the guide's table.
    fn row(&self) -> Vec<String> {
        let (ping, response) = self.ask("BITS-Packet-Type: Ping\r\nContent-Length: 0\r\n", b"");
        let Some(ping) = ping else {
            let rest = ["–"; 7].map(str::to_owned);
            return [response.status().to_owned()].into_iter().chain(rest).collect();
        };
        let names = ["BITS-Packet-Type", "bits-packet-type", "Bits-Packet-Type"];
        let name = names.into_iter().find(|name| exact_field(&ping, name) == Some("Ping"));
        let name = name.unwrap_or_else(|| panic!("{ping}"));
        // The names in responses are changed in the same way.
        assert_eq!(response.exact_field(name), Some("Ack"), "{response:?}");
        let either =
            |[one, other]: [&str; 2]| exact_field(&ping, one).or(exact_field(&ping, other));
        let length = either(["Content-Length", "content-length"]);
        let length = length.map_or("removed", |length| if length == "0" { "kept" } else { length });
        let is_public = either(["Host", "host"]) == Some("uploads.example");
        let version = ping.lines().next().and_then(|line| line.rsplit(' ').next());
        let no_length = format!("BITS-Packet-Type: {NO_LENGTH}\r\nContent-Length: 0\r\n");
        let no_length = self.ask(&no_length, b"").1;
        let row = [
            "forwarded",
            length,
            match name {
                "BITS-Packet-Type" => "kept",
                "bits-packet-type" => "lower case",
                _ => "`Bits-Packet-Type`",
            },
            if is_public { "kept" } else { "replaced" },
            version.expect("a version"),
            self.large_body(),
            self.body_in_two_parts(),
            match (no_length.field("Transfer-Encoding"), no_length.field("Content-Length")) {
                (None, None) => "until close",
                (None, Some(_)) => "with a length",
                (Some(coding), _) => coding,
            },
        ];
        row.map(str::to_owned).into()
    }

    /// Sends a body of 2 MiB.
    fn large_body(&self) -> &'static str {
        let fields = format!("BITS-Packet-Type: Fragment\r\nContent-Length: {}\r\n", 2 << 20);
        let (arrived, response) = self.ask(&fields, &vec![7; 2 << 20]);
        if arrived.is_some() {
            return "forwarded";
        }
        assert_eq!(response.status(), "413", "{response:?}");
        "413"
    }

    /// Sends the second part of a body after the head has arrived at the server, if it does.
    fn body_in_two_parts(&self) -> &'static str {
        let before = self.server.seen().len();
        let has_arrived = || self.server.seen().len() > before;
        let head = head(TARGET, "BITS-Packet-Type: Fragment\r\nContent-Length: 400000\r\n");
        let mut stream = connect(self.proxy.address);
        stream.write_all(head.as_bytes()).expect("a proxy that reads");
        stream.write_all(&[7; 200_000]).expect("a proxy that reads");
        let start = Instant::now();
        while !has_arrived() && start.elapsed() < BUFFERED {
            thread::sleep(Duration::from_millis(5));
        }
        let is_streamed = has_arrived();
        stream.write_all(&[7; 200_000]).expect("a proxy that reads");
        poll("the request", || has_arrived().then_some(()));
        if is_streamed { "while it arrives" } else { "when complete" }
    }
}

/// Compares the guide's row of this name with a proxy with these changes of the settings. A cell may
/// name two results, of which the timing decides.
#[track_caller]
fn assert_row(software: &Software, variant: &str, changes: &[(&str, &str)]) {
    let Some(measurement) = Measurement::start(software, changes) else { return };
    let (measured, row) = (measurement.row(), software.row(variant));
    let name = format!("{}{variant}", software.name);
    assert_eq!(measured.len(), row.len(), "{name}: {measured:?}");
    for (result, cell) in measured.iter().zip(&row) {
        let is_named = cell.split(" or ").any(|it| it == result);
        assert!(is_named, "{name}: {result:?} is not {cell:?} in | {} |", measured.join(" | "));
    }
    let results = COLUMNS.iter().zip(&row).map(|(column, cell)| format!("{column}: {cell}"));
    let action = format!("requests and responses as they arrive{variant}");
    let command = software.command_line();
    let result = results.collect::<Vec<_>>().join(", ").replace('`', "");
    interop::record(Area::Proxies, software.name, &action, &[&command], &result);
}

#[test]
fn the_guide_describes_each_proxy() {
    for software in [&NGINX, &HAPROXY, &APACHE, &CADDY, &SQUID, &VARNISH, &LIGHTTPD] {
        assert_row(software, "", &[]);
    }
}

#[test]
fn the_guide_describes_proxies_without_settings() {
    let settings = [
        "client_max_body_size 0;",
        "proxy_http_version 1.1;",
        "proxy_set_header Host $http_host;",
        "proxy_request_buffering off;",
    ];
    assert_row(&NGINX, WITHOUT_SETTINGS, &settings.map(|setting| (setting, "")));
    assert_row(&APACHE, WITHOUT_SETTINGS, &[("ProxyPreserveHost On", "")]);
    assert_row(&VARNISH, WITHOUT_SETTINGS, &[("return (pass);", "")]);
}

/// Sends every packet through a proxy, with and without a length.
#[track_caller]
fn assert_forwards_every_packet(software: &Software) {
    let Some(measurement) = Measurement::start(software, &[]) else { return };
    let packet = |kind: &str| format!("BITS-Packet-Type: {kind}\r\n{SESSION}");
    let packets = [
        (CREATE.to_owned(), ""),
        (packet("Ping"), ""),
        (packet("Fragment") + "Content-Range: bytes 0-4/5\r\n", "hello"),
        (packet("Close-Session"), ""),
        (packet("Cancel-Session"), ""),
    ];
    for (fields, body) in packets {
        let length = format!("{fields}Content-Length: {}\r\n", body.len());
        for (fields, body) in [(length, body), (fields, "")] {
            let (arrived, response) = measurement.ask(&fields, body.as_bytes());
            let arrived = arrived.unwrap_or_else(|| panic!("{fields}: {response:?}"));
            assert_arrived(&arrived, &fields);
            assert_eq!(response.status(), "200", "{response:?}");
            assert_eq!(response.field("BITS-Received-Content-Range"), Some("7"), "{response:?}");
        }
    }
}

/// Asserts that a request arrived with these fields. `Content-Length: 0` may be missing.
#[track_caller]
fn assert_arrived(arrived: &str, fields: &str) {
    assert!(arrived.starts_with(&format!("BITS_POST {TARGET} HTTP/1.1\r\n")), "{arrived}");
    let lower_case = arrived.to_lowercase();
    for field in fields.lines().filter(|field| *field != "Content-Length: 0") {
        let count = lower_case.matches(&format!("\r\n{}\r\n", field.to_lowercase())).count();
        assert_eq!(count, 1, "{field:?} in {arrived}");
    }
    assert!(!lower_case.contains("\r\ntransfer-encoding:"), "{arrived}");
    if !fields.contains("Content-Length") {
        assert!(!lower_case.contains("\r\ncontent-length:"), "{arrived}");
    }
}

#[test]
fn nginx_forwards_every_packet() {
    assert_forwards_every_packet(&NGINX);
}

#[test]
fn haproxy_forwards_every_packet() {
    assert_forwards_every_packet(&HAPROXY);
}

#[test]
fn apache_forwards_every_packet() {
    assert_forwards_every_packet(&APACHE);
}

#[test]
fn caddy_forwards_every_packet() {
    assert_forwards_every_packet(&CADDY);
}

#[test]
fn squid_forwards_every_packet() {
    assert_forwards_every_packet(&SQUID);
}

#[test]
fn varnish_forwards_every_packet() {
    assert_forwards_every_packet(&VARNISH);
}
