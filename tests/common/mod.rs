//! What several tests need: messages to read, and reading them.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::{Path, PathBuf};

use bits_proto::Error;
use bits_proto::field::{ContentRange, SessionId, SupportedProtocols};
use bits_proto::head::{Progress, RequestHead, ResponseHead, Slots};
use bits_proto::message::{
    Ack, AckFor, Decoded, NotificationRequest, NotificationResponse, Policy, Request,
};

pub const VECTORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");

/// The session id of the requests that the Acks under test answer.
pub const SESSION: &str = "{A0FF5911-4144-45B3-BF27-27AFC8EC8A67}";

/// A request's head: the lines, with CR LF after each and an empty line at the end.
pub fn head(lines: &[&str]) -> Vec<u8> {
    let mut head = lines.join("\r\n").into_bytes();
    head.extend_from_slice(b"\r\n\r\n");
    head
}

/// A `BITS_POST` with these fields.
pub fn post(fields: &[&str]) -> Vec<u8> {
    head(&[&["BITS_POST /e HTTP/1.1"], fields].concat())
}

/// A 200 with these fields.
pub fn ok(fields: &[&str]) -> Vec<u8> {
    head(&[&["HTTP/1.1 200 OK"], fields].concat())
}

/// The head of a request that is whole.
pub fn request_head<'h, 'b>(
    bytes: &'b [u8],
    slots: &'h mut Slots<'b>,
) -> Result<RequestHead<'h, 'b>, Error> {
    match RequestHead::parse(bytes, slots)? {
        Progress::Complete(head) => Ok(head),
        Progress::Partial => panic!("partial: {}", bytes.escape_ascii()),
    }
}

/// The head of a response that is whole.
pub fn response_head<'h, 'b>(
    bytes: &'b [u8],
    slots: &'h mut Slots<'b>,
) -> Result<ResponseHead<'h, 'b>, Error> {
    match ResponseHead::parse(bytes, slots)? {
        Progress::Complete(head) => Ok(head),
        Progress::Partial => panic!("partial: {}", bytes.escape_ascii()),
    }
}

pub fn read_request<'b>(bytes: &'b [u8], policy: &Policy) -> Result<Decoded<Request<'b>>, Error> {
    Request::from_head(&request_head(bytes, &mut Slots::new())?, policy)
}

pub fn read_ack<'b>(bytes: &'b [u8], ack_for: &AckFor<'_>) -> Result<Decoded<Ack<'b>>, Error> {
    Ack::from_head(&response_head(bytes, &mut Slots::new())?, ack_for)
}

pub fn read_notification(bytes: &[u8]) -> Result<Decoded<NotificationRequest<'_>>, Error> {
    NotificationRequest::from_head(&request_head(bytes, &mut Slots::new())?)
}

pub fn read_notified(bytes: &[u8]) -> Result<Decoded<NotificationResponse<'_>>, Error> {
    NotificationResponse::from_head(&response_head(bytes, &mut Slots::new())?)
}

/// The requests that Acks are read for: bytes 0 to 99 of 200, and the last 100.
pub fn asked(name: &str) -> AckFor<'static> {
    let session_id = SessionId::try_from(SESSION).ok();
    let offered = Some(SupportedProtocols::BITS_1_5);
    match name {
        "ping" => AckFor::Ping,
        "create" => AckFor::CreateSession { offered },
        "fragment" => {
            AckFor::Fragment { session_id, content_range: ContentRange::new(0, 99, 200).ok() }
        }
        "last" => {
            AckFor::Fragment { session_id, content_range: ContentRange::new(100, 199, 200).ok() }
        }
        "close" => AckFor::CloseSession { session_id },
        "cancel" => AckFor::CancelSession { session_id },
        other => panic!("no request {other}"),
    }
}

/// One message of a vector file: its head and, where it is whole, its body.
#[derive(Clone)]
pub struct Vector {
    pub name: String,
    pub bytes: Vec<u8>,
    pub is_request: bool,
}

/// Every message of every vector file; of a file whose framing is broken, all of it as one.
pub fn vectors() -> Vec<Vector> {
    let mut files: Vec<PathBuf> = ["", "rules", "pairs"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(Path::new(VECTORS).join(folder)).expect("vectors"))
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
        .collect();
    files.sort();
    let vectors: Vec<_> = files.iter().flat_map(|path| messages(path)).collect();
    assert!(vectors.len() > 250, "only {} vectors", vectors.len());
    vectors
}

fn messages(path: &Path) -> Vec<Vector> {
    let bytes = std::fs::read(path).expect("a vector");
    let file = path.strip_prefix(VECTORS).expect("a vector").display();
    let mut messages = Vec::new();
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let length = message_length(rest).unwrap_or(rest.len()).min(rest.len());
        messages.push(Vector {
            name: format!("{file}#{}", messages.len()),
            bytes: rest[..length].to_vec(),
            is_request: !rest.starts_with(b"HTTP/"),
        });
        rest = &rest[length..];
    }
    messages
}

fn message_length(bytes: &[u8]) -> Option<usize> {
    let mut slots = Slots::new();
    let (head, framing) = if bytes.starts_with(b"HTTP/") {
        let head = ResponseHead::parse(bytes, &mut slots).ok()?.complete()?;
        (head.len(), head.framing())
    } else {
        let head = RequestHead::parse(bytes, &mut slots).ok()?.complete()?;
        (head.len(), head.framing())
    };
    let body = usize::try_from(framing.content_length?).ok()?;
    head.checked_add(body)
}
