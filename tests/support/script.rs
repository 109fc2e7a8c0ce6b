//! Conversations as text, passed to an observer.
//!
//! ```text
//! > fragment A 0-99/300 | Host: elsewhere    ! offset-goes-back, host-id-ignored
//! ```
//!
//! A line is a request (`>`), a response (`<`), a closed connection (`x`), or an answer that is not an HTTP
//! head (`?`). `> ?` and `< ?` are a request and a response that were missed; `~ 10` is the end of the body of
//! the latest request after 10 bytes. The number of its connection comes first, if it is not 1. A part after `|` adds or replaces a
//! field; without a value it removes the field. The names of the violated rules follow `!`, in any order; no
//! other rule may be violated.

use bits_proto::Error;
use bits_proto::http1::Progress;
use bits_proto::message::{HeaderSlots, RequestHead, ResponseHead};
use bits_proto::observer::{Observer, Violation};

/// Observes a conversation from its beginning, and checks the violations of each line.
#[track_caller]
pub fn check(script: &str) -> Observer {
    follow(Observer::new(), script)
}

/// Continues a conversation with an observer that has state.
#[track_caller]
pub fn follow(mut observer: Observer, script: &str) -> Observer {
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = line.split_once('!').unwrap_or((line, ""));
        let mut expected: Vec<_> =
            expected.split(',').map(str::trim).filter(|rule| !rule.is_empty()).collect();
        let seen = watch(&mut observer, text.trim());
        let mut seen: Vec<_> = seen.iter().map(Violation::rule).collect();
        expected.sort_unstable();
        seen.sort_unstable();
        assert_eq!(seen, expected, "{line}\nof\n{script}");
    }
    observer
}

/// Returns the violations of the last line of a conversation.
pub fn violations(mut observer: Observer, script: &str) -> Vec<Violation> {
    let lines = script.lines().map(|line| line.split('!').next().unwrap_or_default().trim());
    let seen = lines.filter(|line| !line.is_empty()).map(|line| watch(&mut observer, line));
    seen.last().unwrap_or_default()
}

/// Observes one line.
pub fn watch(observer: &mut Observer, line: &str) -> Vec<Violation> {
    let digits = line.find(|letter: char| !letter.is_ascii_digit()).expect("a direction");
    let (number, rest) = line.split_at(digits);
    let connection = if number.is_empty() { 1 } else { number.parse().expect("a number") };
    let (mark, text) = rest.split_at(1);
    let mut seen = Vec::new();
    let report = |violation| seen.push(violation);
    match (mark, text.trim()) {
        (">", "?") => observer.handle_missed_request(connection),
        ("<", "?") => observer.handle_missed_response(connection),
        ("~", arrived) => {
            let arrived = arrived.parse().expect("a number of bytes");
            observer.handle_incomplete_request(connection, arrived, report);
        }
        (">", _) => request(observer, connection, &request_head(text), &mut seen),
        ("<", _) => response(observer, connection, &response_head(text), &mut seen),
        ("x", _) => observer.handle_disconnected(connection),
        ("?", _) => response(observer, connection, b"HTTP/1.1 OK 200\r\n\r\n", &mut seen),
        _ => panic!("{line}"),
    }
    seen
}

/// Observes the head of a request as on the wire. It may be invalid.
pub fn request(observer: &mut Observer, connection: u32, bytes: &[u8], seen: &mut Vec<Violation>) {
    let mut slots = HeaderSlots::new();
    match RequestHead::parse(bytes, &mut slots) {
        Ok(progress) => {
            let head = whole(progress);
            observer.handle_request(connection, &head, |violation| seen.push(violation));
        }
        Err(error) => {
            observer.handle_malformed_request(connection, &error, |violation| seen.push(violation));
        }
    }
}

/// Observes the head of a response as on the wire. It may be invalid.
pub fn response(observer: &mut Observer, connection: u32, bytes: &[u8], seen: &mut Vec<Violation>) {
    let mut slots = HeaderSlots::new();
    match ResponseHead::parse(bytes, &mut slots) {
        Ok(progress) => {
            let head = whole(progress);
            observer.handle_response(connection, &head, |violation| seen.push(violation));
        }
        Err(error) => {
            observer
                .handle_malformed_response(connection, &error, |violation| seen.push(violation));
        }
    }
}

fn whole<T>(progress: Progress<T>) -> T {
    progress.complete().expect("a complete head")
}

/// Returns the error of an invalid head.
pub fn head_error(bytes: &[u8]) -> Error {
    RequestHead::parse(bytes, &mut HeaderSlots::new()).expect_err("an error")
}

/// Returns the session id for a letter.
pub fn id(letter: &str) -> String {
    match letter {
        "A" | "B" | "C" | "D" | "E" | "F" => {
            "{########-####-####-####-############}".replace('#', letter)
        }
        other => other.into(),
    }
}

struct Head(Vec<(String, String)>);

impl Head {
    fn new(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
    }

    /// Applies a part after `|`.
    fn change(&mut self, change: &str) {
        let (name, value) = change.split_once(':').expect("a field");
        let (name, value) = (name.trim(), value.trim());
        let again = name.strip_prefix('+');
        if again.is_none() {
            self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        }
        if !value.is_empty() {
            self.0.push((again.unwrap_or(name).into(), value.into()));
        }
    }

    fn bytes(&self, line: &str) -> Vec<u8> {
        let fields = self.0.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        format!("{line}\r\n{}\r\n", fields.collect::<String>()).into()
    }
}

fn request_head(text: &str) -> Vec<u8> {
    let mut parts = text.split('|');
    let words: Vec<_> = parts.next().expect("words").split_whitespace().collect();
    let mut line = "BITS_POST /e HTTP/1.1";
    let mut head = match words[..] {
        ["ping"] => Head::new(&[("BITS-Packet-Type", "Ping"), ("Content-Length", "0")]),
        ["create"] => Head::new(&[
            ("BITS-Packet-Type", "Create-Session"),
            ("BITS-Supported-Protocols", "{7df0354d-249b-430f-820d-3d2a9bef4931}"),
            ("Content-Length", "0"),
        ]),
        ["fragment", session, range] => Head::new(&[
            ("BITS-Packet-Type", "Fragment"),
            ("BITS-Session-Id", &id(session)),
            ("Content-Range", &format!("bytes {range}")),
            ("Content-Length", &length(range).to_string()),
        ]),
        ["close", session] => Head::new(&[
            ("BITS-Packet-Type", "Close-Session"),
            ("BITS-Session-Id", &id(session)),
            ("Content-Length", "0"),
        ]),
        ["cancel", session] => Head::new(&[
            ("BITS-Packet-Type", "Cancel-Session"),
            ("BITS-Session-Id", &id(session)),
            ("Content-Length", "0"),
        ]),
        ["get"] => {
            line = "GET /reply HTTP/1.1";
            Head::new(&[])
        }
        ["notify", length] => {
            line = "POST /application HTTP/1.1";
            Head::new(&[
                ("BITS-Original-Request-URL", "http://origin.example/e"),
                ("Content-Length", length),
            ])
        }
        ["line", ..] => {
            line =
                text.split('|').next().expect("a line").trim().strip_prefix("line ").expect("one");
            Head::new(&[])
        }
        _ => panic!("{text}"),
    };
    parts.for_each(|part| head.change(part));
    head.bytes(line)
}

fn length(range: &str) -> u64 {
    let ends = range.split('/').next().and_then(|ends| ends.split_once('-'));
    let number = |text: &str| text.parse::<u64>().ok();
    ends.and_then(|(first, last)| Some(number(last)?.wrapping_sub(number(first)?).wrapping_add(1)))
        .unwrap_or(0)
}

fn response_head(text: &str) -> Vec<u8> {
    let mut parts = text.split('|');
    let words: Vec<_> = parts.next().expect("words").split_whitespace().collect();
    let with = |fields: &[(&str, &str)]| {
        let mut head = Head::new(&[("BITS-Packet-Type", "Ack"), ("Content-Length", "0")]);
        head.0.extend(Head::new(fields).0);
        head
    };
    let (line, mut head) = match words[..] {
        ["pinged"] => ("HTTP/1.1 200 OK".to_string(), with(&[])),
        ["old"] => ("HTTP/1.0 200 OK".into(), with(&[])),
        ["created", session] => {
            let protocol = ("BITS-Protocol", "{7df0354d-249b-430f-820d-3d2a9bef4931}");
            ("HTTP/1.1 200 OK".into(), with(&[protocol, ("BITS-Session-Id", &id(session))]))
        }
        ["received", session, next] => (
            "HTTP/1.1 200 OK".into(),
            with(&[("BITS-Session-Id", &id(session)), ("BITS-Received-Content-Range", next)]),
        ),
        ["closed" | "cancelled", session] => {
            ("HTTP/1.1 200 OK".into(), with(&[("BITS-Session-Id", &id(session))]))
        }
        ["resync", next] => {
            ("HTTP/1.1 416 X".into(), with(&[("BITS-Received-Content-Range", next)]))
        }
        ["lost"] => (
            "HTTP/1.1 500 X".into(),
            with(&[("BITS-Error", "0x8020001F"), ("BITS-Error-Context", "0x5")]),
        ),
        ["refused", status, code] => (
            format!("HTTP/1.1 {status} X"),
            with(&[("BITS-Error", code), ("BITS-Error-Context", "0x5")]),
        ),
        ["refused", status] => (format!("HTTP/1.1 {status} X"), with(&[])),
        ["bare", status] => (format!("HTTP/1.1 {status} X"), Head::new(&[("Content-Length", "0")])),
        _ => panic!("{text}"),
    };
    parts.for_each(|part| head.change(part));
    head.bytes(&line)
}
