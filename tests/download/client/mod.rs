//! The client: requests, responses, and what happens when they do not match.

mod commands;
mod dynamic;
mod expected_events;
mod failures;
mod inputs;
mod missing_validator;
mod peers;
mod persist;
mod ranges;
mod requests;
mod versions;

use std::time::Duration;

use crate::support::messages::extras;
use bits_proto::download::{ByteRange, Data, Download, Options, Poll, Response};
use bits_proto::http1::{RequestTarget, StatusCode, StatusLine, Version};

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const NOW: Duration = Duration::from_secs(1000);

type Ranges = Download<Vec<ByteRange>>;

fn range(first: u64, last: u64) -> ByteRange {
    ByteRange::new(first, last).unwrap()
}

fn download(ranges: &[(u64, u64)], options: Options) -> Ranges {
    let ranges = ranges.iter().map(|(first, last)| range(*first, *last)).collect();
    Download::new(ranges, options, 7)
}

/// A download that starts with GET.
fn get(ranges: &[(u64, u64)], options: Options) -> Ranges {
    download(ranges, options.with_head_first(false))
}

fn send(download: &mut Ranges) {
    assert_eq!(download.poll(), Poll::Send);
    download.handle_sending(NOW).unwrap();
    download.handle_sent(NOW).unwrap();
}

fn answer(download: &mut Ranges, status: u16, fields: &[(&str, &str)]) {
    let status = StatusCode::try_from(status).unwrap();
    let line = StatusLine { version: Version::Http11, status, reason: "" };
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    match Response::from_fields(line, fields) {
        Ok(response) => download.handle_response(&response, NOW).unwrap(),
        Err(_) => download.handle_unreadable(Some(status), NOW).unwrap(),
    }
}

fn exchange(download: &mut Ranges, status: u16, fields: &[(&str, &str)]) {
    send(download);
    answer(download, status, fields);
}

/// Passes all of `body`, and returns the stored bytes with their positions.
fn receive(download: &mut Ranges, body: &str) -> Vec<(u64, u64, String)> {
    let (mut stored, mut rest) = (Vec::new(), body.as_bytes());
    while !rest.is_empty() {
        let Data { consumed, store, is_done, .. } = download.handle_data(rest, NOW).unwrap();
        stored.extend(
            store.map(|it| (it.position, it.offset, String::from_utf8(it.bytes.to_vec()).unwrap())),
        );
        if is_done {
            break;
        }
        rest = &rest[consumed..];
    }
    stored
}

fn stored(position: u64, offset: u64, bytes: &str) -> (u64, u64, String) {
    (position, offset, bytes.to_owned())
}

/// The head of the next request.
fn head(download: &Ranges) -> String {
    let target = RequestTarget::try_from("/f").unwrap();
    let (transmit, extras) = (download.transmit().unwrap(), extras([("Host", "h")]));
    let encoder = transmit.encode(target, &extras).unwrap();
    let mut fields = String::new();
    encoder.for_each_field(|name, value| {
        fields += &format!("{name}: {}\r\n", std::str::from_utf8(value).unwrap());
    });
    let head = String::from_utf8(encoder.to_vec()).unwrap();
    assert!(head.ends_with(&format!(" HTTP/1.1\r\n{fields}\r\n")), "{head}");
    head
}

/// The value of Range in the next request.
fn requested(download: &Ranges) -> Option<String> {
    let head = head(download);
    let value = head.split("\r\nRange: ").nth(1)?;
    value.split("\r\n").next().map(str::to_owned)
}

/// Breaks the connection, and waits for the end of the back-off.
fn break_off(download: &mut Ranges) {
    download.handle_transport_failure(NOW).unwrap();
    download.handle_timeout(NOW + Duration::from_secs(3600));
}
