//! Conversations of a client, a server and an application that violate rules and spell fields in odd ways,
//! which an observer follows.

use bits_proto::observer::{Observer, Violation};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::script;
use super::tally;

/// Offsets within small entities, and one that is longer than the smallest fragment.
const OFFSETS: &[u64] = &[0, 9, 10, 19, 20, 29, 30, 9_999, 10_000, 30_000];

const FRAGMENT: &str = "> fragment A 0-29999/30000";

const PROTOCOL: &str = "{7df0354d-249b-430f-820d-3d2a9bef4931}";

/// Changes of a message: the first word of those to which they apply, and the changed fields. `LONG` stands for a
/// value that is longer than its field allows, `NAME` for one that is longer than usual.
const CHANGES: &[(&str, &str)] = &[
    // Requests.
    ("", "+Content-Length: 0"),
    ("ping", "BITS-Error: 0x80070057"),
    ("ping", "Content-Length:"),
    ("ping", "Content-Length: 1x"),
    ("close", "Content-Length: 1"),
    ("create", "Content-Name: a"),
    ("create", "Content-Name: b"),
    ("create", "Content-Name: NAME"),
    ("create", "Content-Name: LONG"),
    ("create", "BITS-Supported-Protocols: 7df0354d-249b-430f-820d-3d2a9bef4931"),
    ("create", "+BITS-Supported-Protocols: {7df0354d-249b-430f-820d-3d2a9bef4931}"),
    ("create", "BITS-Supported-Protocols: PROTOCOLS"),
    ("create", "Host: origin.example"),
    ("create", "Host: node.example"),
    ("fragment", "Host: origin.example"),
    ("fragment", "Host: node.example"),
    ("fragment", "Content-Name: a"),
    ("fragment", "Content-Name: b"),
    ("fragment", "Content-Length: 0"),
    ("fragment", "Content-Range: bytes  0-9/30"),
    ("line", "X-HTTP-Method-Override: BITS_POST"),
    ("notify", "BITS-Original-Request-URL: /e"),
    ("notify", "BITS-Request-DataFile-Name: a | BITS-Response-DataFile-Name: b"),
    // Responses.
    ("pinged", "Content-Length:"),
    ("pinged", "Content-Length: | Transfer-Encoding: chunked"),
    ("pinged", "Content-Length: 1"),
    ("pinged", "Server: LONG"),
    ("pinged", "BITS-Error: 0x80070057"),
    ("pinged", "BITS-Received-Content-Range: 10"),
    ("pinged", "BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}"),
    ("created", "BITS-Protocol:"),
    ("created", "BITS-Protocol: 7df0354d-249b-430f-820d-3d2a9bef4931"),
    ("created", "Accept-encoding: gzip"),
    ("created", "BITS-Host-Id: node.example | BITS-Host-Id-Fallback-Timeout: 60"),
    ("created", "BITS-Host-Id: node.example:80 | BITS-Host-Id-Fallback-Timeout: 60"),
    ("created", "BITS-Host-Id: node.example"),
    ("created", "BITS-Host-Id-Fallback-Timeout: 60"),
    ("received", "BITS-Session-Id:"),
    ("received", "BITS-Session-Id: B"),
    ("received", "BITS-Received-Content-Range:"),
    ("received", "BITS-Received-Content-Range: | BITS-Recieved-Content-Range: 10"),
    ("received", "BITS-Reply-URL: http://origin.example/a"),
    ("received", "BITS-Reply-URL: http://origin.example/b"),
    ("received", "BITS-Reply-URL: http://other.example/a"),
    ("received", "BITS-Reply-URL: http://origin.example/LONG"),
    ("refused", "BITS-Packet-Type:"),
    ("refused", "BITS-Protocol: {7df0354d-249b-430f-820d-3d2a9bef4931}"),
    ("refused", "BITS-Error-Code: 0x1"),
    ("refused", "BITS-Error: x"),
    ("refused", "BITS-Error-Context:"),
    ("refused", "BITS-Error-Context: 0x5"),
    ("refused", "BITS-Error-Context: 0x9"),
    ("refused", "BITS-Error-Context: x"),
    ("refused", "BITS-Session-Id: a b"),
    ("refused", "BITS-Received-Content-Range: 10"),
    ("refused", "BITS-Received-Content-Range: x"),
    ("bare", "BITS-Packet-Type: Ack"),
    ("bare", "BITS-Static-Response-URL: /r"),
    ("bare", "Content-Length: 3"),
];

/// Runs a conversation from its beginning, or from its middle for odd numbers.
pub fn run(seed: u64) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut observer = if seed % 2 == 0 { Observer::new() } else { Observer::mid_stream() };
    for _ in 0..random.random_range(1..60) {
        let request = request(&mut random);
        if random.random_bool(0.02) {
            too_long(&mut observer);
        }
        watch(&mut observer, &mut random, ">", &request);
        if random.random_bool(0.1) {
            continue;
        }
        let response = match random.random_range(0..10) {
            0 => response(&mut random),
            1 => refusal(&mut random),
            _ => suitable(&request, &mut random),
        };
        watch(&mut observer, &mut random, "<", &response);
        if random.random_bool(0.1) {
            let event =
                *["x", "~ 0", "~ 5", "> ?", "< ?", "?"].choose(&mut random).expect("events");
            observe(&mut observer, event);
        }
    }
}

/// Sends a fragment again that the server rejected because of its length.
fn too_long(observer: &mut Observer) {
    let lines = ["> create", "< created A", FRAGMENT, "< refused 413", FRAGMENT, "< refused 413"];
    lines.iter().for_each(|line| observe(observer, line));
}

/// Observes a message, with changes if there are any for it, on one of two connections.
fn watch(observer: &mut Observer, random: &mut SmallRng, mark: &str, message: &str) {
    let connection = if random.random_bool(0.9) { 1 } else { 2 };
    let mut line = format!("{connection}{mark} {message}");
    if random.random_bool(0.3) {
        let word = message.split(' ').next().unwrap_or_default();
        let changes: Vec<_> = CHANGES.iter().filter(|it| [word, ""].contains(&it.0)).collect();
        if let Some((_, change)) = changes.choose(random) {
            line = format!("{line} | {change}");
        }
    }
    let line = line
        .replace("LONG", &"x".repeat(4097))
        .replace("NAME", &"x".repeat(1000))
        .replace("PROTOCOLS", &vec![PROTOCOL; 101].join(" "));
    observe(observer, &line);
}

fn observe(observer: &mut Observer, line: &str) {
    for violation in script::watch(observer, line) {
        tally::note("violation", &violation);
        match violation {
            Violation::Deviation { deviation, .. } => tally::note("deviation", &deviation),
            Violation::Sequence { rule, .. } => tally::note("rule of sequence", &rule),
            _ => {}
        }
    }
}

fn session(random: &mut SmallRng) -> &'static str {
    ["A", "A", "A", "A", "B", "opaque"].choose(random).expect("ids")
}

fn offset(random: &mut SmallRng) -> u64 {
    *OFFSETS.choose(random).expect("offsets")
}

fn request(random: &mut SmallRng) -> String {
    match random.random_range(0..20) {
        0 => "ping".into(),
        1..4 => "create".into(),
        4..13 => {
            let last = offset(random).saturating_sub(u64::from(random.random_bool(0.8)));
            let first = offset(random);
            let total = [30, 30, 30, 30_000, 20][random.random_range(0..5)];
            format!("fragment {} {first}-{last}/{total}", session(random))
        }
        13..15 => format!("close {}", session(random)),
        15 => format!("cancel {}", session(random)),
        16 => "get".into(),
        17 => "line POST /e HTTP/1.1 | BITS-Packet-Type: Ping | Content-Length: 0".into(),
        _ => format!("notify {}", offset(random)),
    }
}

/// Returns the success that answers a request.
fn suitable(request: &str, random: &mut SmallRng) -> String {
    let words: Vec<_> = request.split(' ').collect();
    match words[..] {
        ["create"] => format!("created {}", session(random)),
        ["fragment", id, range] => {
            let last = range.split(['-', '/']).nth(1).and_then(|last| last.parse::<u64>().ok());
            format!("received {id} {}", last.map_or(0, |last| last + 1))
        }
        ["close", id] => format!("closed {id}"),
        ["cancel", id] => format!("cancelled {id}"),
        ["get"] | ["notify", _] => {
            format!("bare {}", ["200", "200", "201", "403"].choose(random).expect("statuses"))
        }
        _ => "pinged".into(),
    }
}

fn refusal(random: &mut SmallRng) -> String {
    match random.random_range(0..6) {
        0 | 1 => format!("resync {}", offset(random)),
        2 => "lost".into(),
        3 => "refused 413".into(),
        4 => "refused 400 0x80070057".into(),
        _ => format!("refused {}", ["503", "401", "404 0x8020001F"].choose(random).expect("some")),
    }
}

/// Returns a response to any request.
fn response(random: &mut SmallRng) -> String {
    let (id, next) = (session(random), offset(random));
    match random.random_range(0..7) {
        0 => "pinged".into(),
        1 => format!("created {id}"),
        2 => format!("received {id} {next}"),
        3 => format!("closed {id}"),
        4 => format!("cancelled {id}"),
        5 => format!("bare {}", ["100", "200", "201", "204"].choose(random).expect("statuses")),
        _ => "old".into(),
    }
}
