//! An observer of downloads finds the same violations for any split of the bodies, and none in a conversation
//! of our own client and server.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use bits_proto::download::field::{ContentRange, EntityTag};
use bits_proto::download::{
    ByteRange, Entity, HeaderSlots, MultipartEvent, MultipartRead, MultipartReader, Options,
    RequestHead, Response, ResponseHead, Validator,
};
use bits_proto::field::HttpDate;
use bits_proto::http1::{BodyLength, ChunkedDecoder, ChunkedPart, Progress};
use bits_proto::observer::{DownloadObserver, Violation};

use super::observe::without_offset;
use crate::support::watched_download::WatchedDownload;

/// The input consists of parts between NULs, each with the number of its connection, followed by bytes: a
/// request, a response with its body, or the Content-Range of a part (`bytes …`). Without bytes, the connection
/// ends, and a single byte is the end of a body. Other messages are missed or incomplete.
pub fn observe_downloads(data: &[u8]) {
    violated(data);
    // An input that ends early has the first of the possible values.
    let _ = own_download(&mut Unstructured::new(data));
}

/// Returns the rules that the messages violate.
pub fn violated(data: &[u8]) -> BTreeSet<&'static str> {
    let whole = watch(data, usize::MAX);
    for length in [1, 2, 7] {
        assert_eq!(watch(data, length), whole, "pieces of {length}: {}", data.escape_ascii());
    }
    whole.violations.iter().map(Violation::rule).collect()
}

/// An observer of heads, and one of the fields that another HTTP stack has parsed.
#[derive(Debug, Default, PartialEq)]
struct Watch {
    of_heads: DownloadObserver,
    of_fields: DownloadObserver,
    violations: Vec<Violation>,
    violations_of_fields: Vec<Violation>,
}

/// Observes the messages, whose bodies arrive in pieces of this length.
fn watch(data: &[u8], piece_length: usize) -> Watch {
    let mut watch = Watch::default();
    for piece in data.split(|byte| *byte == 0) {
        let Some((connection, message)) = piece.split_first() else { continue };
        let connection = u32::from(connection % 10);
        match message {
            [] => watch.disconnect(connection),
            [_] => watch.body_end(connection),
            [b'H', b'T', b'T', b'P', b'/', ..] => watch.response(connection, message, piece_length),
            _ => match ContentRange::try_from(message) {
                Ok(part) => watch.part(connection, part),
                Err(_) => watch.request(connection, message),
            },
        }
        watch.check(piece);
    }
    watch
}

impl Watch {
    fn check(&self, piece: &[u8]) {
        assert_eq!(self.of_heads, self.of_fields, "{}", piece.escape_ascii());
        assert!(size_of_val(&self.of_heads) <= 4096);
        let [of_heads, of_fields] = [&self.violations, &self.violations_of_fields]
            .map(|violations| violations.iter().map(without_offset).collect::<Vec<_>>());
        assert_eq!(of_heads, of_fields, "{}", piece.escape_ascii());
    }

    fn disconnect(&mut self, connection: u32) {
        self.of_heads.handle_disconnected(connection);
        self.of_fields.handle_disconnected(connection);
    }

    fn body_end(&mut self, connection: u32) {
        self.of_heads.handle_body_end(connection, |it| self.violations.push(it));
        self.of_fields.handle_body_end(connection, |it| self.violations_of_fields.push(it));
    }

    fn part(&mut self, connection: u32, part: ContentRange) {
        self.of_heads.handle_part(connection, part, |it| self.violations.push(it));
        self.of_fields.handle_part(connection, part, |it| self.violations_of_fields.push(it));
    }

    fn request(&mut self, connection: u32, message: &[u8]) {
        let mut slots = HeaderSlots::new();
        let Ok(Progress::Complete(head)) = RequestHead::parse(message, &mut slots) else { return };
        self.of_heads.handle_request(connection, &head);
        self.of_fields.handle_request_fields(connection, head.line(), head.fields());
    }

    fn response(&mut self, connection: u32, message: &[u8], piece_length: usize) {
        let mut slots = HeaderSlots::new();
        let head = match ResponseHead::parse(message, &mut slots) {
            Ok(Progress::Complete(head)) => head,
            Ok(Progress::Partial) => return,
            Err(_) => return self.disconnect(connection),
        };
        self.of_heads.handle_response(connection, &head, |it| self.violations.push(it));
        let (line, fields) = (head.line(), head.fields());
        let of_fields = |it| self.violations_of_fields.push(it);
        self.of_fields.handle_response_fields(connection, line, fields, of_fields);
        let Ok(Response { multipart: Some(content_type), .. }) = Response::from_head(&head) else {
            return;
        };
        let mut reader = MultipartReader::new(content_type);
        let mut is_valid = true;
        let is_complete = body(&head, &message[head.len()..], piece_length, |mut data| {
            while is_valid && !data.is_empty() {
                let read = reader.read(data);
                is_valid = read.is_ok();
                let Ok(MultipartRead { consumed, event }) = read else { return };
                match event {
                    Some(MultipartEvent::Part(part)) => self.part(connection, part),
                    Some(MultipartEvent::End) => self.body_end(connection),
                    _ => {}
                }
                data = &data[consumed..];
            }
        });
        if is_valid && is_complete {
            self.body_end(connection);
        }
    }
}

/// Passes the data of a body that arrives in pieces. Returns true if the body is complete.
fn body(
    head: &ResponseHead<'_, '_>,
    bytes: &[u8],
    piece_length: usize,
    mut each: impl FnMut(&[u8]),
) -> bool {
    let BodyLength::Chunked = head.body_length() else {
        let length = head.body_length().known().and_then(|length| usize::try_from(length).ok());
        let data = length.and_then(|length| bytes.get(..length));
        data.unwrap_or(bytes).chunks(piece_length).for_each(each);
        return data.is_some();
    };
    let mut decoder = ChunkedDecoder::new();
    for mut piece in bytes.chunks(piece_length) {
        loop {
            match decoder.decode(piece) {
                Ok(ChunkedPart::Data { data, consumed }) => {
                    each(data);
                    piece = &piece[consumed..];
                }
                Ok(ChunkedPart::End { .. }) => return true,
                Ok(_) => break,
                Err(_) => return false,
            }
        }
    }
    false
}

/// Observes a download from our own server, whose entity may change and whose connection may break once.
fn own_download(input: &mut Unstructured<'_>) -> Result<()> {
    let length = input.int_in_range(1..=300)?;
    let tags = ["\"a\"", "\"b\""].map(|tag| EntityTag::try_from(tag).expect("a tag"));
    let has_tag: bool = input.arbitrary()?;
    let version = |length, number: usize| {
        let modified = HttpDate::from_unix_seconds(784_111_777 + number as i64);
        Entity::new(length).with_modified(modified).with_tag(Some(tags[number]).filter(|_| has_tag))
    };
    let versions = [version(length, 0), version(input.int_in_range(1..=300)?, 1)];
    let mut ranges = Vec::new();
    for _ in 0..input.int_in_range(0..=12)? {
        let first = input.int_in_range(0..=length - 1)?;
        let last = input.int_in_range(first..=length - 1)?;
        ranges.push(ByteRange::new(first, last).expect("a range"));
    }
    let validators =
        [Validator::None, Validator::IfUnmodifiedSince, Validator::IfMatch, Validator::IfRange];
    let options = Options::DEFAULT
        .with_head_first(input.arbitrary()?)
        .with_validator(*input.choose(&validators)?)
        .with_max_length(*input.choose(&[u64::MAX, 100, 7])?)
        .with_max_ranges(input.int_in_range(1..=12)?);
    let watched = WatchedDownload {
        ranges,
        options,
        seed: input.arbitrary()?,
        versions,
        replaced_at: *input.choose(&[u32::MAX, 0, 1, 2, 3])?,
        broken: if input.arbitrary()? {
            Some((input.int_in_range(0..=3)?, input.arbitrary()?))
        } else {
            None
        },
        piece_length: *input.choose(&[1, 2, 7, usize::MAX])?,
    };
    let watched = watched.run();
    assert_eq!(watched.violations, []);
    Ok(())
}
