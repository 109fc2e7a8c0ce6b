//! The rules of downloads, and conversations that violate none.

mod conditions;
mod connections;
mod fields;
mod habits;
mod own_server;
mod parts;
mod ranges;
mod versions;

use std::collections::BTreeSet;

use bits_proto::download::field::ContentRange;
use bits_proto::http1::{RequestLine, StatusCode, StatusLine, Version};
use bits_proto::observer::{DownloadObserver, DownloadRule, Violation};

const OLD: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const NEW: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const MULTIPART: (&str, &str) = ("Content-Type", "multipart/byteranges; boundary=b");

type Fields<'f> = &'f [(&'f str, &'f str)];

fn pairs<'f>(fields: Fields<'f>) -> impl Iterator<Item = (&'f str, &'f [u8])> {
    fields.iter().map(|(name, value)| (*name, value.as_bytes()))
}

fn response_line(status: u16) -> StatusLine<'static> {
    let status = StatusCode::try_from(status).expect("a status");
    StatusLine { version: Version::Http11, status, reason: "" }
}

/// An observer with its violations so far.
#[derive(Default)]
struct Watch {
    observer: DownloadObserver,
    seen: Vec<Violation>,
}

impl Watch {
    fn request(&mut self, connection: u32, method: &str, fields: Fields<'_>) {
        let line = RequestLine { method, target: "/file", version: Version::Http11 };
        self.observer.handle_request_fields(connection, line, pairs(fields));
    }

    /// Passes a response and returns its violations.
    fn response(&mut self, connection: u32, status: u16, fields: Fields<'_>) -> Vec<&'static str> {
        let report = |violation| self.seen.push(violation);
        let line = response_line(status);
        self.observer.handle_response_fields(connection, line, pairs(fields), report);
        self.rules()
    }

    /// Passes the parts of a body and its end.
    fn pass_parts(&mut self, connection: u32, parts: &[&str]) {
        for part in parts {
            let part = ContentRange::try_from(*part).expect("a range");
            self.observer.handle_part(connection, part, |it| self.seen.push(it));
        }
        self.observer.handle_body_end(connection, |it| self.seen.push(it));
    }

    /// Passes the parts of a body and its end, and returns their violations.
    fn parts(&mut self, connection: u32, parts: &[&str]) -> Vec<&'static str> {
        self.pass_parts(connection, parts);
        self.rules()
    }

    fn exchange(
        &mut self,
        request: (&str, Fields<'_>),
        response: (u16, Fields<'_>),
    ) -> Vec<&'static str> {
        self.request(1, request.0, request.1);
        self.response(1, response.0, response.1)
    }

    fn rules(&mut self) -> Vec<&'static str> {
        self.seen.drain(..).map(|it| it.rule()).collect()
    }
}

/// Returns the violations of a response to a request that were not observed before.
fn exchange(request: (&str, Fields<'_>), response: (u16, Fields<'_>)) -> Vec<&'static str> {
    Watch::default().exchange(request, response)
}

/// Returns the violations of a GET with one value of Range and of a response with a date.
fn ranges(range: &str, status: u16, fields: Fields<'_>) -> Vec<&'static str> {
    let fields: Vec<_> = fields.iter().copied().chain([("Last-Modified", OLD)]).collect();
    exchange(("GET", &[("Range", range)]), (status, &fields))
}

/// Returns the violations of a body with these parts.
fn parts(range: &str, parts: &[&str]) -> Vec<&'static str> {
    let mut watch = Watch::default();
    let fields = [("Last-Modified", OLD), ("Content-Length", "500"), MULTIPART];
    let head = watch.exchange(("GET", &[("Range", range)]), (206, &fields));
    assert_eq!(head, [""; 0]);
    watch.parts(1, parts)
}

/// Returns the violations of a GET with one condition and of a response with these validators.
fn condition(condition: (&str, &str), status: u16, validators: Fields<'_>) -> Vec<&'static str> {
    let fields = [("Content-Length", "10"), ("Content-Range", "bytes 0-9/100")];
    let fields: Vec<_> = fields[..if status == 206 { 2 } else { 1 }].to_vec();
    let fields: Vec<_> = fields.into_iter().chain(validators.iter().copied()).collect();
    exchange(("GET", &[condition, ("Range", "bytes=0-9")]), (status, &fields))
}

const NONE: [&str; 0] = [];

#[test]
fn every_rule_has_its_own_name() {
    let names: BTreeSet<_> = DownloadRule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), DownloadRule::ALL.len());
    let sequence = bits_proto::observer::SequenceRule::ALL.iter().map(|rule| rule.name());
    let deviations = bits_proto::deviation::Deviation::ALL.iter().map(|it| it.name());
    for name in sequence.chain(deviations) {
        assert!(!names.contains(name), "{name}");
    }
}
