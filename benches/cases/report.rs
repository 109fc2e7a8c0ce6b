//! Machine-readable output.

use std::process::ExitCode;

use super::{Group, MaxRatios, Pair};

/// The groups of lines, by the part of a name before the first slash.
const GROUPS: [(&str, &str); 24] = [
    ("read", "bytes to a typed, validated message, beside httparse alone on the bytes"),
    ("head", "bytes to the HTTP part of a message only, beside httparse alone"),
    (
        "baseline",
        "bytes to a message, beside httparse into http::HeaderMap, then get and parse for each field",
    ),
    (
        "built",
        "from_fields with the fields of an http::HeaderMap, beside get and parse for each field",
    ),
    ("http", "from_http of a whole http::Request or Response, beside get and parse for each field"),
    ("unusual", "valid heads in another form, beside their cost when httparse parsed all heads"),
    ("invalid", "invalid heads, beside their cost when httparse parsed all heads"),
    ("partial", "incomplete heads, beside their cost when httparse parsed all heads"),
    (
        "write-ack",
        "an Ack with Date and Server, beside write!; -and-extras: checks both fields for this one Ack",
    ),
    (
        "write-fragment",
        "a Fragment head with three extra fields, beside write!; -and-extras as above",
    ),
    ("write-plain", "responses without extra fields, beside write!"),
    ("growing", "a long or slowly growing head, beside the same number of bytes in short heads"),
    ("head-size", "a valid head of this size, beside one of 1 KiB"),
    (
        "head-size-httparse",
        "httparse alone on a head of this size, beside this crate on one of 1 KiB",
    ),
    (
        "sessions",
        "one step of a server with this number of live sessions, beside one with a thousand",
    ),
    ("step", "one Fragment in the state machine of server or client, beside httparse on its head"),
    (
        "download",
        "a GET request to the plan and head of the response, beside httparse on the request",
    ),
    (
        "download-client",
        "one exchange of a client without parsing, beside httparse on the response",
    ),
    (
        "download-parts",
        "the plan of 500 ranges with the heads of the parts, beside the heads with write!",
    ),
    ("download-linear", "the plan of 500 ranges, beside 250 plans of two ranges"),
    ("download-multipart", "reading and copying several ranges, beside copying the body"),
    (
        "million",
        "a server with a million live sessions, beside one with a thousand; bytes of a session",
    ),
    ("allocations", "allocations of one execution of the work with this name"),
    ("size", "size of a type in bytes"),
];

/// Prints lines `ratio NAME VALUE BAR ok|over`, and collects the bars that are missed.
#[derive(Default)]
pub struct Report {
    /// The group of the last line.
    group: String,
    missed: Vec<String>,
}

impl Report {
    /// Measures all pairs and prints a line for each ratio.
    pub fn groups(
        &mut self,
        groups: &mut [Group],
        bar: impl Fn(&MaxRatios) -> f64,
        mut measure: impl FnMut(&mut Pair) -> f64,
    ) {
        for group in groups {
            let mut product = 1.0;
            for pair in &mut group.pairs {
                let ratio = measure(pair) / pair.scale;
                product *= ratio;
                let bars = pair.bars.as_ref().unwrap_or(&group.each);
                self.line(&format!("{}/{}", group.name, pair.name), ratio, bar(bars));
            }
            if let Some(bars) = &group.mean {
                let mean = f64::powf(product, 1.0 / group.pairs.len() as f64);
                self.line(&format!("{}/geometric-mean", group.name), mean, bar(bars));
            }
        }
    }

    /// Prints one line, after a comment if it is the first of its group. Without a bar the line contains `-`.
    pub fn line(&mut self, name: &str, value: f64, bar: f64) {
        let group = name.split('/').next().unwrap_or(name);
        if group != self.group {
            let about = GROUPS.iter().find(|(name, _)| *name == group);
            println!("# {group}: {}", about.expect("a description of each group").1);
            self.group = group.into();
        }
        let is_missed = value > bar;
        let bar = if bar.is_finite() { format!("{bar:.3}") } else { "-".into() };
        let line =
            format!("ratio {name} {value:.3} {bar} {}", if is_missed { "over" } else { "ok" });
        println!("{line}");
        if is_missed {
            self.missed.push(line);
        }
    }

    /// Names the missed bars, and fails if there are any.
    pub fn finish(self) -> ExitCode {
        if self.missed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("{} bars are missed:\n{}", self.missed.len(), self.missed.join("\n"));
        ExitCode::FAILURE
    }
}
