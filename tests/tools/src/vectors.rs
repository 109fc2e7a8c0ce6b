//! The test vectors and their manifest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Returns the folder of the vectors.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("vectors")
}

/// One line of a manifest, by column name.
pub type Row = BTreeMap<String, String>;

/// One message of a vector.
pub struct Message {
    /// Name of the file, and index of the message in it.
    pub name: String,
    /// The message from its first byte to the end of its body.
    pub bytes: Vec<u8>,
    /// The column `ack_for` of the manifest.
    pub ack_context: String,
    pub verdict: String,
}

impl Message {
    pub fn is_response(&self) -> bool {
        self.bytes.starts_with(b"HTTP/")
    }
}

pub fn file(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn manifest(folder: &Path) -> Vec<Row> {
    let text = String::from_utf8(file(folder, "MANIFEST.tsv")).expect("a manifest in UTF-8");
    let mut lines = text.lines().map(|line| line.split('\t'));
    let header: Vec<_> = lines.next().expect("a header line").collect();
    lines
        .map(|cells| header.iter().zip(cells).map(|(key, it)| (key.to_string(), it.to_string())))
        .map(Row::from_iter)
        .collect()
}

fn position(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

/// Parses Content-Length independently of the crate, so that its errors do not show here.
fn content_length(head: &[u8]) -> usize {
    let head = head.to_ascii_lowercase();
    let Some(start) = position(&head, b"\r\ncontent-length:") else { return 0 };
    let digits = head[start + 17..].trim_ascii_start();
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Splits consecutive messages. Remaining bytes belong to the last one.
pub fn split_messages(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while !bytes.is_empty() {
        let head = position(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
        let end = bytes.len().min(head + content_length(&bytes[..head]));
        messages.push(bytes[..end].to_vec());
        bytes = &bytes[end..];
    }
    messages
}

/// Returns all messages of all vectors. A file in `rules/` counts as one message, including all bytes after its
/// head.
pub fn all() -> Vec<Message> {
    let folder = folder();
    let mut files: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in manifest(&folder) {
        files.entry(row["file"].clone()).or_default().push(row);
    }
    let messages: Vec<_> =
        files.iter().flat_map(|(name, rows)| of_file(name, rows, file(&folder, name))).collect();
    assert!(messages.len() > 200, "only {} messages were found", messages.len());
    messages
}

fn of_file(name: &str, rows: &[Row], bytes: Vec<u8>) -> Vec<Message> {
    let pieces = if name.starts_with("rules/") { vec![bytes] } else { split_messages(&bytes) };
    assert_eq!(pieces.len(), rows.len(), "{name}: number of messages and of lines in the manifest");
    let message = |(index, (bytes, row)): (usize, (Vec<u8>, &Row))| Message {
        name: format!("{name}#{index}"),
        bytes,
        ack_context: row["ack_for"].clone(),
        verdict: row["verdict"].clone(),
    };
    pieces.into_iter().zip(rows).enumerate().map(message).collect()
}

/// Files that contain whole conversations in the form of the captures.
pub const CONVERSATIONS: [&str; 4] =
    ["upload.http", "upload-reply.http", "notify-by-reference.http", "notify-by-value.http"];

/// Returns the messages of one file.
pub fn conversation(name: &str) -> Vec<Vec<u8>> {
    split_messages(&file(&folder(), name))
}
