//! Heads in the form of Microsoft's captures are written byte for byte as they were parsed.
//!
//! They are written from the parsed values and the fields of the transport only. If `BITS_WIRE` names a folder
//! with a `MANIFEST.tsv` of captured messages, the captures of [MC-BUP] 4.1 and 4.2 in it are checked as
//! well:
//!
//! ```sh
//! BITS_WIRE=path/to/wire cargo test --all-features --test library message::captures -- --nocapture
//! ```

use crate::support;
use std::path::Path;

use bits_proto::message::{
    Ack, AckContext, HeaderSlots, NotificationRequest, NotificationResponse, ParseOptions, Request,
    RequestHead,
};
use support::read::{Message, Pair, extras, request_head, response_head};
use support::vectors::{self, CONVERSATIONS, conversation, split_messages};

/// The request that the next response answers.
enum PendingRequest {
    Packet(Vec<u8>),
    Notification,
    /// A GET, whose response is not a message of this protocol.
    Download,
}

fn assert_same_head(
    name: &str,
    message: Message<'_>,
    target: &str,
    fields: &[Pair<'_>],
    head: &[u8],
) {
    let extras = extras(message.kind(), fields);
    let written = message
        .encode(target, &extras)
        .unwrap_or_else(|error| panic!("{name}: {error} in {extras:?}"));
    assert_eq!(
        String::from_utf8_lossy(&written),
        String::from_utf8_lossy(head),
        "{name} is not written as it was parsed"
    );
    assert_eq!(written, head, "{name}");
}

fn decode_request<'b>(name: &str, head: &RequestHead<'_, 'b>) -> Request<'b> {
    match Request::from_head(head, &ParseOptions::DEFAULT) {
        Ok(decoded) => decoded.message,
        Err(error) => panic!("{name}: {error}"),
    }
}

fn check_request(name: &str, bytes: &[u8]) -> PendingRequest {
    let mut slots = HeaderSlots::new();
    let head = request_head(name, bytes, &mut slots);
    let (line, fields) = (head.line(), head.fields().collect::<Vec<_>>());
    if line.method == "GET" {
        return PendingRequest::Download;
    }
    let is_notification = NotificationRequest::is_notification(&line, head.fields());
    let message: Message<'_> = if is_notification {
        let decoded = NotificationRequest::from_head(&head);
        decoded.unwrap_or_else(|error| panic!("{name}: {error}")).message.into()
    } else {
        decode_request(name, &head).into()
    };
    assert_same_head(name, message, line.target, &fields, &bytes[..head.len()]);
    if is_notification {
        PendingRequest::Notification
    } else {
        PendingRequest::Packet(bytes.to_vec())
    }
}

/// Returns true if the response is a message of this protocol.
fn check_response(name: &str, bytes: &[u8], pending: &PendingRequest) -> bool {
    let mut slots = HeaderSlots::new();
    let head = response_head(name, bytes, &mut slots);
    let fields: Vec<_> = head.fields().collect();
    let message = match pending {
        PendingRequest::Download => return false,
        PendingRequest::Notification => {
            let decoded = NotificationResponse::from_head(&head);
            decoded.unwrap_or_else(|error| panic!("{name}: {error}")).message.into()
        }
        PendingRequest::Packet(request) => {
            let mut slots = HeaderSlots::new();
            let request = decode_request(name, &request_head(name, request, &mut slots));
            let decoded = Ack::from_head(&head, &AckContext::from(&request));
            decoded.unwrap_or_else(|error| panic!("{name}: {error}")).message.into()
        }
    };
    assert_same_head(name, message, "/", &fields, &bytes[..head.len()]);
    true
}

/// Checks the messages of a conversation in order, and counts those of this protocol.
#[derive(Default)]
struct Checked {
    pending: Option<PendingRequest>,
    /// The packet before a notification, which is answered after the notification.
    packet: Option<Vec<u8>>,
    count: usize,
}

impl Checked {
    fn message(&mut self, name: &str, bytes: &[u8]) {
        if !bytes.starts_with(b"HTTP/") {
            self.request(name, bytes);
            return;
        }
        let pending =
            self.pending.take().or_else(|| self.packet.take().map(PendingRequest::Packet));
        let pending = pending.unwrap_or_else(|| panic!("{name} answers no request"));
        self.count += usize::from(check_response(name, bytes, &pending));
    }

    fn request(&mut self, name: &str, bytes: &[u8]) {
        let pending = check_request(name, bytes);
        self.count += usize::from(!matches!(pending, PendingRequest::Download));
        match pending {
            PendingRequest::Packet(packet) => self.packet = Some(packet),
            other => self.pending = Some(other),
        }
    }
}

#[test]
fn the_conversations_are_written_as_they_were_read() {
    let mut checked = Checked::default();
    for name in CONVERSATIONS {
        for (index, bytes) in conversation(name).iter().enumerate() {
            checked.message(&format!("{name}#{index}"), bytes);
        }
    }
    assert_eq!(checked.count, 26, "all messages except the download of the reply");
}

/// Checks the client's and the server's part of one conversation, in two files.
fn check_transcripts(folder: &Path, [client, server]: [&str; 2]) -> usize {
    let read = |name| split_messages(&vectors::file(folder, name));
    let mut checked = Checked::default();
    let (requests, responses) = (read(client), read(server));
    assert_eq!(requests.len(), responses.len(), "{client} and {server}");
    for (index, (request, response)) in requests.iter().zip(&responses).enumerate() {
        checked.message(&format!("{client}#{index}"), request);
        checked.message(&format!("{server}#{index}"), response);
    }
    checked.count
}

const TRANSCRIPTS: [&str; 2] = ["spec41_all_client.bin", "spec41_all_server.bin"];

fn is_captured(row: &vectors::Row) -> bool {
    let file = row["file"].as_str();
    row["provenance"] == "verbatim"
        && (file.starts_with("spec41_") || file.starts_with("spec42_"))
        && row["verdict"] != "raw-body"
        && !TRANSCRIPTS.contains(&file)
}

#[test]
fn the_captures_are_written_as_they_were_read() {
    let Some(folder) = std::env::var_os("BITS_WIRE") else {
        println!("skipped: BITS_WIRE is not a folder of captures");
        return;
    };
    let folder = Path::new(&folder);
    let mut checked = Checked::default();
    for row in vectors::manifest(folder).into_iter().filter(is_captured) {
        checked.message(&row["file"], &vectors::file(folder, &row["file"]));
    }
    let count = checked.count + check_transcripts(folder, TRANSCRIPTS);
    println!("{count} captured messages are written as they were parsed");
    assert!(count >= 20, "only {count} messages were found");
}
